/**
 * The content of the runs that this process looks after: read from the record once, and from then on only here and in
 * what the keeper writes. Nothing of it is needed after a restart.
 */
import type { JsonObject } from '../../lib/json.ts';
import type { StepRefusal } from '../../plan/run/observed.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import type { RunState } from '../../plan/run/state.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';

export interface LoadedRun {
  readonly uid: string;
  /** As the run started with it. */
  readonly spec: WorkflowSpec;
  readonly parameters: JsonObject;
  /** What the run came to that this one repeats. */
  readonly earlier: RunState | undefined;
  /** As it was decided last. */
  state: RunState;
  /** Monotonic time before which no round looks at it again. */
  notBefore: number;
  /** Jobs and records of which the API server said that they are there. */
  readonly confirmed: Set<string>;
  /** Jobs that a live GET did not find although they had been seen or confirmed. */
  readonly absent: Set<string>;
  /** Creates that the API server refused, by the name of the Job or record. */
  readonly refusals: Map<string, StepRefusal>;
  /** Creates and look-ups in a row that came to nothing, by the name of the Job. */
  readonly failures: Map<string, number>;
  /** Of its record, what people did to it and was told: each thing once. */
  readonly told: Set<string>;
  /** Our last patch of a Job, by its UID, until the cache shows it: deciding on an older view would repeat it. */
  readonly patched: Map<string, string>;
}

/** Runs by the name of their record. */
export class RunMemory {
  readonly #runs = new Map<string, LoadedRun>();
  /** What runs ask people for, for the status of what they are runs of. */
  readonly #asks = new Map<string, string>();
  /** Names of records that went before their run was over. */
  readonly #lost = new Set<string>();

  /** undefined: it was never loaded, or under that name another record stands now. */
  get({ name, uid }: Pick<ObservedRecord, 'name' | 'uid'>): LoadedRun | undefined {
    const run = this.#runs.get(name);
    return run?.uid === uid ? run : undefined;
  }

  get asks(): ReadonlyMap<string, string> {
    return this.#asks;
  }

  /** undefined: for nothing. Returns whether that is news. */
  ask(name: string, text: string | undefined): boolean {
    if (this.#asks.get(name) === text) return false;
    if (text === undefined) this.#asks.delete(name);
    else this.#asks.set(name, text);
    return true;
  }

  put(name: string, run: LoadedRun): void {
    this.#runs.set(name, run);
  }

  /** The record was written by somebody else as well: what came out of both is the state now. */
  merged(name: string, uid: string, state: RunState): void {
    const run = this.get({ name, uid });
    if (run) run.state = state;
  }

  /** The record is gone: what is known of the run is worth nothing any more. `uid`: of which record; absent: whichever it was. */
  gone(name: string, uid = this.#runs.get(name)?.uid): void {
    const run = this.#runs.get(name);
    if (!run || run.uid !== uid) return;
    this.#lost.add(name);
    this.forget(name);
  }

  /** Jobs of an earlier record of that name may still be at work, whatever the caches show. */
  wasLost(name: string): boolean {
    return this.#lost.has(name);
  }

  isClear(name: string): void {
    this.#lost.delete(name);
  }

  forget(name: string): void {
    this.#runs.delete(name);
    this.#asks.delete(name);
  }

  /** Another process led meanwhile: what it decided is in the records. */
  startAnew(): void {
    this.#runs.clear();
    this.#asks.clear();
  }
}

/** Remembers that a create was refused, and how often in a row. */
export function noteRefusal(run: LoadedRun, name: string, refusal: Omit<StepRefusal, 'count'>): void {
  const before = run.refusals.get(name);
  run.refusals.set(name, { ...refusal, count: before?.kind === refusal.kind ? before.count + 1 : 1 });
}
