/** The closed sets of label values. What is in none of them is counted as `other`, so that no text from outside becomes a series. */

/** What an action came to: done, or what the API server said instead. */
export const results = ['done', 'exists', 'gone', 'conflict', 'refused', 'denied', 'quota', 'forbidden', 'unknown', 'skipped', 'failed', 'lost'] as const;

/** What starts runs, how they and their steps come out, and why a scheduled time passed unused. */
export const triggers = ['change', 'schedule', 'request', 'step', 'message'] as const;
export const runOutcomes = ['succeeded', 'failed', 'cancelled'] as const;
export const stepOutcomes = ['succeeded', 'failed', 'errored', 'notStarted', 'refused', 'skipped', 'omitted', 'cancelled'] as const;
export const missedWhys = ['down', 'deadline', 'forbidden'] as const;

/** Why Jobs do not succeed, as kubelet, Job controller and job-chief put it. */
export const failureReasons = [
  // Containers
  'Error', 'OOMKilled', 'ContainerCannotRun', 'StartError', 'DeadlineExceeded',
  'ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull',
  'CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'CrashLoopBackOff',
  // Pods
  'Evicted', 'Preempted', 'NodeLost', 'NodeShutdown', 'Terminated', 'Unschedulable', 'DisruptionTarget',
  // Jobs
  'BackoffLimitExceeded', 'PodFailurePolicy', 'FailedIndexes', 'MaxFailedIndexesExceeded', 'SuccessPolicy',
  // Reasons of job-chief's own for giving up on a Job
  'StartTimeout', 'Timeout', 'NoPodCreated', 'PodFatal', 'JobDeleted', 'SpecDeleted',
] as const;

/** Causes of a list. */
export const relistReasons = ['start', 'expired', 'stale', 'error'] as const;

/** Types of watch events. */
export const eventTypes = ['added', 'modified', 'deleted', 'bookmark', 'error'] as const;

/** The value itself where the set has it, else `other`. */
export function closed(value: string, set: readonly string[]): string {
  return set.includes(value) ? value : 'other';
}
