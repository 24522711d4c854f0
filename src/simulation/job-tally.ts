/**
 * Counting a Job's pods. A pod counts once, when it has ended; which of them were counted is kept here, where a real
 * Job controller keeps a finalizer on every pod.
 */
import { stringAt } from '../lib/json.ts';
import { judgeFailure } from './job-policy.ts';
import { isTerminal, type JobObject, type PodObject } from './job-shape.ts';
import { formatIndexes, parseIndexes } from '../lib/index-ranges.ts';

export const indexAnnotation = 'batch.kubernetes.io/job-completion-index';
const firstBackoff = 10_000;
const longestBackoff = 600_000;

/** What the controller remembers about one Job between syncs. */
export interface JobMemory {
  readonly counted: Set<string>;
  /** Pods that disappeared before they were counted, as they were last. */
  lost: PodObject[];
  /** Failures in a row, per index where the Job limits them per index. */
  readonly streaks: Map<string, { failures: number; last: number }>;
  readonly failuresPerIndex: Map<number, number>;
  createFailures: number;
}

export function newMemory(): JobMemory {
  return { counted: new Set(), lost: [], streaks: new Map(), failuresPerIndex: new Map(), createFailures: 0 };
}

export interface Tally {
  succeeded: number;
  failed: number;
  readonly completedIndexes: Set<number>;
  readonly failedIndexes: Set<number>;
  /** Why the Job fails by its podFailurePolicy. */
  policyFailure: string | undefined;
  readonly active: PodObject[];
  /** Marked as deleted and not ended yet. */
  readonly terminating: PodObject[];
}

export function tally(job: JobObject, pods: readonly PodObject[], memory: JobMemory, now: number): Tally {
  const result: Tally = {
    succeeded: job.status.succeeded ?? 0,
    failed: job.status.failed ?? 0,
    completedIndexes: parseIndexes(job.status.completedIndexes),
    failedIndexes: parseIndexes(job.status.failedIndexes),
    policyFailure: undefined,
    active: pods.filter((pod) => !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined),
    terminating: pods.filter((pod) => !isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined),
  };
  const ended = [...memory.lost, ...pods.filter((pod) => hasEnded(job, pod))];
  memory.lost = [];
  for (const pod of ended) {
    if (memory.counted.has(pod.metadata.uid)) continue;
    memory.counted.add(pod.metadata.uid);
    if (pod.status.phase === 'Succeeded') countSuccess(job, pod, result, memory);
    else countFailure({ job, pod, now }, result, memory);
  }
  return result;
}

/** The part of the status that the tally decides. */
export function countsOf(job: JobObject, { succeeded, failed, completedIndexes, failedIndexes }: Tally): Partial<JobObject['status']> {
  const indexed = job.spec.completionMode === 'Indexed';
  return {
    ...(succeeded > 0 ? { succeeded } : {}),
    ...(failed > 0 ? { failed } : {}),
    ...(indexed ? { completedIndexes: formatIndexes(completedIndexes) } : {}),
    ...(indexed && job.spec.backoffLimitPerIndex !== undefined ? { failedIndexes: formatIndexes(failedIndexes) } : {}),
  };
}

/** When the next pod may be made: 10 s after a failure, doubling up to 10 min, until one succeeds. */
export function backoffUntil(memory: JobMemory, index?: number): number {
  const streak = memory.streaks.get(index === undefined ? 'all' : String(index));
  if (!streak || streak.failures === 0) return 0;
  return streak.last + Math.min(firstBackoff * 2 ** (streak.failures - 1), longestBackoff);
}

export function indexOf(pod: PodObject): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation];
  return text === undefined ? undefined : Number(text);
}

/** Without a policy about replacements, a pod that is being deleted counts as failed already. */
function hasEnded(job: JobObject, pod: PodObject): boolean {
  if (isTerminal(pod)) return true;
  return job.spec.podReplacementPolicy !== 'Failed' && pod.metadata.deletionTimestamp !== undefined;
}

function countSuccess(job: JobObject, pod: PodObject, result: Tally, memory: JobMemory): void {
  const index = indexOf(pod);
  memory.streaks.clear();
  if (job.spec.completionMode !== 'Indexed' || index === undefined) {
    result.succeeded += 1;
    return;
  }
  result.completedIndexes.add(index);
  result.succeeded = result.completedIndexes.size;
}

function countFailure({ job, pod, now }: { job: JobObject; pod: PodObject; now: number }, result: Tally, memory: JobMemory): void {
  const { action, message } = judgeFailure(job, pod);
  const index = indexOf(pod);
  const limit = job.spec.backoffLimitPerIndex;
  lengthenStreak(memory, limit === undefined ? 'all' : String(index), finishTime(pod) ?? now);
  if (action === 'FailJob') result.policyFailure ??= message;
  if (action === 'Ignore') return;
  result.failed += 1;
  if (limit === undefined || index === undefined) return;
  const failures = (memory.failuresPerIndex.get(index) ?? 0) + 1;
  memory.failuresPerIndex.set(index, failures);
  if (action === 'FailIndex' || failures > limit) result.failedIndexes.add(index);
}

function lengthenStreak(memory: JobMemory, key: string, now: number): void {
  memory.streaks.set(key, { failures: (memory.streaks.get(key)?.failures ?? 0) + 1, last: now });
}

/** When the last container ended, as far as the status tells: the back-off counts from there. */
function finishTime(pod: PodObject): number | undefined {
  const times = (pod.status.containerStatuses ?? []).flatMap(({ state }) => {
    const text = stringAt(state.terminated, 'finishedAt');
    return text === undefined ? [] : [Date.parse(text)];
  });
  return times.length === 0 ? undefined : Math.max(...times);
}
