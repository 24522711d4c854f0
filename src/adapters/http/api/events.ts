/** GET /api/v1/events and /api/v1/runs/{name}/events: changes of runs as they happen. */
import { Type } from 'typebox';
import { isOver } from '../../../plan/run/summary.ts';
import type { FeedReader, PlacedEvent, RunFeed } from '../../../reconcile/api/run-feed.ts';
import { requireRecords, type ApiDeps } from './deps.ts';
import { eventText, heartbeat, orSilence } from './event-stream.ts';
import { runName } from './fields.ts';
import { route, type ApiAnswer, type ApiRequest, type Route } from './route.ts';
import type { StreamWriter } from './stream-writer.ts';
import { runBody } from './run-view.ts';
import { detailOf, isWanted, runFilter, storedRun, type RunFilter } from './runs.ts';

export interface EventDeps extends ApiDeps {
  readonly feed: RunFeed;
}

/** More would be a list, which there is a route for. */
const mostInSnapshot = 1_000;

const lastEventId = Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 200, description: 'The `id` of the last event that was read: goes on after it, if it is still known here; otherwise there is a fresh `snapshot`.' })) });
const answers = { 200: { description: 'Server-sent events: `snapshot`, `run`, `step`, `deleted`, `end`, `closing`; comments as heartbeats.', types: ['text/event-stream'] } };
const common = { method: 'GET', tag: 'events', role: 'read', headers: lastEventId, answers } as const;

export function eventRoutes(deps: EventDeps): readonly Route[] {
  return [allEvents(deps), runEvents(deps)];
}

function allEvents(deps: EventDeps): Route {
  return route({
    ...common,
    path: '/api/v1/events',
    id: 'watchRuns',
    summary: 'Follow all runs',
    description: 'First a `snapshot` of the runs that are not over, then each change of a run (`run`, with the document of lists) and of its steps (`step`). What is told again after a broken connection says the same: events are standings, not differences. A reader that does not read for half a minute is cut.',
    query: Type.Object(runFilter, { additionalProperties: false }),
    problems: [501, 503],
    handle: (request) => {
      requireRecords(deps);
      return streamOf(deps, request, {
        isWanted: ({ event }) => isWanted(event.record, request.query),
        snapshot: () => Promise.resolve(openRuns(deps, request.query)),
        isEnd: () => false,
      });
    },
  });
}

function runEvents(deps: EventDeps): Route {
  return route({
    ...common,
    path: '/api/v1/runs/{name}/events',
    id: 'watchRun',
    summary: 'Follow a run',
    description: 'First a `snapshot`, the document of the run; then each change; at its end `end`, and the stream is over.',
    params: Type.Object({ name: runName }),
    problems: [404, 501, 503],
    handle: async (request) => {
      requireRecords(deps);
      const { name } = request.params;
      const { record } = await storedRun(deps, name);
      return streamOf(deps, request, {
        isWanted: ({ event }) => event.record.name === name,
        snapshot: async () => {
          const stored = await storedRun(deps, name);
          return { data: await detailOf(deps, stored), over: isOver(stored.record.phase) };
        },
        fresh: isOver(record.phase),
        isEnd: ({ event }) => event.kind === 'deleted' || (event.kind === 'run' && isOver(event.record.phase)),
      });
    },
  });
}

interface Snapshot {
  readonly data: object;
  /** Nothing more will come. */
  readonly over: boolean;
}

interface StreamOptions {
  readonly isWanted: (event: PlacedEvent) => boolean;
  readonly snapshot: () => Promise<Snapshot>;
  /** Whatever the caller has read: nothing will change any more. */
  readonly fresh?: boolean;
  readonly isEnd: (event: PlacedEvent) => boolean;
}

function openRuns({ runs }: EventDeps, filter: RunFilter): Snapshot {
  const open = runs.cache.all().filter((record) => !isOver(record.phase) && isWanted(record, filter)).sort((left, right) => right.createdAt - left.createdAt);
  return { data: { runs: open.slice(0, mostInSnapshot).map(runBody), more: Math.max(0, open.length - mostInSnapshot) }, over: false };
}

function streamOf(deps: EventDeps, { headers }: Pick<ApiRequest, 'headers'>, options: StreamOptions): ApiAnswer {
  const lastId = headers['last-event-id'];
  return {
    type: 'text/event-stream; charset=utf-8',
    stream: async (writer) => {
      const reader = deps.feed.subscribe(typeof lastId === 'string' && lastId !== '' ? lastId : undefined);
      try {
        await tell(deps, { writer, reader }, options);
        if (writer.stopping.aborted) await writer.write(eventText({ event: 'closing', data: { message: 'this replica is stopping: connect again' }, id: reader.id }));
      } finally {
        reader.close();
      }
    },
  };
}

async function tell({ clock }: EventDeps, { writer, reader }: { readonly writer: StreamWriter; readonly reader: FeedReader }, { isWanted: wants, snapshot, isEnd, fresh = false }: StreamOptions): Promise<void> {
  if (fresh || !reader.resumed) {
    const { data, over } = await snapshot();
    await writer.write(eventText({ event: 'snapshot', data, id: reader.id }));
    if (over) return writer.write(eventText({ event: 'end', data: {} }));
  }
  while (!writer.ended.aborted) {
    // Before the look, or what comes in between rings in vain.
    const changed = reader.changed();
    const events = reader.take();
    // Cut: with the last id it gets a fresh snapshot.
    if (events === 'lost') return;
    for (const placed of events.filter(wants)) {
      await writer.write(eventText(sent(placed)));
      if (isEnd(placed)) return writer.write(eventText({ event: 'end', data: {}, id: placed.id }));
    }
    if (events.length === 0 && !(await orSilence(clock, changed, writer))) await writer.write(heartbeat);
  }
}

function sent({ id, event }: PlacedEvent): Parameters<typeof eventText>[0] {
  switch (event.kind) {
    case 'run':
      return { id, event: 'run', data: runBody(event.record) };
    case 'step': {
      const { outcome, reason, message, ...change } = event.change;
      return { id, event: 'step', data: { run: event.record.name, target: runBody(event.record).target, ...change, outcome: outcome ?? null, reason: reason ?? null, message: message ?? null } };
    }
    case 'deleted':
      return { id, event: 'deleted', data: { name: event.record.name, uid: event.record.uid } };
  }
}
