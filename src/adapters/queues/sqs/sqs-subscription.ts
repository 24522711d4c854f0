/**
 * Leases messages of one queue by long polls, as far as there is credit.
 *
 * Modes: opening (its URL and its settings are asked for); idle (no credit, and no request); polling (one request at a
 * time, which waits at SQS); pausing (the last request failed). Closing ends a poll under way at once; what SQS hands out
 * in that moment is visible again after `firstHidden`, which is why it is short.
 */
import { asError, sleep, type Clock } from '../../../lib/clock.ts';
import { growingPause } from '../../../lib/growing-pause.ts';
import type { Message, Receipt, SourceState } from '../../../plan/messages/message.ts';
import type { Subscription, SubscriptionEvents } from '../../../reconcile/message-ports.ts';
import type { Log } from '../../../reconcile/ports.ts';
import type { SqsSource } from '../../../spec/queue-source.ts';
import type { SqsMessage } from './sqs-api.ts';
import { SqsError } from './sqs-error.ts';
import { longestHold, type SqsLeases } from './sqs-leases.ts';
import type { SqsLinks } from './sqs-links.ts';
import { readMessage } from './sqs-message.ts';

export interface SubscriptionDeps {
  readonly links: SqsLinks;
  readonly leases: SqsLeases;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with each message that comes, and what it is made of. */
  readonly remember: (message: Message, raw: SqsMessage) => void;
}

/** Seconds. */
const longestPoll = 20;
const longestVisibility = 60;
const shortestVisibility = 2;
const firstHidden = 20;
/** Places that a poll leaves out where there are more, so that it need not be broken off when one or two of them are taken for a moment. */
const spare = 2;
const mostInAnswer = 10;
/** Milliseconds. */
const firstPause = 250;
const longestPause = 30_000;
/** An answer takes no longer on its way; milliseconds. */
const longestAnswer = 1_000;
/** So long a delivery of a process before may still be ours; milliseconds. */
const adoptable = 60_000;

const open: SourceState = { kind: 'open', leaseLimit: longestHold, strict: false, limitName: 'the 12 hours for which SQS lets a message be held' };

export class SqsSubscription implements Subscription {
  readonly #deps: SubscriptionDeps;
  readonly #source: SqsSource;
  readonly #events: SubscriptionEvents;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #visibility = 30;
  #total = 0;
  #delivered = 0;
  #failures = 0;
  #opened = false;
  #reported = false;
  #polling: AbortController | undefined;
  /** How many messages the poll under way may bring. */
  #most = 0;
  #credited: (() => void) | undefined;

  constructor(deps: SubscriptionDeps, source: SqsSource, events: SubscriptionEvents) {
    this.#deps = deps;
    this.#source = source;
    this.#events = events;
    this.#running = this.#run();
  }

