/** GET /api/v1/queues: what waits, as the queues themselves say when somebody asks. */
import { Type } from 'typebox';
import { stringAt } from '../../../lib/json.ts';
import { isoTime } from '../../../plan/iso-time.ts';
import type { CountsAnswer, SpecEntry } from '../../../reconcile/api-ports.ts';
import type { QueueSpec } from '../../../spec/queue.ts';
import { requireSpecs, type ApiDeps } from './deps.ts';
import { pagingBy, specName } from './fields.ts';
import { page } from './paging.ts';
import { ApiProblem } from './problem.ts';
import { queuePageSchema, queueSchema, type QueueBody } from './queue-schema.ts';
import { ok, route, type Route } from './route.ts';

interface Known {
  readonly entry: SpecEntry;
  readonly spec: QueueSpec;
}

export function queueRoutes(deps: ApiDeps): readonly Route[] {
  return [listQueues(deps), getQueue(deps)];
}

function listQueues(deps: ApiDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/queues',
    id: 'listQueues',
    tag: 'queues',
    summary: 'List queues',
    description: 'Queues whose specs are sound, each counted when asked for, and at most every few seconds.',
    role: 'read',
    query: Type.Object(pagingBy('word'), { additionalProperties: false }),
    answers: { 200: { description: 'Queues.', schema: queuePageSchema, links: { getQueue: { name: '$response.body#/items/0/name' } } } },
    problems: [503],
    handle: async ({ query }) => {
      requireSpecs(deps);
      const all = deps.specs.all().flatMap((entry) => known(entry) ?? []).sort((left, right) => (left.spec.name < right.spec.name ? -1 : 1));
      const { items, continue: next } = page(all, ({ spec }) => [spec.name, ''], query);
      return ok({ items: await Promise.all(items.map((item) => counted(deps, item))), continue: next });
    },
  });
}

function getQueue(deps: ApiDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/queues/{name}',
    id: 'getQueue',
    tag: 'queues',
    summary: 'Show a queue',
    role: 'read',
    params: Type.Object({ name: specName }),
    answers: { 200: { description: 'The queue.', schema: queueSchema } },
    problems: [404, 409, 503],
    handle: async ({ params: { name } }) => {
      requireSpecs(deps);
      const entry = await deps.specs.find('queue', name);
      if (!entry) throw new ApiProblem(404, 'UnknownQueue', `there is no queue "${name}"`);
      const queue = known(entry);
      if (!queue) throw new ApiProblem(409, 'SpecRejected', `the text of queue "${name}" has errors: which queue it means cannot be told`);
      return ok(await counted(deps, queue));
    },
  });
}

function known(entry: SpecEntry): Known | undefined {
  const { spec } = entry.claim.parsed;
  return entry.wins && spec?.kind === 'Queue' ? { entry, spec } : undefined;
}

async function counted({ queues }: ApiDeps, { entry, spec }: Known): Promise<QueueBody> {
  const { connection, queue } = spec.source;
  const answer = await queues.counts(spec.source);
  return { name: spec.name, connection, queue, state: stringAt(entry.status, 'state') ?? null, ...countsOf(answer) };
}

type Counted = Omit<QueueBody, 'name' | 'connection' | 'queue' | 'state'>;

function countsOf(answer: CountsAnswer): Counted {
  if (answer.kind === 'unknown') {
    const { reason, message } = answer;
    return { ready: null, deferred: null, active: null, retrying: null, dead: null, oldestAgeSeconds: null, upTo: null, countedAt: null, unknown: { reason, message } };
  }
  const { ready, deferred, active, retrying, dead, oldestAge } = answer.counts;
  return { ready, deferred, active, retrying, dead, oldestAgeSeconds: oldestAge === undefined ? null : oldestAge / 1000, upTo: answer.upTo, countedAt: isoTime(answer.at), unknown: null };
}
