/** Steps that are runs of another workflow: its record is looked at as a Job is elsewhere. */
import type { Json } from '../../lib/json.ts';
import type { OutputSpec, ValueType } from '../../spec/workflow.ts';
import { overdue } from './approvals.ts';
import type { RunDraft } from './draft.ts';
import type { Folded } from './fold.ts';
import { siteText, type Site } from './line.ts';
import { Resolver, asObject } from './lookup.ts';
import type { Made } from './make.ts';
import { subRunName } from './names.ts';
import type { ObservedRecord, RunResult } from './record.ts';
import { entryOf } from './standing.ts';
import type { Attempt } from './state.ts';
import { timeLimit } from './time-limit.ts';

/** Runs within runs: more can only be a workflow that runs itself. */
const deepest = 10;

export function foldSubRun(draft: RunDraft, { step }: Site, attempt: Attempt): Folded {
  const child = draft.observed.children.get(attempt.job);
  if (!child) return { attempt: foldMissing(draft, attempt) };
  if (child.request?.parent?.uid !== draft.observed.record.uid) return { attempt: refused(draft, attempt, 'JobNameTaken', `record "${child.name}" belongs to somebody else`) };
  if (child.result) return withResult(attempt, child, child.result, step.outputs);
  const late = overdue(draft, attempt, timeLimit(draft, step));
  return { attempt: late ?? (attempt.seen === true ? attempt : { ...attempt, seen: true, ranAt: child.createdAt }) };
}

function foldMissing(draft: RunDraft, attempt: Attempt): Attempt {
  const { reservations, refusals } = draft.observed;
  if (reservations.has(attempt.job)) return attempt;
  if (attempt.seen === true) return { ...attempt, outcome: 'errored', endedAt: draft.now, reason: 'RunDeleted', message: `the record "${attempt.job}" was deleted before its run had ended` };
  const refusal = refusals.get(attempt.job);
  if (refusal?.kind !== 'refused' && refusal?.kind !== 'taken') return attempt;
  return refused(draft, attempt, refusal.kind === 'taken' ? 'JobNameTaken' : 'CreateRefused', refusal.message);
}

function refused(draft: RunDraft, attempt: Attempt, reason: string, message: string): Attempt {
  return { ...attempt, outcome: 'refused', endedAt: draft.now, reason, message };
}

function withResult(attempt: Attempt, child: ObservedRecord, result: RunResult, declared: Readonly<Record<string, OutputSpec>>): Folded {
  const ended = { ...attempt, seen: true, ranAt: attempt.ranAt ?? result.startedAt, endedAt: result.finishedAt };
  if (result.outcome !== 'succeeded') {
    const reason = result.outcome === 'cancelled' ? 'RunCancelled' : result.reason;
    return { attempt: { ...ended, outcome: 'failed', reason, message: `run "${child.name}" ${result.outcome === 'cancelled' ? 'was cancelled' : 'failed'}: ${result.message}` } };
  }
  const outputs = readResult(declared, result.outputs);
  if (typeof outputs === 'string') return { attempt: { ...ended, outcome: 'failed', reason: 'OutputMissing', message: `run "${child.name}" ${outputs}` } };
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

/** The record of one attempt. */
export function makeSubRun(draft: RunDraft, site: Site, attempt: number, resolver: Resolver): Made {
  const { step, index } = site;
  const { record, spec } = draft.observed;
  if (step.work.kind !== 'workflow') return { kind: 'problem', reason: 'ReferenceInvalid', message: 'the step runs no workflow' };
  const depth = (record.request?.parent?.depth ?? 0) + 1;
  if (depth > deepest) return { kind: 'problem', reason: 'TooDeep', message: `runs are nested more than ${deepest} deep` };
  const { workflow } = step.work;
  const parameters = asObject(resolver.resolve(step.work.parameters, 'any'));
  if (parameters.kind !== 'value') return parameters;
  const name = subRunName(workflow, { uid: record.uid, step: step.name, index, attempt });
  return {
    kind: 'made',
    name,
    action: {
      kind: 'createSubRun',
      reason: attempt === 1 ? 'StepDue' : 'StepRetry',
      because: `${siteText(site)} runs workflow "${workflow}"`,
      step: step.name,
      name,
      request: { workflow, trigger: 'step', parent: { run: record.name, uid: record.uid, step: step.name, attempt, depth, within: [...(record.request?.parent?.within ?? []), spec.name] } },
      parameters: parameters.value,
    },
  };
}
