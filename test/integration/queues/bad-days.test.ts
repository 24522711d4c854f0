/** The database is down, wrong, locked or replaced: what depth says, and that it heals by itself. */
import { describe, expect, it, vi } from 'vitest';
import { depthChain, type DepthChain } from '../../support/depth.ts';
import { newBoss } from '../../support/pg-boss.ts';
import { connectionFolder, createRole, filesFor, usePostgres } from '../../support/postgres.ts';

const postgres = usePostgres();

/** A database with a pg-boss schema and `ready` messages in the queue `work`. */
async function aDatabase(options: { schema?: string; ready?: number; version?: '12' | '10' | '9' } = {}): Promise<string> {
  const database = await postgres.database();
  const boss = newBoss(options.version ?? '12', { connectionString: postgres.server.urlOf(database), ...(options.schema !== undefined && { schema: options.schema }) });
  await boss.start();
  await boss.createQueue('work');
  for (let index = 0; index < (options.ready ?? 0); index++) await boss.send('work');
  await boss.stop();
  return database;
}

async function withChain(files: Record<string, string>, use: (chain: DepthChain, folder: ReturnType<typeof connectionFolder>) => Promise<void>): Promise<void> {
  using folder = connectionFolder(files);
  await using chain = depthChain({ main: folder.folder });
  await use(chain, folder);
}

