/** What the records of a workflow tell by their metadata alone. */
import { jobName } from '../job-name.ts';
import type { JobRef } from '../action.ts';
import type { ObservedRecord, RunPhase, RunRequest } from '../run/record.ts';

/** A record whose request can be read. Another is left to people: it starts nothing and keeps nothing from starting. */
export type ReadableRecord = ObservedRecord & { readonly request: RunRequest };

/** Whether its request can be read. */
export function isReadable(record: ObservedRecord): record is ReadableRecord {
  return record.request !== undefined;
}

const finished: ReadonlySet<RunPhase> = new Set(['Succeeded', 'Failed', 'Cancelled']);

/** Over, however it came out. */
export function isFinished({ phase }: ObservedRecord): boolean {
  return finished.has(phase);
}

/** Has begun and is not over: it takes a place of concurrency.max, also while it is suspended. */
export function isActive(record: ObservedRecord): record is ReadableRecord {
  return isReadable(record) && record.phase !== 'Queued' && !isFinished(record);
}

/** By the API server's clock; a record without a readable result counts from its creation. */
export function finishedAt(record: ObservedRecord): number {
  return record.result?.finishedAt ?? record.createdAt;
}

/** What a write needs to reach this record, as it was looked at, and no namesake. */
export function recordRef({ name, uid, resourceVersion }: ObservedRecord): JobRef {
  return { name, uid, resourceVersion };
}

/** `run "a"`, `runs "a" and "b"`, `5 runs`. */
export function runsText(records: readonly { readonly name: string }[]): string {
  const [first, second] = records;
  if (records.length > 2 || !first) return `${records.length} runs`;
  return second ? `runs "${first.name}" and "${second.name}"` : `run "${first.name}"`;
}

/** Creation times have whole seconds, and API servers have clocks of their own. */
const clockTolerance = 60_000;

/** Runs that a change of the spec started so lately that one of them is the newest; newest first, as far as times tell. */
export function latestChanges(records: readonly ObservedRecord[]): readonly ReadableRecord[] {
  const changes = records.filter(isReadable).filter(({ request }) => request.trigger === 'change');
  const last = changes.reduce((latest, { createdAt }) => Math.max(latest, createdAt), -Infinity);
  return changes.filter(({ createdAt }) => createdAt >= last - clockTolerance).sort((left, right) => right.createdAt - left.createdAt || (left.name < right.name ? 1 : -1));
}

/**
 * The newest run that a change of the spec started. Of several within a minute it is the one that no other follows, which
 * their names tell, since each is made from the name before it.
 */
export function newestChange(records: readonly ObservedRecord[], instance: string): ReadableRecord | undefined {
  const latest = latestChanges(records);
  const names = new Set(latest.map(({ name }) => name));
  const isFollowed = ({ name }: ReadableRecord): boolean => latest.some(({ request }) => names.has(changeName(instance, name, request)));
  return latest.length < 2 ? latest[0] : (latest.find((record) => !isFollowed(record)) ?? latest[0]);
}

/** `previous`: name of the change run before it, or empty. So the same text may run again after another one did. */
export function changeName(instance: string, previous: string, { workflow = '', specHash = '', source = '' }: Pick<RunRequest, 'workflow' | 'specHash' | 'source'>): string {
  return jobName(workflow, [instance, workflow, 'change', previous, specHash, source]);
}

/** Times further ahead than any clock goes wrong are garbage, and would stop a schedule for good. */
const furthestAhead = 24 * 3_600_000;

/** Whether a scheduled time may have been used by now. */
export function isPlausible(time: number, now: number): boolean {
  return time < now + furthestAhead;
}

/** The run with the latest scheduled time. */
export function newestSchedule(records: readonly ObservedRecord[], now: number): ReadableRecord | undefined {
  const at = ({ request }: ReadableRecord): number => request.scheduledAt ?? Infinity;
  const scheduled = records.filter(isReadable).filter((record) => record.request.trigger === 'schedule' && isPlausible(at(record), now));
  return scheduled.sort((left, right) => at(right) - at(left))[0];
}
