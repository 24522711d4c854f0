/** GET /api/v1/specs: what users wrote, whether it is sound, and what it stands at. */
import { Type } from 'typebox';
import { arrayAt, isObject, objectAt, stringAt, type JsonObject } from '../../../lib/json.ts';
import { sourceName } from '../../../plan/winner.ts';
import type { SpecEntry } from '../../../reconcile/api-ports.ts';
import type { Problem } from '../../../spec/problem.ts';
import { isRunnable } from '../../../spec/parsed.ts';
import type { ParameterSpec } from '../../../spec/workflow.ts';
import { requireSpecs, type ApiDeps } from './deps.ts';
import { oneOf, pagingBy, specName } from './fields.ts';
import { page } from './paging.ts';
import { ApiProblem } from './problem.ts';
import { ok, route, type Route } from './route.ts';
import { specDetailSchema, specPageSchema, type SpecBody, type SpecDetailBody } from './spec-schema.ts';

const kinds = ['queue', 'workflow', 'template', 'run', 'limits'] as const;

export function specRoutes(deps: ApiDeps): readonly Route[] {
  return [listSpecs(deps), getSpec(deps)];
}

function listSpecs(deps: ApiDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/specs',
    id: 'listSpecs',
    tag: 'specs',
    summary: 'List specs',
    description: 'Every document that defines a spec of this instance, also those that lost to a newer one.',
    role: 'read',
    query: Type.Object({ ...pagingBy('word'), kind: Type.Optional(oneOf(kinds, 'Only of this kind.')), state: Type.Optional(Type.String({ maxLength: 63, description: 'Only in this state, such as `Rejected`.' })) }, { additionalProperties: false }),
    answers: { 200: { description: 'Specs by kind and name.', schema: specPageSchema, links: { getSpec: { kind: '$response.body#/items/0/kind', name: '$response.body#/items/0/name' } } } },
    problems: [503],
    handle: ({ query }) => {
      requireSpecs(deps);
      const all = deps.specs.all().filter(({ kind }) => query.kind === undefined || kind === query.kind);
      const bodies = all.map((entry) => ({ body: specBody(entry), place: [entry.kind, `${entry.name} ${sourceName(entry.claim)}`] as const }));
      const wanted = bodies.filter(({ body }) => query.state === undefined || body.state === query.state);
      const { items, continue: next } = page(wanted.sort(byPlace), ({ place }) => place, query);
      return ok({ items: items.map(({ body }) => body), continue: next });
    },
  });
}

function byPlace({ place: [kind, name] }: { readonly place: readonly [string, string] }, { place: [otherKind, otherName] }: { readonly place: readonly [string, string] }): number {
  return kind === otherKind ? compare(name, otherName) : compare(kind, otherKind);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function getSpec(deps: ApiDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/specs/{kind}/{name}',
    id: 'getSpec',
    tag: 'specs',
    summary: 'Show a spec',
    description: 'Its state, its conditions, what is wrong with its text, and which parameters a request takes.',
    role: 'read',
    params: Type.Object({ kind: oneOf(kinds, 'Kind in lower case.'), name: specName }),
    answers: { 200: { description: 'The spec.', schema: specDetailSchema } },
    problems: [404, 503],
    handle: async ({ params: { kind, name } }) => {
      requireSpecs(deps);
      const entry = await deps.specs.find(kind, name);
      if (!entry) throw new ApiProblem(404, 'UnknownSpec', `there is no ${kind} "${name}"`);
      const others = deps.specs.all().filter((other) => other.kind === kind && other.name === name && !other.wins);
      return ok(specDetail(entry, others));
    },
  });
}

function specBody({ kind, name, claim, wins, status }: SpecEntry): SpecBody {
  const { parsed, source } = claim;
  const said: unknown = status;
  return {
    kind,
    name,
    state: stringAt(said, 'state') ?? null,
    reason: stringAt(said, 'reason') ?? null,
    message: stringAt(said, 'message') ?? null,
    health: stringAt(said, 'health') ?? null,
    hash: parsed.hash ?? null,
    observedHash: stringAt(said, 'observedHash') ?? null,
    valid: parsed.spec !== undefined,
    suspended: parsed.spec?.suspend === true,
    source: { kind: source.kind, name: sourceName(claim) },
    superseded: !wins,
  };
}

function specDetail(entry: SpecEntry, others: readonly SpecEntry[]): SpecDetailBody {
  const { spec, problems } = entry.claim.parsed;
  const said: unknown = entry.status;
  const lastRun = isObject(said) ? said['lastRun'] : undefined;
  return {
    ...specBody(entry),
    conditions: arrayAt(said, 'conditions').filter(isObject).map((condition) => ({ type: textAt(condition, 'type'), status: textAt(condition, 'status'), reason: textAt(condition, 'reason'), message: textAt(condition, 'message') })),
    lastRun: isObject(lastRun) ? lastRun : null,
    problems: problems.map(problemBody),
    requestable: isRunnable(spec) && spec.trigger.onRequest,
    parameters: isRunnable(spec) ? parameterSchema(spec.parameters) : null,
    supersedes: others.map(({ claim }) => sourceName(claim)),
  };
}

function textAt(value: JsonObject, key: string): string {
  return stringAt(value, key) ?? '';
}

function problemBody({ severity, code, message, path, position, hint }: Problem): SpecDetailBody['problems'][number] {
  return { severity, code, message, path: path ?? null, line: position?.line ?? null, column: position?.column ?? null, hint: hint ?? null };
}

/** As a request is checked. */
export function parameterSchema(parameters: Readonly<Record<string, ParameterSpec>>): JsonObject {
  const declared = Object.entries(parameters);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(declared.map(([name, { schema, default: value }]) => [name, { ...objectAt({ schema }, 'schema'), ...(value === undefined ? {} : { default: value }) }])),
    required: declared.filter(([, { optional, default: value }]) => !optional && value === undefined).map(([name]) => name),
  };
}
