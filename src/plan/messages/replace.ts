/** Jobs of an older text where onSpecChange is replace. */
import type { Draft } from '../draft.ts';
import { jobState, type JobState } from '../job-state.ts';
import type { ObservedJob } from '../observed.ts';
import { endAction } from '../upkeep.ts';
import type { MessageRound } from './round.ts';

const open: ReadonlySet<JobState> = new Set(['running', 'starting', 'podless', 'suspended']);

/** Their messages are in hand and get new Jobs, without an attempt being counted; one whose message was taken has nothing but its Job. */
export function planReplacement(draft: Draft, { observed, spec }: MessageRound): void {
  if (spec.onSpecChange !== 'replace' || spec.suspend || spec.observe || observed.room?.halted === true) return;
  for (const job of observed.jobs) {
    if (job.specHash === spec.hash || !open.has(jobState(job)) || draft.ends(job.uid) || !mayBeReplaced(job)) continue;
    draft.act(endAction(job, 'SpecChanged', { outcome: 'errored', reason: 'SpecChanged', message: 'the spec changed and onSpecChange is replace' }));
  }
}

/** Its work goes on without it: its messages come again. Of those that were taken from their queue it is all that is left. A batch that was never let go is none yet. */
export function mayBeReplaced({ message, batch }: ObservedJob): boolean {
  return batch ? batch.committed && batch.notes[0]?.settle !== 'onJobCreated' : message?.note.settle !== 'onJobCreated';
}
