/** When a Job is over and why, and the status documents it shows on the way there. */
import { meetsSuccessPolicy } from './job-policy.ts';
import { countsOf, type Tally } from './job-tally.ts';
import { conditionOf, type Condition, isTerminal, type JobObject, type JobStatus, type PodObject, withCondition } from './job-shape.ts';
import { timestamp } from './objects.ts';

export interface JobEnd {
  readonly interim: 'FailureTarget' | 'SuccessCriteriaMet';
  readonly final: 'Failed' | 'Complete';
  readonly reason: string;
  readonly message: string;
}

/** The instant at which activeDeadlineSeconds ends the Job; never while it is suspended. */
export function deadlineOf(job: JobObject): number | undefined {
  const { activeDeadlineSeconds, suspend } = job.spec;
  const start = job.status.startTime;
  if (activeDeadlineSeconds === undefined || suspend || start === undefined) return undefined;
  return Date.parse(start) + activeDeadlineSeconds * 1000;
}

/** Undefined while the Job goes on. A verdict that was announced stays. */
export function judgeJob(job: JobObject, count: Tally, pods: ReadonlyMap<string, PodObject>, now: number): JobEnd | undefined {
  const announced = announcedEnd(job);
  if (announced) return announced;
  if (count.policyFailure !== undefined) return failure('PodFailurePolicy', count.policyFailure);
  if (count.failed > job.spec.backoffLimit || restartsExceeded(job, pods)) return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const deadline = deadlineOf(job);
  if (deadline !== undefined && deadline <= now) return failure('DeadlineExceeded', 'Job was active longer than specified deadline');
  return judgeIndexes(job, count) ?? judgeSuccess(job, count);
}

function announcedEnd({ status }: JobObject): JobEnd | undefined {
  const target = conditionOf(status, 'FailureTarget');
  if (target) return failure(target.reason ?? '', target.message ?? '');
  const met = conditionOf(status, 'SuccessCriteriaMet');
  return met && success(met.reason ?? '', met.message ?? '');
}

function success(reason: string, message: string): JobEnd {
  return { interim: 'SuccessCriteriaMet', final: 'Complete', reason, message };
}

function failure(reason: string, message: string): JobEnd {
  return { interim: 'FailureTarget', final: 'Failed', reason, message };
}

function judgeSuccess(job: JobObject, count: Tally): JobEnd | undefined {
  const enough = meetsSuccessPolicy(job, count.completedIndexes);
  if (enough !== undefined) return success('SuccessPolicy', enough);
  return isComplete(job, count) ? success('CompletionsReached', 'Reached expected number of succeeded pods') : undefined;
}

function judgeIndexes(job: JobObject, count: Tally): JobEnd | undefined {
  const { maxFailedIndexes, completions } = job.spec;
  const failed = count.failedIndexes.size;
  if (failed === 0) return undefined;
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes) return failure('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  return failed + count.succeeded >= (completions ?? 0) && count.active.length === 0 ? failure('FailedIndexes', 'Job has failed indexes') : undefined;
}

function isComplete(job: JobObject, count: Tally): boolean {
  if (count.active.length > 0) return false;
  const { completions } = job.spec;
  return completions === undefined ? count.succeeded > 0 : count.succeeded >= completions;
}

/** With restartPolicy OnFailure the restarts inside running pods count against the back-off limit. */
function restartsExceeded(job: JobObject, pods: ReadonlyMap<string, PodObject>): boolean {
  if (job.spec.template.spec.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const pod of pods.values()) if (!isTerminal(pod)) for (const container of pod.status.containerStatuses ?? []) restarts += container.restartCount;
  return job.spec.backoffLimit === 0 ? restarts > 0 : restarts >= job.spec.backoffLimit;
}

interface Moment {
  readonly job: JobObject;
  readonly end: JobEnd;
  readonly count: Tally;
  readonly now: number;
}

/** The verdict is announced; pods may still be ending. */
export function interimStatus({ job, end, count, now }: Moment, living: number): JobStatus {
  return { ...base(job, count), ready: 0, terminating: living, conditions: withCondition(job.status.conditions, condition(end.interim, end, now)) };
}

/** Over: only now, and only with Complete, there is a completionTime. */
export function finalStatus({ job, end, count, now }: Moment): JobStatus {
  const conditions = withCondition(job.status.conditions, condition(end.final, end, now));
  return { ...base(job, count), ready: 0, terminating: 0, conditions, ...(end.final === 'Complete' ? { completionTime: timestamp(now) } : {}) };
}

/** `change`: pods that this sync has made, less those it has removed. */
export function runningStatus(job: JobObject, count: Tally, now: number, change: number): JobStatus {
  const active = count.active.length + change;
  const ready = count.active.filter((pod) => pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')).length;
  const { startTime, ...rest } = base(job, count);
  const wasSuspended = conditionOf(job.status, 'Suspended')?.status === 'True';
  // Resuming starts the deadline anew: measured, a suspended Job has no deadline at all.
  const start = job.spec.suspend ? undefined : wasSuspended || startTime === undefined ? timestamp(now) : startTime;
  const conditions = suspension(job, now);
  return {
    ...rest,
    ...(active > 0 ? { active } : {}),
    ready,
    terminating: count.terminating.length,
    ...(start === undefined ? {} : { startTime: start }),
    ...(conditions ? { conditions } : {}),
  };
}

function suspension(job: JobObject, now: number): Condition[] | undefined {
  const known = conditionOf(job.status, 'Suspended');
  if (job.spec.suspend) return withCondition(job.status.conditions, { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended', lastTransitionTime: timestamp(now) });
  if (!known) return job.status.conditions;
  return withCondition(job.status.conditions, { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed', lastTransitionTime: timestamp(now) });
}

function base(job: JobObject, count: Tally): JobStatus {
  const { active: _active, ready: _ready, terminating: _terminating, ...rest } = job.status;
  return { ...rest, ...countsOf(job, count), uncountedTerminatedPods: {} };
}

function condition(type: string, { reason, message }: JobEnd, now: number): Condition {
  return { type, status: 'True', reason, message, lastProbeTime: timestamp(now), lastTransitionTime: timestamp(now) };
}
