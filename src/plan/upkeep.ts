/**
 * What is due for Jobs that exist, whatever has become of their spec: giving up, writing outcomes down, ownership,
 * retention. It goes on while a spec is suspended, broken or gone.
 */
import type { JsonObject } from '../lib/json.ts';
import type { Retention } from '../spec/common.ts';
import type { QueueSpec } from '../spec/queue.ts';
import type { EndAction, ExplanationDemand, JobRef, MarkAction } from './action.ts';
import { tellBefore, type Told } from './before-delete.ts';
import type { Draft } from './draft.ts';
import { patience, type GiveUp } from './give-up.ts';
import { isoTime } from './iso-time.ts';
import { isAlive, jobState } from './job-state.ts';
import type { Calls, ConfigMapSource, Observed, ObservedJob, SpecKey } from './observed.ts';
import { earlySuccess } from './messages/early-success.ts';
import type { Outcome, RecordedOutcome } from './notes.ts';
import { finalOutcome, mayTellMore, succeeded, verdictText } from './outcome.ts';
import { notedRetention, planRetention } from './retention.ts';
import type { Reason } from './reason.ts';

/** A Job without a pod after this time has a story to tell: its Events are asked for. */
const explainAfter = 10_000;
/** While it stays mute it is asked about again. */
const explainEvery = 30_000;

/** What a write needs to reach this Job and no namesake: the UID, and for deletions the version that was looked at. */
export function refOf(job: ObservedJob): JobRef {
  return { name: job.name, uid: job.uid, resourceVersion: job.resourceVersion };
}

/** Gives up on a Job. The outcome is written with the deadline, in one patch, so that no restart finds one without the other. */
export function endAction(job: ObservedJob, reason: Reason, outcome: { outcome: Outcome; reason: string; message: string }): EndAction {
  return {
    kind: 'end',
    reason,
    because: outcome.message,
    job: refOf(job),
    suspended: job.suspended,
    outcome: { ...outcome, phase: 'ending' },
  };
}

/** Watches may be behind: what has started meanwhile is not ended for not having started. */
export function giveUpAction(job: ObservedJob, { reason, outcome }: GiveUp): EndAction {
  return { ...endAction(job, reason, outcome), ifUnchanged: true };
}

/** Ends what does not start or runs too long, as `judge` says. */
export function planPatience(draft: Draft, observed: Observed, now: number, judge: typeof patience = patience): void {
  for (const job of observed.jobs) {
    const verdict = judge(job, observed.explanations, now);
    if ('giveUp' in verdict) draft.act(giveUpAction(job, verdict.giveUp));
    else draft.wake(verdict.until);
    planExplanation(draft, job, now);
  }
}

/** A plan that can ask for Events. */
export interface Inquirer {
  demand(demand: ExplanationDemand): void;
  wake(at: number | undefined): void;
}

/** Asks why a Job has no pod, or why its pods stay mute. */
export function planExplanation(draft: Inquirer, job: ObservedJob, now: number): void {
  const state = jobState(job);
  if (state !== 'podless' && state !== 'starting') return;
  const at = (job.startedAt ?? job.createdAt) + explainAfter;
  if (now < at) {
    draft.wake(at);
    return;
  }
  draft.wake(now + explainEvery);
  const mute = job.pods.filter((pod) => isAlive(pod) && !pod.waiting && !pod.unscheduled).slice(0, 3);
  if (state === 'podless') draft.demand({ kind: 'explanation', objects: [{ kind: 'Job', name: job.name, uid: job.uid }] });
  else if (mute.length > 0) draft.demand({ kind: 'explanation', objects: mute.map((pod) => ({ kind: 'Pod' as const, name: pod.name, uid: pod.uid })) });
}

const finishReasons: Record<Outcome, Reason> = {
  succeeded: 'JobSucceeded',
  failed: 'JobFailed',
  errored: 'JobErrored',
  notStarted: 'JobNotStarted',
  refused: 'CreateRefused',
};

/**
 * Writes outcomes on Jobs, once: what becomes of messages, retention, waits and the breaker read them there. A Job for a
 * message has its outcome as soon as its containers have done the work; what the Job controller says later changes nothing.
 */
export function planMarks(draft: Draft, observed: Observed): void {
  for (const job of observed.jobs) {
    const early = earlySuccess(job);
    const outcome = early ? succeeded : finalOutcome(job);
    if (!outcome || job.deleting) continue;
    if (job.recorded?.phase === 'final') planVerdict(draft, job, job.recorded);
    else if (!mayTellMore(job)) draft.act({ kind: 'mark', reason: finishReasons[outcome.outcome], because: outcome.message === '' ? outcome.reason : outcome.message, job: refOf(job), outcome, ...timesOf(job, early?.at) });
  }
}

