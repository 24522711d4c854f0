/** Messages of SQS, leased and settled. The lease is the visibility timeout, its receipt the receipt handle. */
import { asError, type Clock } from '../../../lib/clock.ts';
import type { Message, SettleAnswer, Verdict } from '../../../plan/messages/message.ts';
import type { DeadMessage, DeliveryRef, MessageSource, Subscription, SubscriptionEvents } from '../../../reconcile/message-ports.ts';
import type { Log } from '../../../reconcile/ports.ts';
import type { DeadLetterSpec } from '../../../spec/queue.ts';
import type { QueueSource, SqsSource } from '../../../spec/queue-source.ts';
import type { SqsMessage } from './sqs-api.ts';
import { attributesOf, deadAttributes } from './sqs-attributes.ts';
import { SqsError } from './sqs-error.ts';
import { SqsLeases, type SqsLease } from './sqs-leases.ts';
import type { QueueName, SqsLinks } from './sqs-links.ts';
import { SqsSubscription } from './sqs-subscription.ts';

/** Seconds for which a message is hidden while it is found out whether its handle still leads to it. */
const probeHidden = 30;

/** A byte-order mark is part of the body. */
const asItCame = new TextDecoder('utf-8', { ignoreBOM: true });

export class SqsMessages implements MessageSource {
  readonly #links: SqsLinks;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #leases: SqsLeases;
  readonly #subscriptions = new Set<SqsSubscription>();
  /** What each message was made of: attributes have types, and messages groups, that headers cannot say. */
  readonly #raw = new WeakMap<Message, SqsMessage>();

  constructor(deps: { links: SqsLinks; clock: Clock; log: Log }) {
    this.#links = deps.links;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#leases = new SqsLeases({ clock: deps.clock, hideMany: (queue, entries) => this.#links.use(queue, (api, url) => api.hideMany(url, entries)) });
  }

  subscribe(source: QueueSource, events: SubscriptionEvents): Subscription {
    if (source.type !== 'sqs') return new Unsupported(source, events);
    const deps = { links: this.#links, leases: this.#leases, clock: this.#clock, log: this.#log, remember: (message: Message, raw: SqsMessage) => void this.#raw.set(message, raw) };
    const subscription = new SqsSubscription(deps, source, events);
    this.#subscriptions.add(subscription);
    return {
      credit: (total) => subscription.credit(total),
      pause: () => subscription.pause(),
      adopt: (id, receipt) => subscription.adopt(id, receipt),
      abandon: (token) => subscription.abandon(token),
      close: () => this.#close(subscription),
    };
  }

  async settle(source: QueueSource, { token, receipt }: DeliveryRef, verdict: Verdict): Promise<SettleAnswer> {
    if (source.type !== 'sqs') return wrongSource(source);
    const { handle } = receipt;
    const lease = token === undefined ? this.#byHandle(handle) : this.#leases.get(token);
    if (lease) return this.#settleLease(lease, verdict);
    if (token !== undefined) return { kind: 'lost', message: 'the lease is not in hand any more' };
    if (handle === undefined) return { kind: 'lost', message: 'there is no receipt handle' };
    return answered(() => this.#settleHandle(source, handle, verdict));
  }

  async deadLetter(source: QueueSource, target: DeadLetterSpec, { message, failure }: DeadMessage): Promise<SettleAnswer> {
    if (source.type !== 'sqs') return wrongSource(source);
    if (!('queue' in target)) return { kind: 'failed', message: 'SQS has no exchanges: `deadLetter` needs a queue' };
    const raw = this.#raw.get(message);
    const queue: QueueName = { connection: source.connection, queue: target.queue, url: undefined };
    const own = raw ? (raw.MessageAttributes ?? {}) : attributesOf(message.headers);
    const body = asItCame.decode(message.body);
    const fifo = target.queue.endsWith('.fifo') ? { group: raw?.Attributes?.MessageGroupId ?? message.id, deduplication: message.id } : undefined;
    const send = (attributes: typeof own): Promise<void> => this.#links.use(queue, (api, url) => api.send(url, { body, attributes, fifo }));
    try {
      // What filled its queue to the last byte goes without a reason rather than not at all.
      await send(deadAttributes(own, { id: message.id, queue: source.queue }, failure)).catch((error: unknown) => (isKind(error, 'size') ? send(own) : Promise.reject(asError(error))));
      return { kind: 'done' };
    } catch (error) {
      return { kind: 'failed', message: `queue "${target.queue}" for dead letters: ${asError(error).message}` };
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => this.#close(subscription)));
    this.#leases.close();
  }

  async #close(subscription: SqsSubscription): Promise<void> {
    this.#subscriptions.delete(subscription);
    await subscription.close();
  }

  #byHandle(handle: string | undefined): SqsLease | undefined {
    const found = handle === undefined ? undefined : this.#leases.byHandle(handle);
    return found && this.#leases.get(found.token);
  }

  /** A lease in hand: what is asked for is asked at once. */
  async #settleLease(lease: SqsLease, verdict: Verdict): Promise<SettleAnswer> {
    return this.#leases.settling(lease, async () => {
      if (lease.removed) {
        this.#leases.remove(lease);
        return { kind: 'already' };
      }
      if (!this.#leases.get(lease.token)) return { kind: 'lost', message: 'the lease ended meanwhile' };
      const answer = await answered(() => (verdict.kind === 'complete' ? this.#complete(lease) : this.#giveBack(lease, verdict)));
      if (answer.kind === 'done') this.#leases.remove(lease);
      if (answer.kind === 'lost') this.#leases.lose(lease, answer.message);
      return answer;
    });
  }

  async #complete(lease: SqsLease): Promise<SettleAnswer> {
    lease.removalSent = true;
    await this.#links.use(lease.queue, (api, url) => api.remove(url, lease.handle));
    return { kind: 'done' };
  }

