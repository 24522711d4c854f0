/**
 * How KEDA's ScaledJob decides how many Jobs to create, restated from its source: kedacore/keda, main at 8b4f083
 * (August 2026, after v2.20.2), pkg/scaling/executor/scale_jobs.go. Pure. None of its Jobs is for a certain message: each
 * takes what it finds when its pod has started.
 */

/** What one poll has read. */
export interface Reading {
  /** The metric: how long the queue is, by whatever its scaler counts. */
  readonly length: number;
  /** Unfinished Jobs, those whose pods have not started included. */
  readonly running: number;
  /** Of these, Jobs without a pod that runs or has succeeded. */
  readonly pending: number;
  /** `maxReplicaCount`. */
  readonly max: number;
}

/** `customScalingQueueLengthDeduction` and `customScalingRunningJobPercentage`. */
export interface Custom {
  readonly deduction: number;
  readonly percentage: number;
}

export type Strategy = 'default' | 'accurate' | 'eager' | 'custom';

/** The values of the example in KEDA's documentation of `scalingStrategy`; whoever uses it chooses others. */
export const documentedCustom: Custom = { deduction: 1, percentage: 0.5 };

/** Jobs to create now, with a target of one message for each Job and no minimum. */
export function jobsToCreate(strategy: Strategy, reading: Reading, custom = documentedCustom): number {
  // The length is compared last, as createJobs does; eager's own allowance may be larger than what is there.
  const most = strategy === 'eager' ? reading.max : Math.ceil(reading.length);
  return Math.max(0, Math.min(most, allowances[strategy](reading, custom)));
}

const allowances: Readonly<Record<Strategy, (reading: Reading, custom: Custom) => number>> = {
  default: byDefault,
  accurate,
  eager,
  custom: byCustom,
};

/** defaultScalingStrategy.GetEffectiveMaxScale. Right where the metric counts messages until they are done. */
export function byDefault(reading: Reading): number {
  return demand(reading) - reading.running;
}

/** accurateScalingStrategy.GetEffectiveMaxScale. Right where it counts those only that nobody has taken, and pods take theirs at once. */
export function accurate(reading: Reading): number {
  const { running, pending, max } = reading;
  return demand(reading) + running - pending > max ? max - running : demand(reading) - pending;
}

/** eagerScalingStrategy.GetEffectiveMaxScale. The pending Jobs are among those that run, and are taken off twice. */
export function eager(reading: Reading): number {
  const { running, pending, max } = reading;
  return Math.min(max - running - pending, demand(reading));
}

/** customScalingStrategy.GetEffectiveMaxScale. Whole Jobs are taken off, as Go cuts a float64 to an int64. */
export function byCustom(reading: Reading, { deduction, percentage }: Custom): number {
  return Math.min(demand(reading) - deduction - Math.trunc(reading.running * percentage), reading.max);
}

/** What pkg/scaling/scale_handler.go passes on as the scale that is wanted. */
function demand({ length, max }: Reading): number {
  return Math.ceil(Math.min(length, max));
}
