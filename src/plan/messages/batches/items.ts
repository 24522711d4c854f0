/** The messages of a batch, one for each completion index of its Job: each is looked at as at a Job of its own. */
import { parseIndexes } from '../../../lib/index-ranges.ts';
import { hasStarted } from '../../job-state.ts';
import type { RecordedOutcome } from '../../notes.ts';
import type { ObservedJob, ObservedPod } from '../../observed.ts';
import { finalOutcome } from '../../outcome.ts';
import { endedByItself } from '../../run/success.ts';
import type { MessageJobView } from '../carrier.ts';
import type { BatchFacts } from '../observed.ts';

/** A Job that was made for several messages. */
export type BatchJob = ObservedJob & { readonly batch: BatchFacts };

/** Of several messages, and its notes can be read. */
export function isBatchJob(job: ObservedJob): job is BatchJob {
  return job.batch !== undefined;
}

/**
 * It was let go, so its messages are its own. Somebody else may have resumed it before (Kueue does with Jobs that it
 * manages): a container that has started has its message, whoever let it.
 */
export function isLetGo(job: BatchJob): boolean {
  return job.batch.committed || hasStarted(job);
}

/** None of a batch that was never let go: nothing of it has run, and it is made anew. */
export function itemsOf(job: BatchJob): readonly MessageJobView[] {
  if (!isLetGo(job)) return [];
  const { notes, settled } = job.batch;
  const completed = parseIndexes(job.step?.completedIndexes);
  const failed = parseIndexes(job.step?.failedIndexes);
  const podsOf = byIndex(job.pods);
  const firstWithoutPod = firstNotReached(job, (index) => completed.has(index) || failed.has(index));
  return notes.map((note, index) => {
    const pods = podsOf.get(index) ?? none;
    const verdict = completed.has(index) || hasSucceeded(job, pods) ? 'Complete' : failed.has(index) ? 'Failed' : undefined;
    return itemOf(job, { note, settled: settled.get(index) }, { index, pods, reached: index < firstWithoutPod, verdict });
  });
}

interface Item {
  readonly index: number;
  readonly pods: readonly ObservedPod[];
  /** It may have had a pod. */
  readonly reached: boolean;
  /** How the index ended by itself; undefined: it has not, as far as anybody knows. */
  readonly verdict: 'Complete' | 'Failed' | undefined;
}

/** All its containers ended with 0, and nobody had stopped them: the Job controller says so a second later. Of failures it may think otherwise, so they wait for its word. */
function hasSucceeded({ step }: BatchJob, pods: readonly ObservedPod[]): boolean {
  return step?.awaitsVerdict === false && pods.some((pod) => pod.step?.done === 'succeeded' && endedByItself(pod));
}

function itemOf(job: BatchJob, message: MessageJobView['message'], item: Item): MessageJobView {
  const { batch: _batch, step: _step, gone: _gone, ...rest } = job;
  const { index, verdict } = item;
  const about = { ...rest, message, carrier: { kind: 'index', index } } as const;
  if (!verdict) return { ...about, pods: item.pods, recorded: ofWhole(job, item) };
  const pods = verdict === 'Complete' ? item.pods.map(ended) : item.pods;
  // The Job controller counts the pods that it stops with their Job as failed.
  const recorded = verdict === 'Failed' && !pods.some(failedByItself) ? ofWhole(job, item) : undefined;
  const own = { ...about, pods, finished: { condition: verdict, reason: '', message: '', at: endOf(job, pods) }, recorded };
  return { ...own, recorded: finalOutcome(own) };
}

/**
 * The first index that certainly never had a pod. The Job controller gives pods to the lowest indexes that have no end yet,
 * `parallelism` of them at once: so of a Job that has finished no others were reached. Without pods (0) it was ended by
 * job-chief, and nobody knows what it was before.
 */
function firstNotReached({ batch: { notes }, finished, step }: BatchJob, hasEnd: (index: number) => boolean): number {
  const most = step?.parallelism ?? 0;
  if (!finished || most === 0) return notes.length;
  return [...notes.keys()].filter((index) => !hasEnd(index))[most] ?? notes.length;
}

function failedByItself({ phase, failures, disrupted, deleting }: ObservedPod): boolean {
  return (phase === 'Failed' || failures.length > 0) && !disrupted && !deleting;
}

/** The pod's phase comes a second after its containers. */
function ended(pod: ObservedPod): ObservedPod {
  return pod.step?.done === 'succeeded' ? { ...pod, phase: 'Succeeded' } : pod;
}

function endOf(job: BatchJob, pods: readonly ObservedPod[]): number {
  const times = pods.flatMap(({ step }) => step?.doneAt ?? []);
  return times.length > 0 ? Math.max(...times) : (job.finished?.at ?? job.createdAt);
}

/** What the whole Job was ended for is true of an index that had no end of its own; but one that had no pod, or whose pod never started, was not tried. */
function ofWhole({ recorded }: BatchJob, { pods, reached }: Item): RecordedOutcome | undefined {
  const untried = recorded?.outcome === 'failed' && (pods.length > 0 ? !pods.some(({ started }) => started) : !reached);
  return untried ? { ...recorded, outcome: 'notStarted' } : recorded;
}

const none: readonly ObservedPod[] = [];

function byIndex(pods: readonly ObservedPod[]): ReadonlyMap<number, readonly ObservedPod[]> {
  const found = new Map<number, ObservedPod[]>();
  for (const pod of pods) {
    const index = pod.step?.index;
    if (index === undefined) continue;
    const known = found.get(index);
    if (known) known.push(pod);
    else found.set(index, [pod]);
  }
  return found;
}
