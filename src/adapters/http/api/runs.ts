/** GET /api/v1/runs: what runs, what ran, and one of them with its steps. */
import { Type, type Static, type TObject } from 'typebox';
import { targetName, type ObservedRecord } from '../../../plan/run/record.ts';
import type { StoredRecord } from '../../../reconcile/record-ports.ts';
import { isRunnable } from '../../../spec/parsed.ts';
import type { WorkflowSpec } from '../../../spec/workflow.ts';
import { addressOf } from './accept-run.ts';
import { found, requireRecords, unknownRun, type ApiDeps } from './deps.ts';
import { oneOf, pagingBy, runName, someOf } from './fields.ts';
import { page } from './paging.ts';
import { ok, route, type Links, type Route } from './route.ts';
import { phases, runDetailSchema, runPageSchema } from './run-schema.ts';
import { runBody, runDetail } from './run-view.ts';

const triggers = ['change', 'schedule', 'request', 'step', 'message'] as const;

/** Which runs; for lists and for events. */
export const runFilter = {
  kind: Type.Optional(oneOf(['workflow', 'template'], 'Only runs of specs of this kind.')),
  name: Type.Optional(Type.String({ maxLength: 253, description: 'Only runs of the spec with this logical name.' })),
  phase: someOf(phases, 'Only runs in one of these phases.'),
  trigger: someOf(triggers, 'Only runs with one of these triggers.'),
};
export type RunFilter = Static<TObject<typeof runFilter>>;

/** What can be done next with a run whose name stands there in the answer. */
export function runLinks(pointer: string): Links {
  return Object.fromEntries(['getRun', 'getLogs', 'cancelRun', 'approveStep', 'suspendRun', 'resumeRun', 'rerunRun', 'watchRun'].map((id) => [id, { name: `$response.body#${pointer}` }]));
}

/** Whether a run is one of those. */
export function isWanted(record: ObservedRecord, { kind, name, phase, trigger }: RunFilter): boolean {
  if (kind !== undefined && record.target.kind !== kind) return false;
  if (name !== undefined && targetName(record) !== name) return false;
  if (phase !== undefined && !phase.includes(record.phase)) return false;
  return trigger === undefined || (record.request !== undefined && trigger.some((one) => one === record.request?.trigger));
}

export function runRoutes(deps: ApiDeps): readonly Route[] {
  return [listRuns(deps), getRun(deps)];
}

function listRuns(deps: ApiDeps): Route {
  const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));
  return route({
    method: 'GET',
    path: '/api/v1/runs',
    id: 'listRuns',
    tag: 'runs',
    summary: 'List runs',
    description: 'Newest first, as this replica sees the records at this moment.',
    role: 'read',
    query: Type.Object({ ...pagingBy('time'), ...runFilter, since: time('Only runs that were written down then or later.'), until: time('Only runs that were written down before.') }, { additionalProperties: false }),
    answers: { 200: { description: 'Runs.', schema: runPageSchema, links: runLinks('/items/0/name') } },
    problems: [501, 503],
    handle: ({ query }) => {
      requireRecords(deps);
      const [since, until] = [query.since, query.until].map((text) => (text === undefined ? undefined : Date.parse(text)));
      const wanted = deps.runs.cache.all().filter((record) => isWanted(record, query) && record.createdAt >= (since ?? -Infinity) && record.createdAt < (until ?? Infinity));
      const { items, continue: next } = page(wanted.sort(newestFirst), ({ createdAt, name }) => [-createdAt, name], query);
      return ok({ items: items.map(runBody), continue: next });
    },
  });
}

function newestFirst(left: ObservedRecord, right: ObservedRecord): number {
  return right.createdAt - left.createdAt || (left.name < right.name ? -1 : 1);
}

function getRun(deps: ApiDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/runs/{name}',
    id: 'getRun',
    tag: 'runs',
    summary: 'Show a run',
    description: 'Read from the API server at this moment, with its steps, its parameters and what it came to.',
    role: 'read',
    params: Type.Object({ name: runName }),
    answers: { 200: { description: 'The run.', schema: runDetailSchema } },
    problems: [404, 501, 503],
    handle: async ({ params: { name } }) => ok(await detailOf(deps, await storedRun(deps, name))),
  });
}

/** The record of a run, read at this moment; throws 404. */
export async function storedRun(deps: ApiDeps, name: string): Promise<StoredRecord> {
  if (deps.runs.cache.problem?.reason === 'RecordsOff') requireRecords(deps);
  const stored = found(await deps.runs.read(name));
  if (!stored) throw unknownRun(name);
  return stored;
}

/** As GET answers it. */
export async function detailOf(deps: ApiDeps, stored: StoredRecord): Promise<ReturnType<typeof runDetail>> {
  const current = stored.data ? undefined : await currentSpec(deps, stored.record);
  return runDetail(stored, { current, callback: addressOf(deps, stored.record.name) });
}

/** What a run would start with now. */
export async function currentSpec(deps: Pick<ApiDeps, 'specs'>, record: ObservedRecord): Promise<WorkflowSpec | undefined> {
  const spec = (await deps.specs.find(record.target.kind, targetName(record)))?.claim.parsed.spec;
  return isRunnable(spec) ? spec : undefined;
}
