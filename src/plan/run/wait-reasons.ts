/** What a run stands at, in one reason and one sentence: what somebody could do something about comes first. */
import type { StepSpec } from '../../spec/workflow.ts';
import { whyNotStarted } from '../give-up.ts';
import { isoTime } from '../iso-time.ts';
import { hasStarted, jobState } from '../job-state.ts';
import type { Reason } from '../reason.ts';
import type { Live } from './attempts.ts';
import type { Hold, RunDraft } from './draft.ts';
import { stopReason } from './standing.ts';
import type { StepState } from './state.ts';

export interface Standing {
  readonly reason: Reason;
  readonly message: string;
}

export function standOf(draft: RunDraft, live: Live): Standing {
  return ended(draft) ?? held(draft, live) ?? blocked(draft) ?? limited(draft, live) ?? stopping(draft, live) ?? waiting(draft) ?? running(draft);
}

const endReasons = { succeeded: 'RunSucceeded', failed: 'RunFailed', cancelled: 'RunCancelled' } as const;

function ended({ end }: RunDraft): Standing | undefined {
  return end && { reason: endReasons[end.outcome], message: end.message };
}

function held(draft: RunDraft, live: Live): Standing | undefined {
  const { commands, deleting } = draft.observed.record;
  if (deleting) return { reason: 'RunCancelled', message: 'the record of the run is being deleted' };
  return commands.suspend ? { reason: 'RunSuspended', message: `the run is suspended: nothing starts${live.jobs === 0 ? '' : `, ${count(live.jobs, 'Job')} may finish`}` } : undefined;
}

/** The API server says no, or nothing. */
function blocked(draft: RunDraft): Standing | undefined {
  const forbidden = holdOf(draft, 'forbidden');
  if (forbidden) return { reason: 'Forbidden', message: about(forbidden) };
  const quota = holdOf(draft, 'quota');
  if (quota) return { reason: 'WaitsForCapacity', message: about(quota) };
  const unclear = holdOf(draft, 'unclear');
  return unclear && { reason: 'AnswerUnknown', message: about(unclear) };
}

/** The limits of the instance leave nothing for it. */
function limited(draft: RunDraft, live: Live): Standing | undefined {
  const { room } = draft.observed;
  const place = holdOf(draft, 'place');
  if (!room || !place || (live.jobs + live.subRuns > 0 && !room.halted)) return undefined;
  return { reason: room.shortage.reason, message: about(place) };
}

/** The run is on its way out. */
function stopping(draft: RunDraft, live: Live): Standing | undefined {
  const { spec } = draft.observed;
  const left = openSteps(draft, spec.steps);
  const what = draft.stopping;
  if (left.length === 0 && what?.mode === 'revert') {
    const undoing = spec.steps.filter(({ name }) => isOpen(draft.state('undo', name)));
    if (undoing.length > 0) return { reason: 'RunReverting', message: `undoing ${names(undoing)}; ${what.message}` };
  }
  if (spec.steps.every(({ name }) => draft.step(name)?.outcome !== undefined)) return finishing(draft, live);
  if (!what) return undefined;
  const rest = left.length === 0 ? '' : `; waiting for ${names(left)}`;
  return { reason: stopReason(what), message: `${what.message}${rest}` };
}

function finishing(draft: RunDraft, live: Live): Standing {
  const after = openSteps(draft, draft.observed.spec.finally);
  if (after.length > 0) return { reason: 'RunFinishing', message: `all steps have ended; finally: ${names(after)}` };
  const lives = [...(live.jobs > 0 ? [count(live.jobs, 'Job')] : []), ...(live.subRuns > 0 ? [count(live.subRuns, 'sub-run')] : [])];
  return { reason: 'RunFinishing', message: lives.length === 0 ? 'all steps have ended' : `all steps have ended; waiting for ${lives.join(' and ')} to end` };
}

/** Only one of all the steps needs to run for the others to be on their way; so these are told only if none does. */
function waiting(draft: RunDraft): Standing | undefined {
  const open = openSteps(draft, draft.observed.spec.steps);
  const approvals = open.filter(({ work }) => work.kind === 'approve');
  if (approvals.length > 0) return { reason: 'WaitsForApproval', message: `${names(approvals)} ${approvals.length === 1 ? 'waits' : 'wait'} to be approved` };
  const mute = notStarted(draft, open);
  if (mute) return mute;
  const pods = holdOf(draft, 'pods');
  if (pods) return { reason: 'PodsRemain', message: about(pods) };
  const retry = holdOf(draft, 'retry');
  if (retry && open.every((step) => draft.holds.has(`retry ${step.name}`))) {
    return { reason: 'WaitsForRetry', message: `step "${retry.step}" is tried again at ${isoTime(retry.until ?? draft.now)}${retry.message === '' ? '' : ` (${retry.message})`}` };
  }
  return undefined;
}

/** A Job whose pods do not come up, and say why. */
function notStarted(draft: RunDraft, open: readonly StepSpec[]): Standing | undefined {
  for (const step of open) {
    const name = draft.step(step.name)?.attempts?.at(-1)?.job;
    const job = name === undefined ? undefined : draft.job(name);
    if (!job || job.finished || hasStarted(job)) continue;
    const why = whyNotStarted(job, draft.observed.explanations);
    if (why !== undefined) return { reason: jobState(job) === 'podless' ? 'NoPodCreated' : 'JobStarting', message: `step "${step.name}": ${why}` };
  }
  return undefined;
}

function running(draft: RunDraft): Standing {
  const { steps } = draft.observed.spec;
  const open = openSteps(draft, steps);
  const done = steps.filter(({ name }) => draft.step(name)?.outcome !== undefined).length;
  const room = holdOf(draft, 'room');
  const { maxParallel } = draft.observed.spec;
  const more = room && maxParallel !== undefined ? `; step "${room.step}" waits for one of ${count(maxParallel, 'slot')}` : '';
  const place = holdOf(draft, 'place');
  const waits = place ? `; step "${place.step}" waits: ${place.message}` : more;
  const what = open.length === 0 ? 'nothing runs' : `running: ${names(open)}`;
  return { reason: open.length === 0 && room ? 'WaitsForCapacity' : 'WaitsForSteps', message: `${what}; ${done} of ${steps.length} steps have ended${waits}` };
}

function holdOf({ holds }: RunDraft, kind: Hold['kind']): Hold | undefined {
  for (const hold of holds.values()) if (hold.kind === kind) return hold;
  return undefined;
}

function about({ step, message }: Hold): string {
  return `step "${step}": ${message}`;
}

/** Under way: they have a state, and no outcome. */
function openSteps(draft: RunDraft, steps: readonly StepSpec[]): StepSpec[] {
  return steps.filter(({ name }) => isOpen(draft.step(name)));
}

function isOpen(state: StepState | undefined): boolean {
  return state !== undefined && state.outcome === undefined;
}

function names(steps: readonly StepSpec[]): string {
  const shown = steps.slice(0, 3).map(({ name }) => `"${name}"`);
  return `${shown.join(', ')}${steps.length > shown.length ? ` and ${steps.length - shown.length} more` : ''}`;
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`;
}
