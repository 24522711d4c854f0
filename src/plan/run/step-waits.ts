/**
 * What each step of a run waits for, or came to: the single answers behind the one sentence that the run stands at. Made
 * by the very round that decides, so that nobody explains what is not done.
 */
import type { StepSpec } from '../../spec/workflow.ts';
import type { PlanEnvironment } from '../environment.ts';
import { earliest, patience } from '../give-up.ts';
import { isLive } from '../job-state.ts';
import { unlimited } from '../limits/room.ts';
import { liveStand } from '../live-job.ts';
import type { ObservedJob } from '../observed.ts';
import type { Reason } from '../reason.ts';
import type { Hold, RunDraft } from './draft.ts';
import { namedBy } from './graph.ts';
import type { Line } from './line.ts';
import type { ObservedRun } from './observed.ts';
import { decidedRun } from './plan-run.ts';
import { hasEnded, outcomeText, stopReason } from './standing.ts';
import type { Attempt, StepOutcome, StepState } from './state.ts';

/** One step of `steps` or `finally`, or one undo job. Times are milliseconds since 1970. */
export interface StepWait {
  readonly step: string;
  readonly part: 'steps' | 'undo' | 'finally';
  /** undefined: it has not ended. */
  readonly outcome: StepOutcome | undefined;
  /** While it is open one of the reasons of specs and runs; then why it came out so, in the words of its state. */
  readonly reason: string;
  readonly message: string;
  /** Names of steps that have to end first, or to say more; or that have the slots. */
  readonly waitsFor: readonly string[];
  readonly since: number | undefined;
  /** When it goes on, or is given up, by itself. */
  readonly until: number | undefined;
  /** What it runs as. */
  readonly object: { readonly kind: 'job' | 'run'; readonly name: string } | undefined;
}

/** In the order of the text; then what is undone, then `finally`. */
export function stepWaits(observed: ObservedRun, environment: PlanEnvironment, now: number): readonly StepWait[] {
  const { draft } = decidedRun(observed, environment, now);
  const { steps, finally: after } = observed.spec;
  const undone = steps.flatMap((step) => {
    const state = draft.state('undo', step.name);
    return state ? [begunOrOver(draft, step, state, 'undo')] : [];
  });
  return [...steps.map((step) => waitOf(draft, step, 'steps')), ...undone, ...after.map((step) => waitOf(draft, step, 'finally'))];
}

type Part = StepWait['part'];
type Answer = Pick<StepWait, 'message'> & { readonly reason: Reason } & Partial<StepWait>;

function waitOf(draft: RunDraft, step: StepSpec, part: Part): StepWait {
  const state = draft.step(step.name);
  return state ? begunOrOver(draft, step, state, part) : wait(step, part, unbegun(draft, step, part));
}

function begunOrOver(draft: RunDraft, step: StepSpec, state: StepState, part: Part): StepWait {
  return state.outcome === undefined ? wait(step, part, underWay(draft, step, state)) : over(step, state, { part, outcome: state.outcome });
}

function wait(step: StepSpec, part: Part, answer: Answer): StepWait {
  return { step: step.name, part, outcome: undefined, waitsFor: [], since: undefined, until: undefined, object: undefined, ...answer };
}

/** An attempt says more than its step where the step says nothing of its own. */
function over(step: StepSpec, state: StepState, { part, outcome }: { readonly part: Part; readonly outcome: StepOutcome }): StepWait {
  const last = state.attempts?.at(-1);
  const carried = state.from === undefined ? '' : `carried over from run "${state.from}"`;
  return {
    step: step.name,
    part,
    outcome,
    reason: state.reason ?? last?.reason ?? (outcome === 'succeeded' ? 'StepSucceeded' : 'StepFailed'),
    message: state.message ?? last?.message ?? carried,
    waitsFor: [],
    since: state.at,
    until: undefined,
    object: last && objectOf(step, last),
  };
}

/** Approvals are nothing in the cluster. */
function objectOf({ work }: StepSpec, { job }: Attempt): StepWait['object'] {
  if (work.kind === 'approve') return undefined;
  return { kind: work.kind === 'job' || work.kind === 'manifests' ? 'job' : 'run', name: job };
}

/** Nothing was decided about it yet: what it depends on comes first, then what holds up the whole run. */
function unbegun(draft: RunDraft, step: StepSpec, part: Part): Answer {
  return ended(draft) ?? before(draft, step, part) ?? held(draft, step) ?? { reason: 'StepDue', message: 'all that it waits for is there: it starts in the next round' };
}

function ended({ end }: RunDraft): Answer | undefined {
  return end && { reason: 'RunFinishing', message: 'the run is over, and nothing was written about this step' };
}

function before(draft: RunDraft, step: StepSpec, part: Part): Answer | undefined {
  const { steps } = draft.observed.spec;
  if (part === 'finally' && !hasEnded(draft, steps)) return { reason: 'WaitsForSteps', message: 'finally begins when all steps have ended', waitsFor: openAmong(draft, steps.map(({ name }) => name)) };
  const { phase, expression } = step.dependsOn;
  const named = openAmong(draft, namedBy(step, draft.graph.byId));
  const ofPhase = phase === undefined ? [] : openAmong(draft, (draft.graph.phases.get(phase) ?? []).map(({ name }) => name));
  const waitsFor = [...new Set([...named, ...ofPhase])];
  if (waitsFor.length === 0) return undefined;
  const why = [
    ...(step.dependsOn.all.length > 0 ? [`dependsOn: ${step.dependsOn.all.join(', ')}`] : []),
    ...(expression ? [`dependsOn: ${expression.text}`] : []),
    ...(phase === undefined ? [] : [`it comes after phase "${phase}"`]),
    ...(step.when ? [`when: ${step.when.text}`] : []),
  ];
  return { reason: 'WaitsForSteps', message: why.join('; '), waitsFor };
}

