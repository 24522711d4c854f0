/**
 * What has to come of a run, computed from its model and from what really happened in the cluster, without a line of the
 * code under test. The answer for a step is the set of outcomes that it may have: none while it is open, one where all is
 * fixed, several where it depends on who was first (a failure stops a run, a step starts) or where people meddled.
 */
import type { StepOutcome } from '../../src/plan/run/state.ts';
import { outputDefault, outputValue, type Expression, type Fate, type StepModel, type WorkflowModel, type Word } from './storm-model.ts';

type Outcomes = ReadonlySet<StepOutcome>;

/** How far one attempt of one item has come. */
export type AttemptTruth =
  | 'none'
  | 'open'
  /** It did what its fate says. */
  | 'done'
  /** Its run ended it; what its fate says may have come before that. */
  | 'ended'
  /** It ended, and nobody can say why. */
  | 'strange';

/** What really happened in one run. */
export interface RunTruth {
  readonly model: WorkflowModel;
  attempt(step: string, role: 'do' | 'undo', item: number, attempt: number): AttemptTruth;
  /** Of a step that is one Indexed Job for so many items. */
  indexed(step: string, count: number): AttemptTruth;
  /** What people said, or the record of the sub-run of that attempt. */
  word(step: string): 'approved' | 'rejected' | undefined;
  subRun(step: string, attempt: number): 'none' | 'open' | 'succeeded' | 'failed';
  /** Somebody meddled with this step: anything may come of it. */
  readonly wild: (step: string) => boolean;
  /** Somebody asked for the run's end. */
  readonly commanded: boolean;
  /** It was started while two processes acted at once: one may have stopped what the other started. */
  readonly raced: (step: string) => boolean;
  /** It repeats a run in which the step succeeded. */
  readonly carried: (step: string) => boolean;
}

const none: Outcomes = new Set();
const all: Outcomes = new Set(['succeeded', 'failed', 'errored', 'notStarted', 'refused', 'skipped', 'omitted', 'cancelled']);
const failures: Outcomes = new Set(['failed', 'errored', 'notStarted', 'refused']);

/** Whether something holds: may it be true, may it be false, as far as is known. Neither: it is open. */
interface Chance {
  readonly yes: boolean;
  readonly no: boolean;
}

export class Oracle {
  readonly #truth: RunTruth;
  readonly #steps: ReadonlyMap<string, StepModel>;
  readonly #known = new Map<string, Outcomes>();

  constructor(truth: RunTruth) {
    this.#truth = truth;
    this.#steps = new Map([...truth.model.steps, ...truth.model.late].map((step) => [step.name, step]));
  }

  /** Outcomes that the step may have by now. */
  of(name: string): Outcomes {
    const known = this.#known.get(name);
    if (known) return known;
    const step = this.#steps.get(name);
    const outcomes = step ? this.#outcomes(step) : none;
    this.#known.set(name, outcomes);
    return outcomes;
  }

  /** Why the step's next Job must not be created now; undefined: it may. */
  objection(name: string, item: number, attempt: number): string | undefined {
    const step = this.#steps.get(name);
    if (!step) return 'its workflow has no such step';
    if (this.#truth.wild(name) || this.#truth.carried(name)) return undefined;
    if (this.#isLate(step) && this.#open(this.#truth.model.steps).length > 0) return `it is of finally, and ${this.#open(this.#truth.model.steps).join(', ')} are open`;
    if (!this.#dependency(step).yes) return `its dependencies do not hold: ${this.#explain(step)}`;
    if (step.when === false) return 'its condition is false';
    if (attempt === 1) return undefined;
    const before = this.#truth.attempt(name, 'do', item, attempt - 1);
    if (before === 'none' || before === 'open') return `its attempt ${attempt - 1} is ${before === 'none' ? 'not there' : 'still open'}`;
    if (before === 'done' && !isTried(step, fateOf(step, item, attempt - 1))) return `its attempt ${attempt - 1} is not to be tried again`;
    return undefined;
  }

  /** Why the step must not be undone now. */
  undoObjection(name: string): string | undefined {
    const open = this.#open(this.#truth.model.steps);
    if (this.#truth.model.onFailure !== 'revert') return 'the run does not revert';
    if (open.length > 0) return `${open.join(', ')} are open`;
    return this.of(name).has('succeeded') ? undefined : `it has not succeeded but is ${[...this.of(name)].join('|')}`;
  }

  #open(steps: readonly StepModel[]): string[] {
    return steps.map(({ name }) => name).filter((name) => this.of(name).size === 0);
  }

  #isLate(step: StepModel): boolean {
    return this.#truth.model.late.includes(step);
  }

  #explain(step: StepModel): string {
    return this.#namedBy(step).map((name) => `${name} is ${[...this.of(name)].join('|') || 'open'}`).join(', ');
  }

  #namedBy(step: StepModel): string[] {
    const named = (expression: Expression): string[] => (expression.op === 'is' ? [expression.step] : expression.op === 'not' ? named(expression.of) : [...named(expression.left), ...named(expression.right)]);
    const phase = step.phase === undefined ? [] : this.#truth.model.steps.filter((other) => other.phase === (step.phase ?? 0) - 1).map(({ name }) => name);
    return [...listOf(step), ...phase, ...(step.expression ? named(step.expression) : [])];
  }

