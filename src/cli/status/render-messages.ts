/** What became of messages, as a table and as a document. */
import type { JsonObject } from '../../lib/json.ts';
import { carrierText } from '../../plan/messages/carrier.ts';
import { lastHeard, sourceParts, type MessageRow, type MessageState } from '../../plan/messages/message-rows.ts';
import { isoTime } from '../../plan/iso-time.ts';
import { age, elapsed } from '../runs/elapsed.ts';
import { table, type Cell, type Tone } from '../runs/table.ts';
import type { Reach, ShownMessages } from './messages.ts';
import type { RenderOptions } from './render-options.ts';

const tones: Readonly<Partial<Record<MessageState, Tone>>> = { starting: 'busy', running: 'busy', completed: 'good', taken: 'good', presumed: 'good', dead: 'bad', returned: 'odd', kept: 'odd' };

/** Lines for people. */
export function messageLines({ queue, rows, more, reach, id }: ShownMessages, { screen, now, wide }: RenderOptions): string[] {
  if (rows.length === 0) return [`no messages of queue "${queue}" are known; ${reachLine(reach)}`];
  const several = new Set(rows.map(({ source }) => source)).size > 1;
  const time = (at: number | undefined): string => (at === undefined ? '' : isoTime(at));
  const cells = rows.map((row): Cell[] => [
    row.id, { text: row.state, tone: tones[row.state] }, String(row.job?.attempt ?? ''), jobText(row), row.from, row.job?.outcome ?? '', reasonText(row), age(now - lastHeard(row)), tookText(row),
    ...(wide ? [time(row.enqueuedAt), time(row.leasedAt), time(row.job?.startedAt), time(row.job?.finishedAt), time(row.settledAt)] : []),
    ...(wide || several ? [sourceTitle(row)] : []),
    row.detail ?? '',
  ]);
  const headers = ['MESSAGE', 'STATE', 'ATTEMPT', 'JOB', 'FROM', 'OUTCOME', 'REASON', 'AGE', 'RAN', ...(wide ? ['ENQUEUED', 'LEASED', 'STARTED', 'FINISHED', 'SETTLED'] : []), ...(wide || several ? ['QUEUE'] : []), 'DETAIL'];
  const note = id === undefined ? [...(more > 0 ? [`… and ${more} more: --limit shows more of them`] : []), reachLine(reach)] : [];
  return [...table(headers, cells, screen), ...note];
}

function sourceTitle({ source }: MessageRow): string {
  const { type, connection, queue } = sourceParts(source);
  return `${type} ${connection}/${queue}`;
}

function jobText({ job }: MessageRow): string {
  if (!job) return '';
  return job.carrier ? carrierText(job).replaceAll('"', '') : job.name;
}

function reasonText({ reason, job }: MessageRow): string {
  const code = job?.exitCode === undefined ? '' : `exit ${job.exitCode}`;
  // The container runtime's word for any exit code but 0.
  if (reason === undefined || (reason === 'Error' && code !== '')) return code;
  return code === '' ? reason : `${reason} (${code})`;
}

function tookText({ job }: MessageRow): string {
  return job?.startedAt === undefined || job.finishedAt === undefined ? '' : elapsed(job.finishedAt - job.startedAt);
}

function reachLine(reach: Reach): string {
  return reach.kind === 'since' ? `the history goes back to ${isoTime(reach.time)}` : reach.message;
}

/** For programs; the same fields as over HTTP. */
export function messagesDocument({ queue, id, rows, more, reach }: ShownMessages): JsonObject {
  return {
    queue,
    message: id,
    messages: rows.map(messageDocument),
    more: id === undefined ? more : undefined,
    historySince: reach.kind === 'since' ? isoTime(reach.time) : undefined,
    historyProblem: reach.kind === 'since' ? undefined : reach.message,
  };
}

function messageDocument({ id, source, state, from, settledAt, job, reason, detail, enqueuedAt, leasedAt }: MessageRow): JsonObject {
  const time = (at: number | undefined): string | undefined => (at === undefined ? undefined : isoTime(at));
  const { carrier } = job ?? {};
  return {
    id, state, from, source: sourceParts(source), reason, detail,
    enqueuedAt: time(enqueuedAt), leasedAt: time(leasedAt), settledAt: time(settledAt),
    ...(job && {
      [carrier?.kind === 'Run' ? 'run' : 'job']: job.name, index: carrier?.kind === 'index' ? carrier.index : undefined,
      serial: job.serial, attempt: job.attempt, outcome: job.outcome, exitCode: job.exitCode,
      createdAt: isoTime(job.createdAt), startedAt: time(job.startedAt), finishedAt: time(job.finishedAt),
    }),
  };
}
