/**
 * Writes what is decided about runs into their records, behind the rounds: a step must not wait for the record of the one
 * before. The first change after a quiet time goes at once, later ones together at most every quarter of a second (less
 * often where there are many runs), the end of a run at once. All changes of one record go through here, one conditional write at a time. A record that somebody else
 * wrote is read and merged. What could not be written is tried again for as long as the process lives.
 */
import { growingPause } from '../../lib/growing-pause.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { canonicalJson } from '../../lib/digest.ts';
import { mergeStates } from '../../plan/run/merge.ts';
import type { RunPhase } from '../../plan/run/record.ts';
import { settledNames } from '../../plan/run/settled.ts';
import type { RunState } from '../../plan/run/state.ts';
import { isOver, phaseOf, resultOf } from '../../plan/run/summary.ts';
import type { WriteResult } from '../ports.ts';
import type { RecordChange, RecordStore } from '../record-ports.ts';

/**
 * Milliseconds between the beginnings of two writes of one record, however few or many there are, and for each record that
 * is kept: all of them together are written some forty times a second, so that requests are left for creates.
 */
const shortestInterval = 250;
const longestInterval = 5000;
const intervalPerRecord = 25;
/** For each step and item: a record of thousands has hundreds of kilobytes, and the API server keeps each version for minutes. */
const intervalPerEntry = 1;
const firstPause = 100;
const longestPause = 30_000;
/** How often a change by itself is tried again when others write the same record. */
const amendTries = 5;

export interface RecordKeeperDeps {
  readonly clock: Clock;
  readonly store: RecordStore;
  /** Each write, by what it came to. */
  readonly wrote: (name: string, result: WriteResult) => void;
  /** Somebody else wrote the record: this is the state now. */
  readonly merged: (name: string, uid: string, state: RunState) => void;
  /** The end of the run, as this process decided it, is in the record. */
  readonly ended: (name: string, uid: string, state: RunState) => void;
  /** A write or a read found that the record is gone, which its cache may show only later. */
  readonly gone?: (name: string, uid: string) => void;
}

export interface RecordTarget {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

interface Kept {
  readonly name: string;
  readonly uid: string;
  resourceVersion: string;
  /** What the record has to hold, and what it holds as far as this process knows. */
  wanted: Content | undefined;
  saved: Content | undefined;
  settled?: Settled;
  underWay: boolean;
  /** The end of the run was told. */
  told: boolean;
  /** Monotonic time of the last write's beginning. */
  began: number;
  failures: number;
  timer: Timer | undefined;
}

/** Of a state that was written: asked for often, and as long as the run is large. */
interface Settled {
  readonly state: RunState;
  readonly names: ReadonlySet<string>;
}

interface Content {
  readonly state: RunState;
  readonly phase: RunPhase;
}

export class RecordKeeper {
  readonly #deps: RecordKeeperDeps;
  readonly #kept = new Map<string, Kept>();
  #hurry = false;

  constructor(deps: RecordKeeperDeps) {
    this.#deps = deps;
  }

  /** From here on the record is kept; `state` and `phase` are what was read of it. */
  track({ name, uid, resourceVersion }: RecordTarget, state: RunState | undefined, phase: RunPhase): void {
    this.forget(name);
    this.#kept.set(name, { name, uid, resourceVersion, wanted: undefined, saved: state && { state, phase }, underWay: false, told: false, began: -Infinity, failures: 0, timer: undefined });
  }

  /** What the record has to hold from now on. Returns at once. Nothing happens for a record that is not tracked. */
  keep(name: string, state: RunState, suspended: boolean): void {
    const kept = this.#kept.get(name);
    if (!kept) return;
    const phase = phaseOf(state, suspended);
    if (kept.wanted?.state === state && kept.wanted.phase === phase) return;
    kept.wanted = { state, phase };
    this.#pump(kept);
  }

  /** Writes once more what the record has to hold: somebody has changed it. */
  restore(name: string): void {
    const kept = this.#kept.get(name);
    if (!kept) return;
    kept.saved = undefined;
    this.#pump(kept);
  }

