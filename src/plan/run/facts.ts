/** What expressions and references can know: parameters, the run itself, and how its steps stand. */
import type { Json, JsonObject } from '../../lib/json.ts';
import type { ExpressionFacts, StepFacts } from '../../spec/expression.ts';
import type { OutputSpec, StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import { isoTime } from '../iso-time.ts';
import type { ObservedJob } from '../observed.ts';
import type { RunDraft } from './draft.ts';
import type { ObservedRun } from './observed.ts';
import { entryOf, isFailure, isOk } from './standing.ts';
import type { StepOutcome, StepState } from './state.ts';

/** Declared parameters with their values; one that is optional and was not given is absent. */
export function parametersOf(spec: WorkflowSpec, given: JsonObject): JsonObject {
  const defaults = Object.entries(spec.parameters).flatMap(([name, declared]) => (declared.default === undefined ? [] : [[name, declared.default] as const]));
  return { ...Object.fromEntries(defaults), ...given };
}

/** `run.*`, but for `outcome` and `failedSteps`, which are there once all steps have ended. Times as RFC 3339 in UTC. */
export function runFactsOf({ record, spec, state }: ObservedRun): JsonObject {
  const scheduledAt = record.request?.scheduledAt;
  return {
    name: record.name,
    trigger: record.request?.trigger ?? 'request',
    startedAt: isoTime(state.startedAt),
    attempt: record.request?.parent?.attempt ?? 1,
    ...(scheduledAt !== undefined && { scheduledAt: isoTime(scheduledAt), scheduledDate: dateIn(scheduledAt, spec.trigger.schedule?.timeZone) }),
  };
}

/** The day that it is at this time where the schedule is kept, as 2026-01-31. */
function dateIn(time: number, timeZone: string | undefined): string {
  if (timeZone === undefined) return isoTime(time).slice(0, 10);
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(time);
}

export function expressionFacts(draft: RunDraft): ExpressionFacts {
  return {
    params: draft.params,
    run: draft.run,
    step: (id) => {
      const step = draft.graph.byId.get(id);
      return step ? stepFacts(draft, step) : {};
    },
  };
}

function stepFacts(draft: RunDraft, step: StepSpec): StepFacts {
  const state = draft.step(step.name);
  const outcome = state?.outcome;
  if (outcome !== undefined) return endedFacts(step, state ?? {}, outcome);
  return state && someItemSucceeded(draft, step, state) ? { anySucceeded: true, allFailed: false } : {};
}

function endedFacts(step: StepSpec, state: StepState, outcome: StepOutcome): StepFacts {
  return {
    succeeded: outcome === 'succeeded',
    failed: outcome === 'failed',
    errored: outcome === 'errored',
    notStarted: outcome === 'notStarted',
    refused: outcome === 'refused',
    skipped: outcome === 'skipped',
    omitted: outcome === 'omitted',
    cancelled: outcome === 'cancelled',
    ok: isOk(step, outcome),
    completed: true,
    ...groupFacts(state, outcome),
    outputs: outputsOf(step, state),
  };
}

function groupFacts(state: StepState, outcome: StepOutcome): Pick<StepFacts, 'anySucceeded' | 'allFailed'> {
  const { items, each } = state;
  if (items) return { anySucceeded: items.some((item) => item.outcome === 'succeeded'), allFailed: items.every((item) => item.outcome !== undefined && isFailure(item.outcome)) };
  const some = outcome === 'succeeded' || (each !== undefined && someIndexSucceeded(state, each.count));
  return { anySucceeded: some, allFailed: !some && isFailure(outcome) };
}

/** An Indexed Job tells which items failed; one that never came that far tells nothing. */
function someIndexSucceeded({ attempts }: StepState, count: number): boolean {
  return attempts?.some(({ failedItems }) => failedItems !== undefined && failedItems.length < count) ?? false;
}

function someItemSucceeded(draft: RunDraft, step: StepSpec, state: StepState): boolean {
  if (state.items) return state.items.some((item) => item.outcome === 'succeeded');
  if (!state.each || !step.forEach) return false;
  const last = state.attempts?.at(-1);
  const job = last && draft.job(last.job);
  return someIndexSucceeded(state, state.each.count) || (job !== undefined && somePodSucceeded(job));
}

function somePodSucceeded({ step, succeededPods, pods }: ObservedJob): boolean {
  if (succeededPods > 0 || (step !== undefined && step.completedIndexes !== '')) return true;
  return step?.awaitsVerdict === false && pods.some((pod) => pod.step?.done === 'succeeded');
}

/** What may be read of a step that has ended: what it wrote, else the declared defaults. A forEach that was skipped has lists without items. */
export function outputsOf(step: StepSpec, { outcome, outputs }: StepState): Readonly<Record<string, Json>> {
  const isList = isGroup(step);
  const values = Object.entries(step.outputs).flatMap(([name, declared]): [string, Json][] => {
    const value = entryOf(outputs, name) ?? unwritten(declared, isList, outcome);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(values);
}

/** Its outputs are lists, one value for each item. */
export function isGroup(step: StepSpec): boolean {
  return step.forEach !== undefined || (step.work.kind === 'manifests' && step.work.several);
}

function unwritten(declared: OutputSpec, isList: boolean, outcome: StepOutcome | undefined): Json | undefined {
  if (!isList) return declared.default;
  return outcome === 'skipped' ? [] : undefined;
}
