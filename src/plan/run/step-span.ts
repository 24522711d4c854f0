/** When a step began, ran and ended, whatever it is made of. */
import type { Attempt, StepState } from './state.ts';

/** Milliseconds since 1970. */
export interface Span {
  /** When it was decided on: its dependencies held, and there was room for it. */
  readonly start: number;
  /** When the first container of it started. */
  readonly ranAt: number | undefined;
  readonly end: number | undefined;
  readonly isOpen: boolean;
}

/** undefined: nothing of it took place in this run. */
export function spanOf(state: StepState | undefined): Span | undefined {
  if (!state || state.from !== undefined) return undefined;
  const attempts = allAttempts(state);
  const starts = attempts.map(({ at }) => at);
  const ran = attempts.flatMap(({ ranAt }) => ranAt ?? []);
  const end = state.outcome === undefined ? undefined : state.at;
  // What was skipped, omitted or in error from the start has a moment, and no more.
  const start = starts.length > 0 ? smallest(starts) : end;
  if (start === undefined) return undefined;
  return { start, ranAt: ran.length === 0 ? undefined : smallest(ran), end: end === undefined ? undefined : Math.max(end, start), isOpen: state.outcome === undefined };
}

/** Of the step and of its items, in no order that means anything. */
export function allAttempts({ attempts = [], items = [] }: StepState): readonly Attempt[] {
  return [...attempts, ...items.flatMap((item) => item.attempts)];
}

/** There may be ten thousand: too many for arguments of a call. */
function smallest(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => Math.min(least, number), Number.POSITIVE_INFINITY);
}
