/** A record's metadata, read: what other rounds need of it. Anybody may have edited it, so nothing here throws. */
import { objectAt, stringAt } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import { isOver } from '../../plan/run/summary.ts';
import type { ObservedRecord, RunCommands, RunPhase, RunResult } from '../../plan/run/record.ts';
import { approvalsAnnotation, cancelAnnotation, instanceLabel, jobKindLabel, keepUntilAnnotation, nameLabel, recordLabel, requestAnnotation, resultAnnotation, stateLabel, suspendAnnotation } from '../../spec/keys.ts';
import { annotationsOf, controllerOf, labelsOf, timeAt } from './labels.ts';
import { newSharedNotes, readMessageFacts } from './message-notes.ts';
import { readKeep } from './notes.ts';
import { asRunRequest, asRunResult } from './record-schema.ts';
import { identityOf } from './watch-event.ts';

/** What label job-chief-record says of a record; maps of files and of items have other values. */
export const recordRole = 'run';

/** undefined: no record, or another instance's. Works on whole objects and on metadata alone. */
export function projectRecord(raw: JsonObject, instance: string): ObservedRecord | undefined {
  const labels = labelsOf(raw);
  const identity = identityOf(raw);
  if (!identity || labels[recordLabel] !== recordRole || labels[instanceLabel] !== instance) return undefined;
  const metadata = objectAt(raw, 'metadata');
  const annotations = annotationsOf(raw);
  const result = asRunResult(parsed(annotations[resultAnnotation]));
  const { until } = readKeep(annotations[keepUntilAnnotation]);
  return {
    ...identity,
    resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
    createdAt: timeAt(metadata, 'creationTimestamp') ?? 0,
    deleting: stringAt(metadata, 'deletionTimestamp') !== undefined,
    ownerUid: controllerOf(raw).uid,
    target: { kind: labels[jobKindLabel] === 'template' ? 'template' : 'workflow', name: labels[nameLabel] ?? '' },
    request: asRunRequest(parsed(annotations[requestAnnotation])),
    ...standing(labels[stateLabel], result),
    result,
    commands: commandsOf(annotations),
    ...(until !== undefined && { keepUntil: until }),
    ...messageOf(annotations),
  };
}

function messageOf(annotations: Readonly<Record<string, string>>): Pick<ObservedRecord, 'message'> {
  const message = readMessageFacts(annotations, shared);
  return message ? { message } : {};
}

/** All runs of a queue say the same of it. */
const shared = newSharedNotes();

const phases: readonly RunPhase[] = ['Queued', 'Running', 'Suspended', 'Succeeded', 'Failed', 'Cancelled'];
const phaseAfter: Readonly<Record<RunResult['outcome'], RunPhase>> = { succeeded: 'Succeeded', failed: 'Failed', cancelled: 'Cancelled' };

/**
 * A run is over by its result alone, whatever somebody does to the label. Of an unknown label, or one that says over where
 * there is no result, the answer is Running: taken for Queued it would be frozen and started again, taken for over it would
 * be pruned while its Jobs run.
 */
function standing(label: string | undefined, result: RunResult | undefined): Pick<ObservedRecord, 'phase' | 'labelled'> {
  if (result !== undefined) return { phase: phaseAfter[result.outcome] };
  const phase = phases.find((one) => one === label) ?? 'Running';
  return isOver(phase) ? { phase: 'Running', labelled: phase } : { phase };
}

function commandsOf(annotations: Readonly<Record<string, string>>): RunCommands {
  const cancel = annotations[cancelAnnotation]?.trim();
  const suspend = annotations[suspendAnnotation];
  return {
    cancel: cancel === '' ? 'no reason given' : cancel,
    suspend: suspend === 'true' || suspend === 'run',
    ...(suspend === 'run' ? { suspendedByRun: true } : {}),
    ...approvalsIn(annotations[approvalsAnnotation] ?? ''),
  };
}

const verdicts: ReadonlyMap<string, 'approved' | 'rejected'> = new Map([['approved', 'approved'], ['rejected', 'rejected']]);
const noApprovals: RunCommands['approvals'] = new Map();

/** Characters of a part that is told. */
const longestPart = 100;

/** `deploy,other=rejected`. A misspelt verdict counts for nothing, and of two for one step the rejection counts. */
function approvalsIn(text: string): Pick<RunCommands, 'approvals' | 'misread'> {
  if (text === '') return { approvals: noApprovals };
  const approvals = new Map<string, 'approved' | 'rejected'>();
  const misread: string[] = [];
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const [step = '', verdict = 'approved', ...more] = part.split('=').map((each) => each.trim());
    const known = verdicts.get(verdict);
    if (step === '' || known === undefined || more.length > 0) misread.push(part.trim().slice(0, longestPart));
    else if (approvals.get(step) !== 'rejected') approvals.set(step, known);
  }
  return { approvals, ...(misread.length > 0 && { misread }) };
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
