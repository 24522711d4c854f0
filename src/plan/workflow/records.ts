/** What the records of a workflow tell by their metadata alone. */
import { jobName } from '../job-name.ts';
import type { JobRef } from '../action.ts';
import type { ObservedRecord, RunPhase, RunRequest } from '../run/record.ts';

/** A record whose request can be read. Another is left to people: it starts nothing and keeps nothing from starting. */
export type ReadableRecord = ObservedRecord & { readonly request: RunRequest };

export function isReadable(record: ObservedRecord): record is ReadableRecord {
  return record.request !== undefined;
}

const finished: ReadonlySet<RunPhase> = new Set(['Succeeded', 'Failed', 'Cancelled']);

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

export function recordRef({ name, uid, resourceVersion }: ObservedRecord): JobRef {
  return { name, uid, resourceVersion };
}

/** `run "a"`, `runs "a" and "b"`, `5 runs`. */
export function runsText(records: readonly { readonly name: string }[]): string {
  const [first, second] = records;
  if (records.length > 2 || !first) return `${records.length} runs`;
  return second ? `runs "${first.name}" and "${second.name}"` : `run "${first.name}"`;
}

/**
 * The newest run that a change of the spec started. Creation times have whole seconds: of several in the same second it
 * is the one that no other follows, which their names tell, since each is made from the name before it.
 */
export function newestChange(records: readonly ObservedRecord[], instance: string): ReadableRecord | undefined {
  const changes = records.filter(isReadable).filter(({ request }) => request.trigger === 'change');
  const last = Math.max(...changes.map(({ createdAt }) => createdAt));
  const tied = changes.filter(({ createdAt }) => createdAt === last).sort((left, right) => (left.name < right.name ? 1 : -1));
  const names = new Set(tied.map(({ name }) => name));
  const isFollowed = (record: ReadableRecord): boolean => tied.some(({ request }) => names.has(changeName(instance, record.name, request)));
  return tied.length < 2 ? tied[0] : (tied.find((record) => !isFollowed(record)) ?? tied[0]);
}

/** `previous`: name of the change run before it, or empty. So the same text may run again after another one did. */
export function changeName(instance: string, previous: string, { workflow, specHash, source }: Pick<RunRequest, 'workflow' | 'specHash' | 'source'>): string {
  return jobName(workflow, [instance, workflow, 'change', previous, specHash ?? '', source ?? '']);
}

/** The run with the latest scheduled time. */
export function newestSchedule(records: readonly ObservedRecord[]): ReadableRecord | undefined {
  const scheduled = records.filter(isReadable).filter(({ request }) => request.trigger === 'schedule' && request.scheduledAt !== undefined);
  return scheduled.sort((left, right) => (right.request.scheduledAt ?? 0) - (left.request.scheduledAt ?? 0))[0];
}
