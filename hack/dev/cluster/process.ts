import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { until } from './progress.ts';

/** A process id alone may be reused; with its start time it names one process for ever. */
export interface ProcessRef {
  pid: number;
  started: string;
}

/** Kernel start time (Linux), or what ps prints elsewhere; undefined when there is no such process or it is a zombie. */
function startTime(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return fields[0] === 'Z' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return ps.stdout.trim() || undefined;
}

export function processRef(pid: number): ProcessRef {
  return { pid, started: startTime(pid) ?? '' };
}

export function isAlive(ref: ProcessRef | undefined): ref is ProcessRef {
  return ref !== undefined && startTime(ref.pid) === ref.started;
}

export function signal(ref: ProcessRef, name: NodeJS.Signals): void {
  if (!isAlive(ref)) return;
  try {
    process.kill(ref.pid, name);
  } catch {
    // it ended between the two calls
  }
}

export interface StartOptions {
  log: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

const onLinux = process.platform === 'linux';

/**
 * Starts a child that the kernel kills when this process dies, however it dies: PR_SET_PDEATHSIG, by setpriv.
 * Each leads its own process group, so that a Ctrl-C in a terminal reaches only us and we choose the order.
 */
export function startChild(command: string, args: string[], options: StartOptions): ChildProcess {
  const log = openSync(options.log, 'a');
  const [file, argv] = onLinux ? ['setpriv', ['--pdeathsig', 'KILL', '--', command, ...args]] : [command, args];
  const child = spawn(file, argv, {
    stdio: ['ignore', log, log],
    detached: true,
    cwd: options.cwd,
    env: options.env ?? process.env,
  });
  closeSync(log);
  return child;
}

/** Ends a child politely, then by force. */
export async function stopChild(child: ChildProcess, graceMs = 5000): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(force);
}

export async function waitForEnd(ref: ProcessRef, timeoutMs: number): Promise<boolean> {
  try {
    await until(`end of process ${ref.pid}`, timeoutMs, () => !isAlive(ref), 50);
    return true;
  } catch {
    return false;
  }
}

/** Process ids whose parent is `pid` (Linux). */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
  } catch {
    return undefined;
  }
}

export function run(command: string, args: string[], input?: string): string {
  const result = spawnSync(command, args, { encoding: 'utf8', input, maxBuffer: 64 * 1024 * 1024 });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${(result.stderr || result.stdout).trim()}`);
  return result.stdout;
}
