/**
 * What is in pg-boss queues, for people who ask: counts by plain SELECTs, bounded, and kept for a few seconds. Questions of
 * one moment about one schema are one query. Rounds never ask this: they have pg-boss.ts, which counts no more than needed.
 */
import { asError, type Clock } from '../../lib/clock.ts';
import type { CountsAnswer, QueueStats } from '../../reconcile/api-ports.ts';
import { DatabaseError, quoted } from './database-error.ts';
import type { Database, Databases, Row } from './databases.ts';
import { readSchema, schemaName, type PgBossSchema } from './pg-boss-schema.ts';
import { sourceText, type PgBossSource, type QueueSource } from '../../spec/queue-source.ts';

/** Rows counted at most, of each state of each queue. */
export const countLimit = 10_000;
/** Milliseconds. */
const freshFor = 5_000;
const namesPerQuery = 100;
/** Answers kept; there are no more queues than specs. */
const mostKept = 10_000;

interface Lane {
  readonly connection: string;
  readonly schema: string | undefined;
  readonly waiting: Map<string, (answer: CountsAnswer) => void>;
}

interface Kept {
  readonly at: number;
  readonly answer: Promise<CountsAnswer>;
}

export class PgBossStats implements QueueStats {
  readonly #databases: Pick<Databases, 'open'>;
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();
  readonly #kept = new Map<string, Kept>();

  constructor(deps: { readonly databases: Pick<Databases, 'open'>; readonly clock: Clock }) {
    this.#databases = deps.databases;
    this.#clock = deps.clock;
  }

  counts(source: QueueSource): Promise<CountsAnswer> {
    if (source.type !== 'pgBoss') return Promise.resolve({ kind: 'unknown', reason: 'QueueUnsupported', message: `counts by state are known of queues of pg-boss only, not of ${source.type}` });
    const key = sourceText(source);
    const now = this.#clock.monotonic();
    const known = this.#kept.get(key);
    if (known && now - known.at < freshFor) return known.answer;
    if (this.#kept.size >= mostKept) this.#kept.clear();
    const answer = this.#ask(source);
    this.#kept.set(key, { at: now, answer });
    return answer;
  }

  #ask({ connection, schema, queue }: PgBossSource): Promise<CountsAnswer> {
    const key = JSON.stringify([connection, schema ?? null]);
    const lane = this.#lanes.get(key) ?? this.#open(key, { connection, schema, waiting: new Map() });
    return new Promise((resolve) => { lane.waiting.set(queue, resolve); });
  }

  /** Whoever else asks in this turn belongs to the same query. */
  #open(key: string, lane: Lane): Lane {
    this.#lanes.set(key, lane);
    setImmediate(() => {
      this.#lanes.delete(key);
      void this.#answer(lane);
    });
    return lane;
  }

  /** Answers every question; never rejects. */
  async #answer({ connection, schema, waiting }: Lane): Promise<void> {
    try {
      const database = await this.#databases.open(connection);
      const found = await readSchema(database, schemaName(schema ?? database.settings.schema));
      const rows = await queryAll(database, found, [...waiting.keys()]);
      const at = this.#clock.now();
      for (const [queue, answer] of waiting) answer(countsOf(rows.get(queue), at));
    } catch (error) {
      const problem = error instanceof DatabaseError ? error : new DatabaseError('QueueUnreachable', asError(error).message);
      for (const answer of waiting.values()) answer({ kind: 'unknown', reason: problem.problem, message: problem.message });
    }
  }
}

async function queryAll(database: Database, schema: PgBossSchema, names: readonly string[]): Promise<ReadonlyMap<string, Row>> {
  const rows = new Map<string, Row>();
  for (let start = 0; start < names.length; start += namesPerQuery) {
    for (const row of await database.query(statsQuery(schema), [names.slice(start, start + namesPerQuery), countLimit])) rows.set(String(row['name']), row);
  }
  return rows;
}

/** Each count stops at the limit, so that a queue of millions costs as much as one of ten thousand. */
export function statsQuery({ name, startAfter, created, hasBlocked, hasExpired }: PgBossSchema): string {
  const jobs = `${quoted(name)}.job j WHERE j.name = q.name`;
  const waiting = `j.state < 'active'`;
  const due = `j.${startAfter} <= now()${hasBlocked ? ' AND NOT j.blocked' : ''}`;
  const dead = hasExpired ? `j.state IN ('failed', 'expired')` : `j.state = 'failed'`;
  const count = (alias: string, condition: string): string => `CROSS JOIN LATERAL (SELECT count(*)::int AS n FROM (SELECT 1 FROM ${jobs} AND ${condition} LIMIT $2) AS found) AS ${alias}`;
  const age = created === undefined ? 'NULL::float8' : '(1000 * extract(epoch FROM now() - min(found.created)))::float8';
  return `
    SELECT q.name, ready.n AS ready, ready.age, deferred.n AS deferred, active.n AS active, retrying.n AS retrying, dead.n AS dead
      FROM unnest($1::text[]) AS q(name)
     CROSS JOIN LATERAL (SELECT count(*)::int AS n, ${age} AS age FROM (SELECT ${created === undefined ? '1' : `j.${created} AS created`} FROM ${jobs} AND ${waiting} AND ${due} LIMIT $2) AS found) AS ready
     ${count('deferred', `${waiting} AND NOT (${due})`)}
     ${count('active', `j.state = 'active'`)}
     ${count('retrying', `j.state = 'retry'`)}
     ${count('dead', dead)}`;
}

function countsOf(row: Row | undefined, at: number): CountsAnswer {
  if (!row) return { kind: 'unknown', reason: 'QueueUnreachable', message: 'the database did not tell of the queue' };
  const number = (key: string): number => Number(row[key]);
  const { age } = row;
  const counts = { ready: number('ready'), deferred: number('deferred'), active: number('active'), retrying: number('retrying'), dead: number('dead'), oldestAge: typeof age === 'number' ? Math.max(0, age) : undefined };
  return { kind: 'known', counts, upTo: countLimit, at };
}
