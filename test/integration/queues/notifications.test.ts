/** Wakes by LISTEN and NOTIFY, with a role that may only read, through cuts, restarts and new passwords. */
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { Notifications } from '../../../src/adapters/queues/notifications.ts';
import { collectingLog, depthChain } from '../../support/depth.ts';
import { newBoss } from '../../support/pg-boss.ts';
import { connectionFolder, createRole, filesFor, usePostgres } from '../../support/postgres.ts';
import { pgBossSource } from '../../support/sources.ts';

const postgres = usePostgres();

async function setUp(role: string) {
  const database = await postgres.database();
  const boss = newBoss('12', { connectionString: postgres.server.urlOf(database) });
  await boss.start();
  await boss.createQueue('work', { notify: true });
  await boss.createQueue('silent');
  const password = await createRole(postgres.server, role);
  await postgres.server.query(`GRANT USAGE ON SCHEMA pgboss TO ${role}; GRANT SELECT ON pgboss.job TO ${role}`, database);
  const folder = connectionFolder(filesFor(postgres.server, database, { user: role, password }));
  const chain = depthChain({ main: folder.folder });
  const wakes: string[] = [];
  const notifications = new Notifications({
    databases: chain.databases,
    clock: systemClock,
    log: collectingLog(chain.lines),
    onWake: ({ connection, schema, queue }) => wakes.push(`${connection}/${schema ?? '-'}/${queue}`),
  });
  return {
    boss,
    wakes,
    notifications,
    chain,
    folder,
    sessions: () => postgres.server.query(`SELECT pid FROM pg_stat_activity WHERE usename = '${role}' AND query LIKE 'LISTEN%'`),
    cut: () => postgres.server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`),
    next: async () => {
      const before = wakes.length;
      await vi.waitFor(() => expect(wakes.length).toBeGreaterThan(before), { timeout: 20_000, interval: 5 });
    },
    [Symbol.asyncDispose]: async () => {
      await notifications.close();
      await chain.databases.close();
      await boss.stop();
      folder[Symbol.dispose]();
    },
  };
}

describe('notifications', () => {
  it('wake the queues that somebody is interested in, and no others', async () => {
    await using place = await setUp('listener_one');
    const release = place.notifications.interest(pgBossSource('work'));
    await place.next(); // the first wake comes with the session: messages may have been there before
    await place.boss.send('silent');
    await place.boss.send('work', new Date(Date.now() + 3_600_000));
    const woken = place.next();
    await place.boss.send('work');
    await woken;
    expect(place.wakes).toEqual(['main/-/work', 'main/-/work']);
    release();
    release();
    await vi.waitFor(async () => expect(await place.sessions()).toHaveLength(0), 10_000);
  });

  it('hold one session for a schema, as long as anybody is interested', async () => {
    await using place = await setUp('listener_two');
    const [first, second] = [place.notifications.interest(pgBossSource('work', { schema: 'pgboss' })), place.notifications.interest(pgBossSource('other', { schema: 'pgboss' }))];
    await vi.waitFor(() => expect(place.wakes).toEqual(['main/pgboss/work', 'main/pgboss/other']), 10_000);
    expect(await place.sessions()).toHaveLength(1);
    first();
    expect(await place.sessions()).toHaveLength(1);
    second();
    await vi.waitFor(async () => expect(await place.sessions()).toHaveLength(0), 10_000);
  });

  it('come again after the session was cut, with a wake for what may have been missed', async () => {
    await using place = await setUp('listener_three');
    place.notifications.interest(pgBossSource('work'));
    await place.next();
    const again = place.next();
    await place.cut();
    await place.boss.send('work');
    await again;
    const live = place.next();
    await place.boss.send('work');
    await live;
  });

  it('come again after a restart of the server', async () => {
    await using place = await setUp('listener_four');
    place.notifications.interest(pgBossSource('work'));
    await place.next();
    const again = place.next();
    await postgres.server.restart();
    await again;
  });

  it('take new credentials into use when the old ones are refused', async () => {
    await using place = await setUp('listener_five');
    place.notifications.interest(pgBossSource('work'));
    await place.next();
    await postgres.server.query(`ALTER ROLE listener_five PASSWORD 'next-secret'`);
    place.folder.write({ password: 'next-secret' });
    const again = place.next();
    await place.cut();
    await again;
    expect(place.chain.lines.join('\n')).not.toContain('next-secret');
  });

  it('are a hint: without a database nothing fails, and closing ends the attempts', async () => {
    await using place = await setUp('listener_six');
    place.folder.write({ port: '1' });
    place.notifications.interest(pgBossSource('work'));
    place.notifications.interest(pgBossSource('work', { connection: 'absent' }));
    await vi.waitFor(() => expect(place.chain.lines.filter((line) => line.includes('ListenFailed')).length).toBeGreaterThanOrEqual(2), 10_000);
    expect(place.wakes).toEqual([]);
  });
});
