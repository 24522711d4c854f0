/** How long no Job is started after Jobs that came to nothing and creates that were refused. Read from the Jobs themselves. */
import { growingPause } from '../../lib/growing-pause.ts';
import { hasStarted, isLive } from '../job-state.ts';
import type { ObservedJob, Refusal } from '../observed.ts';
import { finalOutcome } from '../outcome.ts';
import { isOpen, waitClass, type Wait, type WaitClass } from '../wait.ts';
import { holdingRefusal, pauseAfterRefusal } from './refusals.ts';
import type { MessageRound } from './round.ts';

/** A wait that runs, or one that is over and whose cause may go on: then one Job is the probe. */
export interface StartWait {
  readonly until: number;
  /** Since when a Job would be the probe. */
  readonly since: number;
  readonly cause: { readonly kind: 'outcomes'; readonly wait: Wait } | { readonly kind: 'refused'; readonly refusal: Refusal };
}

/** The longer of the two; undefined: nothing keeps Jobs from starting. */
export function startWait(round: MessageRound): StartWait | undefined {
  const waits = [afterOutcomes(round), afterRefusals(round)].filter((wait) => wait !== undefined);
  return waits.sort((left, right) => right.until - left.until)[0];
}

interface Ended {
  readonly class: WaitClass;
  readonly at: number;
}

/** An edited spec starts afresh: the edit may be the mend. */
function afterOutcomes({ observed: { jobs }, spec }: MessageRound): StartWait | undefined {
  const ofSpec = jobs.filter((job) => job.specHash === spec.hash);
  const ended = endedJobs(ofSpec);
  const [last] = ended;
  if (!last) return undefined;
  const other = ended.findIndex((job) => job.class !== last.class);
  const streak = other === -1 ? ended.length : other;
  const breakerOpen = isOpen(spec.breaker, last.class, streak);
  if (last.class !== 'notStarted' && !breakerOpen) return undefined;
  // A later Job that has started is the proof that Jobs do, however long it runs.
  if (last.class === 'notStarted' && ofSpec.some((job) => isLive(job) && job.createdAt >= last.at && hasStarted(job))) return undefined;
  const base = last.class === 'notStarted' ? spec.perMessage.waitAfter.notStarted : 0;
  const longest = Math.max(base, spec.breaker.probeEvery);
  const until = last.at + (breakerOpen ? longest : growingPause(streak, base, longest));
  return { until, since: last.at, cause: { kind: 'outcomes', wait: { class: last.class, streak, until, breakerOpen } } };
}

/** The newest first, by when they ended. */
function endedJobs(jobs: readonly ObservedJob[]): Ended[] {
  const ended = jobs.flatMap((job): (Ended & { readonly createdAt: number })[] => {
    const outcome = job.deleting ? undefined : finalOutcome(job);
    return outcome && job.finished ? [{ class: waitClass(outcome.outcome), at: job.finished.at, createdAt: job.createdAt }] : [];
  });
  return ended.sort((left, right) => right.at - left.at || right.createdAt - left.createdAt);
}

function afterRefusals(round: MessageRound): StartWait | undefined {
  const refusal = holdingRefusal(round);
  return refusal && { until: refusal.at + pauseAfterRefusal(round, refusal.turns ?? refusal.count), since: refusal.at, cause: { kind: 'refused', refusal } };
}

/** Whether a Job since then is on its way to its end, which will tell. */
export function isProbing({ observed, spec }: MessageRound, { since }: StartWait): boolean {
  return observed.jobs.some((job) => job.specHash === spec.hash && isLive(job) && job.createdAt >= since);
}
