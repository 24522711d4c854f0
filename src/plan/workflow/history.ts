/** Which finished runs may go. Only retention deletes records, and with them (by ownership) their Jobs. */
import type { Retention } from '../../spec/common.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { CallDemand } from '../action.ts';
import { tellBefore, type Told } from '../before-delete.ts';
import { isoTime } from '../iso-time.ts';
import { dedupeWindow, dueBy, notedRetention, removalTimes, type Removal } from '../retention.ts';
import type { ObservedRecord } from '../run/record.ts';
import type { ObservedWorkflow } from './observed.ts';
import { finishedAt, isFinished, isReadable, latestChanges, newestSchedule, recordRef } from './records.ts';
import type { WorkflowDraft } from './round.ts';

export interface HistoryView {
  readonly spec: WorkflowSpec | undefined;
  readonly now: number;
}

/**
 * Over the count or over the age, by outcome; but nothing that is still needed. A cancelled run counts as one that failed.
 * Without a spec the retention counts that the runs were made with. What tells a Run that it has run takes nobody's place
 * (docs/adr/0011-runs-run-once.md).
 */
export function planHistory(draft: WorkflowDraft, observed: ObservedWorkflow, { spec, now }: HistoryView): Told<ObservedRecord>['failing'] {
  const retention = spec?.retention ?? retentionOf(observed.records);
  const done = observed.records.filter((record) => isFinished(record) && !record.deleting && observed.asked?.has(record.uid) !== true).sort((left, right) => finishedAt(right) - finishedAt(left) || (left.name < right.name ? 1 : -1));
  const succeeded = done.filter(({ phase }) => phase === 'Succeeded');
  const failed = done.filter(({ phase }) => phase !== 'Succeeded');
  const needed = neededRuns(observed, now);
  const removals = [...removalTimes(succeeded, finishedAt, retention.succeeded), ...removalTimes(failed, finishedAt, retention.failed)];
  const { remove, next } = dueBy(removals.filter(({ item }) => !needed.has(item.uid)).flatMap((removal) => heldBack(removal, observed, now)), now);
  draft.wake(next);
  const due = remove.map((record) => ({ item: record, uid: record.uid, body: callBody(record) }));
  const asked = { demand: (call: CallDemand) => draft.calls.push(call), wake: (at: number | undefined) => { draft.wake(at); } };
  const { gone, failing } = tellBefore(asked, due, { hook: retention.beforeDelete, calls: observed.calls ?? new Map(), now });
  for (const record of gone) draft.act({ kind: 'deleteRun', reason: 'RetentionExceeded', because: 'more finished runs, or older ones, than retention keeps', record: recordRef(record) });
  return failing;
}

/** What is known of a run whose record is about to go. */
function callBody({ name, uid, target, phase, result, createdAt, request }: ObservedRecord): JsonObject {
  return {
    kind: 'Run',
    name,
    uid,
    spec: { kind: target.kind, name: (target.kind === 'template' ? request?.template : request?.workflow) ?? target.name },
    outcome: result?.outcome ?? phase.toLowerCase(),
    createdAt: isoTime(createdAt),
    ...(result && { reason: result.reason, message: result.message, startedAt: isoTime(result.startedAt), finishedAt: isoTime(result.finishedAt), failedSteps: [...result.failedSteps] }),
    ...(result?.outputs && { outputs: result.outputs }),
  };
}

/** How soon it is looked again whether a sub-run is still awaited: mostly its outcome is written down within seconds. */
const awaitedPause = 60_000;

/** Its Jobs and sub-runs go with it: one that somebody keeps keeps it as well. One that is awaited stays meanwhile. */
function heldBack({ item, at }: Removal<ObservedRecord>, observed: ObservedWorkflow, now: number): Removal<ObservedRecord>[] {
  const { keptBy, awaited } = observed;
  const until = Math.max(at, keptBy?.get(item.name) ?? 0, awaited?.has(item.uid) === true ? now + awaitedPause : 0, neededByMessage(item, observed, now));
  return until === Infinity ? [] : [{ item, at: until }];
}

/**
 * Until when a redelivery must find the run that its message started: a message that is not settled is by its run, and
 * would start another. What settles it is a change of the record, which brings the next round.
 */
function neededByMessage({ uid, message }: ObservedRecord, { inHand }: ObservedWorkflow, now: number): number {
  if (!message) return 0;
  if (!message.settled) return Infinity;
  return Math.max(message.settled.at + dedupeWindow, inHand?.has(uid) === true ? now + awaitedPause : 0);
}

/**
 * The newest run of a change says that its revision has run (and those just before it, which of them is the newest), the
 * newest of a schedule which times are used: without them both would run again. As long as anything defines the workflow,
 * or may come to do so, they stay. So does what an unfinished run repeats, or is a step of.
 */
function neededRuns({ records, claims, unread }: ObservedWorkflow, now: number): ReadonlySet<string> {
  const defined = claims.length > 0 || unread;
  const newest = defined ? [...latestChanges(records), newestSchedule(records, now)] : [];
  const open = records.filter((record) => !isFinished(record)).filter(isReadable);
  return new Set([...newest.map((record) => record?.uid), ...open.flatMap(({ request }) => [request.parent?.uid, request.rerunOf?.uid])].filter((uid) => uid !== undefined));
}

function retentionOf(records: readonly ObservedRecord[]): Retention {
  const [newest] = records.filter(isReadable).filter(({ request }) => request.retention).sort((left, right) => right.createdAt - left.createdAt);
  return notedRetention(newest?.request.retention);
}
