/** When to end a Job that does not start, or that runs too long. */
import type { RecordedOutcome } from './notes.ts';
import type { ObservedJob, ObservedPod } from './observed.ts';
import { hasStarted, isAlive, jobState } from './job-state.ts';
import type { Reason } from './reason.ts';

/** Reasons that waiting does not heal: the name cannot be parsed, or the policy forbids pulling. */
const hopeless: ReadonlySet<string> = new Set(['InvalidImageName', 'ErrImageNeverPull']);
/** How long any other fatal waiting reason may last: a registry or a Secret may come back. */
const fatalGrace = 30_000;
/** Used where the Job's own note is missing or garbage. */
const defaultStartTimeout = 15 * 60_000;

export interface GiveUp {
  readonly reason: Reason;
  readonly outcome: RecordedOutcome;
}
export type Patience = { readonly giveUp: GiveUp } | { readonly until: number | undefined };
/** `due`: since when. */
type Limit = { readonly giveUp: GiveUp; readonly due: number } | { readonly until: number | undefined };

/** Whether the Job has to be ended now; if not, until when that need not be asked again. */
export function patience(job: ObservedJob, explanations: ReadonlyMap<string, string>, now: number): Patience {
  const state = jobState(job);
  if (state === 'ending') return endedWhileSuspended(job);
  if (state !== 'running' && state !== 'starting' && state !== 'podless') return { until: undefined };
  const limits = [fatalWaiting(job, now), state === 'running' ? runLimit(job, now) : startLimit(job, explanations, now)];
  // The one that came first stays the reason, however late somebody looks.
  const [first] = limits.filter((limit) => 'giveUp' in limit).sort((left, right) => left.due - right.due);
  if (first) return { giveUp: first.giveUp };
  return { until: earliest(limits.map((limit) => ('until' in limit ? limit.until : undefined))) };
}

/**
 * Somebody (Kueue) suspended the Job in the moment when it was ended: its deadline will not come. It is ended once more,
 * this time without pods; who suspends it again after that means it.
 */
function endedWhileSuspended({ recorded, suspended, parallelism }: ObservedJob): Patience {
  if (!recorded || !suspended || parallelism === 0) return { until: undefined };
  return { giveUp: { reason: 'JobEnding', outcome: recorded } };
}

/** Every living pod waits for something that will not come. One healthy pod is reason enough to go on. */
function fatalWaiting(job: ObservedJob, now: number): Limit {
  const living = job.pods.filter(isAlive);
  const ends = living.map(fatalAt);
  if (living.length === 0 || ends.some((end) => end === undefined)) return { until: undefined };
  const end = Math.max(...ends.filter((at) => at !== undefined));
  if (now < end) return { until: end };
  const waiting = living.find((pod) => pod.waiting)?.waiting;
  const reason = waiting?.reason ?? 'PodFatal';
  const text = waiting ? `container "${waiting.container}": ${waiting.message === '' ? waiting.reason : waiting.message}` : 'no container can start';
  return { giveUp: { reason: 'PodFatal', outcome: { phase: 'ending', outcome: hasStarted(job) ? 'failed' : 'notStarted', reason, message: text } }, due: end };
}

function fatalAt(pod: ObservedPod): number | undefined {
  // A container that ran and crashed is counted by backoffLimit; one that never gets past it, by startTimeout.
  if (pod.deleting || !pod.waiting || pod.waiting.reason === 'CrashLoopBackOff') return undefined;
  return pod.waiting.since + (hopeless.has(pod.waiting.reason) ? 0 : fatalGrace);
}

function startLimit(job: ObservedJob, explanations: ReadonlyMap<string, string>, now: number): Limit {
  // Not taken up by the Job controller yet: it is new, or Kueue has just resumed it, maybe hours after its creation.
  if (job.startedAt === undefined) return { until: undefined };
  const limit = job.upkeep?.startTimeout ?? defaultStartTimeout;
  const end = job.startedAt + limit;
  if (now < end) return { until: end };
  // At that time another pod ran, or the Job would have been ended: this one replaces it.
  if (job.pods.some((pod) => isAlive(pod) && pod.createdAt >= end)) return { until: undefined };
  const message = whyNotStarted(job, explanations) ?? `no container started within ${limit / 1000} s`;
  return { giveUp: { reason: 'StartTimeout', outcome: { phase: 'ending', outcome: 'notStarted', reason: 'StartTimeout', message } }, due: end };
}

/** What is known of why no container has started yet. */
export function whyNotStarted(job: ObservedJob, explanations: ReadonlyMap<string, string>): string | undefined {
  for (const pod of job.pods) {
    if (pod.waiting) return `pod ${pod.name}, container "${pod.waiting.container}": ${pod.waiting.reason}: ${pod.waiting.message}`;
    if (pod.unscheduled) return `pod ${pod.name}: ${pod.unscheduled.reason}: ${pod.unscheduled.message}`;
    const told = explanations.get(pod.uid);
    if (told !== undefined) return `pod ${pod.name}: ${told}`;
  }
  return explanations.get(job.uid);
}

function runLimit(job: ObservedJob, now: number): Limit {
  const limit = job.upkeep?.timeout;
  if (limit === undefined) return { until: undefined };
  const starts = [job.ranAt, ...job.pods.map((pod) => pod.startedAt)].filter((at) => at !== undefined);
  const end = Math.min(...starts, ...(starts.length === 0 ? [job.startedAt ?? job.createdAt] : [])) + limit;
  if (now < end) return { until: end };
  return { giveUp: { reason: 'Timeout', outcome: { phase: 'ending', outcome: 'failed', reason: 'Timeout', message: `still running after its timeout of ${limit / 1000} s` } }, due: end };
}

/** The smallest of the times that are set. */
export function earliest(times: readonly (number | undefined)[]): number | undefined {
  const set = times.filter((time) => time !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}
