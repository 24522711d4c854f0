/** TLS, poolers, networks that fall silent, and the pace at which a dead database is tried again. */
import { describe, expect, it, vi } from 'vitest';
import { Notifications } from '../../../src/adapters/queues/notifications.ts';
import { systemClock, type Clock } from '../../../src/lib/clock.ts';
import { collectingLog, depthChain } from '../../support/depth.ts';
import { newBoss } from '../../support/pg-boss.ts';
import { connectionFolder, createRole, filesFor, usePostgres } from '../../support/postgres.ts';
import { startProxy } from '../../support/tcp-proxy.ts';
import { pgBossSource } from '../../support/sources.ts';

const postgres = usePostgres({ tls: { certificateUsers: ['certified'] } });

async function aDatabase(): Promise<string> {
  const database = await postgres.database();
  const boss = newBoss('12', { connectionString: postgres.server.urlOf(database) });
  await boss.start();
  await boss.createQueue('work', { notify: true });
  await boss.send('work');
  await boss.stop();
  return database;
}

describe('TLS', () => {
  it('logs in with a client certificate and without a password', async () => {
    const database = await aDatabase();
    await postgres.server.query('CREATE ROLE certified LOGIN');
    await postgres.server.query('GRANT USAGE ON SCHEMA pgboss TO certified; GRANT SELECT ON pgboss.job TO certified', database);
    const certificates = postgres.server.certificates ?? expect.unreachable();
    const [own, other, { ca }] = [certificates.client('certified'), certificates.client('somebody'), certificates];
    const files = { host: 'localhost', port: String(postgres.server.port), user: 'certified', database, 'ca.crt': ca, 'tls.crt': own.cert, 'tls.key': own.key };
    using folder = connectionFolder(files);
    await using chain = depthChain({ main: folder.folder });
    expect(await chain.ask('work')).toMatchObject({ ready: 1 });
    const wakes: string[] = [];
    const notifications = new Notifications({ databases: chain.databases, clock: systemClock, log: collectingLog(chain.lines), onWake: ({ connection, schema, queue }) => wakes.push([connection, schema, queue].join('/')) });
    notifications.interest(pgBossSource('work'));
    await vi.waitFor(() => expect(wakes).toEqual(['main//work']), 10_000);
    await notifications.close();

    using stranger = connectionFolder({ ...files, 'tls.crt': other.cert, 'tls.key': other.key });
    await using wrong = depthChain({ main: stranger.folder });
    expect(await wrong.ask('work')).toEqual({ kind: 'unknown', reason: 'QueueForbidden', message: 'the database refuses the login: certificate authentication failed for user "certified"' });

    using mixed = connectionFolder({ ...files, 'tls.crt': own.cert, 'tls.key': other.key });
    await using unusable = depthChain({ main: mixed.folder });
    expect(await unusable.ask('work')).toMatchObject({ kind: 'unknown', message: expect.stringContaining('the certificates of the connection cannot be used') as string });
  });

  it('refuses a server that it cannot check, unless told not to check', async () => {
    const database = await aDatabase();
    const plain = filesFor(postgres.server, database);
    const { ca } = postgres.server.certificates ?? expect.unreachable();
    const outcomes: [files: Record<string, string>, outcome: object][] = [
      [{ sslmode: 'verify-full' }, { reason: 'QueueUnreachable', message: expect.stringContaining('was not accepted') as string }],
      [{ sslmode: 'require' }, { ready: 1 }],
      [{ 'ca.crt': ca }, { ready: 1 }],
      [{ 'ca.crt': 'no certificate' }, { reason: 'QueueUnreachable' }],
      [{ sslmode: 'disable' }, { ready: 1 }],
    ];
    for (const [files, outcome] of outcomes) {
      using folder = connectionFolder({ ...plain, ...files });
      await using chain = depthChain({ main: folder.folder });
      expect(await chain.ask('work')).toMatchObject(outcome);
    }
  });

  it('checks the name of the server only with verify-full', async () => {
    const database = await aDatabase();
    const { ca } = postgres.server.certificates ?? expect.unreachable();
    // The certificate is for 127.0.0.1 and localhost, not for the rest of the loopback network.
    await using proxy = await startProxy(postgres.server.port, undefined, '127.0.0.2');
    const files = { ...filesFor(postgres.server, database), host: '127.0.0.2', port: String(proxy.port), 'ca.crt': ca };
    const outcomes: [sslmode: string, outcome: object][] = [
      ['verify-full', { reason: 'QueueUnreachable', message: expect.stringContaining("IP: 127.0.0.2 is not in the cert's list") as string }],
      ['verify-ca', { ready: 1 }],
      ['require', { ready: 1 }],
    ];
    for (const [sslmode, outcome] of outcomes) {
      using folder = connectionFolder({ ...files, sslmode });
      await using chain = depthChain({ main: folder.folder });
      expect(await chain.ask('work')).toMatchObject(outcome);
    }
  });
});

