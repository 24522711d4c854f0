/** One face for the pg-boss versions of nine years: what tests need of each. */
import { createRequire } from 'node:module';
import { PgBoss } from 'pg-boss';

export interface Boss {
  readonly schemaVersion: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  createQueue(queue: string, options?: { notify?: boolean }): Promise<void>;
  send(queue: string, startAfter?: Date): Promise<void>;
  fetch(queue: string, count: number): Promise<readonly string[]>;
  complete(queue: string, ids: readonly string[]): Promise<void>;
  fail(queue: string, ids: readonly string[]): Promise<void>;
}
export const bossVersions = ['12', '10', '9', '8', '5'] as const;
export type BossVersion = (typeof bossVersions)[number];

/** The parts of old versions that are used here; 5 calls `send` `publish`, 5 to 9 know no queues. */
interface OldBoss {
  start(): Promise<unknown>;
  stop(options?: object): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): void;
  publish(queue: string, data: object, options: object): Promise<unknown>;
  send(queue: string, data: object, options: object): Promise<unknown>;
  fetch(queue: string, count: number | { batchSize: number }): Promise<{ id: string }[] | null>;
  complete(...args: unknown[]): Promise<unknown>;
  fail(...args: unknown[]): Promise<unknown>;
  createQueue(queue: string): Promise<unknown>;
}
type OldBossClass = new (options: object) => OldBoss;

const require = createRequire(import.meta.url);
const schemaVersions: Record<BossVersion, number> = { 12: 43, 10: 24, 9: 20, 8: 20, 5: 16 };

export function newBoss(version: BossVersion, options: { connectionString: string; schema?: string }): Boss {
  const config = { connectionString: options.connectionString, max: 4, ...(options.schema !== undefined && { schema: options.schema }) };
  return version === '12' ? current(config) : old(version, config);
}

async function quiet(done: Promise<unknown> | undefined): Promise<void> {
  await done;
}

function current(config: { connectionString: string; schema?: string }): Boss {
  const boss = new PgBoss({ ...config, supervise: false, schedule: false });
  boss.on('error', () => undefined);
  return {
    schemaVersion: schemaVersions[12],
    start: () => quiet(boss.start()),
    stop: () => boss.stop({ graceful: false }),
    createQueue: (queue, options) => boss.createQueue(queue, { retryLimit: 5, retryDelay: 0, ...options }),
    send: (queue, startAfter) => quiet(boss.send(queue, {}, startAfter ? { startAfter } : {})),
    fetch: async (queue, count) => (await boss.fetch(queue, { batchSize: count })).map(({ id }) => id),
    complete: (queue, ids) => quiet(boss.complete(queue, [...ids])),
    fail: (queue, ids) => quiet(boss.fail(queue, [...ids])),
  };
}

function old(version: Exclude<BossVersion, '12'>, config: object): Boss {
  const Class = require(`pg-boss-v${version}`) as OldBossClass;
  const boss = new Class({ ...config, noSupervisor: true, supervise: false, schedule: false, noScheduling: true });
  boss.on('error', () => undefined);
  const named = version === '10';
  const options = (startAfter: Date | undefined): object => ({ retryLimit: 5, retryDelay: 0, ...(startAfter && { startAfter }) });
  return {
    schemaVersion: schemaVersions[version],
    start: () => quiet(boss.start()),
    stop: () => quiet(boss.stop({ graceful: false, destroy: true, wait: true })),
    createQueue: (queue) => quiet(named ? boss.createQueue(queue) : undefined),
    send: (queue, startAfter) => quiet(version === '5' ? boss.publish(queue, {}, options(startAfter)) : boss.send(queue, {}, options(startAfter))),
    fetch: async (queue, count) => ((await boss.fetch(queue, named ? { batchSize: count } : count)) ?? []).map(({ id }) => id),
    complete: (queue, ids) => quiet(named ? boss.complete(queue, ids) : boss.complete(ids)),
    fail: (queue, ids) => quiet(named ? boss.fail(queue, ids) : boss.fail(ids)),
  };
}
