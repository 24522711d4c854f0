/** What expressions and references can know of steps. */
import type { Json } from '../../lib/json.ts';
import type { ExpressionFacts, StepFacts } from '../../spec/expression.ts';
import type { OutputSpec, StepSpec } from '../../spec/workflow.ts';
import type { ObservedJob } from '../observed.ts';
import type { RunDraft } from './draft.ts';
import { entryOf, isFailure, isOk } from './standing.ts';
import type { StepOutcome, StepState } from './state.ts';

/** For one question now: what it looks at may have its answer later. */
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