describe('a database that cannot be reached', () => {
  it('is unknown while it is down, and known again once it is up', async () => {
    const database = await aDatabase({ ready: 2 });
    await withChain(filesFor(postgres.server, database), async (chain) => {
      await postgres.server.stop();
      const address = `127.0.0.1:${postgres.server.port}`;
      expect(await chain.ask('work')).toEqual({ kind: 'unknown', reason: 'QueueUnreachable', message: `${address} refuses connections` });
      await postgres.server.start();
      await vi.waitFor(async () => expect(await chain.ask('work')).toMatchObject({ ready: 2 }), 10_000);
      // Sessions that were open when the server went away are not held against it.
      await postgres.server.restart();
      await vi.waitFor(async () => expect(await chain.ask('work')).toMatchObject({ ready: 2 }), 10_000);
    });
  });

  it('survives that idle sessions are cut', async () => {
    const database = await aDatabase({ ready: 1 });
    await withChain(filesFor(postgres.server, database), async (chain) => {
      await chain.ask('work');
      await postgres.server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'job-chief'`);
      await vi.waitFor(async () => expect(await chain.ask('work')).toMatchObject({ ready: 1 }), 10_000);
    });
  });

  it('names a host that does not exist', async () => {
    await withChain({ ...filesFor(postgres.server, 'postgres'), host: 'no-such-host.invalid' }, async (chain) => {
      expect(await chain.ask('work')).toMatchObject({ kind: 'unknown', reason: 'QueueUnreachable', message: expect.stringContaining('no-such-host.invalid') as string });
    });
  });

  it('answers within the statement timeout while a lock is held', async () => {
    const database = await aDatabase({ ready: 1 });
    await withChain(filesFor(postgres.server, database), async (chain) => {
      const locked = postgres.server.query('BEGIN; LOCK TABLE pgboss.job IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(6); COMMIT', database);
      await vi.waitFor(async () => expect(await postgres.server.query(`SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'pgboss.job'::regclass`, database)).toHaveLength(1));
      expect(await chain.ask('work')).toEqual({ kind: 'unknown', reason: 'QueueUnreachable', message: 'the database did not answer within five seconds' });
      await locked;
      expect(await chain.ask('work')).toMatchObject({ ready: 1 });
    });
  });

  it('stops at once when it is closed, and answers whoever still asks', async () => {
    const database = await aDatabase();
    await withChain(filesFor(postgres.server, database), async (chain) => {
      const open = chain.ask('work');
      await chain.databases.close();
      expect(['known', 'unknown']).toContain((await open).kind);
      expect(await chain.ask('work')).toMatchObject({ kind: 'unknown', message: 'job-chief is stopping' });
    });
  });
});

describe('a database that refuses us', () => {
  it('says so for a wrong password, and never shows it', async () => {
    const database = await aDatabase();
    await withChain({ ...filesFor(postgres.server, database), password: 'hunter2hunter2' }, async (chain) => {
      expect(await chain.ask('work')).toEqual({ kind: 'unknown', reason: 'QueueForbidden', message: 'the database refuses the login: password authentication failed for user "postgres"' });
      expect(chain.lines.join('\n')).not.toContain('hunter2');
    });
  });

  it('says so for a missing password', async () => {
    const { host, port, user } = filesFor(postgres.server, 'postgres');
    await withChain({ host: host ?? '', port: port ?? '', user: user ?? '' }, async (chain) => {
      expect(await chain.ask('work')).toMatchObject({ reason: 'QueueForbidden', message: 'the database asks for a password, and the connection has none' });
    });
  });

  it('takes a rotated password into use at the next question', async () => {
    const database = await aDatabase({ ready: 3 });
    const password = await createRole(postgres.server, 'rotated');
    await postgres.server.query('GRANT USAGE ON SCHEMA pgboss TO rotated; GRANT SELECT ON pgboss.job TO rotated', database);
    await withChain(filesFor(postgres.server, database, { user: 'rotated', password }), async (chain, folder) => {
      expect(await chain.ask('work')).toMatchObject({ ready: 3 });
      await postgres.server.query(`ALTER ROLE rotated PASSWORD 'fresh-secret'`);
      await postgres.server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'`);
      folder.write({ password: 'fresh-secret\n' });
      await vi.waitFor(async () => expect(await chain.ask('work')).toMatchObject({ ready: 3 }), 10_000);
    });
  });

  it('names each missing GRANT, and works once they are given', async () => {
    const database = await aDatabase({ ready: 1 });
    const password = await createRole(postgres.server, 'Odd-Role');
    await withChain(filesFor(postgres.server, database, { user: 'Odd-Role', password }), async (chain) => {
      const missing = async (grants: string): Promise<void> =>
        expect(await chain.ask('work')).toEqual({ kind: 'unknown', reason: 'QueueForbidden', message: `the role may not read pgboss.job; missing: ${grants}` });
      await missing('GRANT USAGE ON SCHEMA pgboss TO "Odd-Role"; GRANT SELECT ON pgboss.job TO "Odd-Role";');
      await postgres.server.query('GRANT USAGE ON SCHEMA pgboss TO "Odd-Role"', database);
      await missing('GRANT SELECT ON pgboss.job TO "Odd-Role";');
      await postgres.server.query('GRANT SELECT ON pgboss.job TO "Odd-Role";', database);
      expect(await chain.ask('work')).toMatchObject({ ready: 1 });
      await postgres.server.query('REVOKE SELECT ON pgboss.job FROM "Odd-Role";', database);
      await missing('GRANT SELECT ON pgboss.job TO "Odd-Role";');
    });
  });

  it('cannot write, whatever the role may do', async () => {
    const database = await aDatabase();
    await withChain(filesFor(postgres.server, database), async (chain) => {
      const session = await chain.databases.open('main');
      await expect(session.query('CREATE TABLE mine (id int)')).rejects.toThrow('read-only transaction');
      expect(await session.query('SHOW application_name')).toEqual([{ application_name: 'job-chief' }]);
    });
  });
});