describe('a pooler that takes no settings at log-in', () => {
  it('is used without them', async () => {
    const database = await aDatabase();
    let refusals = 0;
    await using proxy = await startProxy(postgres.server.port, (first) => {
      if (!first.includes('options\0')) return undefined;
      refusals += 1;
      const fields = Buffer.from('SERROR\0C08P01\0Munsupported startup parameter: options\0\0');
      const head = Buffer.alloc(5);
      head.write('E');
      head.writeInt32BE(fields.length + 4, 1);
      return Buffer.concat([head, fields]);
    });
    using folder = connectionFolder({ ...filesFor(postgres.server, database), port: String(proxy.port) });
    await using chain = depthChain({ main: folder.folder });
    expect(await Promise.all([chain.ask('work'), chain.ask('work', { schema: 'pgboss' })])).toMatchObject([{ ready: 1 }, { ready: 1 }]);
    expect(await chain.ask('work')).toMatchObject({ ready: 1 });
    expect(refusals).toBeLessThanOrEqual(2);
  });
});

describe('a network that falls silent', () => {
  it('is noticed, and does not keep job-chief from stopping', async () => {
    const database = await aDatabase();
    await using proxy = await startProxy(postgres.server.port);
    using folder = connectionFolder({ ...filesFor(postgres.server, database), port: String(proxy.port) });
    await using chain = depthChain({ main: folder.folder });
    expect(await chain.ask('work')).toMatchObject({ ready: 1 });
    proxy.freeze();
    expect(await chain.ask('work')).toMatchObject({ kind: 'unknown', reason: 'QueueUnreachable', message: `127.0.0.1:${proxy.port} did not answer in time` });
    proxy.thaw();
    await vi.waitFor(async () => expect(await chain.ask('work')).toMatchObject({ ready: 1 }), 20_000);
    proxy.freeze();
    await chain.databases.close();
  });

  it('does not keep the session that listens from ending', async () => {
    const database = await aDatabase();
    await using proxy = await startProxy(postgres.server.port);
    using folder = connectionFolder({ ...filesFor(postgres.server, database), port: String(proxy.port) });
    await using chain = depthChain({ main: folder.folder });
    const wakes: string[] = [];
    const notifications = new Notifications({ databases: chain.databases, clock: systemClock, log: collectingLog(chain.lines), onWake: ({ connection, schema, queue }) => wakes.push([connection, schema, queue].join('/')) });
    notifications.interest(pgBossSource('work'));
    await vi.waitFor(() => expect(wakes).toHaveLength(1), 10_000);
    proxy.freeze();
    await notifications.close();
  });
});

describe('a connection that ends in the middle of a question', () => {
  it('is an answer, and harms nobody else', async () => {
    const database = await aDatabase();
    await using proxy = await startProxy(postgres.server.port);
    using folder = connectionFolder({ ...filesFor(postgres.server, database), port: String(proxy.port) });
    await using chain = depthChain({ main: folder.folder });
    // Whoever runs the tests hears of it too, as of an error that nobody handles.
    let unheard = 0;
    const hear = (): void => { unheard += 1; };
    process.on('uncaughtExceptionMonitor', hear);
    try {
      const question = (await chain.databases.open('main')).query('SELECT pg_sleep(4)').catch((error: unknown) => error);
      await vi.waitFor(async () => expect(await postgres.server.query("SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(4)' AND state = 'active'")).toHaveLength(1), 4_000);
      proxy.thaw();
      expect(await question).toMatchObject({ problem: 'QueueUnreachable' });
      expect(await chain.ask('work')).toMatchObject({ ready: 1 });
    } finally {
      process.off('uncaughtExceptionMonitor', hear);
    }
    expect(unheard).toBe(0);
  });
});

describe('a database that stays away', () => {
  it('is tried again at a growing distance, not for every question', async () => {
    const database = await aDatabase();
    const password = await createRole(postgres.server, 'patient');
    await postgres.server.query('GRANT USAGE ON SCHEMA pgboss TO patient; GRANT SELECT ON pgboss.job TO patient', database);
    let attempts = 0;
    let down = true;
    await using proxy = await startProxy(postgres.server.port, () => {
      if (!down) return undefined;
      attempts += 1;
      return Buffer.alloc(0);
    });
    let now = 0;
    const clock: Clock = { ...systemClock, monotonic: () => now };
    using folder = connectionFolder({ ...filesFor(postgres.server, database, { user: 'patient', password }), port: String(proxy.port) });
    await using chain = depthChain({ main: folder.folder }, clock);
    const ask = async (at: number): Promise<number> => {
      now = at;
      await chain.ask('work');
      return attempts;
    };
    expect([await ask(0), await ask(249), await ask(250), await ask(749), await ask(750), await ask(1_749), await ask(1_750)]).toEqual([1, 1, 2, 2, 3, 3, 4]);
    down = false;
    now = 60_000;
    expect(await chain.ask('work')).toMatchObject({ ready: 1 });
  });
});
