/** The closed sets of label values. What is in none of them is counted as `other`, so that no text from outside becomes a series. */

/** What an action came to: done, or what the API server said instead. */
export const results = ['done', 'exists', 'gone', 'conflict', 'refused', 'quota', 'forbidden', 'unknown', 'skipped', 'failed'] as const;

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
