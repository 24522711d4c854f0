/**
 * One round of a Run: whether its run is asked for, and what of it is told to the run that was. What happens to that run
 * is decided as for every other: plan/workflow says when it begins, plan/run what it does.
 */
import { growingPause } from '../../lib/growing-pause.ts';
import { isRunnable } from '../../spec/parsed.ts';
import { describeFinding, requestFindings } from '../../spec/request-values.ts';
import type { RunSpec } from '../../spec/run.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { Status } from '../action.ts';
import { DraftOf, type Stand } from '../draft.ts';
import type { PlanEnvironment } from '../environment.ts';
import type { Claim } from '../observed.ts';
import { requestFor, type ObservedRecord } from '../run/record.ts';
import { cut, describeProblem, rejected, superseded } from '../status.ts';
import { sourceName, winningClaim } from '../winner.ts';
import { retentionNote } from '../workflow/create-run.ts';
import { isFinished, recordRef } from '../workflow/records.ts';
import { refusalReasons } from '../workflow/status.ts';
import type { AskRun, RequestAction, RequestPlan } from './action.ts';
import { commandsFor } from './commands.ts';
import type { ObservedRequest } from './observed.ts';
import { recordNameOf, sourceOf } from './record-name.ts';
import { rememberedRun, type Remembered } from './remembered.ts';
import { requestStatus, standOfRecord } from './status.ts';

class RequestDraft extends DraftOf<RequestAction, never> {}

/** `now`: milliseconds since 1970 by this process's clock. */
export function planRequest(observed: ObservedRequest, environment: PlanEnvironment, now: number): RequestPlan {
  const draft = new RequestDraft();
  const winner = winningClaim(observed.claims);
  if (winner) {
    const status = statusOf(draft, { observed, environment, now, ...winner });
    draft.statuses.push({ claim: winner.index, status });
    observed.claims.forEach((claim, index) => {
      if (index === winner.index || (claim.source.kind === 'configMap' && claim.source.deleting)) return;
      draft.statuses.push({ claim: index, status: withMemory(requestStatus(claim, superseded(claim, sourceName(winner.claim)), undefined), memoryOf(claim, environment)) });
    });
  }
  return draft.finish(now);
}

interface Round {
  readonly observed: ObservedRequest;
  readonly environment: PlanEnvironment;
  readonly now: number;
  /** The winner, in observed.claims. */
  readonly index: number;
  readonly claim: Claim;
}

function statusOf(draft: RequestDraft, round: Round): Status {
  const { observed, environment, claim } = round;
  const { recordsUnknown, record } = observed;
  const remembered = memoryOf(claim, environment);
  if (recordsUnknown) return withMemory(requestStatus(claim, { state: 'Blocked', reason: recordsUnknown.reason, message: recordsUnknown.message }, undefined), remembered);
  if (record) return requestStatus(claim, accepted(draft, round, record), record);
  if (remembered && !observed.reserved) return withMemory(requestStatus(claim, { state: remembered.state, reason: 'RunForgotten', message: remembered.message }, undefined), remembered);
  const name = recordNameOf(claim, environment.instance);
  const { spec } = claim.parsed;
  const stand = spec?.kind === 'Run' && name !== undefined ? asking(draft, round, { spec, name }) : rejected(claim.parsed.problems);
  return withMemory(requestStatus(claim, stand, undefined), remembered);
}

function memoryOf(claim: Claim, { instance }: PlanEnvironment): Remembered | undefined {
  const name = recordNameOf(claim, instance);
  return name === undefined ? undefined : rememberedRun(claim, name);
}

/** Whatever else there is to tell: a status that named the run no more would let it run again. */
function withMemory(status: Status, remembered: Remembered | undefined): Status {
  return remembered ? { ...status, run: remembered.run } : status;
}

