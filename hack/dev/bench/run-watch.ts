/** Watches apart from everything that is measured: when Jobs of a run begin, when their pods have succeeded, when its record says so. */
import { objectAt, stringAt } from '../../../src/lib/json.ts';
import { finishedOf } from '../../../src/adapters/kubernetes/project-job.ts';
import type { Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { recordLabel, runLabel, stateLabel } from '../../../src/spec/keys.ts';
import { configMapsPath, jobsPath, nameOf, podsPath } from './requests.ts';
import { Watch } from './watch.ts';

/** What is known of one run; all times as Date.now() with fractions. */
export interface RunSight {
  /** When each Job, and the success of each pod, was seen. */
  readonly jobs: Map<string, number>;
  readonly pods: Map<string, number>;
  readonly finished: Set<string>;
  /** When the record was seen to say that the run has succeeded. */
  succeeded?: number;
}

/** Jobs and pods carry their run as a label, the bare client's as well. */
export class RunWatch implements Disposable {
  readonly #runs = new Map<string, RunSight>();
  readonly #watches: Watch[] = [];

  static async open(transport: Transport, namespace: string): Promise<RunWatch> {
    const watch = new RunWatch();
    const records = { query: { labelSelector: `${recordLabel}=run` }, metadataOnly: true };
    watch.#watches.push(
      await Watch.open({ transport, path: jobsPath(namespace), take: (_type, job, at) => { watch.#job(job, at); } }),
      await Watch.open({ transport, path: podsPath(namespace), take: (_type, pod, at) => { watch.#pod(pod, at); } }),
      await Watch.open({ transport, path: configMapsPath(namespace), ...records, take: (_type, record, at) => { watch.#record(record, at); } }),
    );
    return watch;
  }

  of(run: string): RunSight {
    const sight = this.#runs.get(run) ?? { jobs: new Map(), pods: new Map(), finished: new Set() };
    this.#runs.set(run, sight);
    return sight;
  }

  /** All pods of the runs have succeeded. */
  async pods(runs: readonly string[], each: number, timeout?: number): Promise<void> {
    await this.#until(1, `the pods of ${runs.length} runs`, () => runs.every((run) => this.of(run).pods.size >= each), timeout);
  }

  async records(runs: readonly string[], timeout?: number): Promise<void> {
    await this.#until(2, `the records of ${runs.length} runs`, () => runs.every((run) => this.of(run).succeeded !== undefined), timeout);
  }

  /** The Job controller has nothing left to do for them. */
  async finished(runs: readonly string[], timeout?: number): Promise<void> {
    await this.#until(0, `the end of the Jobs of ${runs.length} runs`, () => runs.every((run) => this.of(run).finished.size >= this.of(run).jobs.size), timeout);
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }

  #until(index: number, what: string, holds: () => boolean, timeout?: number): Promise<void> {
    return this.#watches[index]!.until(what, holds, timeout);
  }

  #job(job: unknown, at: number): void {
    const [run, name] = [runOf(job), nameOf(job)];
    if (run === undefined) return;
    const { jobs, finished } = this.of(run);
    if (!jobs.has(name)) jobs.set(name, at);
    if (finishedOf(objectAt(job, 'status'))) finished.add(name);
  }

  #pod(pod: unknown, at: number): void {
    const [run, name] = [runOf(pod), nameOf(pod)];
    if (run === undefined || stringAt(objectAt(pod, 'status'), 'phase') !== 'Succeeded') return;
    const { pods } = this.of(run);
    if (!pods.has(name)) pods.set(name, at);
  }

  #record(record: unknown, at: number): void {
    const sight = this.of(nameOf(record));
    if (labelOf(record, stateLabel) === 'Succeeded') sight.succeeded ??= at;
  }
}

const labelOf = (object: unknown, label: string): string | undefined => stringAt(objectAt(objectAt(object, 'metadata'), 'labels'), label);
const runOf = (object: unknown): string | undefined => labelOf(object, runLabel);
