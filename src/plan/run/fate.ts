/** How one attempt of a step comes out: the containers' own word first, the Job controller's verdict where that is not enough. */
import { formatIndexes, parseIndexes } from '../../lib/index-ranges.ts';
import type { Json } from '../../lib/json.ts';
import { isAlive } from '../job-state.ts';
import type { RecordedOutcome } from '../notes.ts';
import type { ObservedJob, ObservedPod, StepPodFacts } from '../observed.ts';
import { finalOutcome, mayTellMore, verdictText } from '../outcome.ts';
import { readItemOutputs, readOutputs, type OutputProblem, type OutputReading, type OutputSpecs } from './outputs.ts';
import type { Attempt } from './state.ts';
import { successOf, type Success } from './success.ts';

export type Fate = OpenFate | EndedFate;
export interface OpenFate {
  readonly kind: 'open';
  /** When its first container started. */
  readonly ranAt?: number;
  /** The Job controller has spoken, and the pods that tell the rest are waited for until then. */
  readonly until?: number;
}
export interface EndedFate {
  readonly kind: 'ended';
  readonly outcome: 'succeeded' | 'failed' | 'errored' | 'notStarted' | 'refused' | 'cancelled';
  readonly reason: string;
  readonly message: string;
  readonly exitCode?: number;
  readonly ranAt?: number;
  readonly endedAt: number;
  /** Also of an Indexed Job that failed, as far as its items succeeded. */
  readonly outputs?: Readonly<Record<string, Json>>;
  /** Of an Indexed Job that failed: which items did. */
  readonly failedItems?: readonly number[];
}

export interface FateRules {
  readonly outputs: OutputSpecs;
  /** Items of a forEach that is one Indexed Job; undefined: the Job stands for itself. */
  readonly count: number | undefined;
  /** By the API server's clock. */
  readonly now: number;
}

/**
 * Pods come by another watch than Jobs and may be behind it: a watch that is silent is opened again after three minutes.
 * So long after the Job controller's verdict those are waited for that were never seen; who is not there by then was deleted.
 */
const podsFollowWithin = 4 * 60_000;
/** Those that are being stopped are in view: they may still tell something, and may take long to. */
const podsStopWithin = 30_000;

/**
 * What has become of the Job. Success needs only its containers; failure always waits for the Job's verdict, since
 * another pod may follow. What job-chief ended itself came out as it was ended, unless it had succeeded before.
 */
export function fateOf(job: ObservedJob, rules: FateRules): Fate {
  const ranAt = firstStart(job.pods);
  const ran = ranAt === undefined ? {} : { ranAt };
  const success = successOf(job);
  if (success) return { ...succeeded(job, success, rules), ...ran };
  if (!job.finished) return { kind: 'open', ...ran };
  const until = job.finished.at + (hasUnseenEnd(job) ? podsFollowWithin : podsStopWithin);
  if (rules.now < until && (mayTellMore(job) || hasUnseenFailure(job))) return { kind: 'open', until, ...ran };
  const told = finalOutcome({ ...job, pods: tellingPods(job, rules.count) });
  return told ? { ...failed(job, told, rules), ...ran } : { kind: 'open', ...ran };
}

/** A pod that ended by itself stays until somebody deletes it: one that was counted, is not there and was not seen to go has not come yet. */
function hasUnseenFailure(job: ObservedJob): boolean {
  return job.recorded === undefined && job.failedPods > (job.gone?.failed ?? 0) && job.pods.length === 0 && job.finished?.reason !== 'DeadlineExceeded';
}

/** What ends a Job ends its pods or asks them to: one that runs on in view is not what it is any more. */
function hasUnseenEnd(job: ObservedJob): boolean {
  return hasUnseenFailure(job) || job.pods.some((pod) => isAlive(pod) && !pod.deleting && pod.step?.done === undefined);
}

function firstStart(pods: readonly ObservedPod[]): number | undefined {
  const starts = pods.map((pod) => pod.startedAt).filter((at) => at !== undefined);
  return starts.length === 0 ? undefined : Math.min(...starts);
}

