/**
 * Changes of runs as a stream that many may read. Modes: asleep while nobody reads; awake: each record that changes is
 * told about, read where its steps are wanted, at most a few at a time; drowsy for a minute after the last reader left,
 * so that one whose connection broke goes on where it was.
 *
 * What was told last is kept in one ring for all readers, each with a place in it. A reader that falls so far behind that
 * its place is overwritten has lost something, and is told so.
 */
import type { Clock, Timer } from '../../lib/clock.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import { isOver } from '../../plan/run/summary.ts';
import type { RunState, StepState } from '../../plan/run/state.ts';
import { stepWord, type StepWord } from '../../plan/run/step-views.ts';
import { entryOf } from '../../plan/run/standing.ts';
import type { ApiRuns } from '../api-ports.ts';

/** A step's standing that was not told before. */
export interface StepChange {
  readonly step: string;
  readonly part: 'steps' | 'undo';
  readonly state: StepWord;
  readonly outcome: string | undefined;
  readonly attempts: number;
  readonly reason: string | undefined;
  readonly message: string | undefined;
}

export type FeedEvent =
  /** Its phase, or what somebody asked of it, is another. */
  | { readonly kind: 'run'; readonly record: ObservedRecord }
  | { readonly kind: 'step'; readonly record: ObservedRecord; readonly change: StepChange }
  /** Its record is gone. */
  | { readonly kind: 'deleted'; readonly record: ObservedRecord };

export interface PlacedEvent {
  /** Of this process, and of one time that the feed was awake. */
  readonly id: string;
  readonly event: FeedEvent;
}

export interface FeedDeps {
  readonly clock: Clock;
  readonly runs: Pick<ApiRuns, 'cache' | 'read' | 'onChange'>;
  /** A text that nobody else draws. */
  readonly random: () => string;
}

const ringSize = 4_096;
const readsAtOnce = 4;
const drowsyFor = 60_000;

interface Told {
  readonly record: ObservedRecord;
  readonly standing: string;
}

/** Asleep until the first reader comes. */
export class RunFeed {
  readonly #deps: FeedDeps;
  readonly #ring: PlacedEvent[] = [];
  /** Number of the newest event; the ring holds the last ones. */
  #last = 0;
  /** undefined: asleep. */
  #epoch: string | undefined;
  readonly #told = new Map<string, Told>();
  readonly #states = new Map<string, RunState>();
  readonly #waiting = new Set<string>();
  #reading = 0;
  readonly #readers = new Set<() => void>();
  #stopWatching: () => void = () => undefined;
  #sleep: Timer | undefined;

  constructor(deps: FeedDeps) {
    this.#deps = deps;
  }

  /** From the event after `lastId`, or from now on where that is not known any more: `resumed` says which. Leave it with `close`. */
  subscribe(lastId: string | undefined): FeedReader {
    const epoch = this.#wake();
    const place = lastId === undefined ? undefined : this.#placeOf(lastId, epoch);
    const wake = Promise.withResolvers<undefined>();
    const bell = { wake };
    const ring = (): void => {
      bell.wake.resolve(undefined);
      bell.wake = Promise.withResolvers<undefined>();
    };
    this.#readers.add(ring);
    return new FeedReader({
      resumed: place !== undefined,
      from: place ?? this.#last,
      after: (number) => this.#after(number),
      changed: () => bell.wake.promise,
      idOf: (number) => `${epoch}-${number}`,
      leave: () => {
        this.#readers.delete(ring);
        if (this.#readers.size === 0 && this.#sleep === undefined) this.#sleep = this.#deps.clock.timer(drowsyFor, () => { this.#fallAsleep(); });
      },
    });
  }

  /** For the end of the process. */
  close(): void {
    this.#sleep?.cancel();
    this.#fallAsleep();
  }

  #wake(): string {
    this.#sleep?.cancel();
    this.#sleep = undefined;
    if (this.#epoch !== undefined) return this.#epoch;
    const { runs, random } = this.#deps;
    this.#epoch = random();
    for (const record of runs.cache.all()) this.#told.set(record.name, { record, standing: standingOf(record) });
    this.#stopWatching = runs.onChange((name) => { this.#changed(name); });
    return this.#epoch;
  }

  #fallAsleep(): void {
    this.#stopWatching();
    this.#sleep = undefined;
    this.#epoch = undefined;
    this.#ring.length = 0;
    for (const kept of [this.#told, this.#states, this.#waiting]) kept.clear();
  }

  #placeOf(id: string, epoch: string): number | undefined {
    const number = Number(id.slice(epoch.length + 1));
    const isKnown = id.startsWith(`${epoch}-`) && Number.isInteger(number) && number <= this.#last && number >= this.#last - this.#ring.length;
    return isKnown ? number : undefined;
  }

  /** undefined: some of them are not there any more. */
  #after(number: number): readonly PlacedEvent[] | undefined {
    const count = this.#last - number;
    if (count > this.#ring.length) return undefined;
    return count === 0 ? [] : this.#ring.slice(-count);
  }

  #changed(name: string): void {
    const { runs, clock } = this.#deps;
    const record = runs.cache.get(name);
    const before = this.#told.get(name);
    if (!record) {
      this.#told.delete(name);
      this.#states.delete(name);
      if (before) this.#tell({ kind: 'deleted', record: before.record });
      return;
    }
    this.#waiting.add(name);
    // Not from within the watch's own turn; and what changes several times in it is read once.
    clock.timer(0, () => { this.#pump(); });
  }

  #pump(): void {
    for (const name of this.#waiting) {
      if (this.#reading >= readsAtOnce || this.#epoch === undefined) return;
      this.#waiting.delete(name);
      this.#reading += 1;
      void this.#look(name, this.#epoch).finally(() => {
        this.#reading -= 1;
        this.#pump();
      });
    }
  }

