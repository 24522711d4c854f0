/** What a process leases messages with in a simulation. It dies with its process; its leases then behave as their queue says. */
import type { DeadMessage, DeliveryRef, MessageSource, Subscription, SubscriptionEvents } from '../reconcile/message-ports.ts';
import type { SettleAnswer, Verdict } from '../plan/messages/message.ts';
import type { DeadLetterSpec } from '../spec/queue.ts';
import type { QueueSource } from '../spec/queue-source.ts';
import type { MessageBroker, Place } from './message-broker.ts';
import type { SimulatedMessageQueue } from './message-queue.ts';
import type { Held } from './message-held.ts';
import { SimulatedSubscription } from './message-subscription.ts';
import type { SimulatedProcess } from './process.ts';

export interface SimulatedMessagesDeps {
  readonly broker: MessageBroker;
  readonly process: SimulatedProcess;
}

export class SimulatedMessages implements MessageSource {
  readonly #deps: SimulatedMessagesDeps;
  readonly #held = new Map<string, Held>();
  readonly #subscriptions = new Set<SimulatedSubscription>();
  #tokens = 0;

  constructor(deps: SimulatedMessagesDeps) {
    this.#deps = deps;
    deps.process.onDeath(() => { for (const subscription of this.#subscriptions) subscription.die(); });
  }

  /** How many are in hand. */
  get inHand(): number {
    return this.#held.size;
  }

  subscribe(source: QueueSource, events: SubscriptionEvents): Subscription {
    const subscription = new SimulatedSubscription({
      ...this.#deps,
      source,
      events,
      hold: (held) => this.#hold(held),
      drop: (token) => { this.#drop(token); },
      over: () => { this.#subscriptions.delete(subscription); },
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async settle(source: QueueSource, { id, token, receipt }: DeliveryRef, verdict: Verdict): Promise<SettleAnswer> {
    const held = token === undefined ? undefined : this.#held.get(token);
    if (source.type === 'amqp') return this.#settleThere(source, token, verdict);
    if (source.type === 'sqs' && token !== undefined && !held) return { kind: 'lost', message: 'it is not in hand any more' };
    const answer = await this.#ask('settle', source, (queue) => {
      if (queue.rules.kind === 'pgBoss') return queue.settleRow(id, verdict);
      return queue.settle(held?.delivery ?? queue.byHandle(receipt['handle'] ?? ''), verdict);
    });
    if (answer.kind !== 'failed') this.#drop(token);
    return answer;
  }

  deadLetter(source: QueueSource, target: DeadLetterSpec, { message, failure }: DeadMessage): Promise<SettleAnswer> {
    const { broker } = this.#deps;
    const name = 'queue' in target ? target.queue : (broker.bound(target.exchange, target.routingKey)?.name ?? `${target.exchange}/${target.routingKey}`);
    return this.#ask('deadLetter', { connection: source.connection, queue: name }, (queue) => {
      const headers = { ...message.headers, 'x-job-chief-reason': failure.reason, 'x-job-chief-message': failure.message, 'x-job-chief-attempt': failure.attempt, ...(failure.job === undefined ? {} : { 'x-job-chief-job': failure.job }) };
      // Rows of pg-boss have a primary key; others tell nothing by an id.
      if (source.type === 'pgBoss' && queue.find(message.id)) return 'done';
      const [stored] = queue.send({ id: message.id, body: message.body, headers, ...(message.contentType === undefined ? {} : { contentType: message.contentType }) });
      if (stored) stored.failure = failure;
      return 'done';
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
  }

  /** RabbitMQ does not answer: what was written on an open channel counts as done, whatever becomes of it. */
  async #settleThere(source: QueueSource, token: string | undefined, verdict: Verdict): Promise<SettleAnswer> {
    const { broker, process } = this.#deps;
    const held = this.#held.get(token ?? '');
    if (held?.channel.open !== true) return { kind: 'lost', message: 'the channel of this delivery is closed' };
    this.#drop(token);
    const { channel, delivery } = held;
    await process.call(() => broker.request('settle', source, () => {
      if (channel.open) broker.find(source.queue)?.settle(delivery, verdict);
    }).catch(() => { broker.breakChannel(channel, 'the connection was reset'); }));
    return { kind: 'done' };
  }

  async #ask(call: 'settle' | 'deadLetter', place: Place, act: (queue: SimulatedMessageQueue) => 'done' | 'already' | 'lost'): Promise<SettleAnswer> {
    const { broker, process } = this.#deps;
    const answer = await process.call(() => broker.request(call, place, () => {
      const queue = broker.find(place.queue);
      return queue ? act(queue) : 'lost';
    }).catch((error: unknown) => ({ problem: error instanceof Error ? error.message : String(error) })));
    if (typeof answer === 'object') return { kind: 'failed', message: answer.problem };
    return answer === 'lost' ? { kind: 'lost', message: 'the lease is over' } : { kind: answer };
  }

  #hold(held: Held): string {
    this.#tokens += 1;
    const token = `t${this.#tokens}`;
    this.#held.set(token, held);
    return token;
  }

  #drop(token: string | undefined): void {
    const held = this.#held.get(token ?? '');
    this.#held.delete(token ?? '');
    held?.forget();
  }
}
