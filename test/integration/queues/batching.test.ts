/** A thousand queues polled at once are a few queries, also where each queue is a table of its own. */
import { describe, expect, it, vi } from 'vitest';
import { depthChain } from '../../support/depth.ts';
import { newBoss } from '../../support/pg-boss.ts';
import { connectionFolder, filesFor, usePostgres } from '../../support/postgres.ts';

const postgres = usePostgres({ settings: { log_statement: 'all' } });
const names = Array.from({ length: 1_000 }, (_, index) => `queue-${index}`);

/** Where the server's log ends now. It reaches us by a pipe of its own, so a mark is awaited in it. */
async function endOfLog(): Promise<number> {
  const mark = `mark ${postgres.log.length} ${performance.now()}`;
  await postgres.server.query(`SELECT '${mark}'`);
  await vi.waitFor(() => {
    if (!postgres.log.some((line) => line.includes(mark))) throw new Error('the log of the server does not show the mark');
  }, { timeout: 30_000, interval: 5 });
  return postgres.log.length;
}

/** Depth queries that the server logged since then. */
async function depthQueries(since: number): Promise<number> {
  const end = await endOfLog();
  return postgres.log.slice(since, end).filter((line) => line.includes('execute <unnamed>')).length;
}

describe('1,000 queues asked at once', () => {
  it('are one look at the schema and one query', async () => {
    const database = await postgres.database();
    const url = postgres.server.urlOf(database);
    const boss = newBoss('12', { connectionString: url });
    await boss.start();
    await boss.stop();
    await postgres.server.query(
      `INSERT INTO pgboss.queue (name, policy, retry_limit, retry_delay, retry_backoff, expire_seconds, retention_seconds, deletion_seconds, partition, table_name)
         SELECT 'queue-' || n, 'standard', 2, 0, false, 900, 100000, 100000, false, 'job_common' FROM generate_series(0, 999) n;
       INSERT INTO pgboss.job (name, data) SELECT 'queue-' || n, '{}' FROM generate_series(0, 999) n, generate_series(1, n % 3)`,
      database,
    );
    using folder = connectionFolder(filesFor(postgres.server, database));
    await using chain = depthChain({ main: folder.folder });
    const since = await endOfLog();
    const answers = await Promise.all(names.map((name) => chain.ask(name)));
    expect(answers.map((answer) => answer.kind === 'known' && answer.ready)).toEqual(names.map((_, index) => index % 3));
    expect(await depthQueries(since)).toBe(2);
    const again = await endOfLog();
    await Promise.all(names.map((name) => chain.ask(name)));
    expect(await depthQueries(again)).toBe(1);
  });

  it('share the next query when they come one after the other while one is under way', async () => {
    const database = await postgres.database();
    const boss = newBoss('12', { connectionString: postgres.server.urlOf(database) });
    await boss.start();
    await boss.stop();
    using folder = connectionFolder(filesFor(postgres.server, database));
    await using chain = depthChain({ main: folder.folder });
    await chain.ask('first');
    const since = await endOfLog();
    const answers: Promise<unknown>[] = [];
    for (const name of names) {
      answers.push(chain.ask(name));
      await Promise.resolve();
    }
    await Promise.all(answers);
    expect(await depthQueries(since)).toBeLessThanOrEqual(2);
  });

  it('stay below the locks of the server where each queue is a partition', async () => {
    const database = await postgres.database();
    const boss = newBoss('10', { connectionString: postgres.server.urlOf(database) });
    await boss.start();
    for (const name of names.slice(0, 150)) await boss.createQueue(name);
    await boss.send('queue-7');
    await boss.stop();
    using folder = connectionFolder(filesFor(postgres.server, database));
    await using chain = depthChain({ main: folder.folder });
    const since = await endOfLog();
    const answers = await Promise.all(names.map((name) => chain.ask(name)));
    expect(answers.every(({ kind }) => kind === 'known')).toBe(true);
    expect(answers[7]).toMatchObject({ ready: 1 });
    expect(await depthQueries(since)).toBeLessThanOrEqual(22);
  });
});