/** There is a record: the run goes its way, whatever the text says now but for what steers it. */
function accepted(draft: RequestDraft, { observed: { target }, claim }: Round, record: ObservedRecord): Stand {
  const { spec } = claim.parsed;
  const run = spec?.kind === 'Run' ? spec : undefined;
  const commands = run && !isFinished(record) && !record.deleting ? commandsFor(run, record) : undefined;
  if (commands) draft.act({ kind: 'commandRun', reason: 'RunCommanded', because: `Run "${claim.parsed.name}" says so`, record: recordRef(record), commands });
  const stand = standOfRecord(record, target);
  const changed = changeText(claim, run, record);
  return changed === undefined ? stand : { ...stand, reason: 'RunChanged', message: `${changed}; ${stand.message}` };
}

function changeText({ parsed }: Claim, spec: RunSpec | undefined, { request }: ObservedRecord): string | undefined {
  if (!spec) {
    const [first] = parsed.problems.filter(({ severity }) => severity === 'error');
    return `the text cannot be used any more (${first ? cut(describeProblem(first), 400) : 'it is no Run'}), and nothing of it counts`;
  }
  if (request?.specHash === undefined || request.specHash === spec.hash) return undefined;
  return 'what it asks for was changed after it had been asked, and a Run runs once: apply it under another name to run it again';
}

interface Asking {
  readonly spec: RunSpec;
  readonly name: string;
}

/** The first thing that keeps the run from being asked for; else it is. */
function asking(draft: RequestDraft, round: Round, { spec, name }: Asking): Stand {
  if (spec.cancel !== undefined) return { state: 'Cancelled', reason: 'RunCancelled', message: `cancelled before it was asked for: ${spec.cancel}` };
  if (spec.suspend) return { state: 'Suspended', reason: 'SpecSuspended', message: 'suspend is true: the run is not asked for' };
  const { target } = round.observed;
  const what = `${spec.target.kind} "${spec.target.name}"`;
  if (!target) return { state: 'Waiting', reason: 'TargetUnknown', message: `waits for ${what}, which nothing defines` };
  const runnable = target.parsed.spec;
  if (!isRunnable(runnable)) return { state: 'Waiting', reason: 'TargetBroken', message: `waits for ${what}, whose spec has errors` };
  if (!runnable.trigger.onRequest) return { state: 'Waiting', reason: 'RequestRefused', message: `${what} takes no requests: its trigger has no onRequest: true` };
  const findings = requestFindings(runnable.parameters, spec.parameters);
  if (findings.length > 0) return { state: 'Rejected', reason: 'ParametersRefused', message: `${findings.slice(0, 5).map(describeFinding).join('; ')}${findings.length > 5 ? `; and ${findings.length - 5} more` : ''}` };
  return ask(draft, round, { spec, name, runnable });
}

const longestPause = 30_000;
/** A record that was asked for brings a round when it appears; one that came and went before anybody saw it brings none. */
const unseenPause = 15_000;

function ask(draft: RequestDraft, { observed, now, index, claim }: Round, { spec, name, runnable }: Asking & { readonly runnable: WorkflowSpec }): Stand {
  const starting: Stand = { state: 'Starting', reason: 'RunDue', message: `run "${name}" is asked for` };
  if (observed.reserved) {
    draft.wake(now + unseenPause);
    return starting;
  }
  const { refusal } = observed;
  if (refusal?.hash === spec.hash) {
    const until = refusal.at + growingPause(refusal.count, 1000, longestPause);
    draft.wake(until);
    if (now < until) return { state: 'Blocked', reason: refusalReasons[refusal.kind], message: refusal.message };
  }
  draft.act(askRun({ spec, name, runnable }, claim, index));
  return starting;
}

function askRun({ spec, name, runnable }: Asking & { readonly runnable: WorkflowSpec }, claim: Claim, index: number): AskRun {
  return {
    kind: 'askRun',
    reason: 'RunDue',
    because: `Run "${spec.name}" asks for it`,
    name,
    claim: index,
    request: {
      ...requestFor(spec.target),
      trigger: 'request',
      run: spec.name,
      source: sourceOf(claim),
      specHash: spec.hash,
      ...(spec.priority === 0 ? {} : { priority: spec.priority }),
      retention: retentionNote(runnable.retention),
    },
    parameters: spec.parameters,
  };
}
