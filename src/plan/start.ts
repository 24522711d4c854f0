/** Whether a queue whose slot is free gets its next Job: the template must have passed, and messages must wait. */
import type { DrainQueueSpec } from '../spec/queue.ts';
import type { DepthDemand } from './action.ts';
import { drainBlueprint, dryRunJob } from './drain-job.ts';
import type { Draft, Stand } from './draft.ts';
import { unlimited } from './limits/room.ts';
import type { ObservedJob } from './observed.ts';
import type { QueueRound } from './round.ts';
import { planCheck } from './template-check.ts';
import { waitFor } from './wait.ts';

/** Asks what is missing, or creates. Called only while the slot is free and no wait runs. */
export function planStart(draft: Draft, round: QueueRound): Stand {
  return unchecked(draft, round) ?? whenReady(draft, round);
}

function unchecked(draft: Draft, { observed, spec, winner, environment, now }: QueueRound): Stand | undefined {
  return planCheck(draft, {
    hash: spec.hash,
    verdict: observed.verdict,
    now,
    manifests: () => [dryRunJob(drainBlueprint(observed.key, spec, winner, { pods: spec.drain.pods.min, environment }))],
    pause: (count) => waitFor(spec, 'refused', count),
  });
}

function whenReady(draft: Draft, round: QueueRound): Stand {
  const { observed, spec, winner, environment } = round;
  const question = `after ${newestJob(observed.jobs)}`;
  draft.demand(depthDemand(spec, question));
  const reading = observed.depth?.question === question ? observed.depth : undefined;
  if (!reading) return { state: 'Checking', reason: 'SpecChecking', message: 'the queue is being looked at' };
  if (reading.result.kind === 'unknown') return { state: 'Blocked', reason: reading.result.reason, message: reading.result.message };
  const { ready } = reading.result;
  if (ready === 0) return { state: 'Idle', reason: 'QueueEmpty', message: 'no message is ready' };
  const pods = podsFor(spec, ready);
  if (spec.observe) return { state: 'Idle', reason: 'SpecObserved', message: `would start a Job with ${pods} ${pods === 1 ? 'pod' : 'pods'}; observe is true` };
  const { room = unlimited } = observed;
  if (room.jobs < 1) {
    draft.want(1);
    return room.shortage;
  }
  const blueprint = drainBlueprint(observed.key, spec, winner, { pods, environment });
  draft.act({ kind: 'create', reason: 'QueueReady', because: `${ready < upTo(spec) ? '' : 'at least '}${ready} ready ${ready === 1 ? 'message' : 'messages'}`, blueprint });
  return { state: 'Starting', reason: 'QueueReady', message: 'messages are ready; a Job is being created' };
}

/** The question changes with each Job, so that no reading from before its end can start another. */
function newestJob(jobs: readonly ObservedJob[]): string {
  const newest = [...jobs].sort((left, right) => (right.sequence ?? 0) - (left.sequence ?? 0))[0];
  return newest ? `Job ${newest.name}` : 'nothing';
}

/** `question` ties the answer to what it was asked for: a reading for another question is none (docs/adr/0004-readings-answer-one-question.md). */
export function depthDemand(spec: DrainQueueSpec, question: string): DepthDemand {
  return {
    kind: 'depth',
    question,
    source: spec.source,
    upTo: upTo(spec),
    every: spec.drain.checkInterval,
  };
}

/** Counting further changes nothing: the pods are at their maximum. */
function upTo(spec: DrainQueueSpec): number {
  return spec.drain.pods.max * spec.drain.pods.messagesPerPod;
}

/** Pods for so many ready messages, within the spec's bounds. */
export function podsFor(spec: DrainQueueSpec, ready: number): number {
  const { min, max, messagesPerPod } = spec.drain.pods;
  return Math.min(Math.max(Math.ceil(ready / messagesPerPod), min), max);
}
