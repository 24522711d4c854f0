/** `job-chief check connection`: what works, what is missing, and that no secret is printed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PgBoss } from 'pg-boss';
import { describe, expect, it } from 'vitest';
import { runCheckConnection } from '../../../src/cli/check-connection.ts';
import { systemClock, type Clock } from '../../../src/lib/clock.ts';
import { newBoss } from '../../support/pg-boss.ts';
import { connectionFolder, createRole, filesFor, usePostgres } from '../../support/postgres.ts';
import { startProxy } from '../../support/tcp-proxy.ts';

const postgres = usePostgres();

async function check(files: Record<string, string>, options: { name?: string; output?: 'text' | 'json'; clock?: Clock } = {}): Promise<{ code: number; out: string; err: string }> {
  using folder = connectionFolder(files);
  const config = join(folder.folder, '.config.yaml');
  writeFileSync(config, `connections: {main: {folder: ${folder.folder}}}\n`);
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCheckConnection(
    { name: options.name ?? 'main', output: options.output ?? 'text', schema: undefined, queue: undefined, config },
    { env: {}, clock: options.clock ?? systemClock, out: (line) => out.push(line), err: (line) => err.push(line) },
  );
  const text = out.join('\n');
  if (files['password'] !== undefined) expect(text + err.join('\n')).not.toContain(files['password']);
  return { code, out: text, err: err.join('\n') };
}

/** Step and result of each line. */
function results({ out }: { out: string }): string[] {
  return out.split('\n').flatMap((line) => /^(\w+) +(ok|warning|failed|skipped)\b/.exec(line)?.slice(1, 3).join(' ') ?? []);
}

async function aDatabase(): Promise<string> {
  const database = await postgres.database();
  const boss = newBoss('10', { connectionString: postgres.server.urlOf(database) });
  await boss.start();
  await boss.stop();
  return database;
}

