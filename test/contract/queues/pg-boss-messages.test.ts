/** Messages of a real pg-boss, with and without `notify`, and of a queue with a table of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { compactJson } from '../../../src/adapters/queues/pg-boss-messages/json-text.ts';
import { isObject, parseJson } from '../../../src/lib/json.ts';
import { messageChain, pgBossPlace, type MessageChain, type PgBossPlace, type QueueOptions } from '../../support/pg-boss-messages.ts';
import { usePostgres } from '../../support/postgres.ts';
import { pgBossSource } from '../../support/sources.ts';
import { messageSourceContract } from './message-source.contract.ts';
import type { Capabilities, MakeSubject } from './message-source-subject.ts';

const postgres = usePostgres();

const can: Capabilities = {
  settlesByReceipt: true,
  adopts: 'message',
  countsDeliveries: true,
  releaseCounts: false,
  afterFail: 'comesAgain',
  deadLettersOnce: true,
  headers: false,
  bodies: { binary: false, empty: false, largest: Infinity },
  tellsEnqueued: true,
  renews: false,
};

function subjects(role: string, options: QueueOptions): MakeSubject {
  let place: Promise<PgBossPlace> | undefined;
  let count = 0;
  return async ({ missing } = {}) => {
    place ??= pgBossPlace(postgres, role);
    const { boss, database, login } = await place;
    const [queue, dead] = [`queue-${(count += 1)}`, `dead-${count}`];
    const create = async (): Promise<void> => {
      await boss.createQueue(queue, { retryLimit: 5, retryDelay: 0, ...options });
      if (options.partition === true) await postgres.server.query(`DO $$ BEGIN EXECUTE (SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON pgboss.%I TO ${role}', table_name) FROM pgboss.queue WHERE name = '${queue}'); END $$`, database);
    };
    if (!missing) await create();
    await boss.createQueue(dead);
    const chains: MessageChain[] = [];
    const rows = (where: string): Promise<Record<string, unknown>[]> => postgres.server.query(`SELECT id, data::text AS data, source_id, source_output FROM pgboss.job WHERE ${where}`, database);
    return {
      queue: pgBossSource(queue),
      can,
      deadLetter: { queue: dead },
      noDeadLetter: { queue: 'nobody-made-this' },
      process: () => {
        const chain = messageChain(postgres, { database, login });
        chains.push(chain);
        return chain.messages;
      },
      now: () => Date.now(),
      pass: () => delay(10),
      send: async (messages) => {
        const ids = await Promise.all(messages.map(({ body }) => boss.send(queue, objectOf(body))));
        return ids.filter((id) => id !== null);
      },
      waiting: async () => (await rows(`name = '${queue}' AND state < 'active'`)).length,
      dead: async () => (await rows(`name = '${dead}'`)).map((row) => {
        const failure = row['source_output'] as { reason: string; message: string; job: string; attempt: number };
        return { messageId: String(row['source_id']), body: new TextEncoder().encode(compactJson(String(row['data']))), headers: {}, ...failure };
      }),
      endLeases: async () => {
        await postgres.server.query(`UPDATE pgboss.job SET expire_seconds = 0 WHERE name = '${queue}' AND state = 'active'`, database);
        await boss.supervise(queue);
      },
      create,
      outage: async () => {
        await postgres.server.stop();
        return () => postgres.server.start();
      },
      [Symbol.asyncDispose]: async () => {
        for (const chain of chains) await chain[Symbol.asyncDispose]();
      },
    };
  };
}

function objectOf(body: string | Uint8Array): object {
  const data = parseJson(typeof body === 'string' ? body : new TextDecoder().decode(body));
  if (!isObject(data)) throw new Error('a message of pg-boss is an object');
  return data;
}

messageSourceContract('pg-boss', subjects('leaser', {}));
messageSourceContract('pg-boss with notify', subjects('woken_leaser', { notify: true }));
messageSourceContract('pg-boss with a table for the queue', subjects('table_leaser', { partition: true }));
