/**
 * The deliveries in hand. Each is invisible for a short time only, which is renewed when a third of it is over, ten in one
 * request; so a process that dies holds up a message for a minute at most.
 *
 * A lease ends when it is settled, when SQS says so at a renewal, or when its time is over and no renewal was confirmed.
 * Time is measured from before each request, by a clock that never jumps: SQS counts later than we do.
 */
import type { Clock, Timer } from '../../../lib/clock.ts';
import type { SubscriptionEvents } from '../../../reconcile/message-ports.ts';
import type { HideEntry } from './sqs-api.ts';
import { SqsError } from './sqs-error.ts';
import type { QueueName } from './sqs-links.ts';

/** Twelve hours from the receive, whatever is asked for; milliseconds. */
export const longestHold = 43_200_000;
/** SQS's clock and ours need not agree on the last seconds. */
const holdMargin = 5_000;
const mostInBatch = 10;

export interface SqsLease {
  readonly token: string;
  readonly id: string;
  readonly handle: string;
  readonly queue: QueueName;
  readonly events: SubscriptionEvents;
  /** Seconds for which it is invisible after each renewal. */
  readonly visibility: number;
  /** Monotonic time of the receive. */
  readonly receivedAt: number;
  /** Monotonic time until which it is ours for sure. */
  until: number;
  /** Monotonic time of the next renewal. */
  renewAt: number;
  abandoned: boolean;
  /** Being settled: a renewal now could undo what is asked for. */
  settling: boolean;
  /** SQS was asked to delete it, and gave no clear answer. */
  removalSent: boolean;
  /** SQS was asked to delete it, and it is gone. */
  removed: boolean;
  renewal: Promise<void> | undefined;
}

export type HideMany = (queue: QueueName, entries: readonly HideEntry[]) => Promise<readonly (SqsError | undefined)[]>;

export class SqsLeases {
  readonly #clock: Clock;
  readonly #hideMany: HideMany;
  readonly #leases = new Map<string, SqsLease>();
  readonly #byHandle = new Map<string, SqsLease>();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #count = 0;
  #closed = false;

  constructor(deps: { clock: Clock; hideMany: HideMany }) {
    this.#clock = deps.clock;
    this.#hideMany = deps.hideMany;
  }

  /** `hidden`: seconds for which it is invisible from `askedAt` on. */
  add(given: Pick<SqsLease, 'id' | 'handle' | 'queue' | 'events' | 'visibility' | 'receivedAt'>, { askedAt, hidden }: { askedAt: number; hidden: number }): SqsLease {
    const lease: SqsLease = {
      ...given,
      token: `sqs-${(this.#count += 1)}`,
      until: askedAt + hidden * 1_000,
      renewAt: askedAt + (hidden * 1_000) / 3,
      abandoned: false,
      settling: false,
      removalSent: false,
      removed: false,
      renewal: undefined,
    };
    this.#leases.set(lease.token, lease);
    this.#byHandle.set(lease.handle, lease);
    this.#wakeBy(lease.renewAt);
    return lease;
  }

