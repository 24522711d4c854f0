/** A run that failed before anything of it ran: what asked for it may ask again, for nothing was tried. */
import type { RunResult } from './record.ts';
import type { Attempt, RunState, StepState } from './state.ts';

type Untried = NonNullable<RunResult['untried']>;

/** What stands for all of them: what tells most about why comes first. */
const kinds: readonly Untried[] = ['notStarted', 'refused', 'errored'];

/**
 * undefined: something ran; or what could not be tried were its own values (a step without an attempt), and it would come
 * to nothing each time.
 */
export function untried({ end, steps, undo }: RunState): Untried | undefined {
  if (end?.outcome !== 'failed') return undefined;
  const all = [...Object.values(steps), ...Object.values(undo)];
  const attempts = all.flatMap(attemptsOf);
  if (attempts.length === 0 || !attempts.every(neverRan) || all.some((step) => isOwnFault(step))) return undefined;
  return kinds.find((kind) => attempts.some(({ outcome }) => outcome === kind));
}

function attemptsOf({ attempts = [], items = [] }: StepState): readonly Attempt[] {
  return [...attempts, ...items.flatMap((item) => item.attempts)];
}

function neverRan({ ranAt, outcome }: Attempt): boolean {
  return ranAt === undefined && kinds.some((kind) => kind === outcome);
}

/** Carried over from an earlier run, or given up without an attempt. */
function isOwnFault(step: StepState): boolean {
  return step.from !== undefined || (step.outcome === 'errored' && attemptsOf(step).length === 0);
}