  /** Steps first: whoever reads that a run is over has read how its steps came out. */
  async #look(name: string, epoch: string): Promise<void> {
    const { record, state } = await this.#read(name);
    if (!record || this.#epoch !== epoch) return;
    if (state) this.#tellSteps(record, state);
    const standing = standingOf(record);
    if (this.#told.get(name)?.standing === standing) return;
    this.#told.set(name, { record, standing });
    this.#tell({ kind: 'run', record });
    if (isOver(record.phase)) this.#states.delete(name);
  }

  /** Where the API server does not answer, as far as the cache knows: the next change brings the rest. */
  async #read(name: string): Promise<{ readonly record: ObservedRecord | undefined; readonly state: RunState | undefined }> {
    const cached = this.#deps.runs.cache.get(name);
    const stored = cached && cached.phase !== 'Queued' ? await this.#deps.runs.read(name) : undefined;
    if (stored?.kind !== 'found') return { record: cached, state: undefined };
    const { record, state } = stored.value;
    return { record, state: typeof state === 'object' ? state : undefined };
  }

  #tellSteps(record: ObservedRecord, state: RunState): void {
    const before = this.#states.get(record.name);
    // Over, and told so: what is written now changes nothing of it.
    if (before === undefined && this.#told.get(record.name)?.standing === standingOf(record) && isOver(record.phase)) return;
    this.#states.set(record.name, state);
    for (const change of stepChanges(before, state)) this.#tell({ kind: 'step', record, change });
  }

  #tell(event: FeedEvent): void {
    this.#last += 1;
    this.#ring.push({ id: `${this.#epoch ?? ''}-${this.#last}`, event });
    if (this.#ring.length > ringSize) this.#ring.shift();
    for (const ring of this.#readers) ring();
  }
}

interface ReaderOptions {
  readonly resumed: boolean;
  readonly from: number;
  readonly after: (number: number) => readonly PlacedEvent[] | undefined;
  readonly changed: () => Promise<undefined>;
  readonly idOf: (number: number) => string;
  readonly leave: () => void;
}

/** One reader's place. */
export class FeedReader {
  readonly resumed: boolean;
  readonly #options: ReaderOptions;
  #place: number;

  constructor(options: ReaderOptions) {
    this.resumed = options.resumed;
    this.#options = options;
    this.#place = options.from;
  }

  /** To go on from here. */
  get id(): string {
    return this.#options.idOf(this.#place);
  }

  /** What has come since the last call, in order; `lost`: the reader was too slow, and something is not there any more. */
  take(): readonly PlacedEvent[] | 'lost' {
    const events = this.#options.after(this.#place);
    if (events === undefined) return 'lost';
    this.#place += events.length;
    return events;
  }

  /** Resolves when there may be more. */
  changed(): Promise<undefined> {
    return this.#options.changed();
  }

  close(): void {
    this.#options.leave();
  }
}

/** What readers are told about when it is another: not each write of a record is news. */
function standingOf({ uid, phase, commands, deleting }: ObservedRecord): string {
  return JSON.stringify([uid, phase, commands.cancel ?? null, commands.suspend, [...commands.approvals], deleting]);
}

/** Steps that stand otherwise than before; where nothing is known of before, all that stand anyhow. */
export function stepChanges(before: RunState | undefined, after: RunState): readonly StepChange[] {
  return [...changesIn(before?.steps, after.steps, 'steps'), ...changesIn(before?.undo, after.undo, 'undo')];
}

function changesIn(before: RunState['steps'] | undefined, after: RunState['steps'], part: StepChange['part']): StepChange[] {
  return Object.entries(after).flatMap(([name, state]) => {
    const change = changeOf(name, state, part);
    const earlier = entryOf(before, name);
    return earlier !== undefined && JSON.stringify(changeOf(name, earlier, part)) === JSON.stringify(change) ? [] : [change];
  });
}

function changeOf(step: string, state: StepState, part: StepChange['part']): StepChange {
  const { outcome, reason, message, attempts = [], items } = state;
  const last = attempts.at(-1);
  return {
    step,
    part,
    state: stepWord(step, state),
    outcome,
    attempts: items ? items.reduce((most, item) => Math.max(most, item.attempts.length), 0) : attempts.length,
    reason: reason ?? last?.reason,
    message: message ?? last?.message,
  };
}
