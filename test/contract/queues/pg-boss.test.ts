import { setTimeout as delay } from 'node:timers/promises';
import { bossVersions, newBoss } from '../../support/pg-boss.ts';
import { depthChain } from '../../support/depth.ts';
import { connectionFolder, createRole, filesFor, usePostgres } from '../../support/postgres.ts';
import { depthProbeContract, type QueueUnderTest } from './depth-probe.contract.ts';

const postgres = usePostgres();
const reader = { user: 'reader', password: '' };

for (const version of bossVersions) {
  let count = 0;
  // One database and one pg-boss for each version; each case has queues of its own. The probe's role may only read.
  let place: Promise<{ database: string; boss: ReturnType<typeof newBoss> }> | undefined;
  const prepare = async (): Promise<{ database: string; boss: ReturnType<typeof newBoss> }> => {
    if (reader.password === '') reader.password = await createRole(postgres.server, reader.user);
    const database = await postgres.database();
    const boss = newBoss(version, { connectionString: postgres.server.urlOf(database) });
    await boss.start();
    await postgres.server.query('GRANT USAGE ON SCHEMA pgboss TO reader; GRANT SELECT ON pgboss.job, pgboss.version TO reader', database);
    await boss.stop();
    return { database, boss };
  };
  const make = async (): Promise<QueueUnderTest> => {
    place ??= prepare();
    const { database } = await place;
    const boss = newBoss(version, { connectionString: postgres.server.urlOf(database) });
    await boss.start();
    const [queue, otherQueue] = [`queue-${(count += 1)}`, `other-${count}`];
    await boss.createQueue(queue);
    await boss.createQueue(otherQueue);
    const folder = connectionFolder(filesFor(postgres.server, database, reader));
    const chain = depthChain({ main: folder.folder });
    return {
      probe: chain.probe,
      connection: 'main',
      schema: undefined,
      queue,
      otherQueue,
      now: () => Date.now(),
      send: async (messages, options = {}) => {
        const startAfter = options.deferredBy === undefined ? undefined : new Date(Date.now() + options.deferredBy);
        for (let index = 0; index < messages; index++) await boss.send(options.queue ?? queue, startAfter);
      },
      fetch: (messages) => boss.fetch(queue, messages),
      complete: (ids) => boss.complete(queue, ids),
      fail: (ids) => boss.fail(queue, ids),
      pass: () => delay(50),
      [Symbol.asyncDispose]: async () => {
        await chain[Symbol.asyncDispose]();
        await boss.stop();
        folder[Symbol.dispose]();
      },
    };
  };
  depthProbeContract(`pg-boss ${version}`, make);
}
