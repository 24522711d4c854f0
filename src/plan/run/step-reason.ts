/**
 * The closed list of job-chief's own words for why a step, an item or an attempt came out as it did, and the outcomes that
 * each goes with. Kubernetes' words (OOMKilled, Evicted, ErrImagePull, BackoffLimitExceeded) stand beside them as they are,
 * and a sub-run that failed says its own reason. `docs/reasons.md` explains each; a test holds the two together.
 */
import type { Attempt, StepOutcome } from './state.ts';

export const stepReasons = {
  ApprovalRejected: ['failed'],
  ConditionFalse: ['skipped'],
  CreateRefused: ['refused'],
  DependencyNotMet: ['omitted'],
  ExpressionError: ['errored'],
  ItemsFailed: ['failed'],
  ItemsInvalid: ['errored'],
  JobDeleted: ['errored'],
  JobNameTaken: ['refused'],
  NoItems: ['skipped'],
  OutputMissing: ['failed', 'errored'],
  OutputTooLong: ['failed'],
  OutputUnreadable: ['failed'],
  OutputsTooLarge: ['failed'],
  PolicyDenied: ['refused'],
  ReferenceInvalid: ['errored'],
  RunCancelled: ['omitted', 'cancelled', 'failed'],
  RunDeleted: ['errored'],
  RunStopping: ['omitted', 'cancelled'],
  SpecDeleted: ['omitted', 'cancelled'],
  StartTimeout: ['notStarted'],
  StepFailed: ['failed'],
  Timeout: ['failed'],
  TooDeep: ['errored'],
} as const satisfies Record<string, readonly StepOutcome[]>;

type StepReason = keyof typeof stepReasons;

/** The reasons that go with an outcome. */
export type ReasonFor<Outcome extends StepOutcome> = { [Reason in StepReason]: Outcome extends (typeof stepReasons)[Reason][number] ? Reason : never }[StepReason];

/** How something ended that job-chief itself has a word for: an outcome and a reason that goes with it. */
export type Ending = { readonly [Reason in StepReason]: { readonly outcome: (typeof stepReasons)[Reason][number]; readonly reason: Reason } }[StepReason];

/** The attempt with its outcome. `at`: milliseconds since 1970. */
export function endedAs(attempt: Attempt, at: number, ending: Ending & { readonly message: string }): Attempt {
  return { ...attempt, endedAt: at, ...ending };
}