function openAmong(draft: RunDraft, names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => draft.step(name)?.outcome === undefined);
}

/** Its dependencies hold, and still it does not begin. */
function held(draft: RunDraft, { name }: StepSpec): Answer | undefined {
  if (draft.observed.record.deleting) return { reason: 'RunCancelled', message: 'the record of the run is being deleted' };
  if (draft.observed.record.commands.suspend) return { reason: 'RunSuspended', message: 'the run is suspended: nothing starts' };
  if (draft.holds.has(`room ${name}`)) return { ...noRoom(draft), waitsFor: slotHolders(draft) };
  if (draft.holds.has(`place ${name}`)) return noPlace(draft);
  return draft.stopping && { reason: stopReason(draft.stopping) === 'RunStopping' ? 'RunStopping' : 'RunCancelled', message: draft.stopping.message };
}

function noRoom(draft: RunDraft): Answer {
  const { maxParallel } = draft.observed.spec;
  return { reason: 'WaitsForCapacity', message: maxParallel === undefined ? 'the run starts no more at once' : `maxParallel is ${maxParallel}, and ${draft.slots} ${draft.slots === 1 ? 'Job or sub-run is' : 'Jobs or sub-runs are'} live` };
}

/** Steps under way that have, or may have, something live. */
function slotHolders(draft: RunDraft): string[] {
  const { steps, finally: after } = draft.observed.spec;
  return [...steps, ...after].filter(({ name, work }) => {
    const state = draft.step(name);
    return state !== undefined && state.outcome === undefined && work.kind !== 'approve';
  }).map(({ name }) => name);
}

/** The limits of the instance leave nothing for it. */
function noPlace({ observed: { room = unlimited } }: RunDraft): Answer {
  const { reason, message } = room.shortage;
  return { reason, message };
}

/** It has begun: what holds it up first, then what its Job does. */
function underWay(draft: RunDraft, step: StepSpec, state: StepState): Answer {
  const lines: readonly Line[] = state.items ?? [{ attempts: state.attempts ?? [] }];
  const last = lines.flatMap(({ attempts }) => attempts.slice(-1)).find(({ outcome }) => outcome === undefined) ?? lines.at(-1)?.attempts.at(-1);
  const answer = holdOf(draft, step) ?? current(draft, step, last) ?? noRoomOrSuspended(draft);
  const items = state.items && `${state.items.filter(({ outcome }) => outcome !== undefined).length} of ${state.items.length} items have ended; `;
  return { since: last?.at, ...answer, message: `${items ?? ''}${answer.message}` };
}

const holdReasons = { quota: 'QuotaExceeded', forbidden: 'Forbidden', pods: 'PodsRemain', unclear: 'AnswerUnknown', retry: 'WaitsForRetry' } as const satisfies Partial<Record<Hold['kind'], Reason>>;

function holdOf(draft: RunDraft, { name }: StepSpec): Answer | undefined {
  if (draft.holds.has(`place ${name}`)) return noPlace(draft);
  for (const [kind, reason] of Object.entries(holdReasons)) {
    const hold = draft.holds.get(`${kind} ${name}`);
    if (hold) return { reason, message: hold.message === '' ? 'the last attempt did not succeed' : hold.message, until: hold.until };
  }
  return undefined;
}

function current(draft: RunDraft, step: StepSpec, attempt: Attempt | undefined): Answer | undefined {
  if (step.work.kind === 'approve') return { reason: 'WaitsForApproval', message: step.work.message, until: approvalLimit(step, attempt) };
  if (!attempt || attempt.outcome !== undefined) return undefined;
  const job = draft.job(attempt.job);
  if (job) return ofJob(draft, job);
  const child = draft.observed.children.get(attempt.job);
  if (child) return { reason: child.phase === 'Queued' ? 'RunQueued' : 'WorkflowRunning', message: `sub-run "${child.name}" is ${child.phase}`, object: { kind: 'run', name: child.name } };
  const object = objectOf(step, attempt);
  return { reason: 'StepDue', message: `${object?.kind === 'run' ? 'run' : 'Job'} "${attempt.job}" was decided on and is not there yet`, object };
}

function approvalLimit({ timeout }: StepSpec, attempt: Attempt | undefined): number | undefined {
  return typeof timeout === 'number' && attempt ? attempt.at + timeout : undefined;
}

function ofJob(draft: RunDraft, job: ObservedJob): Answer {
  const { reason, message } = liveStand(job, draft.observed);
  const object = { kind: 'job', name: job.name } as const;
  if (!isLive(job)) return { reason: 'JobRunning', message: `Job "${job.name}" has ended, and its outcome is being read`, object };
  const limit = patience(job, draft.observed.explanations, draft.now);
  return { reason, message, object, since: earliest([job.ranAt, ...job.pods.map(({ startedAt }) => startedAt)]) ?? job.startedAt ?? job.createdAt, until: 'until' in limit ? limit.until : undefined };
}

/** Of items that have not begun, or an attempt that may not follow. */
function noRoomOrSuspended(draft: RunDraft): Answer {
  if (draft.held) return { reason: 'RunSuspended', message: 'the run is suspended: no attempt starts' };
  return draft.stopping ? { reason: 'RunStopping', message: draft.stopping.message } : noRoom(draft);
}

/** `failed: exit code 3`, as one line. */
export function outcomeLine({ outcome, message }: Pick<StepWait, 'outcome' | 'message'>): string {
  if (outcome === undefined) return message;
  return message === '' ? outcomeText[outcome] : `${outcomeText[outcome]}: ${message}`;
}