  /** A failure that counts has happened, or may have. */
  #mayStop(step: StepModel): boolean {
    const { model, commanded } = this.#truth;
    if (commanded) return true;
    if (this.#isLate(step) || model.onFailure === 'continue') return false;
    return model.steps.some((other) => other !== step && !other.allowFailure && this.#mayHaveFailed(other));
  }

  /** Without asking for the outcomes of steps that wait for others: a failure stops those that it has nothing to do with. */
  #mayHaveFailed(step: StepModel): boolean {
    if (this.#truth.wild(step.name)) return true;
    return [...this.#workOutcomes(step)].some((outcome) => failures.has(outcome)) || this.#mayLackOutput(step);
  }

  /** The step whose output it names was skipped, or failed and may. */
  #mayLackOutput(step: StepModel): boolean {
    const source = this.#steps.get(sourceOf(step) ?? '');
    if (!source || source.output?.default === true || this.#started(step)) return false;
    return source.when === false || (source.allowFailure && this.#mayHaveFailed(source)) || this.#truth.wild(source.name);
  }

  #outcomes(step: StepModel): Outcomes {
    const truth = this.#truth;
    if (truth.wild(step.name)) return all;
    const found = new Set<StepOutcome>();
    // An answer may be there before it is asked for.
    const started = step.work.kind !== 'approve' && this.#started(step);
    if (truth.carried(step.name) && !started) found.add('succeeded');
    // Before the question whether it may start: whatever else it is, it waits for them.
    if (this.#isLate(step) && this.#open(truth.model.steps).length > 0) return found;
    const dependency = this.#dependency(step);
    if (dependency.no && (!started || this.#mayBeForgotten(step))) found.add('omitted');
    if (dependency.yes) for (const outcome of this.#startable(step, started)) found.add(outcome);
    if (this.#mayStop(step)) for (const outcome of this.#stopped(step, started)) found.add(outcome);
    return found;
  }

  /**
   * A process may die before it writes down what it started the step on, and people may delete the Job that alone could
   * tell that again: then nobody knows why the step was started, and what follows from that is as much forgotten.
   */
  #mayBeForgotten(step: StepModel): boolean {
    return this.#namedBy(step).some((name) => {
      const before = this.#steps.get(name);
      return this.#truth.wild(name) || (before !== undefined && this.#started(before) && this.#mayBeForgotten(before));
    });
  }

  #startable(step: StepModel, started: boolean): Outcomes {
    if (started) return this.#workOutcomes(step);
    if (step.when === false) return new Set(['skipped']);
    if (step.work.kind === 'approve') return this.#workOutcomes(step);
    const source = sourceOf(step);
    // What an earlier run had of it counts, unless the text has changed: then it was done again, or skipped.
    if (source !== undefined && (this.#truth.wild(source) || this.#truth.carried(source))) return new Set(['errored', 'skipped']);
    if (source !== undefined && !this.#hasOutput(source)) return new Set(['errored']);
    if ((step.work.kind === 'jobs' || step.work.kind === 'indexed') && this.#count(step) === 0) return new Set(['skipped']);
    return none;
  }

  /** What a run that stops makes of it: what was decided on is cancelled, also where it never came into being. Where two processes act, one may stop what the other has started. */
  #stopped(step: StepModel, started: boolean): StepOutcome[] {
    const { commanded, model } = this.#truth;
    const raced = this.#truth.raced(step.name);
    if (this.#isLate(step)) return [];
    const isEnded = commanded || model.onFailure === 'cancel';
    const isLeftOut = (!started || raced) && (commanded || step.expression === undefined);
    return [...(isLeftOut ? ['omitted' as const] : []), ...(isEnded && this.#dependency(step).yes ? ['cancelled' as const] : [])];
  }

  #started(step: StepModel): boolean {
    const { name, work } = step;
    if (work.kind === 'approve') return this.#truth.word(name) !== undefined;
    if (work.kind === 'run') return this.#truth.subRun(name, 1) !== 'none';
    if (work.kind === 'indexed') return this.#truth.indexed(name, 0) !== 'none';
    return Array.from({ length: work.kind === 'jobs' ? this.#count(step) : 1 }, (_, item) => item).some((item) => this.#truth.attempt(name, 'do', item, 1) !== 'none');
  }

  /** By what was made for it, once it has started. */
  #workOutcomes(step: StepModel): Outcomes {
    const { name, work } = step;
    switch (work.kind) {
      case 'approve': {
        const word = this.#truth.word(name);
        return word === undefined ? none : new Set([word === 'approved' ? 'succeeded' : 'failed']);
      }
      case 'run': return this.#line(step, (attempt) => this.#subRun(name, attempt));
      case 'job': return this.#line(step, (attempt) => this.#attempt(step, 'do', 0, attempt));
      case 'jobs': return this.#items(Array.from({ length: this.#count(step) }, (_, item) => this.#line(step, (attempt) => this.#attempt(step, 'do', item, attempt))));
      case 'indexed': return this.#indexed(step);
    }
  }

  #items(items: readonly Outcomes[]): Outcomes {
    if (items.length === 0 || items.some((item) => item.size === 0)) return none;
    const mayFail = items.some((item) => [...item].some((outcome) => failures.has(outcome)));
    const maySucceed = items.every((item) => item.has('succeeded'));
    const mayEnd = items.some((item) => item.has('cancelled'));
    return new Set<StepOutcome>([...(mayFail ? ['failed' as const] : []), ...(maySucceed ? ['succeeded' as const] : []), ...(mayEnd ? ['cancelled' as const] : [])]);
  }

  #indexed(step: StepModel): Outcomes {
    const truth = this.#truth.indexed(step.name, this.#count(step));
    if (truth === 'none' || truth === 'open') return none;
    if (truth === 'strange') return none;
    const good = Array.from({ length: this.#count(step) }, (_, item) => Array.from({ length: step.attempts }, (_none, attempt) => fateOf(step, item, attempt + 1)).some((fate) => outcomeOf(step, fate) === 'succeeded'));
    return this.#orEnded(truth, good.every(Boolean) ? 'succeeded' : 'failed');
  }

  #line(step: StepModel, at: (attempt: number) => { readonly outcomes: Outcomes; readonly again: boolean } | undefined): Outcomes {
    const found = new Set<StepOutcome>();
    for (let attempt = 1; attempt <= step.attempts; attempt += 1) {
      const one = at(attempt);
      if (!one) return found;
      const isLast = attempt === step.attempts || !one.again;
      for (const outcome of one.outcomes) if (isLast || outcome === 'succeeded' || outcome === 'cancelled') found.add(outcome);
      if (isLast) break;
    }
    return found;
  }

  #attempt(step: StepModel, role: 'do' | 'undo', item: number, attempt: number): { readonly outcomes: Outcomes; readonly again: boolean } | undefined {
    const truth = this.#truth.attempt(step.name, role, item, attempt);
    if (truth === 'none' || truth === 'open') return undefined;
    if (truth === 'strange') return { outcomes: none, again: false };
    const fate = fateOf(step, item, attempt);
    const outcome = outcomeOf(step, fate);
    return { outcomes: this.#orEnded(truth, outcome), again: outcome !== 'succeeded' && isTried(step, fate) };
  }

  #subRun(name: string, attempt: number): { readonly outcomes: Outcomes; readonly again: boolean } | undefined {
    const truth = this.#truth.subRun(name, attempt);
    if (truth === 'none' || truth === 'open') return undefined;
    return { outcomes: new Set([truth]), again: truth === 'failed' };
  }

  #orEnded(truth: AttemptTruth, outcome: StepOutcome): Outcomes {
    return new Set<StepOutcome>(truth === 'ended' ? [outcome, 'cancelled'] : [outcome]);
  }

  #count(step: StepModel): number {
    if (step.work.kind !== 'jobs' && step.work.kind !== 'indexed') return 1;
    const { countFrom, count } = step.work;
    if (countFrom === undefined) return count;
    return this.#written(countFrom) ? outputValue : outputDefault;
  }

  #written(name: string): boolean {
    const step = this.#steps.get(name);
    if (!step?.output || this.#truth.carried(name)) return step?.output !== undefined;
    // The first attempt that succeeded is the one whose output counts.
    for (let attempt = 1; attempt <= step.attempts; attempt += 1) {
      const fate = fateOf(step, 0, attempt);
      if (this.#truth.attempt(name, 'do', 0, attempt) === 'done' && outcomeOf(step, fate) === 'succeeded') return (fate.kind === 'ok' || fate.kind === 'evicted') && fate.writes === true || fate.kind === 'nodeLost';
    }
    return false;
  }

  #hasOutput(name: string): boolean {
    return this.#steps.get(name)?.output?.default === true || this.#written(name);
  }

  // Dependencies

  #dependency(step: StepModel): Chance {
    const phase = step.phase === undefined || step.phase === 0 ? [] : this.#truth.model.steps.filter((other) => other.phase === (step.phase ?? 0) - 1);
    const parts = [
      ...listOf(step).map((name) => this.#word(name, 'ok')),
      ...phase.map(({ name }) => this.#word(name, 'ok')),
      ...(step.expression ? [this.#evaluate(step.expression)] : []),
    ];
    return { yes: parts.every(({ yes }) => yes), no: parts.some(({ no }) => no) };
  }

  #evaluate(expression: Expression): Chance {
    switch (expression.op) {
      case 'is': return this.#word(expression.step, expression.word);
      case 'not': {
        const { yes, no } = this.#evaluate(expression.of);
        return { yes: no, no: yes };
      }
      case 'and': {
        const [left, right] = [this.#evaluate(expression.left), this.#evaluate(expression.right)];
        return { yes: left.yes && right.yes, no: left.no || right.no };
      }
      case 'or': {
        const [left, right] = [this.#evaluate(expression.left), this.#evaluate(expression.right)];
        return { yes: left.yes || right.yes, no: left.no && right.no };
      }
    }
  }

  #word(name: string, word: Word): Chance {
    const step = this.#steps.get(name);
    const outcomes = [...this.of(name)];
    const holds = (outcome: StepOutcome): boolean => {
      if (word === 'completed') return true;
      if (word === 'ok') return outcome === 'succeeded' || outcome === 'skipped' || (step?.allowFailure === true && failures.has(outcome));
      return outcome === word;
    };
    return { yes: outcomes.some(holds), no: outcomes.some((outcome) => !holds(outcome)) };
  }
}

/** Steps that it lists, and whose outputs it names. */
function listOf(step: StepModel): string[] {
  const source = sourceOf(step);
  return [...(step.list ?? []), ...(source === undefined ? [] : [source])];
}

function sourceOf({ consumes, work }: StepModel): string | undefined {
  return consumes ?? ('countFrom' in work ? work.countFrom : undefined);
}

export function fateOf(step: StepModel, item: number, attempt: number): Fate {
  const fates = step.fates[item] ?? step.fates[0] ?? [];
  return fates[attempt - 1] ?? fates.at(-1) ?? { kind: 'ok', runs: 0 };
}

/** Of an attempt that did what its fate says. */
export function outcomeOf({ output }: StepModel, fate: Fate): StepOutcome {
  switch (fate.kind) {
    case 'ok':
    case 'evicted':
      return output && !output.default && fate.writes !== true ? 'failed' : 'succeeded';
    case 'nodeLost':
      return 'succeeded';
    case 'fail':
    case 'hangs':
      return 'failed';
    case 'neverStarts':
      return 'notStarted';
  }
}

function isTried({ final }: StepModel, fate: Fate): boolean {
  return fate.kind !== 'fail' || fate.code !== final;
}
