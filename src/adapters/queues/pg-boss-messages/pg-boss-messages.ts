/**
 * Leases messages of pg-boss queues through its library, and settles them. A message is a job of pg-boss, its id the job's;
 * the lease is its row in state `active`, which ends by itself after `expireInSeconds` of the queue. The row says all that
 * settling needs, so any process can.
 */
import type { Clock } from '../../../lib/clock.ts';
import type { SettleAnswer, Verdict } from '../../../plan/messages/message.ts';
import type { DeadMessage, DeliveryRef, MessageSource, Subscription, SubscriptionEvents } from '../../../reconcile/message-ports.ts';
import type { Log, WakeSource } from '../../../reconcile/ports.ts';
import type { DeadLetterSpec } from '../../../spec/queue.ts';
import { sourceText, type PgBossSource, type QueueSource } from '../../../spec/queue-source.ts';
import type { Databases } from '../databases.ts';
import { BossLink, type OpenBoss } from './boss-link.ts';
import type { Hand } from './hand.ts';
import { storableObject } from './json-text.ts';
import { isStale, problemOf, SourceError } from './problem.ts';
import { addDead, attemptOf, isJobId, putBack, readRows, sameAttempt, type Attempt, type JobRow } from './rows.ts';
import { PgBossSubscription } from './subscription.ts';

export class PgBossMessages implements MessageSource {
  readonly #deps: { readonly databases: Databases; readonly clock: Clock; readonly log: Log; readonly wakes: WakeSource };
  readonly #links = new Map<string, BossLink>();
  readonly #subscriptions = new Map<string, Set<PgBossSubscription>>();
  #closed = false;

  /** `databases` must be able to write; who composes closes them afterwards, and calls `woke` for what `wakes` tell. */
  constructor(deps: { readonly databases: Databases; readonly clock: Clock; readonly log: Log; readonly wakes: WakeSource }) {
    this.#deps = deps;
  }

