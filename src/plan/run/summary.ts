/** What the metadata of a record says about its run. */
import type { RunPhase, RunResult } from './record.ts';
import type { RunState } from './state.ts';
import { untried } from './untried.ts';

const phases = { succeeded: 'Succeeded', failed: 'Failed', cancelled: 'Cancelled' } as const;

/** The phase of a run that has been admitted. */
export function phaseOf(state: RunState, suspended: boolean): RunPhase {
  if (state.end) return phases[state.end.outcome];
  return suspended ? 'Suspended' : 'Running';
}

/** Whether a run in this phase is over: nothing is done for it any more. */
export function isOver(phase: RunPhase): boolean {
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Cancelled';
}

/** A result is an annotation, and those share 256 KiB: the longest message, in characters, and the most names of steps. The state has all. */
const longestMessage = 1024;
const mostNames = 100;

/** What a run came to; undefined while it is not over. */
export function resultOf(state: RunState): RunResult | undefined {
  const { startedAt, end } = state;
  if (!end) return undefined;
  const why = untried(state);
  const { outcome, reason, message, at, failedSteps, outputs } = end;
  return { outcome, reason, message: message.slice(0, longestMessage), startedAt, finishedAt: at, failedSteps: failedSteps.slice(0, mostNames), ...(outputs && { outputs }), ...(why && { untried: why }) };
}
