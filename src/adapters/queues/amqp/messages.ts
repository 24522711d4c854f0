/**
 * Leases messages of RabbitMQ and settles them. A delivery lives in the channel by which it came and nowhere else: it
 * has no receipt, another process cannot settle it, and when the channel ends RabbitMQ hands the message out again.
 */
import type { Clock } from '../../../lib/clock.ts';
import type { Message, SettleAnswer, Verdict } from '../../../plan/messages/message.ts';
import type { DeadMessage, DeliveryRef, MessageSource, Subscription, SubscriptionEvents } from '../../../reconcile/message-ports.ts';
import type { Log } from '../../../reconcile/ports.ts';
import type { DeadLetterSpec } from '../../../spec/queue.ts';
import type { AmqpSource, QueueSource } from '../../../spec/queue-source.ts';
import { lost } from './consumer.ts';
import { DeadLetters, extrasOf, type Extras } from './dead-letters.ts';
import type { AmqpLink } from './link.ts';
import type { AmqpLinks } from './links.ts';
import { AmqpSubscription } from './subscription.ts';

export interface AmqpMessagesDeps {
  readonly links: AmqpLinks;
  readonly clock: Clock;
  readonly log: Log;
}

export class AmqpMessages implements MessageSource {
  readonly #deps: AmqpMessagesDeps;
  readonly #subscriptions = new Set<AmqpSubscription>();
  readonly #deadLetters = new Map<AmqpLink, DeadLetters>();
  /** By the very object that was leased, so that it is forgotten with it. */
  readonly #extras = new WeakMap<Message, Extras>();
  #consumers = 0;
  #closed = false;

  constructor(deps: AmqpMessagesDeps) {
    this.#deps = deps;
  }

  subscribe(source: QueueSource, events: SubscriptionEvents): Subscription {
    if (source.type !== 'amqp') return refused(events, `a queue of ${source.type} is none of RabbitMQ`);
    if (this.#closed) return refused(events, 'job-chief is stopping');
    const { links, clock, log } = this.#deps;
    const subscription = new AmqpSubscription({
      link: links.link({ connection: source.connection, vhost: source.vhost, purpose: 'messages' }),
      source,
      events,
      clock,
      log,
      newName: () => `job-chief-${(this.#consumers += 1)}`,
      onReceived: ({ message }, delivery) => this.#extras.set(message, extrasOf(delivery)),
    });
    this.#subscriptions.add(subscription);
    return {
      credit: (total) => { subscription.credit(total); },
      pause: () => { subscription.pause(); },
      adopt: () => { subscription.adopt(); },
      abandon: () => { subscription.abandon(); },
      close: () => subscription.close().finally(() => this.#subscriptions.delete(subscription)),
    };
  }

  settle(_: QueueSource, { token }: DeliveryRef, verdict: Verdict): Promise<SettleAnswer> {
    for (const subscription of token === undefined ? [] : this.#subscriptions) {
      const answer = token === undefined ? undefined : subscription.settle(token, verdict);
      if (answer) return answer;
    }
    return Promise.resolve(lost);
  }

  deadLetter(source: QueueSource, target: DeadLetterSpec, dead: DeadMessage): Promise<SettleAnswer> {
    if (source.type !== 'amqp') return Promise.resolve({ kind: 'failed', message: `a queue of ${source.type} is none of RabbitMQ` });
    if (this.#closed) return Promise.resolve({ kind: 'failed', message: 'job-chief is stopping' });
    return this.#publisher(source).publish(source, target, dead, this.#extras.get(dead.message) ?? {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closing = [...this.#subscriptions].map((subscription) => subscription.close());
    await Promise.all([...closing, ...[...this.#deadLetters.values()].map((publisher) => publisher.close())]);
    this.#subscriptions.clear();
  }

  #publisher({ connection, vhost }: AmqpSource): DeadLetters {
    const link = this.#deps.links.link({ connection, vhost, purpose: 'dead letters' });
    const publisher = this.#deadLetters.get(link) ?? new DeadLetters({ link, clock: this.#deps.clock });
    this.#deadLetters.set(link, publisher);
    return publisher;
  }
}

/** A subscription that never opens. */
function refused(events: SubscriptionEvents, message: string): Subscription {
  queueMicrotask(() => { events.state({ kind: 'closed', reason: 'QueueUnsupported', message }); });
  const nothing = (): void => undefined;
  return { credit: nothing, pause: nothing, adopt: nothing, abandon: nothing, close: () => Promise.resolve() };
}
