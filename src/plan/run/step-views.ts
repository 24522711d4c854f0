/** The steps of a run as people look at them: one line each, whatever they are made of. */
import { entryOf } from './standing.ts';
import type { Attempt, RunState, StepOutcome, StepState } from './state.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import { allAttempts, spanOf } from './step-span.ts';

const outcomeWords = {
  succeeded: 'Succeeded',
  failed: 'Failed',
  errored: 'Errored',
  notStarted: 'NotStarted',
  refused: 'Refused',
  skipped: 'Skipped',
  omitted: 'Omitted',
  cancelled: 'Cancelled',
} as const satisfies Record<StepOutcome, string>;

/** `Waiting`: for other steps, for room or for somebody's word. `Unknown`: the run is over and nothing was written about it. */
export type StepWord = (typeof outcomeWords)[StepOutcome] | 'Waiting' | 'Starting' | 'Running' | 'Retrying' | 'Unknown';

export interface StepView {
  readonly name: string;
  /** Name of its phase; where it stands else. */
  readonly phase: string | undefined;
  readonly part: 'steps' | 'undo' | 'finally';
  readonly state: StepWord;
  /** Items of a forEach, or manifests of jobFiles. `succeeded` is undefined where only the Job could tell. */
  readonly items: { readonly succeeded: number | undefined; readonly all: number } | undefined;
  /** Jobs or sub-runs; of items the most that one of them needed. */
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number | undefined;
  readonly ranAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly exitCode: number | undefined;
  readonly reason: string | undefined;
  readonly message: string;
  /** The newest Job, or record of a sub-run; undefined where there are several, or none. */
  readonly object: string | undefined;
}

export interface ViewFacts {
  readonly state: RunState | undefined;
  /** Nothing more will be decided. */
  readonly over: boolean;
  /** Items that have succeeded so far, by the name of an Indexed Job. */
  readonly progress: ReadonlyMap<string, number>;
}

/** The word for a step of a run that goes on, by its state alone: an approval is told by its attempt, which has the step's name. */
export function stepWord(name: string, state: StepState): StepWord {
  return wordOf(state, allAttempts(state), { isApproval: state.attempts?.[0]?.job === name, over: false });
}

/** In the order of the text; then what was undone, in the order in which that happened, then `finally`. */
export function stepViews(spec: WorkflowSpec, facts: ViewFacts): readonly StepView[] {
  const { steps = {}, undo = {} } = facts.state ?? {};
  const undone = spec.steps
    .flatMap((step, place) => (entryOf(undo, step.name) ? [{ step, place, at: begunAt(entryOf(undo, step.name)) }] : []))
    .sort((left, right) => left.at - right.at || right.place - left.place)
    .map(({ step }) => step);
  return [
    ...spec.steps.map((step) => view(step, entryOf(steps, step.name), facts, 'steps')),
    ...undone.map((step) => view(step, entryOf(undo, step.name), facts, 'undo')),
    ...spec.finally.map((step) => view(step, entryOf(steps, step.name), facts, 'finally')),
  ];
}

/** Of what never had a Job when it was given up. */
function begunAt(state: StepState | undefined): number {
  return state?.attempts?.[0]?.at ?? state?.at ?? 0;
}

function view(step: StepSpec, state: StepState | undefined, facts: ViewFacts, part: StepView['part']): StepView {
  const head = { name: step.name, phase: part === 'steps' ? step.phase : undefined, part };
  if (!state) return { ...head, ...untouched, state: facts.over ? 'Unknown' : 'Waiting' };
  const isApproval = step.work.kind === 'approve';
  const attempts = allAttempts(state);
  const last = telling(attempts);
  return {
    ...head,
    state: wordOf(state, attempts, { isApproval, over: facts.over }),
    items: itemsOf(state, facts),
    attempts: isApproval ? 0 : triesOf(state),
    ...timesOf(state, attempts),
    exitCode: state.outcome === 'succeeded' ? undefined : last?.exitCode,
    reason: reasonOf(isApproval, state, last),
    message: messageOf(step, state, last),
    object: isApproval || state.items ? undefined : attempts.at(-1)?.job,
  };
}

const noTimes = { startedAt: undefined, ranAt: undefined, endedAt: undefined };
/** Nothing was decided about it. */
const untouched = { ...noTimes, items: undefined, attempts: 0, exitCode: undefined, reason: undefined, message: '', object: undefined };

/** What never began has none. */
function timesOf(state: StepState, attempts: readonly Attempt[]): Pick<StepView, 'startedAt' | 'ranAt' | 'endedAt'> {
  const span = attempts.length === 0 ? undefined : spanOf(state);
  return span ? { startedAt: span.start, ranAt: span.ranAt, endedAt: span.end } : noTimes;
}

function triesOf({ attempts = [], items }: StepState): number {
  return items ? items.reduce((most, item) => Math.max(most, item.attempts.length), 0) : attempts.length;
}

function wordOf(state: StepState, attempts: readonly Attempt[], { isApproval, over }: { readonly isApproval: boolean; readonly over: boolean }): StepWord {
  if (state.outcome !== undefined) return outcomeWords[state.outcome];
  if (over) return 'Unknown';
  if (isApproval || attempts.length === 0) return 'Waiting';
  const open = attempts.filter(({ outcome }) => outcome === undefined);
  if (open.length === 0) return state.items?.some((item) => item.attempts.length === 0) === true ? 'Running' : 'Retrying';
  return open.some(({ ranAt }) => ranAt !== undefined) ? 'Running' : 'Starting';
}

function itemsOf(state: StepState, { progress }: ViewFacts): StepView['items'] {
  if (state.items) return { succeeded: state.items.filter(({ outcome }) => outcome === 'succeeded').length, all: state.items.length };
  if (!state.each) return undefined;
  const all = state.each.count;
  const last = state.attempts?.at(-1);
  if (state.outcome === 'succeeded') return { succeeded: all, all };
  if (last?.outcome !== undefined) return { succeeded: last.failedItems ? all - last.failedItems.length : undefined, all };
  return { succeeded: last && progress.get(last.job), all };
}

/** The attempt that says most about how it stands: the last one that went wrong. */
function telling(attempts: readonly Attempt[]): Attempt | undefined {
  return attempts.findLast(({ outcome }) => outcome !== undefined && outcome !== 'succeeded') ?? attempts.at(-1);
}

function reasonOf(isApproval: boolean, state: StepState, last: Attempt | undefined): string | undefined {
  if (state.from !== undefined) return 'CarriedOver';
  if (state.outcome === 'succeeded') return undefined;
  if (state.reason !== undefined || state.outcome !== undefined) return state.reason;
  return isApproval && last ? 'WaitsForApproval' : last?.reason;
}

function messageOf(step: StepSpec, state: StepState, last: Attempt | undefined): string {
  if (state.from !== undefined) return `from run ${state.from}`;
  if (state.message !== undefined) return state.message;
  if (state.outcome !== undefined) return failedItemsText(state) ?? '';
  if (step.work.kind === 'approve' && last) return step.work.message;
  return last?.message ?? '';
}

/** An item's message stays with the item: the first tells. */
function failedItemsText({ outcome, items }: StepState): string | undefined {
  if (!items || outcome === 'succeeded') return undefined;
  const index = items.findIndex((item) => item.outcome !== undefined && item.outcome !== 'succeeded');
  const message = items[index]?.attempts.at(-1)?.message;
  return message === undefined ? undefined : `item ${index}: ${message}`;
}
