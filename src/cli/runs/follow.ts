/** Waits for the end of a run and tells how it gets on. */
import type { Clock } from '../../lib/clock.ts';
import type { ObservedRecord, RunPhase } from '../../plan/run/record.ts';
import { stepNews } from '../../plan/run/news.ts';
import { entryOf } from '../../plan/run/standing.ts';
import type { RunState } from '../../plan/run/state.ts';
import type { RunTarget } from '../../spec/run.ts';
import { exitCode, NoAnswer, UserError } from '../exit-code.ts';
import { elapsed } from './elapsed.ts';
import { endText, isFinished } from './phases.ts';
import type { RunClient } from './run-client.ts';
import { RecordWatch } from './record-watch.ts';
import { standing, winner } from './spec-view.ts';
import { oneLine } from './table.ts';

export interface FollowDeps {
  readonly runs: RunClient;
  readonly clock: Clock;
  readonly err: (line: string) => void;
}

export interface FollowOptions {
  readonly name: string;
  /** What it is a run of. */
  readonly target: RunTarget;
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeout: number | undefined;
}

/** After so long without being taken up a run deserves an explanation. */
const patience = 10_000;
/** A look now and then costs nothing, should a watch ever miss something. */
const longestPause = 600_000;
const pauseWithoutAnswer = 5_000;

/** 0: it succeeded; 1: it failed or was cancelled; 3: it had not ended in time, and goes on. */
export async function followRun(deps: FollowDeps, options: FollowOptions): Promise<number> {
  const watch = new RecordWatch(deps.runs, deps.clock, { workflow: options.target.name, name: options.name });
  try {
    return await new Follower(deps, options).until(watch);
  } finally {
    await watch.stop();
  }
}

const nothing: RunState = { startedAt: 0, steps: {}, undo: {} };

class Follower {
  readonly #deps: FollowDeps;
  readonly #options: FollowOptions;
  readonly #began: number;
  #phase: RunPhase | undefined;
  #state = nothing;
  #explained = false;
  #silent = false;

  constructor(deps: FollowDeps, options: FollowOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#began = deps.clock.monotonic();
  }

  async until(watch: RecordWatch): Promise<number> {
    for (;;) {
      const record = await this.#answered(() => this.#look());
      if (record && isFinished(record)) return record.phase === 'Succeeded' ? exitCode.ok : exitCode.no;
      const left = this.#left();
      if (left <= 0) {
        this.#say(`not over after ${elapsed(this.#waited())}; the run goes on: job-chief status ${this.#options.name}`);
        return exitCode.timedOut;
      }
      await watch.changed(Math.min(left, record ? (this.#explained ? longestPause : Math.max(1, patience - this.#waited())) : pauseWithoutAnswer));
      if (record?.phase === 'Queued' && this.#waited() >= patience) await this.#answered(() => this.#explain());
    }
  }

  /** undefined: the cluster does not answer, which is said once. The run goes on without us. */
  async #answered<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
    try {
      const result = await ask();
      this.#silent = false;
      return result;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (!this.#silent) this.#say(`no answer from the cluster, which is waited for: ${error.message}`);
      this.#silent = true;
      return undefined;
    }
  }

  /** Reads the run and says what is new. */
  async #look(): Promise<ObservedRecord> {
    const { name } = this.#options;
    const content = await this.#deps.runs.content(name);
    if (!content) throw new UserError(`the record of run "${name}" was deleted`);
    const { record, state } = content;
    if (record.phase !== this.#phase && !isFinished(record)) this.#say(record.phase.toLowerCase());
    this.#phase = record.phase;
    if (typeof state === 'object') {
      for (const line of newsLines(this.#state, state)) this.#say(line);
      this.#state = state;
    }
    if (isFinished(record)) this.#say(endLine(record));
    return record;
  }

  /** Once: why nobody has taken it up. */
  async #explain(): Promise<void> {
    if (this.#explained) return;
    const spec = winner(await this.#deps.runs.specs(), this.#options.target);
    this.#explained = true;
    const { state, reason, message } = spec ? standing(spec) : { state: 'gone', reason: '', message: 'no ConfigMap defines it any more' };
    this.#say(`still queued; the ${this.#options.target.kind} is ${state}${reason === '' ? '' : ` (${reason})`}: ${message}`);
  }

  #say(line: string): void {
    this.#deps.err(`${elapsed(this.#waited()).padStart(7)}  ${oneLine(line)}`);
  }

  #waited(): number {
    return this.#deps.clock.monotonic() - this.#began;
  }

  #left(): number {
    return (this.#options.timeout ?? Number.POSITIVE_INFINITY) - this.#waited();
  }
}

/** What an earlier run had done is one line, and no news of this one. */
function newsLines(before: RunState, after: RunState): string[] {
  const news = stepNews(before, after);
  const carried = news.filter(({ step, undo }) => !undo && entryOf(after.steps, step)?.from !== undefined);
  const line = carried.length === 0 ? [] : [`carried over from the earlier run: ${carried.map(({ step }) => step).join(', ')}`];
  return [...line, ...news.filter((one) => !carried.includes(one)).map(({ message }) => message)];
}

function endLine(record: ObservedRecord): string {
  const { result } = record;
  const took = result ? ` after ${elapsed(result.finishedAt - result.startedAt)}` : '';
  return `run ${endText(record)}${took}${result && result.message !== '' ? `: ${result.message}` : ''}`;
}
