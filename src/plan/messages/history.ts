/**
 * The history of a queue: what became of its last messages, also after their Jobs are gone. Nothing depends on it. It is
 * derived from Jobs and merged, never counted on: two processes that merge what they see come to the same, in any order
 * (docs/adr/0017-history-of-messages.md).
 */
import { canonicalJson } from '../../lib/digest.ts';
import type { Outcome } from '../notes.ts';
import type { Carrier } from './carrier.ts';
import type { SettledNote } from './message.ts';

/** What is known of one message: its last Job that was settled. Never anything of what is in the message, nor outputs. */
export interface HistoryEntry {
  readonly id: string;
  /** sourceText of its queue. */
  readonly source: string;
  /** What the queue was told last. */
  readonly as: SettledNote['as'];
  /** When. All times are milliseconds since 1970. */
  readonly settledAt: number;
  /** undefined: it never got a Job; what is in it was refused. */
  readonly job?: HistoryJob;
  /** Of the last Job, once it is over; of a message without a Job why it got none. CamelCase. */
  readonly reason?: string;
  /** Why it got no Job, as the log has it; cut. */
  readonly detail?: string;
  readonly enqueuedAt?: number;
  readonly leasedAt?: number;
}

/** The last Job of a message, or what stood for one. */
export interface HistoryJob {
  readonly name: string;
  /** Absent: a Job for this message alone. */
  readonly carrier?: Carrier;
  /** Jobs for the message up to this one, and attempts among them. */
  readonly serial: number;
  readonly attempt: number;
  readonly createdAt: number;
  /** When Kubernetes took it up. */
  readonly startedAt?: number;
  /** Absent, with the outcome, while it is not over: its message was settled when it was created. */
  readonly finishedAt?: number;
  readonly outcome?: Outcome;
  readonly exitCode?: number;
}

export interface History {
  /** The newest first. */
  readonly entries: readonly HistoryEntry[];
  /** What was settled after this time is in `entries`, as far as anybody looked; undefined: nothing was ever left out for want of room. */
  readonly since: number | undefined;
}

/** Most messages of one history, and most bytes that they take as text: whichever comes first. */
export const mostEntries = 1_000;
export const mostBytes = 512 * 1024;
/**
 * What an entry takes at most beside its id and its queue, with room to spare. The weight of a message must not change with
 * what becomes of it: what was cut off in one order of merging would else have had room in another.
 */
const bytesBeside = 400;
/** Bytes of an id; a longer one makes its message invalid, and nobody would ask for it. */
export const longestId = 1024;
/** Characters of a name, a reason and a detail, which keep to it. */
const longestName = 63;
const longestReason = 63;
const longestDetail = 120;

/** Two of one message have the same text. */
export function messageKey({ source, id }: Pick<HistoryEntry, 'source' | 'id'>): string {
  // A source is JSON, and has no line break.
  return `${source}\n${id}`;
}

/** The same, held to what may be kept: names and reasons are short and plain by themselves, unless somebody edited a Job. */
export function keptEntry(entry: HistoryEntry): HistoryEntry {
  const { job, reason, detail } = entry;
  return {
    ...entry,
    ...(job && { job: { ...job, name: plain(job.name, longestName) } }),
    ...(reason !== undefined && { reason: plain(reason, longestReason) }),
    ...(detail !== undefined && { detail: plain(detail, longestDetail) }),
  };
}

/** One byte for each character, also as JSON. */
function plain(text: string, longest: number): string {
  if (text.length <= longest && /^[\w .,:()/-]*$/.test(text)) return text;
  return text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll('"', "'").replaceAll('\\', '/').slice(0, longest);
}

/** The newest of each message, as many as there is room for. */
export function mergeHistories(...histories: readonly History[]): History {
  const newest = new Map<string, HistoryEntry>();
  for (const entry of histories.flatMap(({ entries }) => entries)) {
    const key = messageKey(entry);
    const known = newest.get(key);
    if (!known || isNewer(entry, known)) newest.set(key, entry);
  }
  const ordered = [...newest.values()].sort(newestFirst);
  const kept = roomFor(ordered);
  const cut = [ordered[kept]?.settledAt, ...histories.map(({ since }) => since)].filter((time) => time !== undefined);
  return { entries: ordered.slice(0, kept), since: cut.length === 0 ? undefined : Math.max(...cut) };
}

/** Whether both say the same, word for word. */
export function isSameHistory(left: History, right: History): boolean {
  return left.since === right.since && left.entries.length === right.entries.length && left.entries.every((entry, index) => entry === right.entries[index] || textOf(entry) === textOf(right.entries[index]));
}

/** How many of the first there is room for. */
function roomFor(ordered: readonly HistoryEntry[]): number {
  let bytes = 0;
  for (const [index, entry] of ordered.entries()) {
    bytes += weightOf(entry);
    if (index >= mostEntries || bytes > mostBytes) return index;
  }
  return ordered.length;
}

/** Most bytes that an entry of this message takes, whatever it says. */
export function weightOf({ id, source }: Pick<HistoryEntry, 'id' | 'source'>): number {
  return Buffer.byteLength(JSON.stringify(id)) + Buffer.byteLength(JSON.stringify(source)) + bytesBeside;
}

function newestFirst(left: HistoryEntry, right: HistoryEntry): number {
  return isNewer(left, right) ? -1 : isNewer(right, left) ? 1 : 0;
}

/** Total: two that are no newer than each other are the same. Settled later; of a later Job; and of one Job, the entry that tells its end. */
function isNewer(left: HistoryEntry, right: HistoryEntry): boolean {
  const by = left.settledAt - right.settledAt || laterJob(left.job, right.job);
  return by === 0 ? left !== right && textOf(left) > textOf(right) : by > 0;
}

function laterJob(left: JobTimes = noJob, right: JobTimes = noJob): number {
  return left.createdAt - right.createdAt || left.serial - right.serial || (left.finishedAt ?? -1) - (right.finishedAt ?? -1);
}

type JobTimes = Pick<HistoryJob, 'createdAt' | 'serial' | 'finishedAt'>;
const noJob: JobTimes = { createdAt: -1, serial: -1 };

function textOf(entry: HistoryEntry | undefined): string {
  return entry === undefined ? '' : canonicalJson(entry);
}
