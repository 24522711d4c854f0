/** One round of a Queue: what exists, what is due for it, and whether its next Job may start. */
import { growingPause } from '../lib/growing-pause.ts';
import type { DrainQueueSpec } from '../spec/queue.ts';
import type { Plan } from './action.ts';
import { Draft, type Stand } from './draft.ts';
import type { PlanEnvironment } from './environment.ts';
import { isoTime } from './iso-time.ts';
import { isLive } from './job-state.ts';
import type { Claim, Observed, Refusal } from './observed.ts';
import { planLiveJob } from './live-job.ts';
import type { QueueRound } from './round.ts';
import { planStart } from './start.ts';
import { queueStatus, rejected, superseded, withFailingCalls } from './status.ts';
import { planAfterDeletion, planMarks, planOwnership, planPatience, planPruning } from './upkeep.ts';
import { waitAfterRuns, waitFor, type Wait } from './wait.ts';
import { sourceName, winningClaim } from './winner.ts';

export function planQueue(observed: Observed, environment: PlanEnvironment, now: number): Plan {
  const draft = new Draft();
  const winning = winningClaim(observed.claims);
  const winner = winning?.claim;
  const spec = winner && specOf(winner);
  if (winner?.source.kind === 'configMap') planOwnership(draft, observed, winner.source);
  planPatience(draft, observed, now);
  if (!winner && observed.unread !== true) planAfterDeletion(draft, observed);
  planMarks(draft, observed);
  if (!spec) planLookUp(draft, observed);
  const stand = winner && (spec ? standOf(draft, { observed, environment, now, spec, winner }) : rejected(winner.parsed.problems));
  // Last: a Job that is to start waits for no deletion.
  const failing = planPruning(draft, observed, spec, now);
  if (winning && stand) {
    const { index, claim } = winning;
    draft.statuses.push({ claim: index, status: withFailingCalls(queueStatus(stand, claim, observed), failing, 'Job') });
    reportLosers(draft, observed, index);
  }
  return draft.finish(now);
}

/** undefined: its text is broken. */
function specOf({ parsed: { spec } }: Claim): DrainQueueSpec | undefined {
  return spec?.kind === 'Queue' && spec.mode === 'drain' ? spec : undefined;
}

function reportLosers(draft: Draft, observed: Observed, winnerIndex: number): void {
  const winner = observed.claims[winnerIndex];
  if (!winner) return;
  observed.claims.forEach((claim, index) => {
    if (index === winnerIndex || (claim.source.kind === 'configMap' && claim.source.deleting)) return;
    draft.statuses.push({ claim: index, status: queueStatus(superseded(claim, sourceName(winner)), claim, { ...observed, jobs: [] }) });
  });
}

/**
 * The first thing that keeps the next Job from starting is what the queue stands at. The order is from what is surest
 * (a Job is live) to what costs most to find out (the depth).
 */
function standOf(draft: Draft, round: QueueRound): Stand {
  return unresolved(draft, round) ?? occupied(draft, round) ?? held(draft, round) ?? waiting(draft, round) ?? starting(draft, round);
}

/**
 * A create without a clean answer: the name is looked up before anything else is decided. `pending` at the start of a
 * round is one too: the round that sent it died, since rounds of a key never overlap.
 */
function unresolved(draft: Draft, { observed }: QueueRound): Stand | undefined {
  const [reservation] = observed.reservations;
  if (!reservation) return undefined;
  const { jobName, state } = reservation;
  if (state === 'created') return { state: 'Starting', reason: 'JobCreated', message: `Job "${jobName}" was created` };
  planLookUp(draft, observed);
  return { state: 'Starting', reason: 'AnswerUnknown', message: `looking up whether Job "${jobName}" was created` };
}

/** Also for a queue whose spec is gone or broken: as long as nobody knows, the name takes a place under the limits. */
function planLookUp(draft: Draft, { reservations: [reservation] }: Observed): void {
  if (!reservation || reservation.state === 'created') return;
  const { jobName } = reservation;
  draft.act({ kind: 'resolve', reason: 'AnswerUnknown', because: `the create of Job "${jobName}" got no clean answer`, jobName });
}

