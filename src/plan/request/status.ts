/** What a Run stands at: before its run is asked for, why not; from then on, what its record says. */
import type { Json } from '../../lib/json.ts';
import { isRunnable } from '../../spec/parsed.ts';
import type { RequestedRun, State, Status } from '../action.ts';
import type { Stand } from '../draft.ts';
import { isoTime } from '../iso-time.ts';
import type { Claim } from '../observed.ts';
import type { Reason } from '../reason.ts';
import { targetOf, type ObservedRecord, type RunPhase } from '../run/record.ts';
import { claimStatus } from '../status.ts';
import { roomIn } from '../status-text.ts';
import { isFinished } from '../workflow/records.ts';

const mostFailedSteps = 10;

const reasonOf: Readonly<Record<RunPhase, Reason>> = { Queued: 'RunQueued', Running: 'RunStarted', Suspended: 'RunSuspended', Succeeded: 'RunSucceeded', Failed: 'RunFailed', Cancelled: 'RunCancelled' };

/** The record's own words. `target`: what defines now what is to run. */
export function standOfRecord(record: ObservedRecord, target: Claim | undefined): Stand {
  const { phase } = record;
  return { state: phase, reason: reasonOf[phase], message: messageOf(record, target) };
}

function messageOf(record: ObservedRecord, target: Claim | undefined): string {
  const { name, phase, result, commands } = record;
  const doing = phase === 'Queued' ? waitText(record, target) : doingText[phase];
  if (isFinished(record)) return `run "${name}" ${doing}${result === undefined || result.message === '' ? '' : `: ${result.message}`}`;
  return `run "${name}" ${doing}${commands.cancel === undefined ? '' : `; it is being cancelled: ${commands.cancel}`}`;
}

const doingText: Readonly<Record<Exclude<RunPhase, 'Queued'>, string>> = { Running: 'is running', Suspended: 'is suspended', Succeeded: 'succeeded', Failed: 'failed', Cancelled: 'was cancelled' };

function waitText({ request }: ObservedRecord, target: Claim | undefined): string {
  const why = request && whyHeld(target);
  if (!request || why === undefined) return 'waits for its turn';
  const { kind, name } = targetOf(request);
  return `waits for ${kind} "${name}", which ${why}`;
}

/** Why nothing of it starts, as far as its spec tells. */
function whyHeld(target: Claim | undefined): string | undefined {
  if (!target) return 'nothing defines any more';
  const { spec } = target.parsed;
  if (!isRunnable(spec)) return 'has errors';
  return spec.suspend ? 'is suspended' : spec.observe ? 'is only observed' : undefined;
}

/** The status of the claim that won. */
export function requestStatus(claim: Claim, stand: Stand, record: ObservedRecord | undefined): Status {
  const status = { ...claimStatus(stand, claim, { last: undefined, verdict: undefined }), health: healthOf(stand.state, claim) };
  return record ? withRun(status, record) : status;
}

/**
 * A GitOps sync waits for the run that it brought, and fails with it. A run that git itself cancelled is as git wants it;
 * one that is suspended waits for people, which a sync must not.
 */
function healthOf(state: State, { parsed: { spec } }: Claim): Status['health'] {
  switch (state) {
    case 'Succeeded':
    case 'Suspended':
    case 'Superseded':
      return 'Healthy';
    case 'Cancelled':
      return spec?.kind === 'Run' && spec.cancel !== undefined ? 'Healthy' : 'Degraded';
    case 'Failed':
    case 'Rejected':
    case 'Blocked':
      return 'Degraded';
    default:
      return 'Progressing';
  }
}

/** Outputs, and names of steps, as far as there is room: the record has them all. */
function withRun(status: Status, record: ObservedRecord): Status {
  const { result } = record;
  const bare: RequestedRun = {
    name: record.name,
    createdAt: isoTime(record.createdAt),
    ...(result ? { startedAt: isoTime(result.startedAt), finishedAt: isoTime(result.finishedAt), outcome: result.outcome } : {}),
  };
  const failed = result && result.failedSteps.length > 0 ? { failedSteps: result.failedSteps.slice(0, mostFailedSteps) } : {};
  const whole: RequestedRun = { ...bare, ...failed, ...outputsOf(result?.outputs) };
  for (const run of [whole, { ...bare, ...failed, ...omitted(result?.outputs) }]) {
    const candidate: Status = { ...status, run };
    if (roomIn(candidate) >= 0) return candidate;
  }
  return { ...status, run: bare };
}

function outputsOf(outputs: Readonly<Record<string, Json>> | undefined): Pick<RequestedRun, 'outputs'> {
  return outputs ? { outputs } : {};
}

function omitted(outputs: Readonly<Record<string, Json>> | undefined): Pick<RequestedRun, 'outputsIn'> {
  return outputs ? { outputsIn: 'record' } : {};
}