  /** Changes something beside the state, such as the owner. Tried again where others write the record at the same time. */
  async amend(target: RecordTarget, change: RecordChange): Promise<WriteResult> {
    let result: WriteResult = { kind: 'conflict', message: 'it is written by somebody else all the time' };
    for (let tries = 0; tries < amendTries && result.kind === 'conflict'; tries += 1) {
      const kept = this.#kept.get(target.name);
      result = kept?.uid === target.uid ? await this.#amendKept(kept, change) : await this.#amendOther(target, change, tries > 0);
    }
    return result;
  }

  /** Whether the record is tracked already. */
  isKept({ name, uid }: Pick<RecordTarget, 'name' | 'uid'>): boolean {
    return this.#kept.get(name)?.uid === uid;
  }

  /** Whether the record holds the outcome of the Job or sub-run of that name, as far as this process knows. */
  hasOutcome({ name, uid }: Pick<RecordTarget, 'name' | 'uid'>, job: string): boolean {
    const kept = this.#kept.get(name);
    const state = kept?.uid === uid ? kept.saved?.state : undefined;
    if (!kept || !state) return false;
    if (kept.settled?.state !== state) kept.settled = { state, names: settledNames(state) };
    return kept.settled.names.has(job);
  }

  /** The cache shows that the run is over, maybe before the write of that is answered, or after its answer was lost. */
  over({ name, uid }: Pick<RecordTarget, 'name' | 'uid'>): void {
    const kept = this.#kept.get(name);
    if (kept?.uid !== uid) return;
    this.#tellEnd(kept);
    this.forget(name);
  }

  /** Its record is gone. */
  forget(name: string): void {
    this.#kept.get(name)?.timer?.cancel();
    this.#kept.delete(name);
  }