describe('check connection', () => {
  it('says that all is well', async () => {
    const report = await check({ ...filesFor(postgres.server, await aDatabase()), host: 'localhost' });
    expect(report).toMatchObject({ code: 0, err: '', out: expect.stringContaining('schema version 24') as string });
    expect(results(report)).toEqual(['folder ok', 'dns ok', 'tcp ok', 'login ok', 'tls skipped', 'schema ok', 'version ok', 'depth ok', 'lease skipped', 'listen ok']);
  });

  it('prints the GRANT for each missing right', async () => {
    const database = await aDatabase();
    const password = await createRole(postgres.server, 'poor');
    const files = filesFor(postgres.server, database, { user: 'poor', password });
    const report = await check(files);
    expect(report.code).toBe(1);
    expect(report.out).toContain('GRANT USAGE ON SCHEMA pgboss TO poor; GRANT SELECT ON pgboss.job TO poor;');
    expect(report.out).toContain('GRANT SELECT ON pgboss.version TO poor;');
    await postgres.server.query('GRANT USAGE ON SCHEMA pgboss TO poor; GRANT SELECT ON pgboss.job TO poor;', database);
    expect(results(await check(files)).slice(5)).toEqual(['schema ok', 'version warning', 'depth ok', 'lease warning', 'listen ok']);
    await postgres.server.query('GRANT SELECT ON pgboss.version TO poor;', database);
    expect(results(await check(files)).slice(5)).toEqual(['schema ok', 'version ok', 'depth ok', 'lease skipped', 'listen ok']);
  });

  it('prints exactly the rights that leasing messages lacks, and none when they are given', async () => {
    const database = await postgres.database();
    const boss = new PgBoss({ connectionString: postgres.server.urlOf(database), max: 2, supervise: false, schedule: false });
    await boss.start();
    await boss.createQueue('alone', { partition: true });
    await boss.stop();
    const [{ alone } = { alone: undefined }] = await postgres.server.query("SELECT table_name AS alone FROM pgboss.queue WHERE name = 'alone'", database);
    const password = await createRole(postgres.server, 'counting');
    const files = filesFor(postgres.server, database, { user: 'counting', password });
    const grant = (statements: string): Promise<unknown> => postgres.server.query(statements, database);
    const remedies = ({ out }: { out: string }): string[] => [...out.matchAll(/GRANT ([^;]+) TO counting;/g)].map(([, text = '']) => text).toSorted();

    await grant('GRANT USAGE ON SCHEMA pgboss TO counting; GRANT SELECT ON pgboss.version, pgboss.job TO counting;');
    const poor = await check(files);
    expect([poor.code, results(poor).slice(5)]).toEqual([0, ['schema ok', 'version ok', 'depth ok', 'lease warning', 'listen ok']]);
    const whole = `SELECT, INSERT, UPDATE, DELETE ON pgboss.${String(alone)}`;
    expect(remedies(poor)).toEqual(['INSERT, UPDATE ON pgboss.job', 'SELECT ON pgboss.queue', 'SELECT, INSERT, UPDATE, DELETE ON pgboss.job_common', whole].toSorted());

    await grant('GRANT SELECT ON pgboss.queue TO counting; GRANT SELECT, UPDATE ON pgboss.job_common TO counting;');
    const better = remedies(await check(files));
    expect(better).toEqual(['INSERT, DELETE ON pgboss.job_common', 'INSERT, UPDATE ON pgboss.job', whole].toSorted());

    for (const rights of better) await grant(`GRANT ${rights} TO counting`);
    const rich = await check(files);
    expect([remedies(rich), results(rich).slice(5)]).toEqual([[], ['schema ok', 'version ok', 'depth ok', 'lease ok', 'listen ok']]);
  });

  it('stops at the first step that fails', async () => {
    const files = filesFor(postgres.server, 'postgres');
    const rows: [files: Record<string, string>, last: string, text: string][] = [
      [{ ...files, port: 'x' }, 'folder failed', '`port` must be a number'],
      [{ ...files, host: 'absent.invalid' }, 'dns failed', 'absent.invalid'],
      [{ ...files, port: '1' }, 'tcp failed', '127.0.0.1:1 refuses connections'],
      [{ ...files, password: 'wrong-password' }, 'login failed', 'refuses the login'],
      [{ ...files, sslmode: 'require' }, 'login failed', 'does not offer TLS'],
      [files, 'schema failed', 'has no schema pgboss'],
    ];
    for (const [changed, last, text] of rows) {
      const report = await check(changed);
      expect([report.code, results(report).at(-1)]).toEqual([1, last]);
      expect(report.out).toContain(text);
    }
  });

  it('refuses a schema that is not of pg-boss', async () => {
    const database = await aDatabase();
    await postgres.server.query('ALTER TABLE pgboss.job RENAME COLUMN start_after TO later', database);
    const report = await check(filesFor(postgres.server, database));
    expect([report.code, results(report).at(-1)]).toEqual([1, 'depth failed']);
    expect(report.out).toContain('(version 24) does not look like pg-boss 5 to 12');
  });

  it('prints JSON for programs', async () => {
    const report = await check(filesFor(postgres.server, 'postgres'), { output: 'json' });
    expect(JSON.parse(report.out)).toMatchObject({ connection: 'main', works: false, steps: [{ step: 'folder', result: 'ok' }, { step: 'dns', result: 'skipped' }, { step: 'tcp' }, { step: 'login' }, { step: 'tls' }, { step: 'schema', result: 'failed' }] });
  });

  it('says where it is when a step takes long', async () => {
    await using proxy = await startProxy(postgres.server.port);
    proxy.freeze();
    const report = await check({ ...filesFor(postgres.server, 'postgres'), port: String(proxy.port) });
    expect(report).toMatchObject({ code: 1, err: 'still at login …' });
    expect(report.out).toContain('did not answer in time');
  });

  it('guesses the connection that was meant', async () => {
    await expect(check(filesFor(postgres.server, 'postgres'), { name: 'mian' })).rejects.toThrow('there is no connection "mian"; did you mean "main"?');
  });
});