function occupied(draft: Draft, round: QueueRound): Stand | undefined {
  const { observed } = round;
  const live = observed.jobs.filter(isLive);
  const [first] = live;
  if (first) return planLiveJob(draft, round, first);
  const [orphan] = observed.orphans;
  if (!orphan) return undefined;
  return { state: 'Ending', reason: 'PodsRemain', message: `pod "${orphan.name}" of a deleted Job still lives${orphan.node === undefined ? '' : ` on node "${orphan.node}"`}` };
}

function held(draft: Draft, { spec, observed: { room } }: QueueRound): Stand | undefined {
  if (spec.suspend) return { state: 'Suspended', reason: 'SpecSuspended', message: 'suspend is true: no Jobs are started' };
  if (room?.halted !== true || spec.observe) return undefined;
  draft.want(1);
  return room.shortage;
}

function waiting(draft: Draft, round: QueueRound): Stand | undefined {
  const { spec, observed, now } = round;
  const wait = waitAfterRuns(spec, observed.jobs);
  if (wait && now < wait.until) {
    draft.wake(wait.until);
    return waitStand(wait);
  }
  return afterDeletion(draft, round) ?? afterRefusal(draft, round);
}

/** Somebody, or something, deletes our Jobs: each time we wait longer before we start another. */
function afterDeletion(draft: Draft, { observed: { vanished }, now }: QueueRound): Stand | undefined {
  if (!vanished) return undefined;
  const until = vanished.at + growingPause(vanished.count, 1000, 60_000);
  if (now >= until) return undefined;
  draft.wake(until);
  return { state: 'Waiting', reason: 'JobDeleted', message: `${vanished.count === 1 ? 'a Job was' : `${vanished.count} Jobs in a row were`} deleted before they had finished; the queue is looked at again at ${isoTime(until)}` };
}

function afterRefusal(draft: Draft, { observed: { refusal }, spec, now }: QueueRound): Stand | undefined {
  if (refusal?.hash !== spec.hash) return undefined;
  const until = refusal.at + waitFor(spec, 'refused', refusal.count);
  if (now >= until) return undefined;
  draft.wake(until);
  return refusedStand(refusal);
}

/** A refused create is tried again after a wait; until one is accepted that is what the queue stands at. */
function starting(draft: Draft, round: QueueRound): Stand {
  const stand = planStart(draft, round);
  const { refusal } = round.observed;
  const trying = stand.reason === 'SpecChecking' || stand.reason === 'QueueReady';
  return refusal?.hash === round.spec.hash && trying ? refusedStand(refusal) : stand;
}

const refusalReasons = { quota: 'QuotaExceeded', forbidden: 'Forbidden', refused: 'CreateRefused', denied: 'PolicyDenied', taken: 'JobNameTaken' } as const;

function refusedStand(refusal: Refusal): Stand {
  return { state: 'Blocked', reason: refusalReasons[refusal.kind], message: refusal.message };
}

const waitReasons = { succeeded: 'WaitAfterSucceeded', failed: 'WaitAfterFailed', notStarted: 'WaitAfterNotStarted', refused: 'WaitAfterRefused' } as const;
const outcomeWords = { succeeded: 'succeeded', failed: 'failed', notStarted: 'did not start', refused: 'was refused' } as const;

function waitStand(wait: Wait): Stand {
  const until = isoTime(wait.until);
  const times = wait.streak === 1 ? 'the last Job' : `${wait.streak} Jobs in a row`;
  if (wait.breakerOpen) return { state: 'Blocked', reason: 'BreakerOpen', message: `${times} ${outcomeWords[wait.class]}; the next probe starts at ${until}` };
  return { state: 'Waiting', reason: waitReasons[wait.class], message: `${times} ${outcomeWords[wait.class]}; the queue is looked at again at ${until}` };
}