  async #giveBack(lease: SqsLease, verdict: Exclude<Verdict, { kind: 'complete' }>): Promise<SettleAnswer> {
    const seconds = Math.max(this.#leases.allowed(lease, delayOf(verdict)), 0);
    await this.#links.use(lease.queue, (api, url) => api.hide(url, lease.handle, seconds));
    return { kind: 'done' };
  }

  /**
   * With the handle of a process before. SQS says yes to every deletion, also of what it has handed out again since, so
   * it is asked first whether the handle still leads to a message in flight. Where it does not, the message is deleted or
   * visible; nobody can tell, and the next delivery will.
   */
  async #settleHandle(source: SqsSource, handle: string, verdict: Verdict): Promise<SettleAnswer> {
    if (verdict.kind !== 'complete') {
      await this.#links.use(source, (api, url) => api.hide(url, handle, delayOf(verdict)));
      return { kind: 'done' };
    }
    await this.#links.use(source, async (api, url) => {
      await api.hide(url, handle, probeHidden).catch((error: unknown) => (isKind(error, 'limit') ? undefined : Promise.reject(asError(error))));
      await api.remove(url, handle);
    });
    return { kind: 'done' };
  }
}

/** Seconds. */
function delayOf(verdict: Exclude<Verdict, { kind: 'complete' }>): number {
  return verdict.kind === 'fail' ? Math.min(Math.max(Math.ceil(verdict.delay / 1_000), 0), 43_200) : 0;
}

async function answered(ask: () => Promise<SettleAnswer>): Promise<SettleAnswer> {
  try {
    return await ask();
  } catch (error) {
    return { kind: isKind(error, 'handle') ? 'lost' : 'failed', message: asError(error).message };
  }
}

function isKind(error: unknown, kind: SqsError['kind']): boolean {
  return error instanceof SqsError && error.kind === kind;
}

function wrongSource({ type }: QueueSource): SettleAnswer {
  return { kind: 'failed', message: `a queue of ${type} is none of SQS` };
}

/** Of a queue that is none of SQS: somebody has put the sources together wrongly. */
class Unsupported implements Subscription {
  constructor({ type }: QueueSource, events: SubscriptionEvents) {
    queueMicrotask(() => events.state({ kind: 'closed', reason: 'QueueUnsupported', message: `a queue of ${type} is none of SQS` }));
  }
  credit(): void {}
  pause(): void {}
  adopt(): void {}
  abandon(): void {}
  close(): Promise<void> {
    return Promise.resolve();
  }
}
