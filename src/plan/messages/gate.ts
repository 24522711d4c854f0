/** Whether Jobs may be started for messages, and messages leased; and what the queue stands at where they may not. */
import { sourceText } from '../../spec/queue-source.ts';
import type { Draft, Stand } from '../draft.ts';
import { isoTime } from '../iso-time.ts';
import { planCheck } from '../template-check.ts';
import { afterDeletion, refusedStand, waitStand } from '../wait-stand.ts';
import { sampleBatch } from './batches/batch-job.ts';
import { leaseTooShort } from './lease-limit.ts';
import { sampleJob } from './message-job.ts';
import { pauseAfterRefusal } from './refusals.ts';
import type { MessageRound } from './round.ts';
import { runLeaseTooShort } from './runs/lease-limit.ts';
import { isProbing, startWait, type StartWait } from './start-wait.ts';

export type Gate =
  | { readonly kind: 'open' }
  /** Only one, and no other until it is known what came of it. */
  | { readonly kind: 'probe'; readonly stand: Stand }
  /** `wants`: but for the limits of the instance more would start. */
  | { readonly kind: 'held'; readonly stand: Stand; readonly wants?: true };

const held = (stand: Stand | undefined): Gate | undefined => stand && { kind: 'held', stand };

/** Asks what is missing. The first thing that holds starts is what the queue stands at. `inFlight`: creates that are under way. */
export function gateOf(draft: Draft, round: MessageRound, inFlight: number): Gate {
  return held(suspended(round)) ?? halted(round) ?? held(checked(draft, round)) ?? held(observing(round)) ?? held(sourceStand(round)) ?? held(afterDeletion(draft, round.observed, round.now)) ?? afterFailures(draft, round, inFlight) ?? { kind: 'open' };
}

function suspended({ spec }: MessageRound): Stand | undefined {
  return spec.suspend ? { state: 'Suspended', reason: 'SpecSuspended', message: 'suspend is true: no Jobs are started' } : undefined;
}

function halted({ observed: { room }, spec }: MessageRound): Gate | undefined {
  return room?.halted === true && !spec.observe ? { kind: 'held', stand: room.shortage, wants: true } : undefined;
}

function checked(draft: Draft, round: MessageRound): Stand | undefined {
  const { observed, spec, winner, environment, now, runs } = round;
  if (runs) return 'held' in runs ? runs.held : undefined;
  return planCheck(draft, {
    hash: spec.hash,
    verdict: observed.verdict,
    now,
    manifests: () => [(spec.batch ? sampleBatch : sampleJob)({ key: observed.key, spec, claim: winner, environment })],
    pause: (count) => pauseAfterRefusal(round, count),
  });
}

function observing({ spec }: MessageRound): Stand | undefined {
  return spec.observe ? { state: 'Idle', reason: 'SpecObserved', message: `would lease messages and start a ${spec.run ? 'run' : 'Job'} for each${spec.batch ? ' batch of them' : ''}; observe is true` } : undefined;
}

function sourceStand({ view, spec, runs }: MessageRound): Stand | undefined {
  const state = view.sources.get(sourceText(spec.source));
  if (!state) return { state: 'Checking', reason: 'SpecChecking', message: 'the queue is being opened' };
  if (state.kind === 'closed') return { state: 'Blocked', reason: state.reason, message: state.message };
  return spec.run && runs && 'spec' in runs ? runLeaseTooShort(spec, { run: spec.run, target: runs.spec }, state) : leaseTooShort(spec, state);
}

function afterFailures(draft: Draft, round: MessageRound, inFlight: number): Gate | undefined {
  const wait = startWait(round);
  if (!wait) return undefined;
  if (round.now < wait.until) {
    draft.wake(wait.until);
    return { kind: 'held', stand: standOf(wait) };
  }
  return inFlight > 0 || isProbing(round, wait) ? { kind: 'held', stand: probeStand(wait) } : { kind: 'probe', stand: probeStand(wait) };
}

function standOf({ cause }: StartWait): Stand {
  return cause.kind === 'refused' ? refusedStand(cause.refusal) : waitStand(cause.wait);
}

function probeStand(wait: StartWait): Stand {
  const { state, reason, message } = standOf(wait);
  if (wait.cause.kind === 'refused') return { state, reason, message };
  const { streak, class: last } = wait.cause.wait;
  const times = streak === 1 ? 'the last Job' : `${streak} Jobs in a row`;
  return { state, reason, message: `${times} ${last === 'notStarted' ? 'did not start' : 'failed'}; since ${isoTime(wait.until)} one Job tries` };
}
