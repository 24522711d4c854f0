/** Counts for people, of every pg-boss version, with a role that may only read. */
import { describe, expect, it } from 'vitest';
import { PgBossStats } from '../../../src/adapters/queues/pg-boss-stats.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { pgBossSource } from '../../support/sources.ts';
import { depthChain } from '../../support/depth.ts';
import { bossVersions, newBoss } from '../../support/pg-boss.ts';
import { connectionFolder, createRole, filesFor, usePostgres } from '../../support/postgres.ts';

const postgres = usePostgres();

describe.each(bossVersions)('counts of pg-boss %s', (version) => {
  it('tell what is ready, deferred, active, tried again and dead, and for how long the oldest has waited', async () => {
    const user = `stats${version}`;
    const password = await createRole(postgres.server, user);
    const database = await postgres.database();
    const boss = newBoss(version, { connectionString: postgres.server.urlOf(database) });
    await boss.start();
    await postgres.server.query(`GRANT USAGE ON SCHEMA pgboss TO ${user}; GRANT SELECT ON pgboss.job, pgboss.version TO ${user}`, database);
    await boss.createQueue('work');
    const folder = connectionFolder(filesFor(postgres.server, database, { user, password }));
    await using chain = depthChain({ main: folder.folder });
    // Its answers stay fresh, however slow this machine is.
    const stats = new PgBossStats({ databases: chain.databases, clock: { ...systemClock, monotonic: () => 0 } });
    const question = pgBossSource('work');
    try {
      for (let index = 0; index < 4; index += 1) await boss.send('work');
      await boss.send('work', new Date(Date.now() + 3_600_000));
      const [first = '', second = ''] = await boss.fetch('work', 2);
      await boss.fail('work', [first]);
      const [known, shared, none] = await Promise.all([stats.counts(question), stats.counts(question), stats.counts({ ...question, queue: 'nothing' })]);
      expect(known).toMatchObject({ kind: 'known', upTo: 10_000, counts: { ready: 3, deferred: 1, active: 1, retrying: 1, dead: 0 } });
      expect(known.kind === 'known' && known.counts.oldestAge).toBeGreaterThan(0);
      expect(shared).toBe(known);
      expect(none).toMatchObject({ counts: { ready: 0, oldestAge: undefined } });
      await boss.complete('work', [second]);
      expect(await stats.counts(question)).toBe(known);
      await postgres.server.query(`UPDATE pgboss.job SET state = 'failed' WHERE state = 'retry'`, database);
      const later = new PgBossStats({ databases: chain.databases, clock: systemClock });
      expect(await later.counts(question)).toMatchObject({ counts: { ready: 2, deferred: 1, active: 0, retrying: 0, dead: 1 } });
      expect(await later.counts({ ...question, schema: 'elsewhere' })).toMatchObject({ kind: 'unknown', reason: 'QueueNotFound' });
      expect(await later.counts({ ...question, connection: 'nowhere' })).toMatchObject({ kind: 'unknown', reason: 'ConnectionUnknown' });
    } finally {
      await boss.stop();
      folder[Symbol.dispose]();
    }
  });
});
