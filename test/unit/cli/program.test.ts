import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { subcommands } from '../../../src/cli/subcommands.ts';
import { describeError } from '../../../src/cli/output.ts';
import { UserError } from '../../../src/cli/exit-code.ts';
import { version } from '../../../src/version.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

function jobChief(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  return { code: status, out: stdout, err: stderr };
}

describe('the overview', () => {
  it('lists every subcommand, on standard output, and is no error', () => {
    const { code, out, err } = jobChief('--help');
    expect([code, err]).toEqual([0, '']);
    for (const { path } of subcommands) expect(out).toMatch(new RegExp(`^ {2}${path[0]} `, 'm'));
  });

  it('is an error where a command was forgotten, and goes to standard error then', () => {
    const { code, out, err } = jobChief();
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: job-chief');
  });
});

describe('misspelt', () => {
  it.each([
    [['lnit'], "unknown command 'lnit'", 'Did you mean lint?'],
    [['check', 'conection'], "unknown command 'conection'", 'Did you mean connection?'],
    [['lint', '--outpt', 'json'], "unknown option '--outpt'", 'Did you mean --output?'],
  ])('%j names what is nearest', (args, complaint, guess) => {
    const { code, out, err } = jobChief(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(complaint);
    expect(err).toContain(guess);
  });
});

describe('version', () => {
  it('is printed by the option and by the command, as JSON too', () => {
    expect(jobChief('--version').out).toBe(`job-chief ${version}\n`);
    expect(jobChief('version').out).toContain(`job-chief ${version} (Node.js v`);
    expect(JSON.parse(jobChief('version', '-o', 'json').out)).toMatchObject({ version, node: process.version });
  });
});

describe('help', () => {
  it.each(subcommands.map(({ path }) => [path] as const))('of %j has its options and arguments, however it is asked for', (path) => {
    const { code, out } = jobChief(...path, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`Usage: job-chief ${path.join(' ')}`);
    expect(out.match(/^ {2}(-|[a-z-]+ {2,})/gm)?.length, out).toBeGreaterThan(1);
    // Each is a process: one tells as much as all.
    if (path[0] === 'lint') expect(jobChief('help', ...path).out).toBe(out);
  }, 30_000);
});

describe('controller', () => {
  it('says what is wrong with its configuration, and ends with 2', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    try {
      const file = join(folder, 'config.yaml');
      writeFileSync(file, 'logg: {level: debug}\n');
      const { code, err } = jobChief('controller', '--config', file);
      expect(code).toBe(2);
      expect(err).toContain(`${file}:1:1: logg: unknown field`);
      expect(err).not.toMatch(/\n\s+at /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a reader that has seen enough', () => {
  it('ends the program without a word', async () => {
    const child = spawn(process.execPath, [main, 'help', 'lint'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, err]).toEqual([0, '']);
  });
});

describe('errors', () => {
  it('name each cause once', () => {
    const root = new Error('connect ECONNREFUSED 10.0.0.1:443');
    expect(describeError(new UserError('cannot reach the cluster', { cause: new Error(`request failed: ${root.message}`, { cause: root }) })))
      .toBe('error: cannot reach the cluster: request failed: connect ECONNREFUSED 10.0.0.1:443');
  });

  it('show where a bug of ours is', () => {
    expect(describeError(new TypeError('x is not a function'))).toMatch(/^error: TypeError: x is not a function\n\s+at /);
    expect(describeError('thrown text')).toBe('error: thrown text');
  });
});
