/**
 * Logs of the containers of a run, as one sequence: those that there are, or, followed, until the run is over, with pods
 * that come later. A container that has not started says why, once for each reason.
 */
import { sleep, type Clock } from '../../lib/clock.ts';
import { Channel } from '../../lib/channel.ts';
import { isOver } from '../../plan/run/summary.ts';
import type { ApiRuns, ContainerLog, ContainerView, LogPiece, RunLogs, RunPod } from '../api-ports.ts';

export interface RunLogQuery {
  readonly run: string;
  readonly step: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
  readonly follow: boolean;
  /** Last lines of each container. */
  readonly tail: number | undefined;
  /** Milliseconds. */
  readonly since: number | undefined;
}

export type RunLogItem =
  | { readonly kind: 'line'; readonly pod: RunPod; readonly container: string; readonly text: string; readonly time: string | undefined; readonly cut: boolean }
  | { readonly kind: 'note'; readonly pod: RunPod | undefined; readonly container: string | undefined; readonly message: string };

export interface RunLogDeps {
  readonly clock: Clock;
  readonly logs: RunLogs;
  readonly runs: Pick<ApiRuns, 'cache' | 'onChange' | 'onPods'>;
}

/** Containers that are read at once. */
const mostReaders = 32;
/** Milliseconds: several changes of one moment are one look; and a look without any, should something be missed. */
const lookPause = 500;
const longestPause = 60_000;

interface Reading {
  readonly log: ContainerLog;
  busy: boolean;
  /** Its container had ended when it came to the end. */
  done: boolean;
}

export class RunLogReader {
  readonly #deps: RunLogDeps;
  readonly #query: RunLogQuery;
  readonly #signal: AbortSignal;
  readonly #channel = new Channel<RunLogItem>();
  readonly #readings = new Map<string, Reading>();
  /** What was said of a container, or of a pod: pulling an image goes back and forth between two reasons. */
  readonly #noted = new Set<string>();
  /** Readers that have ended since the last look may let others begin, or be all there was. */
  #bell = Promise.withResolvers<undefined>();
  #pending = true;
  #over = false;

