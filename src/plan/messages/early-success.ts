/**
 * A Job for one message has done its work when its containers have: the Job controller says so a second or two later, and
 * the message need not wait for that. Only success is taken so; after a failure another pod may follow.
 */
import type { ObservedJob } from '../observed.ts';
import { successOf, type Success } from '../run/success.ts';

/** undefined: it has not, nobody asks, or its outcome is written already; or the Job controller alone can say what its success is. */
export function earlySuccess(job: ObservedJob): Success | undefined {
  const { message, step, recorded } = job;
  if (!message || message.settled || message.note.settle !== 'onCompletion' || job.finished || job.deleting || recorded?.phase === 'final') return undefined;
  // More pods than one, and rules of the user, are the Job controller's to judge.
  return step && !step.indexed && (step.completions ?? 1) === 1 ? successOf(job) : undefined;
}

/** When it ended, by its containers where the Job controller has not spoken yet; milliseconds since 1970. */
export function endOf(job: ObservedJob): number | undefined {
  return job.finished?.at ?? (job.recorded?.phase === 'final' ? successOf(job)?.at : undefined);
}
