/** What a run came to, held against what it had to come to. */
import type { RunResult } from '../../src/plan/run/record.ts';
import type { RunState, StepOutcome } from '../../src/plan/run/state.ts';
import { Oracle, type RunTruth } from './storm-oracle.ts';

const failures: ReadonlySet<StepOutcome> = new Set(['failed', 'errored', 'notStarted', 'refused']);

/** What is wrong with it; empty: nothing. */
export function checkEnd(truth: RunTruth, { state, result }: { readonly state: RunState | undefined; readonly result: RunResult | undefined }): string[] {
  if (!state || !result) return ['it is over, but its record does not hold how far it came'];
  // It was cancelled before it began.
  if (result.outcome === 'cancelled' && truth.commanded && Object.keys(state.steps).length === 0) return [];
  return [...wrongSteps(truth, state), ...wrongResult(truth, state, result), ...wrongRevert(truth, state)];
}

function wrongSteps(truth: RunTruth, state: RunState): string[] {
  const oracle = new Oracle(truth);
  return [...truth.model.steps, ...truth.model.late].flatMap(({ name }) => {
    const outcome = state.steps[name]?.outcome;
    const expected = oracle.of(name);
    if (outcome !== undefined && expected.has(outcome)) return [];
    return [`step "${name}" is ${outcome ?? 'open'} (${state.steps[name]?.reason ?? ''} ${state.steps[name]?.message ?? ''}), and had to be ${[...expected].join(' or ') || 'open'}`];
  });
}

function wrongResult({ model }: RunTruth, state: RunState, result: RunResult): string[] {
  const failed = [...model.steps, ...model.late].filter(({ name, allowFailure }) => !allowFailure && failures.has(state.steps[name]?.outcome ?? 'succeeded')).map(({ name }) => name);
  // What was ended for a command that nobody remembers has not succeeded.
  const lost = model.steps.some(({ name }) => state.steps[name]?.outcome === 'cancelled');
  const expected = state.stopping && state.stopping.reason !== 'StepFailed' ? 'cancelled' : failed.length > 0 || lost ? 'failed' : 'succeeded';
  return [
    ...(result.outcome === expected ? [] : [`it is ${result.outcome}, and had to be ${expected}`]),
    ...(JSON.stringify(result.failedSteps) === JSON.stringify(failed) ? [] : [`its failed steps are ${JSON.stringify(result.failedSteps)}, and had to be ${JSON.stringify(failed)}`]),
  ];
}

/** All that succeeded was undone, what succeeded last first. */
function wrongRevert({ model, raced }: RunTruth, state: RunState): string[] {
  // Two processes may each begin with what they know of.
  if (state.stopping?.mode !== 'revert' || model.steps.some(({ name }) => raced(name))) return [];
  const due = model.steps.filter(({ name, undo }) => undo && state.steps[name]?.outcome === 'succeeded');
  const left = due.filter(({ name }) => state.undo[name]?.outcome === undefined).map(({ name }) => `"${name}" was not undone`);
  const undone = due.map(({ name }) => ({ name, succeeded: state.steps[name]?.at ?? 0, undone: state.undo[name]?.attempts?.[0]?.at ?? 0 }));
  const disorder = undone.flatMap((one) => undone.filter((other) => other.succeeded > one.succeeded && other.undone > one.undone).map((other) => `"${one.name}" was undone before "${other.name}", which had succeeded later`));
  return [...left, ...disorder];
}
