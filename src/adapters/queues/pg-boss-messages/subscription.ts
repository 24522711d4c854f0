/**
 * One queue whose messages are leased. A single loop does all of it, one thing after the other: opening, looking at the
 * queue, taking over, keeping, fetching. It sleeps until something is due or somebody wakes it; after a failure it rests,
 * longer each time, and nobody wakes it from that.
 */
import type { JobWithMetadata } from 'pg-boss';
import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../../../lib/clock.ts';
import { growingPause } from '../../../lib/growing-pause.ts';
import type { Lease, Receipt, SourceState } from '../../../plan/messages/message.ts';
import type { Subscription, SubscriptionEvents } from '../../../reconcile/message-ports.ts';
import type { Log, WakeSource } from '../../../reconcile/ports.ts';
import type { PgBossSource } from '../../../spec/queue-source.ts';
import type { BossLink, OpenBoss } from './boss-link.ts';
import { Hand } from './hand.ts';
import { compactJson } from './json-text.ts';
import { isStale, problemOf, SourceError } from './problem.ts';
import { attemptOf, isJobId, putBack, readFacts, readHeld, readRows, receiptOf, sameAttempt, type Attempt, type HeldRow } from './rows.ts';

export interface SubscriptionDeps {
  readonly link: BossLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly wakes: WakeSource;
}

/** Milliseconds. Deferred jobs and retries tell nobody when they become ready, so that asking goes on where there is `notify` too. */
const askEvery = 2_000;
/** Settings of the queue, whether it is there, and the version of the schema. */
const lookEvery = 30_000;
/** Whether leases in hand are still ours. */
const keepEvery = 5_000;
const [firstRest, longestRest] = [250, 5_000];
/** Messages in one statement: a body may have a megabyte. */
const mostAtOnce = 100;

export class PgBossSubscription implements Subscription {
  readonly hand = new Hand();
  readonly #source: PgBossSource;
  readonly #events: SubscriptionEvents;
  readonly #deps: SubscriptionDeps;
  readonly #running: Promise<void>;
  readonly #adopting = new Map<string, Receipt>();
  /** Leased in all, and how far that may go. */
  #leased = 0;
  #allowed = 0;
  /** Monotonic times. */
  #due = { look: 0, keep: Infinity, ask: 0 };
  #opened: OpenBoss | undefined;
  #uninterested: (() => void) | undefined;
  #state = '';
  #closed = false;
  #sleep: { readonly timer: Timer; readonly end: () => void } | undefined;
  #woken = false;

  constructor(source: PgBossSource, events: SubscriptionEvents, deps: SubscriptionDeps) {
    this.#source = source;
    this.#events = events;
    this.#deps = deps;
    this.#running = this.#run();
  }

  credit(total: number): void {
    // The same sum again, as each round gives it, is no reason to ask.
    if (total <= this.#allowed) return;
    this.#allowed = total;
    this.askNow();
  }

  pause(): void {
    this.#allowed = Math.min(this.#allowed, this.#leased);
  }

  adopt(id: string, receipt: Receipt): void {
    this.#adopting.set(id, receipt);
    this.#wake();
  }

  abandon(token: string): void {
    const held = this.hand.get(token);
    if (held) held.abandoned = true;
  }

  /** There may be something to fetch. */
  askNow(): void {
    this.#due.ask = 0;
    this.#wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#uninterested?.();
    this.#uninterested = undefined;
    this.#wake();
    this.#sleep?.end();
    await this.#running;
  }

  get #wanted(): number {
    return Math.max(0, this.#allowed - this.#leased);
  }

  async #run(): Promise<void> {
    let failures = 0;
    // Not before the caller has the subscription in hand.
    await Promise.resolve();
    while (!this.#closed) {
      try {
        await this.#round();
        failures = 0;
        await this.#sleepUntilDue();
      } catch (error) {
        failures += 1;
        this.#failed(error);
        await this.#rest(growingPause(failures, firstRest, longestRest));
      }
    }
    await this.#giveBack();
  }

