/** Which finished Jobs may go. Only retention deletes Jobs. */
import type { BeforeDelete, Retention, RetentionRule } from '../spec/common.ts';
import { earliest } from './give-up.ts';
import { jobState, newestFirst } from './job-state.ts';
import type { ObservedJob } from './observed.ts';

/**
 * No request of ours can still be under way after this time, so no late create can bring back the name of a Job that
 * has been deleted (the client gives up after 15 s, the API server after 60 s).
 */
const requestLifetime = 2 * 60_000;

/** So long after its message was settled a redelivery finds the Job (docs/adr/0015-owning-a-message.md). */
export const dedupeWindow = 10 * 60_000;

export interface RetentionPlan {
  readonly remove: readonly ObservedJob[];
  /** When the answer changes by itself. */
  readonly next: number | undefined;
}

export interface RetentionView {
  readonly retention: Retention;
  /** How many of the newest failures the breaker counts. */
  readonly counted: number;
  /** False when no spec is left: then nothing will ask for the newest Job's sequence again. */
  readonly keepNewest: boolean;
  /** Ids of messages whose Jobs may be asked for just now. */
  readonly inHand?: ReadonlySet<string>;
}

/**
 * Over the count or over the age, by outcome; but never the newest Job (it holds the drain sequence and the wait), the
 * failures that the breaker counts, one whose outcome is not written down yet, or one with a living pod. Of Jobs for
 * messages none that is not settled, none whose message is in hand, and none within the dedupe window.
 */
export function planRetention(jobs: readonly ObservedJob[], view: RetentionView, now: number): RetentionPlan {
  const ordered = newestFirst(jobs);
  const done = ordered.filter((job) => jobState(job) === 'finished' && job.recorded?.phase === 'final' && isSettled(job, view));
  const newest = ordered.find((job) => job.message === undefined && job.batch === undefined);
  const guarded = new Set<string>(view.keepNewest && newest ? [newest.uid] : []);
  const succeeded = done.filter((job) => job.recorded?.outcome === 'succeeded');
  const failed = done.filter((job) => job.recorded?.outcome !== 'succeeded');
  if (view.keepNewest) for (const job of failed.slice(0, view.counted)) guarded.add(job.uid);
  const finishedAt = (job: ObservedJob): number => job.finished?.at ?? job.createdAt;
  const removals = [...removalTimes(succeeded, finishedAt, view.retention.succeeded), ...removalTimes(failed, finishedAt, view.retention.failed)].filter(({ item }) => !guarded.has(item.uid));
  return dueBy(removals.map(({ item, at }) => ({ item, at: Math.max(at, lastSettledAt(item) + dedupeWindow) })), now);
}

/** Nobody asks for it any more: its messages have their end, or go on without it. */
function isSettled({ message, batch }: ObservedJob, { inHand }: RetentionView): boolean {
  if (batch) return batch.notes.every(({ id }, index) => batch.settled.has(index) && inHand?.has(id) !== true);
  return message === undefined || (message.settled !== undefined && inHand?.has(message.note.id) !== true);
}

function lastSettledAt({ message, batch }: ObservedJob): number {
  return Math.max(message?.settled?.at ?? -Infinity, ...(batch?.settled.values() ?? []).map(({ at }) => at));
}

export interface Removal<T> {
  readonly item: T;
  /** When it may go at the earliest. */
  readonly at: number;
}

/** What has to go by now, and when the answer changes by itself. */
export function dueBy<T>(removals: readonly Removal<T>[], now: number): { readonly remove: readonly T[]; readonly next: number | undefined } {
  return {
    remove: removals.filter(({ at }) => at <= now).map(({ item }) => item),
    next: earliest(removals.map(({ at }) => (at > now ? at : undefined))),
  };
}

/**
 * When each of what is finished may go, newest first; what stays for ever is left out. What somebody keeps, or wants gone, is
 * not one of those that are counted: it would push out others.
 */
export function removalTimes<T extends { readonly keepUntil?: number }>(ordered: readonly T[], finishedAtOf: (item: T) => number, rule: RetentionRule): Removal<T>[] {
  const places = new Map(ordered.filter(({ keepUntil }) => keepUntil === undefined).map((item, index) => [item, index]));
  return ordered.flatMap((item) => {
    const finishedAt = finishedAtOf(item);
    const at = item.keepUntil ?? ruledAt(finishedAt, places.get(item) ?? 0, rule);
    return at === undefined || at === Infinity ? [] : [{ item, at: Math.max(at, finishedAt + requestLifetime) }];
  });
}

function ruledAt(finishedAt: number, place: number, { count, age }: RetentionRule): number | undefined {
  return earliest([count !== undefined && place >= count ? finishedAt : undefined, age === undefined ? undefined : finishedAt + age]);
}

interface NotedRule {
  readonly count?: number;
  readonly age?: number;
}

/** Retention as it was noted on what it is about; the defaults of specs where that is missing or garbage. */
export function notedRetention(note: { readonly succeeded: NotedRule; readonly failed: NotedRule; readonly beforeDelete?: BeforeDelete } | undefined): Retention {
  return {
    ...(note?.beforeDelete && { beforeDelete: note.beforeDelete }),
    succeeded: { count: note ? note.succeeded.count : 3, age: note?.succeeded.age },
    failed: { count: note ? note.failed.count : 10, age: note ? note.failed.age : 7 * 86_400_000 },
  };
}