  credit(total: number): void {
    this.#total = Math.max(this.#total, total);
    if (this.#free > 0) this.#credited?.();
  }

  /**
   * A poll that is broken off may take a message with it, which is received by nobody, and counted: so it is kept where the
   * credit that is given next, at once, has room for all that it may bring.
   */
  pause(): void {
    this.#total = this.#delivered;
    queueMicrotask(() => {
      if (this.#free < this.#most) this.#polling?.abort();
    });
  }

  adopt(id: string, receipt: Receipt): void {
    const { handle } = receipt;
    if (handle === undefined || this.#closed || this.#deps.leases.byHandle(handle)) return;
    void this.#adopt(id, handle, receipt);
  }

  abandon(token: string): void {
    const lease = this.#deps.leases.get(token);
    if (lease) lease.abandoned = true;
  }

  /** See SqsLeases.drop for what becomes of what is in hand. */
  async close(): Promise<void> {
    this.#ending.abort();
    this.#polling?.abort();
    this.#credited?.();
    await Promise.all([this.#deps.leases.drop(this.#events), this.#running]);
  }

  get #closed(): boolean {
    return this.#ending.signal.aborted;
  }

  get #free(): number {
    return this.#total - this.#delivered;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        await (this.#opened ? this.#lease() : this.#open());
      } catch (error) {
        this.#opened = false;
        await this.#failed(error);
      }
    }
  }

  async #open(): Promise<void> {
    const { links } = this.#deps;
    const { VisibilityTimeout: own } = await links.use(this.#source, (api, url) => api.attributes(url, ['VisibilityTimeout']));
    this.#visibility = Math.min(Math.max(Number(own ?? 30), shortestVisibility), longestVisibility);
    // After a poll that failed, one that worked says more than the attributes do.
    if (this.#failures > 0 && this.#free > 0) await this.#poll(0);
    if (this.#closed) return;
    if (this.#free === 0) this.#failures = 0;
    this.#opened = true;
    this.#report(open);
  }

  /** One poll, or the wait for credit. */
  async #lease(): Promise<void> {
    if (this.#free > 0) return this.#poll(longestPoll);
    await new Promise<void>((resolve) => {
      this.#credited = resolve;
    });
    this.#credited = undefined;
  }

  async #poll(wait: number): Promise<void> {
    const poll = new AbortController();
    this.#polling = poll;
    const hidden = Math.min(firstHidden, this.#visibility);
    // Of one group of a FIFO queue SQS may hand out several in one answer: one at a time keeps their order.
    const most = this.#source.queue.endsWith('.fifo') ? 1 : Math.min(Math.max(this.#free - spare, 1), mostInAnswer);
    this.#most = most;
    try {
      const messages = await this.#deps.links.use(this.#source, (api, url) => api.receive(url, { most, wait, hidden }, poll.signal));
      this.#failures = 0;
      if (!this.#closed) this.#take(messages, hidden);
    } catch (error) {
      if (!poll.signal.aborted) throw error;
    } finally {
      this.#polling = undefined;
    }
  }

  #take(messages: readonly SqsMessage[], hidden: number): void {
    const { clock, leases, remember } = this.#deps;
    this.#delivered += messages.length;
    // They are hidden since SQS answered, which nobody here saw.
    const receivedAt = clock.monotonic() - Math.min(longestAnswer, hidden * 100);
    for (const raw of messages) {
      const read = readMessage(raw);
      if (!read) continue;
      const { message, handle, delivery } = read;
      remember(message, raw);
      const lease = leases.add({ id: message.id, handle, queue: this.#source, events: this.#events, visibility: this.#visibility, receivedAt }, { askedAt: receivedAt, hidden });
      const since = clock.now();
      this.#events.leased({ token: lease.token, message, id: message.id, delivery, receipt: { handle, receivedAt: new Date(since).toISOString() }, since });
    }
  }

  /** Asks at once: every second brings the delivery nearer to its end. */
  async #adopt(id: string, handle: string, receipt: Receipt): Promise<void> {
    const { clock, log } = this.#deps;
    const until = clock.monotonic() + adoptable;
    for (let count = 1; !this.#closed && clock.monotonic() < until; count += 1) {
      const askedAt = clock.monotonic();
      try {
        await this.#deps.links.use(this.#source, (api, url) => api.hide(url, handle, this.#visibility));
        this.#adopted(id, handle, receipt, askedAt);
        return;
      } catch (error) {
        const { kind, message } = problemOf(error);
        log.debug({ code: 'MessageNotAdopted', queue: this.#source.queue, id }, message);
        if (kind === 'handle' || kind === 'limit') return;
        await this.#rest(count);
      }
    }
  }

  #adopted(id: string, handle: string, receipt: Receipt, askedAt: number): void {
    const { clock, leases } = this.#deps;
    if (this.#closed || leases.byHandle(handle)) return;
    const age = Math.max(clock.now() - Date.parse(receipt['receivedAt'] ?? ''), 0);
    const receivedAt = clock.monotonic() - (Number.isFinite(age) ? age : 0);
    const lease = leases.add({ id, handle, queue: this.#source, events: this.#events, visibility: this.#visibility, receivedAt }, { askedAt, hidden: this.#visibility });
    this.#events.leased({ token: lease.token, message: undefined, id, delivery: undefined, receipt, since: clock.now() });
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#closed) return;
    const { kind, problem, message } = problemOf(error);
    this.#failures += 1;
    this.#deps.log.debug({ code: problem, connection: this.#source.connection, queue: this.#source.queue }, message);
    if (kind !== 'throttled' || !this.#reported) this.#report({ kind: 'closed', reason: problem, message });
    await this.#rest(this.#failures);
  }

  #report(state: SourceState): void {
    this.#reported = true;
    this.#events.state(state);
  }

  async #rest(count: number): Promise<void> {
    await sleep(this.#deps.clock, growingPause(count, firstPause, longestPause), this.#ending.signal).catch(() => undefined);
  }
}

function problemOf(error: unknown): SqsError {
  return error instanceof SqsError ? error : new SqsError('QueueUnreachable', asError(error).message);
}