function succeeded(job: ObservedJob, success: Success, rules: FateRules): Fate {
  const ended = { kind: 'ended', outcome: 'succeeded', reason: 'Completed', message: '', endedAt: success.at } as const;
  const specs = Object.entries(rules.outputs);
  if (specs.length === 0) return ended;
  const until = (job.finished?.at ?? 0) + podsFollowWithin;
  if (success.missing > (job.gone?.succeeded ?? 0) && rules.now < until) return { kind: 'open', until };
  const required = specs.find(([, { default: otherwise }]) => otherwise === undefined);
  if (success.missing > 0 && required) {
    const pods = success.missing === 1 ? 'the pod that wrote it was' : `${success.missing} pods that wrote it were`;
    return { ...ended, outcome: 'errored', reason: 'OutputMissing', message: `output "${required[0]}" is not known: ${pods} gone before it was read` };
  }
  const reading = outputsOf(success.pods, rules);
  return reading.kind === 'read' ? { ...ended, outputs: reading.outputs } : { ...ended, ...unreadable(reading) };
}

function unreadable({ reason, message, items }: OutputProblem): Pick<EndedFate, 'outcome' | 'reason' | 'message' | 'failedItems'> {
  return { outcome: 'failed', reason, message, ...(items ? { failedItems: items } : {}) };
}

function outputsOf(pods: readonly ObservedPod[], { outputs, count }: FateRules): OutputReading {
  const facts = pods.flatMap((pod) => (pod.step ? [pod.step] : []));
  if (count === undefined) return readOutputs(outputs, facts);
  const byIndex = new Map<number, StepPodFacts>();
  for (const pod of facts) if (pod.index !== undefined) byIndex.set(pod.index, pod);
  return readItemOutputs(outputs, byIndex, count);
}

/** Why job-chief ended a Job whose run was cancelled. */
const cancelReason = 'RunCancelled';

function failed(job: ObservedJob, told: RecordedOutcome, rules: FateRules): EndedFate {
  const { reason, message, exitCode } = told;
  const outcome = reason === cancelReason ? 'cancelled' : told.outcome;
  const ended = { kind: 'ended', outcome, reason, message, endedAt: job.finished?.at ?? job.createdAt, ...(exitCode === undefined ? {} : { exitCode }) } as const;
  return rules.count !== undefined && outcome === 'failed' ? { ...ended, ...itemsOf(job, message, { ...rules, count: rules.count }) } : ended;
}

/** An item may have failed and then succeeded: only the pods of those that failed for good tell why an Indexed Job did. */
function tellingPods(job: ObservedJob, count: number | undefined): readonly ObservedPod[] {
  if (count === undefined) return job.pods;
  if (job.finished?.reason === 'DeadlineExceeded') return [];
  const items = new Set(failedItemsOf(job, count));
  return job.pods.filter(({ step }) => step?.index !== undefined && items.has(step.index));
}

/** As the Job controller has them; without a limit for each index, those that did not succeed. */
function failedItemsOf({ step }: ObservedJob, count: number): readonly number[] {
  const named = parseIndexes(step?.failedIndexes, count);
  if (named.size > 0) return [...named];
  const completed = parseIndexes(step?.completedIndexes, count);
  return Array.from({ length: count }, (_, index) => index).filter((index) => !completed.has(index));
}

function itemsOf(job: ObservedJob, message: string, rules: FateRules & { readonly count: number }): Pick<EndedFate, 'message' | 'failedItems' | 'outputs'> {
  const failedItems = failedItemsOf(job, rules.count);
  const reading = outputsOf(job.pods.filter((pod) => pod.step?.done === 'succeeded'), rules);
  return {
    message: `${failedItems.length} of ${rules.count} items failed (${formatIndexes(failedItems)})${message === '' ? '' : `: ${message}`}`,
    failedItems,
    ...(reading.kind === 'read' && Object.keys(reading.outputs).length > 0 ? { outputs: reading.outputs } : {}),
  };
}

/** Text where the Job controller's verdict contradicts what the attempt was recorded as; undefined: it does not. */
export function laterVerdict({ finished }: ObservedJob, { outcome, reason }: Attempt): string | undefined {
  if (!finished || outcome === undefined) return undefined;
  // The containers did succeed: what they wrote was wrong.
  const worked = outcome === 'succeeded' || (reason?.startsWith('Output') ?? false);
  if (worked === (finished.condition === 'Complete')) return undefined;
  return verdictText(finished);
}

/** Whether the Job counts against maxParallel: its outcome is not known yet, or a container of it still runs. */
export function takesSlot(job: ObservedJob): boolean {
  const known = job.finished !== undefined || successOf(job) !== undefined;
  return !known || job.pods.some((pod) => isAlive(pod) && pod.step?.done === undefined);
}
