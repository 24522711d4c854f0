/** Why a run that is accepted does not start at once, as the answer says it. Nothing is waited for, and nothing asked. */
import { labelValue } from '../../../lib/label-value.ts';
import { stringAt } from '../../../lib/json.ts';
import type { Reason } from '../../../plan/reason.ts';
import type { RunRequest } from '../../../plan/run/record.ts';
import { startHold, type Hold } from '../../../plan/workflow/start-hold.ts';
import type { SpecEntry } from '../../../reconcile/api-ports.ts';
import type { RunTarget } from '../../../spec/run.ts';
import type { WorkflowSpec } from '../../../spec/workflow.ts';
import type { ApiDeps } from './deps.ts';
import type { ApiProblem } from './problem.ts';

export interface AcceptedRun {
  readonly name: string;
  readonly request: RunRequest;
  readonly target: RunTarget;
  readonly spec: WorkflowSpec;
  readonly entry: SpecEntry | undefined;
}

/** By what this replica sees at this moment. */
export function waitsOf({ runs, limits }: Pick<ApiDeps, 'runs' | 'limits'>, { name, request, target, spec, entry }: AcceptedRun): Hold | undefined {
  const records = runs.cache.of({ kind: target.kind, name: labelValue(target.name) });
  return startHold({ spec, name, request, records, shortage: limits.shortage(spec.concurrency.group), refused: refusedBy(entry, spec) });
}

const ofTemplates: readonly Reason[] = ['TemplateRefused', 'TemplateUnchecked', 'PolicyDenied'];

/** What the status says of the same text: that no run of it can start. */
function refusedBy(entry: SpecEntry | undefined, { hash }: WorkflowSpec): Hold | undefined {
  const status = entry?.status;
  const reason = ofTemplates.find((word) => word === stringAt(status, 'reason'));
  return reason === undefined || stringAt(status, 'observedHash') !== hash ? undefined : { reason, message: stringAt(status, 'message') ?? '' };
}

/** Of a run that waits, and that nobody could ask for any more: its spec has gone or changed since. */
export function waitsWithout({ code, message }: Pick<ApiProblem, 'code' | 'message'>): Hold | undefined {
  const reason = byProblem[code];
  return reason && { reason, message };
}

const byProblem: Readonly<Partial<Record<ApiProblem['code'], Reason>>> = { UnknownSpec: 'SpecDeleted', SpecRejected: 'SpecRejected', NotRequestable: 'RunQueued' };
