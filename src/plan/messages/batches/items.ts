/** The messages of a batch, one for each completion index of its Job: each is looked at as at a Job of its own. */
import { parseIndexes } from '../../../lib/index-ranges.ts';
import { finalOutcome } from '../../outcome.ts';
import type { ObservedJob, ObservedPod } from '../../observed.ts';
import type { MessageJobView } from '../carrier.ts';
import type { BatchFacts } from '../observed.ts';

/** A Job that was made for several messages. */
export type BatchJob = ObservedJob & { readonly batch: BatchFacts };

/** Of several messages, and its notes can be read. */
export function isBatchJob(job: ObservedJob): job is BatchJob {
  return job.batch !== undefined;
}

/** None of a batch that was never let go: nothing of it has run, and it is made anew. */
export function itemsOf(job: BatchJob): readonly MessageJobView[] {
  if (!job.batch.committed) return [];
  const completed = parseIndexes(job.step?.completedIndexes);
  const failed = parseIndexes(job.step?.failedIndexes);
  const podsOf = byIndex(job.pods);
  return job.batch.notes.map((note, index) => itemOf(job, { note, settled: job.batch.settled.get(index) }, { index, pods: podsOf.get(index) ?? [], verdict: completed.has(index) ? 'Complete' : failed.has(index) ? 'Failed' : undefined }));
}

interface Item {
  readonly index: number;
  readonly pods: readonly ObservedPod[];
  /** The Job controller's word for the index. */
  readonly verdict: 'Complete' | 'Failed' | undefined;
}

function itemOf(job: BatchJob, message: MessageJobView['message'], { index, pods, verdict }: Item): MessageJobView {
  const { batch: _batch, step: _step, ...rest } = job;
  const at = Math.max(0, ...pods.map(({ step }) => step?.doneAt ?? 0)) || (job.finished?.at ?? job.createdAt);
  const finished: ObservedJob['finished'] = verdict ? { condition: verdict, reason: '', message: '', at } : job.finished;
  // What the whole Job was ended for is true of those indexes that had no end of their own.
  const own: ObservedJob = { ...rest, pods, finished, recorded: verdict ? undefined : job.recorded };
  return { ...own, message, carrier: { kind: 'index', index }, ...(verdict && { recorded: finalOutcome(own) }) };
}

function byIndex(pods: readonly ObservedPod[]): ReadonlyMap<number, readonly ObservedPod[]> {
  const found = new Map<number, ObservedPod[]>();
  for (const pod of pods) {
    const index = pod.step?.index;
    if (index !== undefined) found.set(index, [...(found.get(index) ?? []), pod]);
  }
  return found;
}
