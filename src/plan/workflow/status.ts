/** What a workflow stands at, as the status document that users read. */
import type { LastRun, Status } from '../action.ts';
import type { Stand } from '../draft.ts';
import { isoTime } from '../iso-time.ts';
import type { Claim, Refusal } from '../observed.ts';
import type { ObservedRecord } from '../run/record.ts';
import { claimStatus, cut } from '../status.ts';
import { roomIn } from '../status-text.ts';
import { isQueued, unseen, type Admitted, type Queue } from './admission.ts';
import type { ObservedWorkflow } from './observed.ts';
import { parameterTexts } from './parameter-texts.ts';
import { finishedAt, isActive, isFinished, isReadable, newestChange, runsText } from './records.ts';
import type { Wish, WorkflowRound } from './round.ts';
import { scheduleStatus, writtenSchedule, type Timetable } from './timetable.ts';
import { dueChange } from './trigger-change.ts';

/** What a round came to. */
export interface Outlook {
  readonly timetable: Timetable | undefined;
  readonly wishes: readonly Wish[];
  readonly queue: Queue;
  readonly admitted: Admitted;
  /** The last create was refused, and this is not over. */
  readonly refusal: Refusal | undefined;
}

/** Why a record was not written. */
export const refusalReasons = { quota: 'QuotaExceeded', forbidden: 'Forbidden', refused: 'CreateRefused', denied: 'PolicyDenied', taken: 'JobNameTaken' } as const;

/** The first that fits; what else there is to say follows in the same line. */
export function standOf(round: WorkflowRound, outlook: Outlook): Stand {
  const { admitted, refusal } = outlook;
  const active = round.observed.records.filter(isActive);
  const [asked] = unseen(round);
  if (refusal) return { state: 'Blocked', reason: refusalReasons[refusal.kind], message: refusal.message };
  if (admitted.started.length > 0) return { state: 'Starting', reason: 'RunStarted', message: sentence([`${runsText(admitted.started)} ${admitted.started.length === 1 ? 'is' : 'are'} being started`, ...waitsOf(outlook)]) };
  if (asked !== undefined) return { state: 'Starting', reason: 'RunStarted', message: `run "${asked}" was asked for` };
  const asks = asksOf(round.observed, active);
  if (asks.length > 0) return { state: 'Running', reason: 'WaitsForApproval', message: sentence([...asks, ...waitsOf(outlook)]) };
  if (active.length > 0) return { state: 'Running', reason: round.spec.kind === 'Template' ? 'TemplateRunning' : 'WorkflowRunning', message: sentence([activeText(active), ...waitsOf(outlook)]) };
  return idle(round, outlook);
}

const mostAsks = 3;

/** The first of what runs ask people for: nobody else will go on with them. */
function asksOf({ asks }: ObservedWorkflow, active: readonly ObservedRecord[]): string[] {
  return active.flatMap(({ name }) => (asks?.has(name) === true ? [`run "${name}": ${asks.get(name) ?? ''}`] : [])).slice(0, mostAsks);
}

function activeText(active: readonly ObservedRecord[]): string {
  const suspended = active.every(({ phase }) => phase === 'Suspended');
  return `${runsText(active)} ${active.length === 1 ? 'is' : 'are'} ${suspended ? 'suspended' : 'running'}`;
}

function waitsOf({ wishes, admitted: { waiting }, queue: { refused } }: Outlook): string[] {
  const [first] = waiting;
  return [
    ...wishes.flatMap(({ waits }) => waits?.message ?? []),
    ...(first ? [waiting.length === 1 ? `${first.what} waits for its turn` : `${waiting.length} runs wait for their turn`] : []),
    ...(refused.length > 0 ? [`${runsText(refused)} ${refused.length === 1 ? 'waits' : 'wait'} until trigger.onRequest is true`] : []),
  ];
}

/** Nothing runs and nothing starts. */
function idle({ observed, spec }: WorkflowRound, outlook: Outlook): Stand {
  const { timetable, wishes } = outlook;
  const last = lastRecord(observed);
  const [waits] = wishes.flatMap((wish) => wish.waits ?? []);
  const parts = [
    ...(last ? [lastText(last)] : []),
    ...waitsOf(outlook),
    ...(timetable ? [timetable.next === undefined ? 'no further run is scheduled' : `next run at ${isoTime(timetable.next)}`] : []),
  ];
  const waiting = outlook.queue.refused.length > 0 || outlook.admitted.waiting.length > 0;
  if (waits) return { state: waits.reason === 'ScheduleMissed' ? 'Idle' : 'Waiting', reason: waits.reason, message: sentence(parts) };
  if (waiting) return { state: 'Waiting', reason: 'RunQueued', message: sentence(parts) };
  if (timetable) return { state: 'Idle', reason: 'WaitsForSchedule', message: sentence(parts) };
  if (spec.trigger.onRequest) return { state: 'Idle', reason: 'WaitsForRequest', message: sentence([...parts, 'waits for a request']) };
  return { state: 'Idle', reason: 'WorkflowIdle', message: sentence(parts.length === 0 ? ['nothing to run'] : parts) };
}

