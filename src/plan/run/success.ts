/** Whether a Job has done its work, and which of its pods did. */
import type { ObservedJob, ObservedPod, StepJobFacts } from '../observed.ts';

export interface Success {
  /** Those whose containers made it one, the earliest first; their outputs count. */
  readonly pods: readonly ObservedPod[];
  /** When the last of them ended. */
  readonly at: number;
  /** Pods that the Job controller counted and that are not there (any more, or yet). */
  readonly missing: number;
}

/**
 * A Job has succeeded when as many pods as it needs have all their regular containers terminated with 0. Their phase
 * follows a second later and the Job's condition up to another second later, and that condition may even be Failed: the
 * work is done all the same. The Job controller's Complete is a success in any case, and the only one where rules of the
 * user decide (awaitsVerdict) or where nobody can say how many pods it takes.
 */
export function successOf(job: ObservedJob): Success | undefined {
  // What was written down as final is never judged again.
  const final = job.recorded?.phase === 'final' ? job.recorded.outcome === 'succeeded' : undefined;
  if (final === false) return undefined;
  const settled = final === true || job.finished?.condition === 'Complete';
  const ended = job.pods.filter((pod) => pod.step?.done === 'succeeded' && (settled || endedByItself(pod)));
  const proof = distinct(ended, job.step?.indexed === true);
  const need = neededBy(job.step);
  if (!settled && (need === undefined || proof.length < need)) return undefined;
  const counted = Math.max(job.succeededPods, 1);
  const pods = proof.slice(0, need);
  return { pods, at: endOf(job, pods), missing: settled ? Math.max(counted - proof.length, 0) : 0 };
}

function endOf({ finished, startedAt, createdAt }: ObservedJob, pods: readonly ObservedPod[]): number {
  const times = pods.map((pod) => pod.step?.doneAt).filter((at) => at !== undefined);
  return times.length > 0 ? Math.max(...times) : (finished?.at ?? startedAt ?? createdAt);
}

/**
 * Who is asked to stop may well exit with 0, and has not done its work: then the Job's verdict is waited for. An evicted
 * pod that had ended before keeps its phase.
 */
export function endedByItself(pod: Pick<ObservedPod, 'deleting' | 'disrupted' | 'phase'>): boolean {
  return !pod.deleting && (!pod.disrupted || pod.phase === 'Succeeded');
}

/** So many pods make a success; undefined: only the Job controller knows. */
function neededBy(facts: StepJobFacts | undefined): number | undefined {
  if (!facts || facts.awaitsVerdict) return undefined;
  // Without completions the Job is a work queue: it is over when one pod has succeeded and none is left.
  const need = facts.completions ?? (facts.parallelism === 1 ? 1 : undefined);
  return need === undefined || need < 1 ? undefined : need;
}

/** The earliest first; of an Indexed Job one pod for each index. */
function distinct(pods: readonly ObservedPod[], indexed: boolean): readonly ObservedPod[] {
  const sorted = [...pods].sort((left, right) => (left.step?.doneAt ?? 0) - (right.step?.doneAt ?? 0));
  if (!indexed) return sorted;
  const byIndex = new Map<number, ObservedPod>();
  for (const pod of sorted) {
    const index = pod.step?.index;
    if (index !== undefined && !byIndex.has(index)) byIndex.set(index, pod);
  }
  return [...byIndex.values()];
}