  constructor(deps: RunLogDeps, query: RunLogQuery, signal: AbortSignal) {
    this.#deps = deps;
    this.#query = query;
    this.#signal = signal;
    signal.addEventListener('abort', () => { this.#channel.close(); }, { once: true });
  }

  /** undefined: nothing is there now; `filled` says when. */
  take(): RunLogItem | undefined {
    return this.#channel.take();
  }

  get filled(): Promise<unknown> {
    return this.#channel.filled;
  }

  /** There is no more, and there will be none. */
  get over(): boolean {
    return this.#over;
  }

  /** Resolves at the end of it all. */
  async run(): Promise<void> {
    const { runs } = this.#deps;
    const { run } = this.#query;
    const stops = [runs.onChange((name) => { if (name === run) this.#ring(); }), runs.onPods((name) => { if (name === run) this.#ring(); })];
    try {
      if (this.#query.follow) await this.#follow();
      else await this.#once();
    } finally {
      for (const stop of stops) stop();
      this.#over = true;
      this.#channel.close();
    }
  }

  async #once(): Promise<void> {
    const found = await this.#pods();
    if (found?.length === 0) await this.#note(undefined, undefined, 'no pod of this is there: none was made yet, or they are gone');
    for (const pod of found ?? []) {
      await this.#notePod(pod);
      for (const container of this.#wanted(pod)) if (!this.#signal.aborted) await this.#show(pod, container);
    }
  }

  async #show(pod: RunPod, container: ContainerView): Promise<void> {
    if (container.state === 'waiting') return this.#noteWaiting(pod, container);
    await this.#read(pod, container, this.#deps.logs.open(pod.name, container.name));
  }

  async #follow(): Promise<void> {
    const isDone = (): boolean => [...this.#readings.values()].every(({ busy }) => !busy);
    while (!this.#signal.aborted) {
      this.#pending = false;
      // What it shows later does not count: the run was over before the look.
      const wasOver = this.#runIsOver();
      const unread = await this.#look();
      if (wasOver && unread === 0 && isDone()) return;
      if (!this.#isRung()) await this.#pause();
      await sleep(this.#deps.clock, lookPause, this.#signal).catch(() => undefined);
    }
  }

  /** Changes while it awaits something else. */
  #isRung(): boolean {
    return this.#pending;
  }

  async #pause(): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#signal]);
    await Promise.race([this.#bell.promise, sleep(this.#deps.clock, longestPause, signal).catch(() => undefined)]);
    stop.abort(new Error('rung'));
  }

  #ring(): void {
    this.#pending = true;
    this.#bell.resolve(undefined);
    this.#bell = Promise.withResolvers<undefined>();
  }

  #runIsOver(): boolean {
    const record = this.#deps.runs.cache.get(this.#query.run);
    return record === undefined || isOver(record.phase);
  }

  /** Begins to read what has started since; says how many containers have yet to be read. */
  async #look(): Promise<number> {
    const found = await this.#pods();
    let unread = found === undefined ? 1 : 0;
    for (const pod of found ?? []) {
      await this.#notePod(pod);
      for (const container of this.#wanted(pod)) unread += await this.#begin(pod, container);
    }
    return unread;
  }

  async #begin(pod: RunPod, container: ContainerView): Promise<number> {
    if (container.state === 'waiting') {
      await this.#noteWaiting(pod, container);
      return 0;
    }
    const key = `${pod.uid}/${container.name}`;
    const known = this.#readings.get(key);
    if (known?.busy === true || (known?.done === true && container.state === 'terminated')) return 0;
    if ([...this.#readings.values()].filter(({ busy }) => busy).length >= mostReaders) return 1;
    const reading = known ?? { log: this.#deps.logs.open(pod.name, container.name), busy: false, done: false };
    this.#readings.set(key, reading);
    reading.busy = true;
    void this.#read(pod, container, reading.log).finally(() => {
      reading.busy = false;
      // One that ran in place again is read again, from where this ended.
      reading.done = true;
      this.#ring();
    });
    return 0;
  }

  async #read(pod: RunPod, container: ContainerView, log: ContainerLog): Promise<void> {
    const { follow, tail, since } = this.#query;
    for await (const piece of log.read({ follow, tail, since, signal: this.#signal })) await this.#piece(pod, container.name, piece);
  }

  async #piece(pod: RunPod, container: string, piece: LogPiece): Promise<void> {
    switch (piece.kind) {
      case 'line':
        return this.#channel.send({ kind: 'line', pod, container, text: piece.text, time: piece.time, cut: piece.cut });
      case 'over':
        return;
      case 'interrupted':
        return this.#note(pod, container, `the connection is lost: ${piece.message}`);
      case 'waiting':
      case 'gone':
      case 'failed':
        return this.#note(pod, container, piece.message);
    }
  }

  #wanted({ containers }: RunPod): readonly ContainerView[] {
    return containers.filter(({ name }) => this.#query.container === undefined || name === this.#query.container);
  }

  async #pods(): Promise<readonly RunPod[] | undefined> {
    const { run, step, pod } = this.#query;
    const found = await this.#deps.logs.pods(run);
    if (found.kind !== 'failed') return (found.kind === 'found' ? found.value : []).filter((one) => (step === undefined || one.step === step) && (pod === undefined || one.name === pod));
    await this.#noteOnce('pods', undefined, undefined, `pods cannot be listed: ${found.message}`);
    return undefined;
  }

  /** A pod without a node has no containers that could say anything. */
  async #notePod(pod: RunPod): Promise<void> {
    if (pod.phase === 'Pending' && pod.reason !== '') await this.#noteOnce(pod.uid, pod, undefined, `has not started: ${pod.reason}`);
  }

  #noteWaiting(pod: RunPod, { name, reason, init }: ContainerView): Promise<void> {
    const isIdle = reason === '' || reason.startsWith('PodInitializing');
    if (isIdle && (pod.reason !== '' || !init)) return Promise.resolve();
    return this.#noteOnce(`${pod.uid}/${name}`, pod, name, `has not started${reason === '' ? '' : `: ${reason}`}`);
  }

  async #noteOnce(key: string, pod: RunPod | undefined, container: string | undefined, message: string): Promise<void> {
    const told = `${key} ${message}`;
    if (this.#noted.has(told)) return;
    this.#noted.add(told);
    await this.#note(pod, container, message);
  }

  #note(pod: RunPod | undefined, container: string | undefined, message: string): Promise<void> {
    return this.#channel.send({ kind: 'note', pod, container, message });
  }
}
