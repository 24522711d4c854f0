/** One round of a Workflow: which runs start, which wait, and which records may go. What happens within a run is plan/run. */
import { growingPause } from '../../lib/growing-pause.ts';
import { isRunnable } from '../../spec/parsed.ts';
import { rejected, superseded, withFailingCalls } from '../status.ts';
import { sourceName, winningClaim } from '../winner.ts';
import type { Stand } from '../draft.ts';
import type { PlanEnvironment } from '../environment.ts';
import type { Claim, Refusal } from '../observed.ts';
import { planCheck } from '../template-check.ts';
import type { WorkflowPlan } from './action.ts';
import { admit, queueOf, unseen } from './admission.ts';
import { dryRunJobs } from './dry-run.ts';
import { planHistory } from './history.ts';
import type { ObservedWorkflow } from './observed.ts';
import { planOwnership } from './ownership.ts';
import { recordRef, runsText } from './records.ts';
import { noWish, WorkflowDraft, type Wish, type WorkflowRound } from './round.ts';
import { scheduleWish } from './schedule.ts';
import { standOf, supersededStatus, withRuns, workflowStatus } from './status.ts';
import { timetableOf, type Timetable } from './timetable.ts';
import { changeWish } from './trigger-change.ts';

/** `now`: milliseconds since 1970 by this process's clock. */
export function planWorkflow(observed: ObservedWorkflow, environment: PlanEnvironment, now: number): WorkflowPlan {
  const draft = new WorkflowDraft();
  const winner = winningClaim(observed.claims);
  const round = winner && roundOf({ observed, environment, now }, winner);
  if (winner) planClaims(draft, observed, { ...winner, round });
  // An observer deletes nothing either.
  const failing = !observed.recordsUnknown && round?.spec.observe !== true ? planHistory(draft, observed, { spec: round?.spec, now }) : undefined;
  const { actions, demands, statuses, wakeAt } = draft.finish(now);
  const told = statuses.map(({ claim, status }) => ({ claim, status: claim === winner?.index ? withFailingCalls(status, failing, 'run') : status }));
  return { actions, demands, ...(draft.calls.length > 0 && { calls: draft.calls }), statuses: told, missed: draft.missed, wakeAt };
}

interface Winner {
  readonly index: number;
  readonly claim: Claim;
}

/** undefined: its text is broken. */
function roundOf(view: Pick<WorkflowRound, 'observed' | 'environment' | 'now'>, { index, claim }: Winner): WorkflowRound | undefined {
  const { spec } = claim.parsed;
  return isRunnable(spec) ? { ...view, spec, winner: claim, index } : undefined;
}

function planClaims(draft: WorkflowDraft, observed: ObservedWorkflow, { index, claim, round }: Winner & { readonly round: WorkflowRound | undefined }): void {
  if (!observed.recordsUnknown && claim.source.kind === 'configMap') planOwnership(draft, observed, claim.source);
  const timetable = round && timetableOf(round);
  draft.wake(timetable?.next);
  const stand = unknownRecords(observed) ?? (round ? decide(draft, round, timetable) : withRuns(rejected(claim.parsed.problems), observed));
  draft.statuses.push({ claim: index, status: workflowStatus(claim, observed, { stand, round, timetable }) });
  reportLosers(draft, observed, { index, claim });
}

/** Nothing is started, and nothing concluded, from what may be missing. */
function unknownRecords({ recordsUnknown }: ObservedWorkflow): Stand | undefined {
  return recordsUnknown && { state: 'Blocked', reason: recordsUnknown.reason, message: recordsUnknown.message };
}

function reportLosers(draft: WorkflowDraft, { claims }: ObservedWorkflow, winner: Winner): void {
  claims.forEach((claim, index) => {
    if (index === winner.index || (claim.source.kind === 'configMap' && claim.source.deleting)) return;
    draft.statuses.push({ claim: index, status: supersededStatus(claim, superseded(claim, sourceName(winner.claim))) });
  });
}

/** The first thing that keeps every run from starting; else what starts, and what waits. */
function decide(draft: WorkflowDraft, round: WorkflowRound, timetable: Timetable | undefined): Stand {
  return held(round) ?? unchecked(draft, round) ?? starting(draft, round, timetable);
}

function held({ spec, observed }: WorkflowRound): Stand | undefined {
  const stand: Stand | undefined = spec.suspend ? { state: 'Suspended', reason: 'SpecSuspended', message: 'suspend is true: no runs are started' } : spec.observe ? undefined : observed.halt;
  return stand && withRuns(stand, observed);
}

function unchecked(draft: WorkflowDraft, { observed, spec, environment, now }: WorkflowRound): Stand | undefined {
  return planCheck(draft, { hash: spec.hash, verdict: observed.verdict, now, manifests: () => dryRunJobs(spec, observed.key, environment), pause: pauseAfterRefusal });
}

/** Milliseconds, after so many refusals in a row: longer each time, up to five minutes, for what was missing may come. */
function pauseAfterRefusal(count: number): number {
  return growingPause(count, 30_000, 5 * 60_000);
}

function starting(draft: WorkflowDraft, round: WorkflowRound, timetable: Timetable | undefined): Stand {
  const wishes = [changeWish(round), timetable ? scheduleWish(draft, round, timetable) : noWish];
  if (round.spec.observe) return wouldStart(round, wishes);
  const refusal = refusalNow(draft, round);
  for (const wish of wishes) planCancels(draft, wish);
  const queue = queueOf(round);
  // While a create is under way, its record may be missing from what was looked at.
  const creates = refusal?.waits === true || unseen(round).length > 0 ? [] : wishes.flatMap(({ start }) => start ?? []);
  const admitted = admit(draft, round, [...creates, ...queue.ready]);
  return standOf(round, { timetable, wishes, queue, admitted, refusal: wishes.some(({ start }) => start) ? refusal?.refusal : undefined });
}

/** A run that is in the way of a newer one is asked to end, as people would ask it to. */
function planCancels(draft: WorkflowDraft, { cancel }: Wish): void {
  for (const record of cancel) draft.act({ kind: 'cancelRun', reason: 'RunReplaced', because: 'a newer run replaces it', record: recordRef(record) });
}

const longestRefusalPause = 30_000;

/** The last create was refused. It is tried again, after a second at first; until one is accepted that is what it stands at. */
function refusalNow(draft: WorkflowDraft, { observed: { refusal }, spec, now }: WorkflowRound): { readonly refusal: Refusal; readonly waits: boolean } | undefined {
  if (refusal?.hash !== spec.hash) return undefined;
  const until = refusal.at + growingPause(refusal.count, 1000, longestRefusalPause);
  draft.wake(until);
  return { refusal, waits: now < until };
}

function wouldStart(round: WorkflowRound, wishes: readonly Wish[]): Stand {
  const would = [...wishes.flatMap(({ start }) => start ?? []), ...queueOf(round).ready];
  const message = would.length === 0 ? 'observe is true: no runs are started' : `would start ${would.length === 1 ? would[0]?.what : runsText(would)}; observe is true`;
  return withRuns({ state: 'Idle', reason: 'SpecObserved', message }, round.observed);
}
