/** One round of a Queue: what exists, what is due for it, and whether its next Job may start. */
import type { QueueSpec } from '../spec/queue.ts';
import type { Plan } from './action.ts';
import { Draft, type Stand } from './draft.ts';
import type { PlanEnvironment } from './environment.ts';
import { isLive } from './job-state.ts';
import type { Claim, Observed } from './observed.ts';
import { planLiveJob } from './live-job.ts';
import { messagePatience } from './messages/payload-lost.ts';
import { hasMessages, planMessages } from './messages/plan-messages.ts';
import type { QueueRound } from './round.ts';
import { planStart } from './start.ts';
import { queueStatus, rejected, superseded, withFailingCalls, withTroubles } from './status.ts';
import { planAfterDeletion, planMarks, planOwnership, planPatience, planPruning } from './upkeep.ts';
import { waitAfterRuns, waitFor } from './wait.ts';
import { afterDeletion, refusedStand, waitStand } from './wait-stand.ts';
import { sourceName, winningClaim } from './winner.ts';

export function planQueue(observed: Observed, environment: PlanEnvironment, now: number): Plan {
  const draft = new Draft();
  const winning = winningClaim(observed.claims);
  const winner = winning?.claim;
  planUpkeep(draft, observed, { now, winner });
  const stand = standOfAll(draft, observed, { environment, now, winner });
  // Last: a Job that is to start waits for no deletion.
  const failing = planPruning(draft, observed, winner && specOf(winner), now);
  if (winning && stand) {
    const { index, claim } = winning;
    draft.statuses.push({ claim: index, status: withTroubles(withFailingCalls(queueStatus(stand, claim, observed), failing, 'Job'), observed.messages?.troubles) });
    reportLosers(draft, observed, index);
  }
  return draft.finish(now);
}

/** What is due for Jobs that exist, whatever has become of their spec. */
function planUpkeep(draft: Draft, observed: Observed, { now, winner }: { readonly now: number; readonly winner: Claim | undefined }): void {
  if (winner?.source.kind === 'configMap') planOwnership(draft, observed, winner.source);
  planPatience(draft, observed, now, messagePatience(observed));
  if (!winner && observed.unread !== true) planAfterDeletion(draft, observed);
  planMarks(draft, observed);
}

interface Context {
  readonly environment: PlanEnvironment;
  readonly now: number;
  readonly winner: Claim | undefined;
}

/** undefined: nobody defines the queue. */
function standOfAll(draft: Draft, observed: Observed, context: Context): Stand | undefined {
  const { winner } = context;
  const spec = winner && specOf(winner);
  const aboutMessages = planForMessages(draft, observed, context);
  if (!spec) planLookUp(draft, observed);
  if (!winner || aboutMessages) return aboutMessages;
  return spec?.mode === 'drain' ? standOf(draft, { ...context, observed, spec, winner }) : rejected(winner.parsed.problems);
}

/** undefined: its text is broken. */
function specOf({ parsed: { spec } }: Claim): QueueSpec | undefined {
  return spec?.kind === 'Queue' ? spec : undefined;
}

/** What a queue that leases messages stands at. Of others only what is left of such a time is looked after. */
function planForMessages(draft: Draft, observed: Observed, { winner, ...context }: Context): Stand | undefined {
  const spec = winner && specOf(winner);
  const wanted = winner && spec && spec.mode !== 'drain' ? { spec, winner } : undefined;
  return wanted || hasMessages(observed) ? planMessages(draft, { ...context, observed, wanted }) : undefined;
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
  return afterDeletion(draft, observed, now) ?? afterRefusal(draft, round);
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