  async #round(): Promise<void> {
    let open = await this.#deps.link.open();
    const now = this.#deps.clock.monotonic();
    if (open !== this.#opened || now >= this.#due.look) {
      await this.#look(open);
      open = await this.#deps.link.open();
    }
    if (this.#adopting.size > 0) await this.#takeOver(open);
    if (this.hand.size > 0 && now >= this.#due.keep) await this.#keep(open);
    if (this.#wanted > 0 && now >= this.#due.ask && !this.#closed) await this.#fetch(open);
  }

  async #look(open: OpenBoss): Promise<void> {
    const { queue } = this.#source;
    const facts = await readFacts(open, queue);
    const before = open.tables.get(queue);
    if (before !== undefined && before !== facts?.table) this.#deps.link.forget();
    if (!facts) throw new SourceError('QueueNotFound', `there is no queue "${queue}" in schema ${open.schema}; pg-boss makes it in \`boss.createQueue()\``);
    open.tables.set(queue, facts.table);
    this.#opened = open;
    this.#due.look = this.#deps.clock.monotonic() + lookEvery;
    this.#listen(facts.notify);
    this.#tell({ kind: 'open', leaseLimit: facts.expireSeconds * 1000, strict: true, limitName: `expireInSeconds of queue "${queue}"` });
  }

  #listen(notify: boolean): void {
    if (notify && !this.#closed) this.#uninterested ??= this.#deps.wakes.interest(this.#source);
    else {
      this.#uninterested?.();
      this.#uninterested = undefined;
    }
  }

  async #fetch({ boss }: OpenBoss): Promise<void> {
    // Before the question: who wakes us meanwhile knows of something that it may have missed.
    this.#due.ask = this.#deps.clock.monotonic() + askEvery;
    const size = Math.min(this.#wanted, mostAtOnce);
    const jobs = await boss.fetch<string | null>(this.#source.queue, { batchSize: size, includeMetadata: true });
    for (const job of jobs) {
      const lease = this.#take(rowOf(job));
      this.#leased += 1;
      if (!this.#closed) this.#events.leased(lease);
    }
    if (jobs.length >= size) this.#due.ask = 0;
  }

  /** One question for all of them; those that are not as their receipt says are nobody's here. */
  async #takeOver(open: OpenBoss): Promise<void> {
    const asked = [...this.#adopting].filter(([id]) => isJobId(id));
    const mine = new Set(this.hand.all().map(({ id }) => id));
    const rows = asked.length === 0 ? [] : await readHeld(open, this.#source.queue, asked.map(([id]) => id));
    this.#adopting.clear();
    const receipts = new Map(asked);
    for (const row of rows) {
      const expected = attemptOf(receipts.get(row.id) ?? {});
      if (this.#closed || mine.has(row.id) || (expected && !sameAttempt(expected, row.attempt))) continue;
      this.#events.leased({ ...this.#take(row), adopted: true });
    }
  }

  /** Touches what has a heartbeat, and finds out what is not ours any more. */
  async #keep(open: OpenBoss): Promise<void> {
    const { queue } = this.#source;
    const held = this.hand.all().filter(({ settling }) => settling === 0);
    const beating = this.hand.beating().map(({ id, attempt: { retryCount } }) => ({ id, retryCount }));
    if (beating.length > 0) await open.boss.touch(queue, beating);
    const rows = await readRows(open, queue, held.map(({ id }) => id));
    for (const lease of held) {
      const row = rows.get(lease.id);
      const gone = lease.settling === 0 && !(row?.state === 'active' && sameAttempt(row.attempt, lease.attempt));
      if (gone) this.#lost(lease.token, row?.state);
    }
    this.#due.keep = Infinity;
    for (const { heartbeatSeconds } of this.hand.all()) this.#keepWithin(heartbeatSeconds);
  }

  #lost(token: string, state: string | undefined): void {
    if (!this.hand.remove(token) || this.#closed) return;
    const now = state === 'active' ? 'is active for somebody else' : `is ${state ?? 'not there any more'}`;
    this.#events.lost(token, `its job in the queue ${now}`);
  }

  #take({ id, attempt, data, created, heartbeatSeconds }: Omit<HeldRow, 'state'>): Lease {
    const token = randomUUID();
    this.hand.add({ token, id, attempt, heartbeatSeconds });
    this.#keepWithin(heartbeatSeconds);
    const body = new TextEncoder().encode(compactJson(data ?? 'null'));
    return {
      token,
      id,
      message: { id, body, headers: {}, contentType: 'application/json', enqueuedAt: created },
      delivery: attempt.retryCount + 1,
      receipt: receiptOf(attempt),
      since: this.#deps.clock.now(),
    };
  }

  #keepWithin(heartbeatSeconds = Infinity): void {
    this.#due.keep = Math.min(this.#due.keep, this.#deps.clock.monotonic() + Math.min(keepEvery, heartbeatSeconds * 1000 / 3));
  }

  #failed(error: unknown): void {
    const { database, schema } = this.#opened ?? {};
    const problem = problemOf(error, database && schema !== undefined ? { role: database.settings.user, schema } : undefined);
    if (isStale(error)) this.#deps.link.forget();
    this.#opened = undefined;
    this.#deps.log.debug({ code: problem.reason, connection: this.#source.connection, queue: this.#source.queue, reason: problem.message }, 'messages cannot be leased');
    this.#tell({ kind: 'closed', ...problem });
  }

  #tell(state: SourceState): void {
    const text = JSON.stringify(state);
    if (this.#closed || text === this.#state) return;
    this.#state = text;
    this.#events.state(state);
  }

  /** What is being settled stays as it is: whatever comes first counts. */
  async #giveBack(): Promise<void> {
    const held = this.hand.all().filter(({ settling, abandoned }) => settling === 0 && !abandoned);
    for (const { token } of this.hand.all()) this.hand.remove(token);
    if (held.length === 0) return;
    try {
      const open = await this.#deps.link.open();
      // Together; and one by one where a policy of the queue refuses one of them.
      await putBack(open, this.#source.queue, held).catch(() => Promise.allSettled(held.map((lease) => putBack(open, this.#source.queue, [lease]))));
    } catch (error) {
      this.#deps.log.info({ code: 'LeasesKept', connection: this.#source.connection, queue: this.#source.queue, leases: held.length, reason: problemOf(error).message }, 'leases could not be given back: they end when they expire');
    }
  }

  #wake(): void {
    this.#woken = true;
    if (this.#opened) this.#sleep?.end();
  }

  async #sleepUntilDue(): Promise<void> {
    const { look, keep, ask } = this.#due;
    const due = Math.min(look, this.hand.size > 0 ? keep : Infinity, this.#wanted > 0 ? ask : Infinity);
    const wait = due - this.#deps.clock.monotonic();
    if (!this.#woken && wait > 0) await this.#rest(wait);
    this.#woken = false;
  }

  async #rest(wait: number): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = this.#deps.clock.timer(wait, resolve);
      this.#sleep = { timer, end: () => { timer.cancel(); resolve(); } };
    });
    this.#sleep = undefined;
  }
}

function rowOf({ id, data, retryCount, startedOn, createdOn, heartbeatSeconds }: JobWithMetadata<string | null>): Omit<HeldRow, 'state'> {
  const attempt: Attempt = { retryCount, started: startedOn.getTime() };
  return { id, attempt, data: data ?? undefined, created: createdOn.getTime(), heartbeatSeconds: heartbeatSeconds ?? undefined };
}
