/** Steps that are runs of another workflow: its record is looked at as a Job is elsewhere. */
import type { Json } from '../../lib/json.ts';
import type { OutputSpec, StepSpec, ValueType } from '../../spec/workflow.ts';
import { overdue } from './approvals.ts';
import type { RunDraft } from './draft.ts';
import type { Folded, Site } from './line.ts';
import { resolverFor } from './make.ts';
import type { ObservedRecord, RunResult } from './record.ts';
import { entryOf } from './standing.ts';
import type { Attempt } from './state.ts';
import { endedAs } from './step-reason.ts';
import { timeLimit } from './time-limit.ts';

/** The attempt as its record shows it. */
export function foldSubRun(draft: RunDraft, site: Site, attempt: Attempt): Folded {
  const { step } = site;
  const child = draft.observed.children.get(attempt.job);
  if (!child) return { attempt: foldMissing(draft, step, attempt) };
  if (child.request?.parent?.uid !== draft.observed.record.uid) return { attempt: endedAs(attempt, draft.now, { outcome: 'refused', reason: 'JobNameTaken', message: `record "${child.name}" belongs to somebody else` }) };
  if (child.result) return withResult(attempt, child, child.result, step.outputs);
  const late = overdue(draft, attempt, timeLimit(draft, step, resolverFor(draft, site)));
  return { attempt: late ?? (attempt.seen === true ? attempt : { ...attempt, seen: true, ranAt: child.createdAt }) };
}

/** The watch of records may be behind what the record of this run says: only a live look tells whether it is gone. */
function foldMissing(draft: RunDraft, step: StepSpec, attempt: Attempt): Attempt {
  const { reservations, refusals, absent } = draft.observed;
  if (reservations.has(attempt.job)) return attempt;
  if (draft.existed(attempt) && !absent.has(attempt.job)) {
    draft.lookUpSubRun(step, attempt.job);
    return attempt;
  }
  if (draft.existed(attempt)) return endedAs(attempt, draft.now, { outcome: 'errored', reason: 'RunDeleted', message: `the record "${attempt.job}" was deleted before its run had ended` });
  const refusal = refusals.get(attempt.job);
  if (refusal?.kind !== 'refused' && refusal?.kind !== 'taken') return attempt;
  return endedAs(attempt, draft.now, { outcome: 'refused', reason: refusal.kind === 'taken' ? 'JobNameTaken' : 'CreateRefused', message: refusal.message });
}

function withResult(attempt: Attempt, child: ObservedRecord, result: RunResult, declared: Readonly<Record<string, OutputSpec>>): Folded {
  const ended = { ...attempt, seen: true, ranAt: attempt.ranAt ?? result.startedAt, endedAt: result.finishedAt };
  if (result.outcome !== 'succeeded') {
    const reason = result.outcome === 'cancelled' ? 'RunCancelled' : result.reason;
    return { attempt: { ...ended, outcome: 'failed', reason, message: `run "${child.name}" ${result.outcome === 'cancelled' ? 'was cancelled' : 'failed'}: ${result.message}` } };
  }
  const outputs = readResult(declared, result.outputs);
  if (typeof outputs === 'string') return { attempt: endedAs(ended, result.finishedAt, { outcome: 'failed', reason: 'OutputMissing', message: `run "${child.name}" ${outputs}` }) };
  return { attempt: { ...ended, outcome: 'succeeded' }, ...(Object.keys(outputs).length > 0 && { outputs }) };
}

/** The outputs that the step declares, or what is wrong with them. */
function readResult(declared: Readonly<Record<string, OutputSpec>>, given: RunResult['outputs']): Readonly<Record<string, Json>> | string {
  const outputs: [string, Json][] = [];
  for (const [name, spec] of Object.entries(declared)) {
    const value = entryOf(given, name) ?? spec.default;
    if (value === undefined) return `has no output "${name}"`;
    if (!fits(spec.type, value)) return `has an output "${name}" that is no ${spec.type}`;
    outputs.push([name, value]);
  }
  return Object.fromEntries(outputs);
}

function fits(type: ValueType, value: Json): boolean {
  if (type === 'integer') return Number.isSafeInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}