describe('a schema that is not as expected', () => {
  it('says what is missing, and finds it once pg-boss has made it', async () => {
    const database = await postgres.database();
    await withChain(filesFor(postgres.server, database), async (chain) => {
      expect(await chain.ask('work')).toMatchObject({ reason: 'QueueNotFound', message: `database "${database}" has no schema pgboss; pg-boss creates it in \`boss.start()\`, with a role that may create it` });
      await postgres.server.query('CREATE SCHEMA pgboss', database);
      expect(await chain.ask('work')).toMatchObject({ reason: 'QueueNotFound', message: expect.stringContaining('schema pgboss has no table job') as string });
      await postgres.server.query('DROP SCHEMA pgboss', database);
      const boss = newBoss('12', { connectionString: postgres.server.urlOf(database) });
      await boss.start();
      await boss.stop();
      expect(await chain.ask('work')).toMatchObject({ ready: 0 });
      await postgres.server.query('DROP SCHEMA pgboss CASCADE', database);
      expect(await chain.ask('work')).toMatchObject({ reason: 'QueueNotFound' });
    });
  });

  it('names a missing database', async () => {
    await withChain(filesFor(postgres.server, 'nowhere'), async (chain) => {
      expect(await chain.ask('work')).toEqual({ kind: 'unknown', reason: 'QueueNotFound', message: 'there is no database "nowhere"' });
    });
  });

  it('refuses columns it does not know, with the version found', async () => {
    const database = await aDatabase();
    await withChain(filesFor(postgres.server, database), async (chain) => {
      await postgres.server.query('ALTER TABLE pgboss.job RENAME COLUMN start_after TO not_before; UPDATE pgboss.version SET version = 99', database);
      expect(await chain.ask('work')).toEqual({
        kind: 'unknown',
        reason: 'QueueUnsupported',
        message: 'schema pgboss (version 99) does not look like pg-boss 5 to 12: table job has no column start_after',
      });
    });
  });

  it('reads an unknown newer version whose columns still fit', async () => {
    const database = await aDatabase({ ready: 1 });
    await postgres.server.query('UPDATE pgboss.version SET version = 99', database);
    await withChain(filesFor(postgres.server, database), async (chain) => expect(await chain.ask('work')).toMatchObject({ ready: 1 }));
  });

  it('refuses a version older than pg-boss 5', async () => {
    const database = await aDatabase();
    await postgres.server.query('UPDATE pgboss.version SET version = 11', database);
    await withChain(filesFor(postgres.server, database), async (chain) =>
      expect(await chain.ask('work')).toMatchObject({ reason: 'QueueUnsupported', message: expect.stringContaining('(version 11)') as string }),
    );
  });

  it('follows a migration to other columns while it runs', async () => {
    const database = await aDatabase({ version: '9', ready: 2 });
    await withChain(filesFor(postgres.server, database), async (chain) => {
      expect(await chain.ask('work')).toMatchObject({ ready: 2 });
      await postgres.server.query('ALTER TABLE pgboss.job RENAME COLUMN startafter TO start_after', database);
      expect(await chain.ask('work')).toMatchObject({ ready: 2 });
    });
  });

  it('does not count jobs that wait for other jobs', async () => {
    const database = await aDatabase({ ready: 3 });
    await postgres.server.query('UPDATE pgboss.job SET blocked = true WHERE id = (SELECT id FROM pgboss.job LIMIT 1)', database);
    await withChain(filesFor(postgres.server, database), async (chain) => expect(await chain.ask('work')).toMatchObject({ ready: 2 }));
  });

  it('finds a schema in any spelling that pg-boss takes', async () => {
    const database = await aDatabase({ schema: '"Odd-Schema"', ready: 1 });
    await withChain(filesFor(postgres.server, database), async (chain) => {
      expect(await chain.ask('work', { schema: 'Odd-Schema' })).toMatchObject({ ready: 1 });
      expect(await chain.ask('work', { schema: '"Odd-Schema"' })).toMatchObject({ ready: 1 });
    });
    const folded = await aDatabase({ schema: 'MixedCase', ready: 2 });
    await withChain({ ...filesFor(postgres.server, folded), schema: 'MixedCase' }, async (chain) => expect(await chain.ask('work')).toMatchObject({ ready: 2 }));
  });
});
