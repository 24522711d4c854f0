/** What is due for Jobs and sub-runs that exist: giving up on them, ending those that nobody waits for any more. */
import { patience } from '../give-up.ts';
import { isAlive, jobState } from '../job-state.ts';
import type { ObservedJob } from '../observed.ts';
import { endAction, giveUpAction, planExplanation } from '../upkeep.ts';
import type { KnownAttempt } from './attempts.ts';
import type { RunDraft } from './draft.ts';
import { hasEnded, isCommanded, stopReason } from './standing.ts';

export function planUpkeep(draft: RunDraft, known: ReadonlyMap<string, KnownAttempt>): void {
  for (const job of draft.observed.jobs.values()) planJob(draft, job, known.get(job.name));
  for (const [name, child] of draft.observed.children) {
    if (!draft.runs(name) || child.deleting || child.commands.cancel !== undefined || !isUnwanted(draft, known.get(name))) continue;
    draft.act({ kind: 'cancelSubRun', reason: stopReason(draft.stopping), because: whyUnwanted(draft), name, uid: child.uid });
  }
  for (const [name, { step, awaited }] of known) {
    const reservation = awaited ? undefined : draft.observed.reservations.get(name);
    if (reservation !== undefined && reservation !== 'created' && step.work.kind !== 'subRun') draft.lookUp(step, name, `the create of Job "${name}" got no clean answer`);
  }
}

function planJob(draft: RunDraft, job: ObservedJob, known: KnownAttempt | undefined): void {
  const state = jobState(job);
  if (state === 'deleting' || state === 'finished' || state === 'lingering') return;
  if (known?.awaited === true || state === 'ending') {
    planPatience(draft, withStart(job, known));
  } else if (draft.runs(job.name) && isUnwanted(draft, known)) {
    // The outcome's reason is what tells a cancelled attempt from a failed one, should this process die before it writes that down.
    draft.act(endAction(job, stopReason(draft.stopping), { outcome: 'errored', reason: 'RunCancelled', message: whyUnwanted(draft) }));
  } else if (known?.attempt.outcome === 'succeeded' && repeatsItself(job)) {
    draft.act(endAction(job, 'StepSucceeded', { outcome: 'succeeded', reason: 'Completed', message: `step "${known.step.name}" has succeeded, and another pod of its Job does the work again` }));
  }
}

/**
 * The Job controller does not know yet that the work is done, and may never learn it: where a node went before it could tell
 * the phase of the pod, another pod follows. By then steps have started that rely on the first.
 */
function repeatsItself({ pods }: ObservedJob): boolean {
  return pods.some((pod) => isAlive(pod) && !pod.deleting && pod.step?.done === undefined);
}

/** What the record knows outlives the pod that told it. */
function withStart(job: ObservedJob, known: KnownAttempt | undefined): ObservedJob {
  const ranAt = known?.attempt.ranAt;
  return ranAt === undefined ? job : { ...job, ranAt };
}

function planPatience(draft: RunDraft, job: ObservedJob): void {
  const { observed, now } = draft;
  const verdict = patience(job, observed.explanations, now);
  if ('giveUp' in verdict) {
    draft.act(giveUpAction(job, verdict.giveUp));
    return;
  }
  draft.wake(verdict.until);
  planExplanation(draft, job, now);
}

/**
 * Its attempt has an outcome already, which the Job had no part in; one that succeeded is left to end by itself, as long as it does. One that no
 * attempt speaks of may still be met by its step: a process may have died after it created it. Once nothing can start that
 * has not started by now, nobody will.
 */
function isUnwanted(draft: RunDraft, known: KnownAttempt | undefined): boolean {
  if (known) return !known.awaited && known.attempt.outcome !== 'succeeded';
  return draft.end !== undefined || (!draft.held && (isCommanded(draft.stopping) || hasEnded(draft, draft.observed.spec.steps)));
}

function whyUnwanted({ stopping }: RunDraft): string {
  return stopping?.message ?? 'the run does not wait for it any more';
}
