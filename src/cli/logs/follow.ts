/**
 * Follows the logs of a run or a queue: of every container as soon as it runs, those of pods that are made later included.
 * Modes: looking → reading some containers → the run is over: a last look, what is still being written, the end.
 */
import { PodLog } from '../../adapters/kubernetes/pod-logs.ts';
import { projectRecord } from '../../adapters/kubernetes/project-record.ts';
import { configMaps, pods } from '../../adapters/kubernetes/resources.ts';
import { sleep } from '../../lib/clock.ts';
import { targetName, type ObservedRecord } from '../../plan/run/record.ts';
import { exitCode, UserError } from '../exit-code.ts';
import { isFinished } from '../runs/phases.ts';
import { runSelector } from '../runs/run-client.ts';
import type { Session } from '../runs/session.ts';
import { Bell } from '../watch/bell.ts';
import { View } from '../watch/view.ts';
import { choose, type Chosen } from './choose.ts';
import { logPod, ordinaryWaits, type LogContainer, type LogPod } from './log-pod.ts';
import type { LogOptions } from './options.ts';
import { prefixOf } from './prefix.ts';
import { printItem } from './printer.ts';
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

interface Reading {
  readonly log: PodLog;
  /** Restarts of the container whose output is being read, or was to its end. */
  restarts: number;
  done: Promise<void> | undefined;
}

class LogFollower {
  readonly #session: Session;
  readonly #source: LogSource;
  readonly #options: LogOptions;
  readonly #bell: Bell;
  readonly #pods: View<LogPod>;
  readonly #records: View<ObservedRecord> | undefined;
  readonly #stopping = new AbortController();
  readonly #readings = new Map<string, Reading>();
  readonly #told = new Map<string, string>();
  readonly #seenAt = new Map<string, number>();
  #active = 0;
  /** Some pods are on their way as all are. */
  #starting = false;
  /** Pods that there were at the beginning: `tail` and `since` are about them, not about what comes later. */
  #first: ReadonlySet<string> | undefined;

  constructor(session: Session, source: LogSource, options: LogOptions) {
    this.#session = session;
    this.#source = source;
    this.#options = options;
    const { runs, clock } = session;
    this.#bell = new Bell(clock);
    const common = { client: runs.client, clock, bell: this.#bell };
    this.#pods = new View<LogPod>({ ...common, resource: pods, labelSelector: source.labelSelector, project: logPod });
    this.#records = source.record && new View<ObservedRecord>({ ...common, resource: configMaps, labelSelector: runSelector(runs.instance, targetName(source.record)), metadataOnly: true, project: (raw) => projectRecord(raw, runs.instance) });
  }

  stop(): void {
    this.#stopping.abort();
    this.#bell.ring();
  }

  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#look();
      if (this.#isOver()) {
        await this.#finish();
        return;
      }
      await this.#bell.wait(this.#starting ? patience : longestPause);
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#readings.values()].flatMap(({ done }) => done ?? []));
    await Promise.all([this.#pods.stop(), this.#records?.stop()]);
  }

  #isOver(): boolean {
    const { record } = this.#source;
    const view = this.#records;
    if (!record || !view || !this.#pods.synced) return false;
    view.all();
    if (!view.synced) return false;
    const now = view.get(record.name);
    return now?.uid !== record.uid || isFinished(now);
  }

  /** The record may be seen before the last of the pods. */
  async #finish(): Promise<void> {
    await this.#pods.refresh();
    this.#look();
    while (this.#active > 0 && !this.#stopping.signal.aborted) await this.#bell.wait(longestPause);
  }

  #look(): void {
    const all = this.#pods.all();
    if (!this.#pods.synced) return;
    this.#starting = false;
    this.#first ??= new Set(all.map(({ uid }) => uid));
    const { container } = this.#options;
    const chosen = choose(all, this.#options);
    if (container !== undefined && all.length > 0 && chosen.length === 0) throw new UserError(noContainer(container, all));
    for (const one of chosen) this.#consider(one, all);
  }

  #consider(one: Chosen, all: readonly LogPod[]): void {
    const key = `${one.pod.uid}/${one.container.name}`;
    const known = this.#readings.get(key);
    if (known && (known.done || known.restarts >= one.container.restarts)) return;
    const prefix = this.#options.prefix === false ? '' : prefixOf(one.pod, one.container.name, all);
    if (one.container.state === 'waiting') {
      if (this.#isStarting(key, one.container)) this.#starting = true;
      else this.#tell(key, prefix, `${one.container.restarts === 0 ? 'has not started' : 'is not running'}: ${one.container.waits}`);
      return;
    }
    if (this.#active >= mostStreams) {
      this.#tell(key, prefix, `is read when one of ${mostStreams} others has ended`);
      return;
    }
    const { client } = this.#session.runs;
    const reading: Reading = known ?? { log: new PodLog({ client, clock: this.#session.clock, pod: one.pod.name, container: one.container.name }), restarts: 0, done: undefined };
    reading.restarts = one.container.restarts;
    this.#readings.set(key, reading);
    this.#active += 1;
    reading.done = this.#read(reading, one, prefix).finally(() => {
      reading.done = undefined;
      this.#active -= 1;
      this.#bell.ring();
    });
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
  async #read(reading: Reading, { pod, container }: Chosen, prefix: string): Promise<void> {
    const { timestamps, tail, since } = this.#options;
    const { signal } = this.#stopping;
    const limits = this.#first?.has(pod.uid) === true ? { tail, since } : {};
    while (!signal.aborted) {
      for await (const item of reading.log.read({ follow: true, ...limits, signal })) {
        if (item.kind !== 'waiting') await printItem(this.#session, item, { prefix, timestamps });
        if (item.kind === 'gone' || item.kind === 'failed') return;
      }
      await sleep(this.#session.clock, afterEnd, signal).catch(() => undefined);
      const now = this.#pods.get(pod.name);
      const seen = now?.uid === pod.uid ? now.containers.find(({ name }) => name === container.name) : undefined;
      if (seen?.state !== 'running') return;
      reading.restarts = seen.restarts;
    }
  }
}
