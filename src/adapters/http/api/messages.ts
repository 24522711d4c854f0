/** GET /api/v1/queues/{name}/messages: what became of messages, also after their Jobs are gone. */
import { Type } from 'typebox';
import { digest } from '../../../lib/digest.ts';
import { labelValue } from '../../../lib/label-value.ts';
import { isoTime } from '../../../plan/iso-time.ts';
import { messageKey } from '../../../plan/messages/history.ts';
import { lastHeard, newestRows, rowsOf, sourceParts, type KnownMessages, type MessageRow } from '../../../plan/messages/message-rows.ts';
import { reachOf, type StoredHistory } from '../../../reconcile/messages/history-ports.ts';
import type { ReadResult } from '../../../reconcile/ports.ts';
import { found, requireSpecs, soon, type ApiDeps } from './deps.ts';
import { pagingBy, specName } from './fields.ts';
import { messageDetailSchema, messagePageSchema, type MessageBody } from './message-schema.ts';
import { page, type PlaceInList } from './paging.ts';
import { ApiProblem } from './problem.ts';
import { ok, route, type Route } from './route.ts';

export function messageRoutes(deps: ApiDeps): readonly Route[] {
  return [listMessages(deps), getMessage(deps)];
}

function listMessages(deps: ApiDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/queues/{name}/messages',
    id: 'listMessages',
    tag: 'queues',
    summary: 'List messages of a queue',
    description: 'Those that have Jobs, as this replica sees them at this moment, and those that the history of the queue still knows. What waits in the queue is not among them.',
    role: 'read',
    params: Type.Object({ name: specName }),
    query: Type.Object(pagingBy('time'), { additionalProperties: false }),
    answers: { 200: { description: 'Messages.', schema: messagePageSchema } },
    problems: [404, 503],
    handle: async ({ params: { name }, query }) => {
      const { known, history } = await messagesIn(deps, name);
      const placed = newestRows(known).map((row) => ({ row, place: placeOf(row) })).sort((left, right) => left.place[0] - right.place[0] || (left.place[1] < right.place[1] ? -1 : 1));
      const { items, continue: next } = page<{ readonly row: MessageRow; readonly place: PlaceInList }>(placed, ({ place }) => place, query);
      return ok({ items: items.map(({ row }) => messageBody(row)), continue: next, ...reachBody(history) });
    },
  });
}

function getMessage(deps: ApiDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/queues/{name}/messages/{id}',
    id: 'getMessage',
    tag: 'queues',
    summary: 'Show a message',
    description: 'By its id, percent-encoded in the path. What is only in the queue is not known here.',
    role: 'read',
    params: Type.Object({ name: specName, id: Type.String({ minLength: 1, maxLength: 1024, description: 'Id of the message.' }) }),
    answers: { 200: { description: 'What is known of it.', schema: messageDetailSchema } },
    problems: [404, 503],
    handle: async ({ params: { name, id } }) => {
      const { known, history } = await messagesIn(deps, name);
      const rows = rowsOf(known, id);
      // What cannot be read may know it.
      if (rows.length === 0) found(history);
      const reach = reachBody(history);
      if (rows.length === 0) throw new ApiProblem(404, 'UnknownMessage', `nothing is known of message "${id}": no Job is there for it, and ${reach.historySince === null ? reach.historyProblem : `the history goes back to ${reach.historySince}`}`);
      return ok({ id, items: rows.map(messageBody), ...reach });
    },
  });
}

/** Throws 404 where there is neither such a queue nor anything left of one. */
async function messagesIn(deps: ApiDeps, name: string): Promise<{ readonly known: KnownMessages; readonly history: ReadResult<StoredHistory> }> {
  requireSpecs(deps);
  if (!deps.messages.synced) throw new ApiProblem(503, 'NotReady', 'this replica has not read the Jobs yet', { retryAfter: soon });
  const { messages, history } = await deps.messages.read({ kind: 'queue', name: labelValue(name) });
  const isThere = messages.length > 0 || history.kind === 'found' || (await deps.specs.find('queue', name)) !== undefined;
  if (!isThere) throw new ApiProblem(404, 'UnknownQueue', `there is no queue "${name}"`);
  return { known: { messages, entries: history.kind === 'found' ? (history.value.history?.entries ?? []) : [] }, history };
}

/** Ids may be longer than what is sent to and fro. */
function placeOf(row: MessageRow): readonly [number, string] {
  return [-Math.floor(lastHeard(row)), digest(messageKey(row), 32)];
}

function reachBody(history: ReadResult<StoredHistory>): { readonly historySince: string | null; readonly historyProblem: string } | { readonly historySince: string; readonly historyProblem: null } {
  if (history.kind === 'failed') return { historySince: null, historyProblem: `it cannot be read: ${history.message}` };
  if (history.kind === 'absent') return { historySince: null, historyProblem: 'the queue has no history: nothing was settled yet, or none is kept' };
  const since = reachOf(history.value);
  return since === undefined ? { historySince: null, historyProblem: 'nobody can read what the history says' } : { historySince: isoTime(since), historyProblem: null };
}

function messageBody({ id, source, state, from, job, reason, detail, enqueuedAt, leasedAt, settledAt }: MessageRow): MessageBody {
  const { carrier } = job ?? {};
  const isRun = carrier?.kind === 'Run';
  return {
    id, state, from,
    source: sourceParts(source),
    job: job && !isRun ? job.name : null,
    run: job && isRun ? job.name : null,
    index: carrier?.kind === 'index' ? carrier.index : null,
    ...standingOf(job),
    reason: reason ?? null,
    detail: detail ?? null,
    enqueuedAt: timeText(enqueuedAt), leasedAt: timeText(leasedAt), settledAt: timeText(settledAt),
  };
}

function standingOf(job: MessageRow['job']): Pick<MessageBody, 'serial' | 'attempt' | 'outcome' | 'exitCode' | 'createdAt' | 'startedAt' | 'finishedAt'> {
  return {
    serial: job?.serial ?? null, attempt: job?.attempt ?? null, outcome: job?.outcome ?? null, exitCode: job?.exitCode ?? null,
    createdAt: timeText(job?.createdAt), startedAt: timeText(job?.startedAt), finishedAt: timeText(job?.finishedAt),
  };
}

function timeText(time: number | undefined): string | null {
  return time === undefined ? null : isoTime(time);
}
