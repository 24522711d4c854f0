/** The database side: real pg-boss queues, messages, and workers that take them. */
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { join } from 'node:path';
import { writeConnection } from './connection-folder.ts';
import type { MessageQueues } from './message-queues.ts';
import { inParallel } from './requests.ts';
import type { World } from './world.ts';

export interface Queues extends MessageQueues {
  /** One message into each queue in one transaction; the moment of the commit, Date.now(). */
  sendToAll(names: readonly string[]): Promise<number>;
  /** As a worker does: takes the message and completes it. */
  work(name: string): Promise<void>;
}

/** A database of its own for each scenario. */
export async function openQueues({ postgres: start, folder }: World, database: string): Promise<Queues> {
  const postgres = await start();
  const url = await postgres.createDatabase(database);
  const boss = new PgBoss({ connectionString: url, max: 8, supervise: false, schedule: false });
  boss.on('error', () => undefined);
  await boss.start();
  return {
    connectionType: 'pgBoss',
    connectionsFolder: writeConnection(join(folder, `connections-${database}`), { host: postgres.host, port: String(postgres.port), user: postgres.user, password: postgres.password, database }),
    create: (names, notify) => inParallel(names, 4, (name) => boss.createQueue(name, { notify, retryLimit: 5 })),
    send: async (name) => {
      await boss.send(name, {});
    },
    sendToAll: (names) => sendToAll(boss, url, names),
    insert: async (name, count) => {
      await boss.insert(name, Array.from({ length: count }, (_, number) => ({ data: { number } })));
      return Date.now();
    },
    work: async (name) => {
      const taken = await boss.fetch(name);
      await boss.complete(name, taken.map(({ id }) => id));
    },
    empty: async () => {
      await postgres.query('DELETE FROM pgboss.job', database);
    },
    [Symbol.asyncDispose]: () => boss.stop({ graceful: false }),
  };
}

async function sendToAll(boss: PgBoss, url: string, names: readonly string[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('BEGIN');
    for (const name of names) await boss.send(name, {}, { db: { executeSql: async (text, values) => ({ rows: (await client.query(text, values)).rows }) } });
    await client.query('COMMIT');
    return Date.now();
  } finally {
    await client.end();
  }
}