function lastText({ name, phase, result }: ObservedRecord): string {
  if (phase === 'Succeeded') return `run "${name}" succeeded`;
  const how = phase === 'Cancelled' ? 'was cancelled' : 'failed';
  return `run "${name}" ${how}${result && result.message !== '' ? `: ${result.message}` : ''}`;
}

function sentence(parts: readonly string[]): string {
  return parts.join('; ');
}

/** What suspended and observed workflows, and those whose text is broken, still say of their runs. */
export function withRuns(stand: Stand, observed: ObservedWorkflow): Stand {
  const active = observed.records.filter(isActive);
  const queued = observed.records.filter(isQueued);
  const parts = [...(active.length > 0 ? [activeText(active)] : []), ...(queued.length > 0 ? [`${runsText(queued)} ${queued.length === 1 ? 'waits' : 'wait'}`] : [])];
  return { ...stand, message: sentence([stand.message, ...parts]) };
}

export interface StatusView {
  readonly stand: Stand;
  /** undefined: the winner's spec is broken, or the claim lost. */
  readonly round: WorkflowRound | undefined;
  readonly timetable: Timetable | undefined;
}

/** The status of the claim that won; of the others see `supersededStatus`. */
export function workflowStatus(claim: Claim, observed: ObservedWorkflow, { stand, round, timetable }: StatusView): Status {
  const known = observed.recordsUnknown === undefined;
  const status = claimStatus(stand, claim, { last: known ? lastRun(observed) : undefined, verdict: observed.verdict });
  const schedule = timetable ? scheduleStatus(timetable) : round ? undefined : writtenSchedule(claim);
  const whole: Status = {
    ...status,
    ...(round ? { health: healthOf(status.health, round, stand) } : {}),
    ...(known ? { activeRuns: observed.records.filter(isActive).length, queuedRuns: observed.records.filter(({ phase }) => phase === 'Queued').length } : {}),
    ...(schedule ? { schedule } : {}),
  };
  const parameters = round?.spec.trigger.onRequest === true ? parameterTexts(round.spec.parameters, roomIn(whole)) : undefined;
  return parameters ? { ...whole, parameters } : whole;
}

/** For the claims that lost: none of the runs is theirs. */
export function supersededStatus(claim: Claim, stand: Stand): Status {
  return claimStatus(stand, claim, { last: undefined, verdict: undefined });
}

/**
 * A GitOps sync waits for the run of the revision that it brought, and fails with it. Where the records cannot be read
 * nobody knows; where they may not be read, no run will ever come.
 */
function healthOf(health: Status['health'], round: WorkflowRound, { state }: Stand): Status['health'] {
  const { spec, observed, environment } = round;
  if (!spec.trigger.onChange || !spec.health.includeLastRun || state === 'Rejected') return health;
  if (observed.recordsUnknown) return observed.recordsUnknown.reason === 'RecordsUnread' ? 'Progressing' : 'Degraded';
  if (dueChange(round)) return isPaused(round) ? health : 'Progressing';
  const newest = newestChange(observed.records, environment.instance);
  return newest && !isFinished(newest) ? 'Progressing' : health;
}

/** Whoever pauses it, or the whole instance, does not want a sync to wait for that. */
function isPaused({ spec, observed: { halt } }: WorkflowRound): boolean {
  return spec.suspend || spec.observe || halt?.state === 'Suspended';
}

function lastRecord(observed: ObservedWorkflow): ObservedRecord | undefined {
  const [newest] = observed.records.filter((record) => isFinished(record) && isReadable(record)).sort((left, right) => finishedAt(right) - finishedAt(left) || (left.name < right.name ? 1 : -1));
  return newest;
}

const longestReason = 64;

function lastRun(observed: ObservedWorkflow): LastRun | undefined {
  const record = lastRecord(observed);
  if (!record) return undefined;
  const { name, phase, result } = record;
  return { run: name, outcome: phase.toLowerCase(), reason: cut(result?.reason ?? `Run${phase}`, longestReason), message: cut(result?.message ?? ''), finishedAt: isoTime(finishedAt(record)) };
}
