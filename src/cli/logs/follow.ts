/**
 * Follows the logs of a run or a queue: of every container as soon as it runs, those of pods that are made later included,
 * and of the runs that are steps of it. Which runs these are, and when they are over, is for the tree of them to know.
 */
import { PodLog } from '../../adapters/kubernetes/pod-logs.ts';
import { sleep } from '../../lib/clock.ts';
import { exitCode, UserError } from '../exit-code.ts';
import type { Session } from '../runs/session.ts';
import { Bell } from '../watch/bell.ts';
import { choose, type Chosen } from './choose.ts';
import { ordinaryWaits, type LogContainer, type LogPod } from './log-pod.ts';
import type { LogOptions } from './options.ts';
import { prefixOf } from './prefix.ts';
import { printItem } from './printer.ts';
import { RunTree, type Branch } from './run-tree.ts';
import { noContainer } from './show.ts';
import type { LogSource } from './source.ts';

/** A look now and then costs nothing, should a watch ever miss something. */
const longestPause = 600_000;
const patience = 10_000;
/** Open requests at once: each is a connection to the API server, and to a kubelet behind it. */
const mostStreams = 50;
/** Its watch tells of a container's end a moment after its log has ended. */
const afterEnd = 1_000;

/** 0: the run is over and all that it wrote is printed. A queue is followed until somebody ends the program, or `signal`. */
export async function followLogs(session: Session, source: LogSource, options: LogOptions, signal = new AbortController().signal): Promise<number> {
  const follower = new LogFollower(session, source, options);
  const stop = (): void => { follower.stop(); };
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (!signal.aborted) await follower.run();
    return exitCode.ok;
  } finally {
    signal.removeEventListener('abort', stop);
    await follower.close();
  }
}

/** A container of a run. */
interface Place extends Chosen {
  readonly branch: Branch;
}

interface Reading {
  readonly log: PodLog;
  /** Restarts of the container whose output is being read, or was to its end. */
  restarts: number;
  done: Promise<void> | undefined;
}

class LogFollower {
  readonly #session: Session;
  readonly #options: LogOptions;
  readonly #bell: Bell;
  readonly #tree: RunTree;
  readonly #stopping = new AbortController();
  readonly #readings = new Map<string, Reading>();
  readonly #told = new Map<string, string>();
  readonly #seenAt = new Map<string, number>();
  /** Containers that are being read, in all and of each run. */
  #active = 0;
  readonly #activeIn = new Map<Branch, number>();
  /** Some pods are on their way as all are. */
  #starting = false;
  /** Pods that there were at the beginning: `tail` and `since` are about them, not about what comes later. */
  readonly #first = new Map<Branch, ReadonlySet<string>>();

  constructor(session: Session, source: LogSource, options: LogOptions) {
    this.#session = session;
    this.#options = options;
    this.#bell = new Bell(session.clock);
    this.#tree = new RunTree({ session, source, bell: this.#bell });
  }

  stop(): void {
    this.#stopping.abort();
    this.#bell.ring();
  }

  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#look();
      if (this.#tree.over) return;
      await this.#bell.wait(this.#starting ? patience : longestPause);
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#readings.values()].flatMap(({ done }) => done ?? []));
    await this.#tree.close();
  }

  #look(): void {
    this.#starting = false;
    for (const branch of this.#tree.branches()) {
      const all = branch.pods.all();
      if (branch.pods.synced) this.#lookAt(branch, all);
    }
  }

  #lookAt(branch: Branch, all: readonly LogPod[]): void {
    if (!this.#first.has(branch)) this.#first.set(branch, new Set(branch.early ? all.map(({ uid }) => uid) : []));
    const { container } = this.#options;
    const chosen = choose(all, this.#options);
    if (container !== undefined && all.length > 0 && chosen.length === 0 && !this.#tree.mayGrow) throw new UserError(noContainer(container, all));
    const left = chosen.map((one) => this.#consider({ ...one, branch }, all)).filter((isLeft) => isLeft).length;
    if (left === 0 && this.#activeOf(branch) === 0) this.#tree.read(branch);
  }

  /** Begins to read it, where there is something new to read; whether that has to wait for others. */
  #consider(one: Place, all: readonly LogPod[]): boolean {
    const { pod, container, branch } = one;
    const key = `${pod.uid}/${container.name}`;
    const known = this.#readings.get(key);
    if (known && (known.done || known.restarts >= container.restarts)) return false;
    const prefix = this.#options.prefix === false ? '' : prefixOf(pod, container.name, all, branch.path);
    if (container.state === 'waiting') {
      if (this.#isStarting(key, container)) this.#starting = true;
      else this.#tell(key, prefix, `${container.restarts === 0 ? 'has not started' : 'is not running'}: ${container.waits}`);
      return false;
    }
    if (this.#active >= mostStreams) {
      this.#tell(key, prefix, `is read when one of ${mostStreams} others has ended`);
      return true;
    }
    const { client } = this.#session.runs;
    const reading: Reading = known ?? { log: new PodLog({ client, clock: this.#session.clock, pod: pod.name, container: container.name }), restarts: 0, done: undefined };
    reading.restarts = container.restarts;
    this.#readings.set(key, reading);
    this.#count(branch, 1);
    reading.done = this.#read(reading, one, prefix).finally(() => {
      reading.done = undefined;
      this.#count(branch, -1);
      this.#bell.ring();
    });
    return false;
  }

  #activeOf(branch: Branch): number {
    return this.#activeIn.get(branch) ?? 0;
  }

  #count(branch: Branch, more: number): void {
    this.#active += more;
    this.#activeIn.set(branch, this.#activeOf(branch) + more);
  }

  /** What every pod goes through is worth a word only where it takes long. */
  #isStarting(key: string, { waits, restarts }: LogContainer): boolean {
    const now = this.#session.clock.monotonic();
    const since = this.#seenAt.get(key) ?? now;
    this.#seenAt.set(key, since);
    return restarts === 0 && ordinaryWaits.has(waits) && now - since < patience;
  }

  /** Once for each thing there is to say: back-offs come and go between the same two words. */
  #tell(key: string, prefix: string, text: string): void {
    const told = this.#told.get(key) ?? '';
    if (told.includes(`\n${text}\n`)) return;
    this.#told.set(key, `${told}\n${text}\n`);
    this.#session.err(`${prefix === '' ? '' : `${prefix} `}${text}`);
  }

  /** Until the container has ended: an API server may let go of a log that goes on. */
  async #read(reading: Reading, { pod, container, branch }: Place, prefix: string): Promise<void> {
    const { timestamps, tail, since } = this.#options;
    const { signal } = this.#stopping;
    const limits = this.#first.get(branch)?.has(pod.uid) === true ? { tail, since } : {};
    while (!signal.aborted) {
      for await (const item of reading.log.read({ follow: true, ...limits, signal })) {
        if (item.kind !== 'waiting') await printItem(this.#session, item, { prefix, timestamps });
        if (item.kind === 'gone' || item.kind === 'failed') return;
      }
      await sleep(this.#session.clock, afterEnd, signal).catch(() => undefined);
      const now = branch.pods.get(pod.name);
      const seen = now?.uid === pod.uid ? now.containers.find(({ name }) => name === container.name) : undefined;
      if (seen?.state !== 'running') return;
      reading.restarts = seen.restarts;
    }
  }
}
