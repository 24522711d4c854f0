/** The worker of docs/queue.md, as it stands there, on a real pg-boss queue. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PgBoss } from 'pg-boss';
import { expect, it } from 'vitest';
import { usePostgres } from '../../support/postgres.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const sample = /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/queue.md'), 'utf8'))?.[1] ?? '';
const postgres = usePostgres();

/** Runs it in a folder from which pg-boss can be found, and resolves with its exit code and what it printed. */
async function runWorker(text: string, database: string, said: (output: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined): Promise<{ code: number | null; output: string }> {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'worker-'));
  writeFileSync(join(folder, 'worker.mjs'), text);
  const { host, port, user, password } = postgres.server;
  const env = { ...process.env, QUEUE_NAME: 'mails', DB_HOST: host, DB_PORT: String(port), DB_USERNAME: user, DB_PASSWORD: password, DB_NAME: database, DB_SCHEMA: 'pgboss' };
  const worker = spawn(process.execPath, [join(folder, 'worker.mjs')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [worker.stdout, worker.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      output += more;
      said(output, (signal) => worker.kill(signal));
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => worker.once('error', reject).once('close', resolve));
  rmSync(folder, { recursive: true });
  return { code, output };
}

async function queueWith(messages: number): Promise<{ database: string; boss: PgBoss; states: () => Promise<unknown> } & AsyncDisposable> {
  const database = await postgres.database();
  const boss = new PgBoss({ connectionString: postgres.server.urlOf(database), supervise: false, schedule: false, max: 2 });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue('mails', { retryLimit: 0 });
  await boss.insert('mails', Array.from({ length: messages }, (_, number) => ({ data: { number } })));
  const states = async (): Promise<unknown> => {
    const answer = (await boss.getDb().executeSql("SELECT state::text, count(*)::int FROM pgboss.job WHERE name = 'mails' GROUP BY state ORDER BY state"));
    return Object.fromEntries(answer.rows.map(({ state, count }) => [state, count]));
  };
  return { database, boss, states, [Symbol.asyncDispose]: () => boss.stop({ graceful: false }) };
}

it('fetches until nothing is left and exits with 0', async () => {
  await using queue = await queueWith(5);
  expect(await runWorker(sample, queue.database)).toMatchObject({ code: 0 });
  expect(await queue.states()).toEqual({ completed: 5 });
});

it('exits with 0 when it finds nothing', async () => {
  await using queue = await queueWith(0);
  expect(await runWorker(sample, queue.database)).toEqual({ code: 0, output: '' });
});

it('fails a message that cannot be done, and goes on with the next', async () => {
  await using queue = await queueWith(3);
  const failing = sample.replace(/console\.log\(`working.*\n/, (line) => `${line}if (data.number === 1) throw new Error('no such address');\n`);
  expect(await runWorker(failing, queue.database)).toMatchObject({ code: 0 });
  expect(await queue.states()).toEqual({ completed: 2, failed: 1 });
});

it('finishes the message in hand when it is told to stop, and leaves the others', async () => {
  await using queue = await queueWith(3);
  const slow = sample.replace(/console\.log\(`working.*\n/, (line) => `${line}await new Promise((resolve) => setTimeout(resolve, 300));\n`);
  const { code } = await runWorker(slow, queue.database, (output, kill) => {
    if (output.includes('working on')) kill('SIGTERM');
  });
  expect(code).toBe(0);
  expect(await queue.states()).toEqual({ completed: 1, created: 2 });
});

it('fails where the database refuses it', async () => {
  expect((await runWorker(sample, 'no_such_database')).code).not.toBe(0);
});