  /** Another process writes the records now. */
  startAnew(): void {
    for (const name of [...this.#kept.keys()]) this.forget(name);
  }

  /** Writes what is left without waiting for more; resolves when nothing is, or after `limit` milliseconds. */
  async flush(limit: number): Promise<void> {
    const { clock } = this.#deps;
    this.#hurry = true;
    for (const kept of this.#kept.values()) this.#pump(kept);
    const end = clock.monotonic() + limit;
    while ([...this.#kept.values()].some((kept) => kept.underWay || isDirty(kept)) && clock.monotonic() < end) {
      await new Promise<void>((resolve) => { clock.timer(10, resolve); });
    }
    this.startAnew();
  }

  /** Sees to it that what differs is written: now, or as soon as it may be. */
  #pump(kept: Kept): void {
    // What was let go while a request for it was under way may be someone else's by now.
    if (kept.underWay || !isDirty(kept) || this.#kept.get(kept.name) !== kept) return;
    const delay = this.#dueAt(kept) - this.#deps.clock.monotonic();
    kept.timer?.cancel();
    if (delay > 0) kept.timer = this.#deps.clock.timer(delay, () => { this.#pump(kept); });
    else void this.#save(kept);
  }

  #dueAt({ began, failures, wanted }: Kept): number {
    if (failures > 0) return began + growingPause(failures, firstPause, longestPause);
    const interval = Math.min(Math.max(shortestInterval, this.#kept.size * intervalPerRecord, entriesOf(wanted) * intervalPerEntry), longestInterval);
    return this.#hurry || wanted?.state.end ? -Infinity : began + interval;
  }

  async #save(kept: Kept): Promise<void> {
    const { wanted } = kept;
    if (!wanted) return;
    const result = await this.#write(kept, changeOf(wanted));
    if (this.#kept.get(kept.name) !== kept) return;
    if (result.kind === 'done') {
      kept.saved = wanted;
      this.#tellEnd(kept);
    }
    this.#pump(kept);
  }

  #tellEnd(kept: Kept): void {
    const state = kept.wanted?.state;
    if (kept.told || !state?.end) return;
    kept.told = true;
    this.#deps.ended(kept.name, kept.uid, state);
  }

  async #amendKept(kept: Kept, change: RecordChange): Promise<WriteResult> {
    while (kept.underWay) await new Promise<void>((resolve) => { this.#deps.clock.timer(5, resolve); });
    const result = await this.#write(kept, change);
    this.#pump(kept);
    return result;
  }

  /** A record that no run of this process lives in. */
  async #amendOther(target: RecordTarget, change: RecordChange, readFirst: boolean): Promise<WriteResult> {
    const { store, wrote } = this.#deps;
    let { resourceVersion } = target;
    if (readFirst) {
      const read = await store.read(target.name);
      if (read.kind === 'failed') return { kind: 'unknown', message: read.message };
      if (read.kind === 'absent' || read.value.record.uid !== target.uid) return { kind: 'gone' };
      ({ resourceVersion } = read.value.record);
    }
    const result = await store.write({ ...target, resourceVersion }, change);
    wrote(target.name, result);
    return result;
  }

  /** One write under way; what it means for the next one. Never rejects. */
  async #write(kept: Kept, change: RecordChange): Promise<WriteResult> {
    kept.underWay = true;
    kept.began = this.#deps.clock.monotonic();
    const { name, uid, resourceVersion } = kept;
    const result = await this.#deps.store.write({ name, uid, resourceVersion }, change).catch(unknown);
    this.#deps.wrote(name, result);
    await this.#learn(kept, result);
    kept.underWay = false;
    return result;
  }

  async #learn(kept: Kept, result: WriteResult): Promise<void> {
    switch (result.kind) {
      case 'done':
        kept.resourceVersion = result.resourceVersion;
        kept.failures = 0;
        return;
      case 'gone':
        this.#drop(kept);
        return;
      case 'conflict':
        await this.#readAgain(kept);
        return;
      case 'exists':
      case 'refused':
      case 'quota':
      case 'forbidden':
      case 'unknown':
        kept.failures += 1;
    }
  }

  /** Also where only an annotation was changed: a resource version does not tell. */
  async #readAgain(kept: Kept): Promise<void> {
    const read = await this.#deps.store.read(kept.name).catch((thrown: unknown) => ({ kind: 'failed' as const, message: String(thrown), forbidden: false }));
    if (read.kind === 'failed') {
      kept.failures += 1;
      return;
    }
    if (read.kind === 'absent' || read.value.record.uid !== kept.uid) {
      this.#drop(kept);
      return;
    }
    const { record, state } = read.value;
    kept.resourceVersion = record.resourceVersion;
    kept.failures = 0;
    // Somebody edited the state into garbage, or away: what is known here goes over it.
    if (state !== undefined && state !== 'broken' && this.#kept.get(kept.name) === kept) this.#merge(kept, { state, phase: record.phase });
    if (record.labelled !== undefined) kept.saved = undefined;
  }

  #merge(kept: Kept, stored: Content): void {
    const wanted = kept.wanted ?? kept.saved ?? stored;
    const state = mergeStates(stored.state, wanted.state);
    const phase = phaseOf(state, wanted.phase === 'Suspended');
    const news = !same(state, wanted.state);
    kept.wanted = news ? { state, phase } : wanted;
    // Another process may have written the very same: then nothing is left to write.
    kept.saved = same(stored, kept.wanted) ? kept.wanted : stored;
    if (news) this.#deps.merged(kept.name, kept.uid, state);
  }

  #drop(kept: Kept): void {
    if (this.#kept.get(kept.name) === kept) this.forget(kept.name);
    this.#deps.gone?.(kept.name, kept.uid);
  }
}

function entriesOf(content: Content | undefined): number {
  const steps = Object.values(content?.state.steps ?? {});
  return steps.reduce((sum, { items }) => sum + (items?.length ?? 0), steps.length);
}

function isDirty({ wanted, saved }: Kept): boolean {
  return wanted !== undefined && (wanted.state !== saved?.state || wanted.phase !== saved.phase);
}

/** By content: what was read back is never the same object. */
function same(left: unknown, right: unknown): boolean {
  return canonicalJson(left) === canonicalJson(right);
}

function changeOf({ state, phase }: Content): RecordChange {
  const result = isOver(phase) ? resultOf(state) : undefined;
  return { state, phase, ...(result && { result }) };
}

function unknown(thrown: unknown): WriteResult {
  return { kind: 'unknown', message: String(thrown) };
}
