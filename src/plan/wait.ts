/** How long to leave a queue alone after the outcomes of its last Jobs, and when its breaker opens. */
import { growingPause } from '../lib/growing-pause.ts';
import type { BreakerSpec, DrainQueueSpec } from '../spec/queue.ts';
import { newestFirst } from './job-state.ts';
import type { Outcome } from './notes.ts';
import type { ObservedJob } from './observed.ts';
import { finalOutcome } from './outcome.ts';

/** A refused request would be sent again at once and refused again, without end: this one wait cannot be switched off. */
export const shortestAfterRefusal = 1000;

/** Outcomes that share a wait: an eviction waits as a failure does. */
export type WaitClass = 'succeeded' | 'failed' | 'notStarted' | 'refused';

export interface Wait {
  readonly class: WaitClass;
  /** How many outcomes of this class came in a row, the last Job included. */
  readonly streak: number;
  readonly until: number;
  /** The streak is long enough that only probes are started. */
  readonly breakerOpen: boolean;
}

/**
 * The wait that the newest finished Job of this revision of the spec asks for. Read from the Jobs themselves, so a
 * restart changes nothing; an edited spec starts afresh, since the edit may be the mend.
 */
export function waitAfterRuns(spec: DrainQueueSpec, jobs: readonly ObservedJob[]): Wait | undefined {
  const ended = endedRuns(jobs.filter((job) => job.specHash === spec.hash));
  const last = ended[0];
  if (!last) return undefined;
  const streak = countStreak(ended);
  const breakerOpen = isOpen(spec.breaker, last.class, streak);
  return { class: last.class, streak, breakerOpen, until: last.at + waitFor(spec, last.class, streak, breakerOpen) };
}

interface EndedRun {
  readonly class: WaitClass;
  readonly at: number;
  readonly sequence: number | undefined;
}

/** Newest first. */
function endedRuns(jobs: readonly ObservedJob[]): EndedRun[] {
  const ended = jobs.filter((job) => job.finished !== undefined && !job.deleting);
  return newestFirst(ended).flatMap((job) => {
    const outcome = finalOutcome(job);
    return outcome && job.finished ? [{ class: waitClass(outcome.outcome), at: job.finished.at, sequence: job.sequence }] : [];
  });
}

/** Whether the work or the cluster failed it, the next attempt waits alike. */
export function waitClass(outcome: Outcome): WaitClass {
  return outcome === 'errored' ? 'failed' : outcome;
}

/** A gap in the sequence ends the streak: a success stood there, or a Job of another revision, that is deleted by now. */
function countStreak(runs: readonly EndedRun[]): number {
  const end = runs.findIndex((run, index) => run.class !== runs[0]?.class || (index > 0 && !follows(run, runs[index - 1])));
  return end === -1 ? runs.length : end;
}

function follows(older: EndedRun, newer: EndedRun | undefined): boolean {
  return older.sequence === undefined || newer?.sequence === undefined || older.sequence + 1 >= newer.sequence;
}

/** After so many outcomes of that class in a row. */
export function isOpen(breaker: BreakerSpec, last: WaitClass, streak: number): boolean {
  const threshold = last === 'notStarted' ? breaker.notStarted : last === 'failed' ? breaker.failed : undefined;
  return threshold !== undefined && streak >= threshold;
}

/**
 * Milliseconds: doubled with each repetition, at most `breaker.probeEvery` (or the base, where that is longer), so that
 * the waits lead up to the pace of the breaker's probes instead of past it. Success does not grow.
 */
export function waitFor(spec: DrainQueueSpec, after: WaitClass, streak: number, breakerOpen = false): number {
  const base = Math.max(spec.drain.waitAfter[after], after === 'refused' ? shortestAfterRefusal : 0);
  if (breakerOpen) return Math.max(base, spec.breaker.probeEvery);
  if (after === 'succeeded') return base;
  return growingPause(streak, base, Math.max(base, spec.breaker.probeEvery));
}
