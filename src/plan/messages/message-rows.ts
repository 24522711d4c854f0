/** Messages as somebody looks at them: by their Jobs while these are there, and by the history after that. */
import { parseJson } from '../../lib/json.ts';
import { sourceText } from '../../spec/queue-source.ts';
import { hasStarted } from '../job-state.ts';
import { jobFacts } from './history-entries.ts';
import { messageKey, type HistoryEntry, type HistoryJob } from './history.ts';
import type { MessageJobView, MessageView } from './view.ts';

/**
 * `starting`: its Job is there, and no container has started; `running`: one has; `ended`: the Job is over, and the queue was
 * told nothing yet. Else what the queue was told.
 */
export const messageStates = ['starting', 'running', 'ended', 'completed', 'taken', 'returned', 'dead', 'kept', 'presumed'] as const;
export type MessageState = (typeof messageStates)[number];

/** One Job of a message, or what the history has of it. */
export interface MessageRow {
  readonly id: string;
  /** sourceText of its queue. */
  readonly source: string;
  readonly state: MessageState;
  /** `job`: its Job is there; `history`: it is known by the history alone. */
  readonly from: 'job' | 'history';
  readonly settledAt?: number;
  /** undefined: it never got one. */
  readonly job?: HistoryJob;
  readonly reason?: string;
  readonly detail?: string;
  readonly enqueuedAt?: number;
  readonly leasedAt?: number;
}

/** What is known of some messages: Jobs that are there, and what the history has. */
export interface KnownMessages {
  readonly messages: readonly MessageView[];
  readonly entries: readonly HistoryEntry[];
}

/** All that is known of the messages with this id, each Job on its own: the newest first. */
export function rowsOf(known: KnownMessages, id: string): readonly MessageRow[] {
  const rows = known.messages.filter((message) => message.id === id).flatMap(({ jobs }) => jobs.map(rowOfJob));
  const names = new Set(rows.map(placeOf));
  const older = known.entries.filter((entry) => entry.id === id).map(rowOfEntry).filter((row) => !names.has(placeOf(row)));
  return [...rows, ...older].sort(latestFirst);
}

/** One row for each message: of its last Job. The newest first. */
export function newestRows({ messages, entries }: KnownMessages): readonly MessageRow[] {
  const rows = [...messages.flatMap(({ jobs: [newest] }) => (newest ? [rowOfJob(newest)] : [])), ...entries.map(rowOfEntry)];
  const newest = new Map<string, MessageRow>();
  for (const row of rows) {
    const known = newest.get(messageKey(row));
    // Of one Job, what it says itself.
    if (!known || (row.job?.createdAt ?? row.settledAt ?? 0) > (known.job?.createdAt ?? known.settledAt ?? 0)) newest.set(messageKey(row), row);
  }
  return [...newest.values()].sort(latestFirst);
}

/** What sourceText says, in parts: for documents. */
export function sourceParts(text: string): { readonly type: string; readonly connection: string; readonly queue: string } {
  const parts = parseJson(text);
  const [type, connection, , queue] = Array.isArray(parts) ? parts.map((part) => (typeof part === 'string' ? part : '')) : [];
  return { type: type ?? '', connection: connection ?? '', queue: queue ?? '' };
}

/** When something was last heard of it. */
export function lastHeard({ settledAt, job, leasedAt }: MessageRow): number {
  return Math.max(settledAt ?? 0, job?.finishedAt ?? 0, job?.createdAt ?? 0, leasedAt ?? 0);
}

function latestFirst(left: MessageRow, right: MessageRow): number {
  return lastHeard(right) - lastHeard(left) || (right.job?.serial ?? 0) - (left.job?.serial ?? 0) || (left.id < right.id ? -1 : 1);
}

/** Names of Jobs are used once, as long as anybody remembers one. */
function placeOf({ source, job }: MessageRow): string {
  return JSON.stringify([source, job?.name, job?.serial]);
}

function rowOfJob(view: MessageJobView): MessageRow {
  const { note, settled } = view.message;
  const { id, enqueuedAt, leasedAt } = note;
  return {
    id,
    source: sourceText(note.source),
    state: settled?.as ?? (view.finished ? 'ended' : hasStarted(view) ? 'running' : 'starting'),
    from: 'job',
    ...(settled && { settledAt: settled.at }),
    ...jobFacts(view),
    ...(enqueuedAt !== undefined && { enqueuedAt }),
    leasedAt,
  };
}

function rowOfEntry({ as, ...rest }: HistoryEntry): MessageRow {
  return { ...rest, state: as, from: 'history' };
}
