/**
 * Schemathesis, which makes requests from an OpenAPI document and checks every answer against it. It comes from PyPI into
 * a Python environment of its own below the user's cache folder, once.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Pinned: a new version may find new things, and then a green suite goes red by itself. */
export const schemathesisVersion = '4.32.5';

/** The program, installed where it is not; throws with what to do. */
export function schemathesis(): string {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'job-chief', `schemathesis-${schemathesisVersion}`);
  const program = join(folder, 'bin', 'schemathesis');
  const done = join(folder, 'installed');
  if (existsSync(done)) return program;
  mkdirSync(folder, { recursive: true });
  try {
    run('python3', ['-m', 'venv', '--clear', folder], 'Python 3.10 or newer with its module venv is needed (python3-venv on Debian)');
    run(join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${schemathesisVersion}`], 'a package registry with schemathesis is needed: see pip config');
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  writeFileSync(done, '');
  return program;
}

export interface SchemathesisResult {
  readonly code: number | null;
  /** What it printed: the end tells which requests failed, and how to send them again. */
  readonly output: string;
}

/** Runs it; the process that serves the API goes on meanwhile. */
export function runSchemathesis(args: readonly string[], folder: string): Promise<SchemathesisResult> {
  const child = spawn(schemathesis(), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', PYTHONUNBUFFERED: '1' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => { resolve({ code, output }); });
  });
}

function run(program: string, args: readonly string[], advice: string): void {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`schemathesis cannot be installed: ${error?.message ?? stderr.trim()}; ${advice}`);
}
