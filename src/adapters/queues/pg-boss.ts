/**
 * Depth of pg-boss queues, by plain SELECTs on the job table: no library, no right to write, any schema version.
 *
 * Questions about one connection and schema share queries: those that arrive while a query is under way, or in the same
 * turn of the event loop, are asked together in the next one. A thousand queues polled at once cost a query or two.
 */
import { asError, type Clock } from '../../lib/clock.ts';
import type { DepthAnswer, DepthProbe, DepthQuery, Log } from '../../reconcile/ports.ts';
import { DatabaseError, quoted } from './database-error.ts';
import type { Database, Databases, Row } from './databases.ts';
import { readSchema, schemaName, unsupported, type PgBossSchema } from './pg-boss-schema.ts';

interface Question {
  readonly queue: string;
  readonly upTo: number;
  answer(answer: DepthAnswer): void;
}

/** All questions about one schema of one connection. */
interface Lane {
  readonly connection: string;
  readonly schema: string | undefined;
  waiting: Question[];
  running: boolean;
  /** What was learnt about the schema, and from which database. */
  known: { readonly digest: string; readonly schema: PgBossSchema } | undefined;
}

/** Codes that say that the schema is not as we learnt: it was migrated, created, dropped or granted meanwhile. */
const stale: ReadonlySet<string | undefined> = new Set(['42703', '42P01', '3F000', '42501', '22P02', '42883']);

/** Names in one query. Each partition costs the planner time that grows faster than their number, and the server some nine locks of about 6,400. */
const namesPerQuery = 1_000;
const namesPerPartitionedQuery = 50;
const fewPartitions = 4;

export class PgBossDepth implements DepthProbe {
  readonly #databases: Databases;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lanes = new Map<string, Lane>();

  constructor(deps: { databases: Databases; clock: Clock; log: Log }) {
    this.#databases = deps.databases;
    this.#clock = deps.clock;
    this.#log = deps.log;
  }

  depth({ source, upTo }: DepthQuery, signal: AbortSignal): Promise<DepthAnswer> {
    if (signal.aborted) return Promise.resolve(stopped);
    if (source.type !== 'pgBoss') return Promise.resolve({ kind: 'unknown', reason: 'QueueUnsupported', message: `a queue of ${source.type} is none of pg-boss` });
    return new Promise((resolve) => {
      const stop = (): void => resolve(stopped);
      signal.addEventListener('abort', stop, { once: true });
      this.#ask(this.#lane(source.connection, source.schema), {
        queue: source.queue,
        upTo: Math.min(Math.max(Math.ceil(upTo), 1), 1_000_000),
        answer: (answer) => {
          signal.removeEventListener('abort', stop);
          resolve(answer);
        },
      });
    });
  }

  #lane(connection: string, schema: string | undefined): Lane {
    const key = JSON.stringify([connection, schema ?? null]);
    const lane = this.#lanes.get(key) ?? { connection, schema, waiting: [], running: false, known: undefined };
    this.#lanes.set(key, lane);
    return lane;
  }

  #ask(lane: Lane, question: Question): void {
    lane.waiting.push(question);
    if (lane.running) return;
    lane.running = true;
    // Not at once: whoever else asks in this turn belongs to the same query.
    setImmediate(() => void this.#run(lane));
  }

  async #run(lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      const asked = lane.waiting;
      lane.waiting = [];
      await this.#answer(lane, asked);
    }
    lane.running = false;
  }

  /** Answers every question; never rejects. */
  async #answer(lane: Lane, asked: readonly Question[]): Promise<void> {
    try {
      const database = await this.#databases.open(lane.connection);
      const queues = boundsByQueue(asked);
      const depths = await this.#depths(lane, database, queues);
      for (const question of asked) question.answer(cut(depths.get(question.queue) ?? noWork, question.upTo));
    } catch (error) {
      const problem = error instanceof DatabaseError ? error : new DatabaseError('QueueUnreachable', asError(error).message);
      this.#log.debug({ code: problem.problem, connection: lane.connection, schema: lane.schema, queues: asked.length }, problem.message);
      for (const question of asked) question.answer({ kind: 'unknown', reason: problem.problem, message: problem.message });
    }
  }

  async #depths(lane: Lane, database: Database, queues: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Known>> {
    const learnt = lane.known?.digest === database.digest ? lane.known.schema : undefined;
    if (learnt) {
      try {
        return await this.#query(database, learnt, queues);
      } catch (error) {
        if (!(error instanceof DatabaseError) || !stale.has(error.code)) throw error;
      }
    }
    lane.known = undefined;
    const schema = await readSchema(database, schemaName(lane.schema ?? database.settings.schema));
    const depths = await this.#firstQuery(database, schema, queues);
    lane.known = { digest: database.digest, schema };
    return depths;
  }

  /** What fails right after the catalog was read will not be better next time: say which version and which right. */
  async #firstQuery(database: Database, schema: PgBossSchema, queues: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Known>> {
    try {
      return await this.#query(database, schema, queues);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      if (error.problem === 'QueueUnsupported') throw unsupported(schema.name, schema.version, error.message);
      if (error.code !== '42501') throw error;
      const grant = `GRANT SELECT ON ${quoted(schema.name)}.job TO ${quoted(database.settings.user)};`;
      throw new DatabaseError('QueueForbidden', `${error.message}; missing: ${grant}`, error.code);
    }
  }

  async #query(database: Database, schema: PgBossSchema, queues: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Known>> {
    const depths = new Map<string, Known>();
    const all = [...queues];
    const size = schema.partitions > fewPartitions ? namesPerPartitionedQuery : namesPerQuery;
    for (let start = 0; start < all.length; start += size) {
      const some = all.slice(start, start + size);
      const rows = await database.query(depthQuery(schema), [some.map(([name]) => name), some.map(([, upTo]) => upTo)]);
      const now = this.#clock.now();
      for (const row of rows) depths.set(String(row['name']), depthOf(row, now));
    }
    return depths;
  }
}

