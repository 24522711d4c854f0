/** A record as the API shows it. */
import { isoTime } from '../../../plan/iso-time.ts';
import { targetName, type ObservedRecord } from '../../../plan/run/record.ts';
import { isOver } from '../../../plan/run/summary.ts';
import { stepViews, type StepView } from '../../../plan/run/step-views.ts';
import type { StoredRecord } from '../../../reconcile/record-ports.ts';
import { specKey } from '../../../spec/keys.ts';
import { isRunnable } from '../../../spec/parsed.ts';
import { parseSpec } from '../../../spec/parse.ts';
import type { WorkflowSpec } from '../../../spec/workflow.ts';
import type { RunBody, RunDetailBody, StepBody } from './run-schema.ts';

/** In short: what the metadata of the record tells. */
export function runBody(record: ObservedRecord): RunBody {
  const { name, uid, target, phase, commands, createdAt } = record;
  return {
    name,
    uid,
    target: { kind: target.kind === 'template' ? 'template' : 'workflow', name: targetName(record) },
    phase,
    createdAt: time(createdAt),
    ...originOf(record),
    ...endOf(record),
    suspendRequested: commands.suspend,
    cancelRequested: commands.cancel ?? null,
    approvals: Object.fromEntries(commands.approvals),
  };
}

function originOf({ request }: ObservedRecord): Pick<RunBody, 'trigger' | 'priority' | 'scheduledAt' | 'parent' | 'rerunOf'> {
  if (!request) return { trigger: null, priority: 0, scheduledAt: null, parent: null, rerunOf: null };
  const { trigger, priority = 0, scheduledAt, parent, rerunOf } = request;
  return { trigger, priority, scheduledAt: time(scheduledAt), parent: parent ? { run: parent.run, step: parent.step } : null, rerunOf: rerunOf?.run ?? null };
}

function endOf({ result }: ObservedRecord): Pick<RunBody, 'startedAt' | 'finishedAt' | 'outcome' | 'reason' | 'message' | 'failedSteps' | 'outputs'> {
  if (!result) return { startedAt: null, finishedAt: null, outcome: null, reason: null, message: null, failedSteps: [], outputs: null };
  const { startedAt, finishedAt, outcome, reason, message, failedSteps, outputs = null } = result;
  return { startedAt: time(startedAt), finishedAt: time(finishedAt), outcome, reason, message, failedSteps: [...failedSteps], outputs };
}

/** With its steps. `current`: the spec as it is now, for a run that is not frozen yet. `callback`: its own address. */
export function runDetail(stored: StoredRecord, { current, callback }: { readonly current: WorkflowSpec | undefined; readonly callback: string }): RunDetailBody {
  const { record, data, parameters, state } = stored;
  const spec = frozenSpec(record, data) ?? (data ? undefined : current);
  const known = typeof state === 'object' ? state : undefined;
  const steps = spec && state !== 'broken' ? stepViews(spec, { state: known, over: isOver(record.phase), progress: noProgress }) : undefined;
  const short = runBody(record);
  return {
    ...short,
    startedAt: short.startedAt ?? time(known?.startedAt),
    parameters,
    steps: steps?.map(stepBody) ?? null,
    callbackUrl: callback,
    notes: notesOn(stored, spec),
  };
}

function notesOn({ record, data, state }: StoredRecord, spec: WorkflowSpec | undefined): string[] {
  return [
    ...(state === 'broken' ? ['the state in the record cannot be read: somebody edited it'] : []),
    ...(spec ? [] : [data ? 'the text in the record cannot be read' : 'what it is a run of does not exist now, or its text has errors']),
    ...(record.deleting ? ['the record is being deleted'] : []),
  ];
}

/** Numbers of succeeded items are in the status of Jobs, which a record does not hold while they run. */
const noProgress: ReadonlyMap<string, number> = new Map();

/** The text that a run started with; undefined where it has not, or where that cannot be read. */
export function frozenSpec(record: ObservedRecord, data: StoredRecord['data']): WorkflowSpec | undefined {
  if (data?.[specKey] === undefined) return undefined;
  const { spec } = parseSpec({ file: `configmap/${record.name}`, objectName: targetName(record), label: record.target.kind, data }, {});
  return isRunnable(spec) ? spec : undefined;
}

function stepBody({ items, startedAt, ranAt, endedAt, phase, exitCode, reason, message, object, ...rest }: StepView): StepBody {
  return {
    ...rest,
    phase: phase ?? null,
    items: items ? { succeeded: items.succeeded ?? null, all: items.all } : null,
    startedAt: time(startedAt),
    ranAt: time(ranAt),
    endedAt: time(endedAt),
    exitCode: exitCode ?? null,
    reason: reason ?? null,
    message: message === '' ? null : message,
    object: object ?? null,
  };
}

function time(at: number | undefined): string | null {
  return at === undefined ? null : isoTime(at);
}
