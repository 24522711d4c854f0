/** Whether an expression over outcomes can ever be true. */
import type { Expression, StepFacts } from './facts.ts';

/** Steps that are tried out in all ways: each more makes it twenty times as many. */
const mostSteps = 3;

/**
 * Whether no outcome of its steps makes the expression true. Expressions over many steps are only looked at as they
 * stand: false although nothing is known.
 */
export function neverHolds(expression: Expression): boolean {
  const { steps } = expression;
  const holds = (facts: readonly StepFacts[]): boolean => {
    const byId = new Map(steps.map((id, index) => [id, facts[index] ?? {}]));
    return expression.evaluate({ params: {}, run: {}, step: (id) => byId.get(id) ?? {} }).kind !== 'false';
  };
  if (steps.length > mostSteps) return !holds([]);
  return !someOf(steps.length, [], holds);
}

/** Depth first, and done with the first that holds: nearly always one of the first few. */
function someOf(left: number, chosen: readonly StepFacts[], holds: (facts: readonly StepFacts[]) => boolean): boolean {
  if (left === 0) return holds(chosen);
  return ends.some((end) => someOf(left - 1, [...chosen, end], holds));
}

const outcomes = ['succeeded', 'failed', 'errored', 'notStarted', 'refused', 'skipped', 'omitted', 'cancelled'] as const;

/** Every way in which a step can end, as expressions see it. */
const ends: readonly StepFacts[] = outcomes.flatMap((outcome) => {
  const none = Object.fromEntries(outcomes.map((other) => [other, other === outcome])) as StepFacts;
  const ok = outcome === 'succeeded' || outcome === 'skipped';
  const end = { ...none, completed: true, ok, anySucceeded: outcome === 'succeeded', allFailed: isFailure(outcome) };
  // A failure may be allowed, and of a forEach it may be that of some items only.
  return isFailure(outcome) ? [end, { ...end, ok: true }, { ...end, anySucceeded: true, allFailed: false }, { ...end, ok: true, anySucceeded: true, allFailed: false }] : [end];
});

function isFailure(outcome: (typeof outcomes)[number]): boolean {
  return outcome === 'failed' || outcome === 'errored' || outcome === 'notStarted' || outcome === 'refused';
}
