/**
 * What can be said for the history of a queue, from what is in view: by state, so that a process that was killed misses
 * nothing that its successor still sees.
 */
import { sourceText } from '../../spec/queue-source.ts';
import type { SettleMessage } from './action.ts';
import { keptEntry, longestId, type HistoryEntry, type HistoryJob } from './history.ts';
import type { SettledNote } from './message.ts';
import type { MessageJobView, MessageView } from './view.ts';

/** A message of which a Job was settled. */
export interface SettledMessage extends Pick<MessageView, 'source' | 'id'> {
  /** The newest that was: of a later one that is under way nothing is known yet. */
  readonly job: MessageJobView;
  readonly as: SettledNote['as'];
  /** An older Job may be marked after a newer one, and says nothing newer of the message. */
  readonly settledAt: number;
}

/** All of which there is something to say. */
export function settledMessages(messages: readonly MessageView[]): readonly SettledMessage[] {
  return messages.flatMap((message) => settledOf(message) ?? []);
}

function settledOf({ source, id, jobs }: MessageView): SettledMessage | undefined {
  const job = jobs.find(({ message: { settled } }) => settled !== undefined);
  const as = job?.message.settled?.as;
  return job && as && { source, id, job, as, settledAt: Math.max(...jobs.map(({ message: { settled } }) => settled?.at ?? -Infinity)) };
}

/** Another one says something else of the same message. */
export function stampOf({ job, settledAt }: SettledMessage): string {
  return `${settledAt} ${job.message.note.serial} ${endOf(job)?.job.finishedAt ?? ''}`;
}

/** What is said of it. */
export function historyEntry({ source, id, job, as, settledAt }: SettledMessage): HistoryEntry {
  const { enqueuedAt, leasedAt } = job.message.note;
  return keptEntry({
    id,
    source,
    as,
    settledAt,
    ...jobFacts(job),
    ...(enqueuedAt !== undefined && { enqueuedAt }),
    leasedAt,
  });
}

/** What its Job says of a message. */
export function jobFacts(job: MessageJobView): Required<Pick<HistoryEntry, 'job'>> & Pick<HistoryEntry, 'reason'> {
  const over = endOf(job);
  return { job: { ...jobOf(job), ...over?.job }, ...(over && { reason: over.reason }) };
}

function jobOf({ name, carrier, createdAt, startedAt, message: { note } }: MessageJobView): HistoryJob {
  return { name, ...(carrier && { carrier }), serial: note.serial, attempt: note.attempt, createdAt, ...(startedAt !== undefined && { startedAt }) };
}

/** Once it is written down: all of it, or nothing. */
function endOf({ finished, recorded }: MessageJobView): { readonly reason: string; readonly job: Pick<HistoryJob, 'finishedAt' | 'outcome' | 'exitCode'> } | undefined {
  if (!finished || recorded?.phase !== 'final') return undefined;
  const { outcome, reason, exitCode } = recorded;
  return { reason, job: { finishedAt: finished.at, outcome, ...(exitCode !== undefined && { exitCode }) } };
}

/**
 * Of a message that was settled for what is in it, and has no Job to say so; undefined: of others their Jobs tell. This is
 * news, and lost with a process that dies before it is written.
 */
export function entryWithoutJob({ source, id, reason, because, job, how }: SettleMessage, at: number): HistoryEntry | undefined {
  if (job || Buffer.byteLength(id) > longestId || reason !== 'MessageInvalid' || (how.kind !== 'fail' && how.kind !== 'dead')) return undefined;
  return keptEntry({ id, source: sourceText(source), as: how.kind === 'dead' ? 'dead' : 'returned', settledAt: at, reason, detail: because });
}