  /** In hand, and ours still. One whose time is over is reported as lost. */
  get(token: string): SqsLease | undefined {
    const lease = this.#leases.get(token);
    if (!lease || this.#lives(lease)) return lease;
    this.lose(lease, expired);
    return undefined;
  }

  byHandle(handle: string): SqsLease | undefined {
    return this.#byHandle.get(handle);
  }

  /** Settled: nobody needs to hear of it again. */
  remove(lease: SqsLease): void {
    this.#forget(lease);
  }

  lose(lease: SqsLease, why: string): void {
    if (this.#forget(lease)) lease.events.lost(lease.token, why);
  }

  /**
   * Forgets all leases of a subscription, without a word. What nobody has a Job for goes back at once, as far as SQS can be
   * reached; what was abandoned ends when it ends, so that the next process can take it over by its receipt without another
   * receive, which would bring the message nearer to its dead-letter queue.
   */
  async drop(events: SubscriptionEvents): Promise<void> {
    const dropped = [...this.#leases.values()].filter((lease) => lease.events === events);
    for (const lease of dropped) this.#forget(lease);
    const back = dropped.filter(({ abandoned, settling, removed }) => !abandoned && !settling && !removed);
    await Promise.all(batchesOf(back).map((batch) => this.#asked(batch, batch.map(({ handle }) => ({ handle, seconds: 0 })))));
  }

  /** Not renewed while something is asked about it; waits for a renewal under way, which would undo it. */
  async settling<Answer>(lease: SqsLease, ask: () => Promise<Answer>): Promise<Answer> {
    lease.settling = true;
    try {
      await lease.renewal;
      return await ask();
    } finally {
      lease.settling = false;
      if (this.#leases.has(lease.token)) this.#wakeBy(Math.min(lease.renewAt, lease.until));
    }
  }

  close(): void {
    this.#closed = true;
    this.#leases.clear();
    this.#byHandle.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Seconds for which it may be invisible from now on, `wanted` at most; below 1 where SQS lets nobody hold it any longer. */
  allowed(lease: SqsLease, wanted: number): number {
    return Math.min(wanted, Math.floor((lease.receivedAt + longestHold - holdMargin - this.#clock.monotonic()) / 1_000));
  }

  /** Whether it was in hand. */
  #forget(lease: SqsLease): boolean {
    if (this.#byHandle.get(lease.handle) === lease) this.#byHandle.delete(lease.handle);
    return this.#leases.delete(lease.token);
  }

  #lives({ until, removed }: SqsLease): boolean {
    return removed || this.#clock.monotonic() < until;
  }

  #wakeBy(time: number): void {
    if (this.#closed || time >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = time;
    this.#timer = this.#clock.timer(Math.max(time - this.#clock.monotonic(), 0), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#turn();
    });
  }

  #turn(): void {
    const now = this.#clock.monotonic();
    for (const lease of this.#leases.values()) if (!this.#lives(lease)) this.lose(lease, expired);
    const due = [...this.#leases.values()].filter((lease) => this.#renewable(lease) && lease.renewAt <= now + lease.visibility * 50);
    for (const batch of batchesOf(due)) this.#renew(batch);
    for (const lease of this.#leases.values()) if (!lease.removed) this.#wakeBy(this.#renewable(lease) ? Math.min(lease.renewAt, lease.until) : lease.until);
  }

  #renewable(lease: SqsLease): boolean {
    return !lease.abandoned && !lease.settling && !lease.removed && lease.renewal === undefined && this.allowed(lease, lease.visibility) >= 1;
  }

  #renew(batch: readonly SqsLease[]): void {
    const renewal = this.#hide(batch).finally(() => {
      for (const lease of batch) lease.renewal = undefined;
      this.#wakeBy(Math.min(...batch.map(({ renewAt, until }) => Math.min(renewAt, until))));
    });
    for (const lease of batch) lease.renewal = renewal;
  }

  /** Never rejects. */
  async #hide(batch: readonly SqsLease[]): Promise<void> {
    const askedAt = this.#clock.monotonic();
    const entries = batch.map((lease) => ({ handle: lease.handle, seconds: this.allowed(lease, lease.visibility) }));
    const results = await this.#asked(batch, entries);
    batch.forEach((lease, index) => this.#renewed(lease, results[index], { askedAt, hidden: entries[index]?.seconds ?? 0 }));
  }

  async #asked([first]: readonly SqsLease[], entries: readonly HideEntry[]): Promise<readonly (SqsError | undefined)[]> {
    try {
      return first ? await this.#hideMany(first.queue, entries) : [];
    } catch (error) {
      const problem = error instanceof SqsError ? error : new SqsError('QueueUnreachable', 'it could not be renewed');
      return entries.map(() => problem);
    }
  }

  #renewed(lease: SqsLease, problem: SqsError | undefined, { askedAt, hidden }: { askedAt: number; hidden: number }): void {
    if (!problem) {
      lease.until = askedAt + hidden * 1_000;
      lease.renewAt = askedAt + (hidden * 1_000) / 3;
    } else if (problem.kind === 'limit') {
      lease.abandoned = true;
    } else if (problem.kind !== 'handle') {
      // Several tries before its time is over.
      lease.renewAt = this.#clock.monotonic() + lease.visibility * 125;
    } else if (lease.removalSent) {
      lease.removed = true;
    } else {
      this.lose(lease, `SQS has taken it back: ${problem.message}`);
    }
  }
}

const expired = 'its visibility timeout was over before it could be renewed';

/** Of one queue each. */
function batchesOf(leases: readonly SqsLease[]): readonly (readonly SqsLease[])[] {
  const byQueue = new Map<string, SqsLease[]>();
  for (const lease of leases) {
    const { connection, queue, url } = lease.queue;
    const key = JSON.stringify([connection, url ?? queue]);
    byQueue.set(key, [...(byQueue.get(key) ?? []), lease]);
  }
  return [...byQueue.values()].flatMap((all) => Array.from({ length: Math.ceil(all.length / mostInBatch) }, (_, index) => all.slice(index * mostInBatch, (index + 1) * mostInBatch)));
}