type Known = Extract<DepthAnswer, { kind: 'known' }>;
const noWork: Known = { kind: 'known', ready: 0, nextReadyAt: undefined };
const stopped: DepthAnswer = { kind: 'unknown', reason: 'QueueUnreachable', message: 'the question was withdrawn' };

/** One row for each queue, counted as far as the most curious asker wants to know. */
function boundsByQueue(asked: readonly Question[]): ReadonlyMap<string, number> {
  const bounds = new Map<string, number>();
  for (const { queue, upTo } of asked) bounds.set(queue, Math.max(upTo, bounds.get(queue) ?? 0));
  return bounds;
}

function cut(depth: Known, upTo: number): Known {
  return depth.ready <= upTo ? depth : { ...depth, ready: upTo };
}

/** `wait` is measured by the server's clock from its own now, so that a clock that goes wrong here or there does not matter. */
function depthOf(row: Row, now: number): Known {
  const wait = Number(row['wait'] ?? Number.NaN);
  return { kind: 'known', ready: Number(row['ready']), nextReadyAt: Number.isFinite(wait) ? now + Math.ceil(wait) : undefined };
}

/**
 * Bounded: no more rows are counted than asked for, and the next deferred job is looked for only where fewer are ready.
 * pg-boss declares `created` and `retry` before `active`, so `state < 'active'` means waiting in every version.
 * With many partitions the names stand in the query a second time, so that the planner opens only their partitions.
 */
export function depthQuery({ name, startAfter, hasBlocked, partitions }: PgBossSchema): string {
  const waiting = `j.name = q.name${partitions > fewPartitions ? ' AND j.name = ANY ($1::text[])' : ''} AND j.state < 'active'${hasBlocked ? ' AND NOT j.blocked' : ''}`;
  const jobs = `${quoted(name)}.job j`;
  return `
    SELECT q.name, depth.ready, upcoming.wait
      FROM unnest($1::text[], $2::int[]) AS q(name, up_to)
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS ready
         FROM (SELECT 1 FROM ${jobs} WHERE ${waiting} AND j.${startAfter} <= now() LIMIT q.up_to) AS found) AS depth
     CROSS JOIN LATERAL (
       SELECT (1000 * (extract(epoch FROM min(j.${startAfter})) - extract(epoch FROM now())))::float8 AS wait
         FROM ${jobs} WHERE depth.ready < q.up_to AND ${waiting} AND j.${startAfter} > now()) AS upcoming`;
}
