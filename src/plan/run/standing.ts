/** What the outcome of a step means for the steps behind it and for its run. */
import type { StepSpec } from '../../spec/workflow.ts';
import type { StepOutcome, StepState, Stopping } from './state.ts';

const failures: ReadonlySet<StepOutcome> = new Set(['failed', 'errored', 'notStarted', 'refused']);

/** It was tried and did not succeed. Skipped, omitted and cancelled are not failures. */
export function isFailure(outcome: StepOutcome): boolean {
  return failures.has(outcome);
}

/** Steps that list this one may start. */
export function isOk(step: StepSpec | undefined, outcome: StepOutcome): boolean {
  return outcome === 'succeeded' || outcome === 'skipped' || (step?.allowFailure === true && isFailure(outcome));
}

/** The run has failed with it, and its onFailure applies. */
export function countsAsFailure(step: StepSpec, outcome: StepOutcome | undefined): boolean {
  return outcome !== undefined && isFailure(outcome) && !step.allowFailure;
}

/** Somebody asked for the run's end: unlike a failure it ends everything, and the run's outcome is `cancelled`. */
export function isCommanded(stopping: Stopping | undefined): boolean {
  return stopping !== undefined && stopping.reason !== 'StepFailed';
}

/** Why steps of a run that stops do not start, and what is under way ends. */
export function stopReason(stopping: Stopping | undefined): 'RunStopping' | 'RunCancelled' | 'SpecDeleted' {
  if (!isCommanded(stopping)) return 'RunStopping';
  return stopping?.reason === 'SpecDeleted' ? 'SpecDeleted' : 'RunCancelled';
}

/** All of the steps have an outcome. */
export function hasEnded(states: { step(name: string): StepState | undefined }, steps: readonly StepSpec[]): boolean {
  return steps.every(({ name }) => states.step(name)?.outcome !== undefined);
}

/** What the record has under a name that users chose, such as `constructor`; nothing that is inherited. */
export function entryOf<Value>(record: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Outcomes of steps as people would say them. */
export const outcomeText: Readonly<Record<StepOutcome, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  errored: 'errored',
  notStarted: 'did not start',
  refused: 'was refused',
  skipped: 'was skipped',
  omitted: 'was omitted',
  cancelled: 'was cancelled',
};
