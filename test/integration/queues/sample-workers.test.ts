/** The workers of examples/workers, as docs/worker.md says that a worker behaves, in each language that this machine has. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOutputs } from '../../../src/plan/run/output-text.ts';

const samples = fileURLToPath(new URL('../../../examples/workers/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'job-chief-workers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

interface Language {
  readonly name: string;
  readonly here: boolean;
  readonly command: readonly [string, ...string[]];
  readonly prepare?: () => void;
}
const binary = join(folder, 'go-worker');
const languages: readonly Language[] = [
  { name: 'sh', here: has('sh', '-c', 'true'), command: ['sh', join(samples, 'worker.sh')] },
  { name: 'Node.js', here: true, command: [process.execPath, join(samples, 'worker.mjs')] },
  { name: 'Python', here: has('python3', '--version'), command: ['python3', join(samples, 'worker.py')] },
  { name: 'Go', here: has('go', 'version'), command: [binary], prepare: () => expect(spawnSync('go', ['build', '-o', binary, '.'], { cwd: join(samples, 'go'), encoding: 'utf8' })).toMatchObject({ status: 0 }) },
];

describe.each(languages)('the worker in $name', ({ here, command, prepare }) => {
  let place: string;
  let count = 0;
  beforeAll(() => {
    if (here) prepare?.();
  });

  const start = (body: string, env: Readonly<Record<string, string>> = {}) => {
    const [program, ...args] = command;
    writeFileSync(join(place, 'message'), body);
    return spawn(program, args, {
      env: { PATH: process.env['PATH'], MESSAGE_FILE: join(place, 'message'), RESULTS: join(place, 'results'), JOB_CHIEF_OUTPUT: join(place, 'output'), JOB_CHIEF_MESSAGE_ID: 'a/../id $(x)', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  };
  const run = async (body: string, env: Readonly<Record<string, string>> = {}): Promise<number | null> => {
    const worker = start(body, env);
    worker.stderr.resume();
    const [code] = (await once(worker, 'close')) as [number | null];
    return code;
  };
  const fresh = (): void => {
    place = join(folder, `place-${(count += 1)}-${command.length}`);
    mkdirSync(join(place, 'results'), { recursive: true });
  };
  const output = (): unknown => parseOutputs(readFileSync(join(place, 'output'), 'utf8'));
  const results = (): readonly string[] => readdirSync(join(place, 'results'));

  it.runIf(here)('does its work once, and says what came of it', async () => {
    fresh();
    expect(await run('{"text": "one two  three"}')).toBe(0);
    const [[name, value] = []] = (output() as { entries: [string, unknown][] }).entries;
    expect([name, Number(value)]).toEqual(['words', 3]);
    expect(results()).toHaveLength(1);
    // The message comes again, with a Job of its own: nothing is done twice, and the answer is the same.
    rmSync(join(place, 'output'));
    expect(await run('{"text": "one two  three"}', { WORK_SECONDS: '600' })).toBe(0);
    expect(existsSync(join(place, 'output'))).toBe(true);
    expect(results()).toHaveLength(1);
  });

  it.runIf(here)('says by its exit code that a message will never do', async () => {
    fresh();
    expect(await run('{"number": 5}')).toBe(2);
    expect(results()).toEqual([]);
  });

  it.runIf(here)('says by another that it may do later', async () => {
    fresh();
    const code = await run('{"text": "one"}', { RESULTS: join(place, 'missing') });
    expect([0, 2, null]).not.toContain(code);
  });

  it.runIf(here)('stops when it is told to, and leaves nothing half done', async () => {
    fresh();
    const worker = start('{"text": "one"}', { WORK_SECONDS: '600' });
    worker.stderr.resume();
    const closed = once(worker, 'close');
    // A signal that comes before the handler ends the process too; one of them is heard.
    const again = setInterval(() => worker.kill('SIGTERM'), 100);
    const [code, signal] = (await closed) as [number | null, string | null];
    clearInterval(again);
    expect(signal ?? code).toBeOneOf([143, 'SIGTERM']);
    expect(results()).toEqual([]);
    expect(existsSync(join(place, 'output'))).toBe(false);
  });
});