function timesOf({ finished, startedAt }: ObservedJob, endedAt: number | undefined): Pick<MarkAction, 'ran' | 'endedAt'> {
  const end = endedAt ?? finished?.at;
  return { ran: end !== undefined && startedAt !== undefined ? end - startedAt : undefined, ...(endedAt !== undefined && { endedAt }) };
}

/** Who looks at the Job finds it failed, and its message settled as done: why, stands beside the outcome. */
function planVerdict(draft: Draft, job: ObservedJob, recorded: RecordedOutcome): void {
  if (!job.message || recorded.outcome !== 'succeeded' || job.finished?.condition !== 'Failed' || recorded.verdict !== undefined) return;
  const verdict = verdictText(job.finished);
  draft.act({ kind: 'mark', reason: 'VerdictDiffers', because: `its containers have done their work, and the Job controller says ${verdict}`, job: refOf(job), outcome: { ...recorded, verdict }, ran: undefined });
}

/**
 * Jobs follow the ConfigMap that defines their queue now, so that deleting the former one does not take them along. Only
 * from a claim that lost: an owner that is not known here may be newer than this cache, and handing the Job back to the
 * older one would have it collected.
 */
export function planOwnership(draft: Draft, observed: Observed, winner: ConfigMapSource): void {
  const losers = new Set(observed.claims.flatMap(({ source }) => (source.kind === 'configMap' && source.uid !== winner.uid ? [source.uid] : [])));
  for (const job of observed.jobs) {
    if (job.onSpecDelete === 'finish' || job.deleting || job.ownerUid === undefined || !losers.has(job.ownerUid)) continue;
    draft.act({ kind: 'reown', reason: 'OwnerChanged', because: `ConfigMap "${winner.name}" defines the queue now`, job: refOf(job), owner: { name: winner.name, uid: winner.uid } });
  }
}

/** Files own nothing, so nothing but job-chief ends the Jobs of a file that is gone. */
export function planAfterDeletion(draft: Draft, observed: Observed): void {
  for (const job of observed.jobs) {
    const state = jobState(job);
    const over = state === 'finished' || state === 'lingering' || state === 'done' || state === 'ending' || state === 'deleting';
    if (over || draft.ends(job.uid) || job.specSource !== 'file' || job.onSpecDelete !== 'delete') continue;
    draft.act(endAction(job, 'SpecDeleted', { outcome: 'errored', reason: 'SpecDeleted', message: 'its spec was deleted' }));
  }
}

/** With a spec its retention counts; without one, what the Jobs were made with. What keeps some from going is for the status. */
export function planPruning(draft: Draft, observed: Observed, spec: QueueSpec | undefined, now: number): Told<ObservedJob>['failing'] {
  // An observer deletes nothing either.
  if (spec?.observe === true) return undefined;
  const counted = Math.max(spec?.breaker.notStarted ?? 0, spec?.breaker.failed ?? 0);
  const retention = spec?.retention ?? lastNoted(observed.jobs);
  const hasSpec = observed.claims.length > 0;
  const plan = planRetention(observed.jobs, { retention, counted: hasSpec ? counted : 0, keepNewest: hasSpec, inHand: idsInHand(observed) }, now);
  draft.wake(plan.next);
  const due = plan.remove.map((job) => ({ item: job, uid: job.uid, body: callBody(job, observed.key, spec?.name) }));
  const { gone, failing } = tellBefore(draft, due, { hook: retention.beforeDelete, calls: observed.calls ?? noCalls, now });
  for (const job of gone) draft.act({ kind: 'delete', reason: 'RetentionExceeded', because: 'more finished Jobs, or older ones, than retention keeps', job: refOf(job) });
  return failing;
}

/** Of messages that are in hand, or about which something is being asked. */
function idsInHand({ messages }: Observed): ReadonlySet<string> {
  return messages ? new Set([...messages.leases.map(({ id }) => id), ...messages.underWay]) : new Set();
}

const noCalls: Calls = new Map();

function lastNoted(jobs: readonly ObservedJob[]): Retention {
  return notedRetention([...jobs].sort((left, right) => right.createdAt - left.createdAt).find((job) => job.upkeep)?.upkeep);
}

/** What is known of a Job that is about to go. */
function callBody(job: ObservedJob, key: SpecKey, name: string | undefined): JsonObject {
  const { outcome, reason, message } = job.recorded ?? {};
  const times = { createdAt: job.createdAt, startedAt: job.startedAt, finishedAt: job.finished?.at };
  return {
    kind: 'Job',
    name: job.name,
    uid: job.uid,
    spec: { kind: key.kind, name: name ?? key.name },
    outcome,
    reason,
    message,
    ...Object.fromEntries(Object.entries(times).flatMap(([field, at]) => (at === undefined ? [] : [[field, isoTime(at)]]))),
  };
}
