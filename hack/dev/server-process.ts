/**
 * A server that a test or the demo starts as a child: it says by a line of its log that it is ready, and it ends with us.
 *
 * Modes: stopped → starting → running → stopped, any number of times. When this process ends in any way the kernel stops
 * the child (PR_SET_PDEATHSIG where setpriv exists), and a janitor, a shell that waits for the end of its input, does what
 * is left to do.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface ServerDeps {
  /** For people, in errors. */
  readonly name: string;
  /** Starts the child; what it logs is read from its stdout and stderr. */
  readonly launch: () => ChildProcess | Promise<ChildProcess>;
  /** A part of the line by which it says that it is ready. */
  readonly readyLine: string;
  /** Milliseconds until it must be ready. */
  readonly startWithin: number;
  /** Every line the server logs. */
  readonly onLog: ((line: string) => void) | undefined;
}

/** How many lines an error shows of the log. */
const shownLines = 30;

export class ServerProcess {
  readonly #deps: ServerDeps;
  #child: ChildProcess | undefined;
  #log: string[] = [];

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** Of the process; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it is ready, also where it runs already; rejects with the end of its log where it ends before. */
  async start(): Promise<void> {
    if (this.#child) return;
    const { name, launch, startWithin } = this.#deps;
    const child = await launch();
    this.#child = child;
    this.#log = [];
    const ready = Promise.withResolvers<undefined>();
    const end = `the end of its log:\n`;
    child.once('exit', (code) => {
      if (this.#child === child) this.#child = undefined;
      ready.reject(new Error(`${name} ended with code ${code ?? 'none'}; ${end}${this.#log.join('\n')}`));
    });
    child.once('error', (error) => ready.reject(error));
    for (const stream of [child.stdout, child.stderr]) this.#follow(stream, () => ready.resolve(undefined));
    const late = setTimeout(() => {
      ready.reject(new Error(`${name} did not start within ${startWithin / 1_000} s; ${end}${this.#log.join('\n')}`));
      child.kill('SIGKILL');
    }, startWithin);
    await ready.promise.finally(() => { clearTimeout(late); });
  }

  /** Asks it to end, and after `patience` milliseconds makes it. */
  async stop(patience: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await endChild(this.#child, patience, signal);
  }

  #follow(stream: NodeJS.ReadableStream | null, ready: () => void): void {
    let rest = '';
    stream?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        this.#log.push(line);
        if (this.#log.length > shownLines) this.#log.shift();
        this.#deps.onLog?.(line);
        if (line.includes(this.#deps.readyLine)) ready();
      }
    });
  }
}

/** Asks a child to end, and after `patience` milliseconds makes it; resolves when it has ended. */
export async function endChild(child: ChildProcess | undefined, patience: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(patience > 0 ? signal : 'SIGKILL');
  const force = setTimeout(() => child.kill('SIGKILL'), patience);
  await ended;
  clearTimeout(force);
}

let setpriv: boolean | undefined;

/** The command, so that the kernel sends it `signal` when we die. */
export function endedWithUs(signal: 'INT' | 'TERM', command: string, args: readonly string[]): [file: string, args: string[]] {
  setpriv ??= process.platform === 'linux' && spawnSync('setpriv', ['--version'], { stdio: 'ignore' }).status === 0;
  return setpriv ? ['setpriv', ['--pdeathsig', signal, '--', command, ...args]] : [command, [...args]];
}

/** A shell that runs `script` with `args` when this process ends, or when it is released. */
export class Janitor {
  #child: ChildProcess | undefined;

  constructor(script: string, ...args: readonly string[]) {
    this.#child = spawn('sh', ['-c', `cat >/dev/null\n${script}\nexit 0`, 'sh', ...args], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    this.#child.unref();
  }

  /** Resolves when the script has run. */
  async release(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.ref();
    child.stdin?.end();
    await ended;
  }
}
