/** Statements of our own on the tables of pg-boss: what its library does not offer, or not for exactly one delivery. */
import { createHash } from 'node:crypto';
import type { DeadMessage } from '../../../reconcile/message-ports.ts';
import type { Receipt } from '../../../plan/messages/message.ts';
import type { Row } from '../databases.ts';
import { assertVersion, type OpenBoss } from './boss-link.ts';
import { storableObject } from './json-text.ts';

/**
 * One handing-out of a job. The library counts retries, and gives the same count again to a job that was put back; when it
 * was started tells those apart.
 */
export interface Attempt {
  readonly retryCount: number;
  /** By the server's clock, whole milliseconds since 1970. */
  readonly started: number;
}

export interface JobRow {
  readonly id: string;
  readonly state: string;
  readonly attempt: Attempt;
}

export interface HeldRow extends JobRow {
  /** JSON; undefined: the job has none. */
  readonly data: string | undefined;
  readonly created: number;
  readonly heartbeatSeconds: number | undefined;
}

export interface QueueFacts {
  readonly expireSeconds: number;
  readonly notify: boolean;
  /** Changes when the queue was deleted and made otherwise. */
  readonly table: string;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Ids that may be asked for: anything else would fail the whole statement. */
export function isJobId(id: string): boolean {
  return uuid.test(id);
}

export function receiptOf({ retryCount, started }: Attempt): Receipt {
  return { retry: String(retryCount), started: String(started) };
}

/** undefined: the receipt does not say. */
export function attemptOf(receipt: Receipt): Attempt | undefined {
  const [retryCount, started] = [Number(receipt['retry']), Number(receipt['started'])];
  return Number.isSafeInteger(retryCount) && Number.isSafeInteger(started) ? { retryCount, started } : undefined;
}

export function sameAttempt(one: Attempt, other: Attempt): boolean {
  return one.retryCount === other.retryCount && one.started === other.started;
}

/** undefined: there is no such queue. Throws SourceError when the schema is of another version by now. */
export async function readFacts({ database, schema }: OpenBoss, queue: string): Promise<QueueFacts | undefined> {
  const [row] = await database.query(
    `SELECT (SELECT version FROM ${schema}.version LIMIT 1)::int AS version, q.expire_seconds, q.notify, q.table_name
       FROM (SELECT 1) AS one LEFT JOIN ${schema}.queue q ON q.name = $1`, [queue]);
  assertVersion(schema, numberIn(row, 'version'));
  const table = row?.['table_name'];
  if (typeof table !== 'string') return undefined;
  return { expireSeconds: numberIn(row, 'expire_seconds') ?? 0, notify: row?.['notify'] === true, table };
}

/** Rows that there still are, whatever their state. */
export async function readRows({ database, schema }: OpenBoss, queue: string, ids: readonly string[]): Promise<ReadonlyMap<string, JobRow>> {
  const rows = await database.query(
    `SELECT id::text AS id, state::text AS state, retry_count, started_on FROM ${schema}.job WHERE name = $1 AND id = ANY ($2::uuid[])`, [queue, ids]);
  return new Map(rows.map((row) => [String(row['id']), jobRow(row)]));
}

/** Rows that somebody has in hand, with all that makes a lease. */
export async function readHeld({ database, schema }: OpenBoss, queue: string, ids: readonly string[]): Promise<readonly HeldRow[]> {
  const rows = await database.query(
    `SELECT id::text AS id, state::text AS state, retry_count, started_on, data, created_on, heartbeat_seconds
       FROM ${schema}.job WHERE name = $1 AND id = ANY ($2::uuid[]) AND state = 'active'`, [queue, ids]);
  return rows.map((row) => {
    const data = row['data'];
    return { ...jobRow(row), data: typeof data === 'string' ? data : undefined, created: timeIn(row, 'created_on'), heartbeatSeconds: numberIn(row, 'heartbeat_seconds') };
  });
}

/**
 * Puts jobs back as they were before they were fetched; gives the ids of those that were still held as given. A fetch
 * counts a retry for a job that was started before (`started_on`), so that goes; and `retry` is the waiting state that
 * no policy of a queue keeps for one job alone when new ones have come meanwhile.
 */
export async function putBack({ database, schema }: OpenBoss, queue: string, held: readonly { readonly id: string; readonly attempt: Attempt }[]): Promise<ReadonlySet<string>> {
  const rows = await database.query(
    `UPDATE ${schema}.job AS j SET state = 'retry', started_on = NULL, heartbeat_on = NULL
       FROM unnest($2::uuid[], $3::int[], $4::timestamptz[]) AS held (id, retry_count, started_on)
      WHERE j.name = $1 AND j.id = held.id AND j.state = 'active' AND j.retry_count = held.retry_count
        AND date_trunc('milliseconds', j.started_on) = held.started_on
      RETURNING j.id::text AS id`,
    [queue, held.map(({ id }) => id), held.map(({ attempt }) => attempt.retryCount), held.map(({ attempt }) => new Date(attempt.started).toISOString())]);
  return new Set(rows.map((row) => String(row['id'])));
}

/**
 * Adds a dead message to another queue of the schema, as pg-boss itself does it when retries run out: with where it came
 * from and the failure as `source_output`, so that its `redrive()` knows it. The same death again is the same row. The
 * row that died gives what else belongs to it, where it is still there.
 */
export async function addDead({ database, schema, channels }: OpenBoss, queue: string, target: string, { message, failure }: DeadMessage): Promise<'added' | 'present' | 'noQueue'> {
  const id = deadId([queue, message.id, failure.job ?? '']);
  const [row] = await database.query(
    `WITH target AS (SELECT * FROM ${schema}.queue WHERE name = $1),
     died AS (SELECT * FROM ${schema}.job WHERE name = $3 AND id = $4::uuid),
     added AS (
       INSERT INTO ${schema}.job (id, name, data, priority, retry_limit, retry_backoff, retry_delay, retry_delay_max, start_after, created_on, keep_until,
         deletion_seconds, expire_seconds, heartbeat_seconds, group_id, group_tier,
         source_name, source_id, source_created_on, source_retry_count, source_output, source_root_id)
       SELECT $2::uuid, q.name, $5::text::jsonb, COALESCE(died.priority, 0), q.retry_limit, q.retry_backoff, q.retry_delay, q.retry_delay_max,
         ${schema}.job_now(), ${schema}.job_now(), ${schema}.job_now() + q.retention_seconds * interval '1s',
         q.deletion_seconds, q.expire_seconds, q.heartbeat_seconds, died.group_id, died.group_tier,
         $3, $4::uuid, died.created_on, died.retry_count, $6::text::jsonb, COALESCE(died.source_root_id, $4::uuid)
       FROM target q LEFT JOIN died ON true
       ON CONFLICT DO NOTHING
       RETURNING 1),
     told AS (SELECT pg_notify(channel, $1) FROM unnest($7::text[]) AS channel, target q WHERE q.notify AND EXISTS (SELECT FROM added))
     SELECT EXISTS (SELECT FROM target) AS target, EXISTS (SELECT FROM added) AS added, (SELECT count(*) FROM told) AS told`,
    [target, id, queue, message.id, new TextDecoder().decode(message.body), JSON.stringify(storableObject({ ...failure })), channels]);
  if (row?.['target'] !== true) return 'noQueue';
  return row['added'] === true ? 'added' : 'present';
}

/** A UUID (version 8: made by the maker's own rule) that is the same for the same parts. */
export function deadId(parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function jobRow(row: Row): JobRow {
  return { id: String(row['id']), state: String(row['state']), attempt: { retryCount: numberIn(row, 'retry_count') ?? 0, started: timeIn(row, 'started_on') } };
}

function numberIn(row: Row | undefined, key: string): number | undefined {
  const value = row?.[key];
  return typeof value === 'number' ? value : undefined;
}

/** 0: there is none. */
function timeIn(row: Row, key: string): number {
  const value = row[key];
  return value instanceof Date ? value.getTime() : 0;
}
