/** Where a Job stands, in one word from a closed list. */
import type { ObservedJob, ObservedPod } from './observed.ts';

/**
 * - `deleting`: has a deletionTimestamp; it and its pods still count as live
 * - `lingering`: finished, but a pod of it still lives
 * - `finished`: the Job controller's verdict is in and no pod lives
 * - `done`: it is for a message and its containers have done the work, which is written down; the verdict follows
 * - `ending`: job-chief gave up on it and waits for the verdict
 * - `suspended`: held by Kueue or by hand; never counts as not started
 * - `running`: a container has started
 * - `podless`: no pod yet
 * - `starting`: pods exist, none has started a container
 */
export type JobState = 'deleting' | 'lingering' | 'finished' | 'done' | 'ending' | 'suspended' | 'running' | 'podless' | 'starting';

/** The first state of the list above that fits: what is being deleted or has finished is nothing else. */
export function jobState(job: ObservedJob): JobState {
  if (job.deleting) return 'deleting';
  if (job.finished) return job.pods.some(isAlive) ? 'lingering' : 'finished';
  if (job.recorded?.phase === 'ending') return 'ending';
  if (job.message && job.recorded?.outcome === 'succeeded') return 'done';
  if (job.suspended) return 'suspended';
  if (hasStarted(job)) return 'running';
  return job.pods.length === 0 ? 'podless' : 'starting';
}

/** Neither Succeeded nor Failed: its containers may still run, also while it is being deleted. */
export function isAlive(pod: ObservedPod): boolean {
  return pod.phase !== 'Succeeded' && pod.phase !== 'Failed';
}

/** Whether any container of the Job ever ran, as far as its pods, its counters and what is remembered tell. */
export function hasStarted(job: ObservedJob): boolean {
  return job.ranAt !== undefined || job.succeededPods > 0 || (job.readyPods ?? 0) > 0 || job.pods.some((pod) => pod.started);
}

/** Unfinished, being deleted, or with a living pod: the queue's one slot is taken. */
export function isLive(job: ObservedJob): boolean {
  return jobState(job) !== 'finished';
}

/** Newest first: by drain sequence, which no clock can disorder; by creation where that does not tell. */
export function newestFirst(jobs: readonly ObservedJob[]): ObservedJob[] {
  return [...jobs].sort((left, right) => (right.sequence ?? 0) - (left.sequence ?? 0) || right.createdAt - left.createdAt);
}