  subscribe(source: QueueSource, events: SubscriptionEvents): Subscription {
    if (source.type !== 'pgBoss') return refused(events, `a queue of ${source.type} is none of pg-boss`);
    if (this.#closed) return refused(events, 'job-chief is stopping');
    const subscription = new PgBossSubscription(source, events, { ...this.#deps, link: this.#link(source) });
    const key = sourceText(source);
    const others = this.#subscriptions.get(key) ?? new Set();
    this.#subscriptions.set(key, others.add(subscription));
    return {
      credit: (total) => { subscription.credit(total); },
      pause: () => { subscription.pause(); },
      adopt: (id, receipt) => { subscription.adopt(id, receipt); },
      abandon: (token) => { subscription.abandon(token); },
      close: async () => {
        await subscription.close();
        others.delete(subscription);
        if (others.size === 0 && this.#subscriptions.get(key) === others) this.#subscriptions.delete(key);
      },
    };
  }

  /** Something may have come into the queue. */
  woke(source: QueueSource): void {
    for (const subscription of this.#subscriptions.get(sourceText(source)) ?? []) subscription.askNow();
  }

  async settle(source: QueueSource, delivery: DeliveryRef, verdict: Verdict): Promise<SettleAnswer> {
    if (source.type !== 'pgBoss') return { kind: 'failed', message: `a queue of ${source.type} is none of pg-boss` };
    if (!isJobId(delivery.id)) return { kind: 'lost', message: 'the id is none of a job of pg-boss' };
    const hand = this.#handWith(source, delivery.token);
    const held = hand?.get(delivery.token ?? '');
    if (held) held.settling += 1;
    const answer = await this.#try(source, async (open) => {
      const attempt = held?.attempt ?? await attemptInQueue(open, source.queue, delivery);
      if ('kind' in attempt) return attempt;
      if (await told(open, source.queue, { id: delivery.id, attempt }, verdict)) return { kind: 'done' };
      return answerBy((await readRows(open, source.queue, [delivery.id])).get(delivery.id));
    });
    if (held) held.settling -= 1;
    if (answer.kind !== 'failed') {
      if (held) hand?.remove(held.token);
      // One that waits for this one, by a policy of the queue, or this one again, may be fetched now.
      this.woke(source);
    }
    return answer;
  }

  async deadLetter(source: QueueSource, target: DeadLetterSpec, dead: DeadMessage): Promise<SettleAnswer> {
    if (source.type !== 'pgBoss' || !('queue' in target)) return { kind: 'failed', message: 'dead messages of pg-boss go to a queue of pg-boss' };
    return this.#try(source, async (open) => {
      const added = await addDead(open, source.queue, target.queue, dead);
      if (added === 'noQueue') return { kind: 'failed', message: `there is no queue "${target.queue}" in schema ${open.schema} for dead messages; pg-boss makes it in \`boss.createQueue()\`` };
      return { kind: added === 'added' ? 'done' : 'already' };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#subscriptions.values()].flatMap((some) => [...some]).map((subscription) => subscription.close()));
    this.#subscriptions.clear();
    for (const link of this.#links.values()) link.close();
  }

  #link({ connection, schema }: PgBossSource): BossLink {
    const key = JSON.stringify([connection, schema ?? null]);
    const link = this.#links.get(key) ?? new BossLink({ databases: this.#deps.databases, connection, schema });
    this.#links.set(key, link);
    return link;
  }

  #handWith(source: PgBossSource, token: string | undefined): Hand | undefined {
    if (token === undefined) return undefined;
    return [...this.#subscriptions.get(sourceText(source)) ?? []].map(({ hand }) => hand).find((hand) => hand.get(token) !== undefined);
  }

  #try(source: PgBossSource, act: (open: OpenBoss) => Promise<SettleAnswer>): Promise<SettleAnswer> {
    const link = this.#link(source);
    return link.inTurn(async () => {
      let open: OpenBoss | undefined;
      try {
        if (this.#closed) throw new SourceError('QueueUnreachable', 'job-chief is stopping');
        open = await link.open();
        return await act(open);
      } catch (error) {
        if (isStale(error)) link.forget();
        return { kind: 'failed', message: problemOf(error, open && { role: open.database.settings.user, schema: open.schema }).message };
      }
    });
  }
}

/** Tells the queue about exactly this delivery; whether it was still held so. */
async function told(open: OpenBoss, queue: string, { id, attempt }: { readonly id: string; readonly attempt: Attempt }, verdict: Verdict): Promise<boolean> {
  const job = { id, retryCount: attempt.retryCount };
  switch (verdict.kind) {
    case 'complete':
      return affected(await open.boss.complete(queue, job, verdict.output && storableObject(verdict.output)));
    case 'fail':
      return affected(await open.boss.fail(queue, job, storableObject({ ...verdict.failure })));
    case 'release':
      return (await putBack(open, queue, [{ id, attempt }])).has(id);
  }
}

/** The library's types do not tell what its answer holds. */
function affected(response: object): boolean {
  return 'affected' in response && typeof response.affected === 'number' && response.affected > 0;
}

/** Whether the delivery that a receipt names is still the one that is held; else what to answer. */
async function attemptInQueue(open: OpenBoss, queue: string, { id, receipt }: DeliveryRef): Promise<Attempt | SettleAnswer> {
  const row = (await readRows(open, queue, [id])).get(id);
  if (row?.state !== 'active') return answerBy(row);
  const expected = attemptOf(receipt);
  return expected && !sameAttempt(expected, row.attempt) ? answerBy(row) : row.attempt;
}

/** Of a job that is not held as this delivery has it. */
function answerBy(row: JobRow | undefined): SettleAnswer {
  if (!row) return { kind: 'lost', message: 'the job is not in the queue any more' };
  if (row.state === 'completed') return { kind: 'already' };
  return { kind: 'lost', message: row.state === 'active' ? 'the job was handed out again' : `the job is ${row.state} in the queue` };
}

function refused(events: SubscriptionEvents, message: string): Subscription {
  queueMicrotask(() => { events.state({ kind: 'closed', reason: 'QueueUnsupported', message }); });
  const nothing = (): void => undefined;
  return { credit: nothing, pause: nothing, adopt: nothing, abandon: nothing, close: () => Promise.resolve() };
}
