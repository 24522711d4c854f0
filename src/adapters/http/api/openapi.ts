/** The document of the API (OpenAPI 3.1), from the very routes that are served. */
import { STATUS_CODES } from 'node:http';
import type { TObject, TSchema } from 'typebox';
import type { Json, JsonObject } from '../../../lib/json.ts';
import { arrayAt, isObject, objectAt, stringAt } from '../../../lib/json.ts';
import { problemSchema } from './problem-schema.ts';
import { roles } from './role.ts';
import type { Route } from './route.ts';

/** What every route may answer. 404 and 405 are about paths, and come before there is a route. */
const always = [400, 401, 403, 406, 429, 500, 503] as const;

export interface DocumentOptions {
  readonly version: string;
  /** Where paths begin for callers; empty: at the root of the server. */
  readonly publicUrl: string;
}

/** The whole document. */
export function openApi(routes: readonly Route[], { version, publicUrl }: DocumentOptions): JsonObject {
  const schemas = new Map<string, JsonObject>();
  const problem = reference(problemSchema, schemas);
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, problem, schemas) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'job-chief',
      version,
      summary: 'Starts runs of workflows and templates, and tells how runs, specs and queues get on.',
      description: 'Every request needs a token (`Authorization: Bearer …`) or a client certificate, whose role decides what it may do. Problems are answered as RFC 9457 says.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: publicUrl === '' ? '/' : publicUrl }],
    security: [{ token: [] }, { certificate: [] }],
    tags: tags.map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(schemas),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: `A token of the operator, with one of the roles ${roles.join(', ')}.` },
        certificate: { type: 'mutualTLS', description: 'A client certificate, where the operator has set that up.' },
      },
    },
  };
}

const tags = [
  ['specs', 'What users wrote.'],
  ['runs', 'What was asked for, and what came of it.'],
  ['events', 'Changes as they happen.'],
  ['queues', 'What waits in queues.'],
  ['about', 'This document.'],
] as const;

function operation(route: Route, problem: JsonObject, schemas: Map<string, JsonObject>): JsonObject {
  const { id, tag, summary, description = '', role, body, bodyOptional = false } = route;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `${description}${description === '' ? '' : '\n\n'}Needs the role \`${role}\`.`,
    'x-role': role,
    parameters: [...parametersIn(route.params, 'path', schemas), ...parametersIn(route.query, 'query', schemas), ...parametersIn(route.headers, 'header', schemas)],
    ...(body === undefined ? {} : { requestBody: { required: !bodyOptional, content: { 'application/json': { schema: reference(body, schemas) } } } }),
    responses: { ...successes(route, schemas), ...problemsOf(route, problem) },
  };
}

function parametersIn(part: TObject | undefined, where: 'path' | 'query' | 'header', schemas: Map<string, JsonObject>): Json[] {
  if (!part) return [];
  const plain = plainOf(part);
  const required = arrayAt(plain, 'required');
  return Object.entries(objectAt(plain, 'properties')).filter((entry): entry is [string, JsonObject] => isObject(entry[1])).map(([name, field]) => {
    const { description, ...schema } = field;
    return {
      name: where === 'header' ? name.replaceAll(/(^|-)([a-z])/gu, (text) => text.toUpperCase()) : name,
      in: where,
      required: where === 'path' || required.includes(name),
      ...(typeof description === 'string' ? { description } : {}),
      schema: inline(schema, schemas),
      ...(schema['type'] === 'array' ? { style: 'form', explode: true } : {}),
    };
  });
}

function successes({ answers }: Route, schemas: Map<string, JsonObject>): JsonObject {
  return Object.fromEntries(Object.entries(answers).map(([status, { description, schema, types = ['application/json'], headers = {}, links }]) => [
    status,
    {
      description,
      headers: { ...requestId, ...Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }])) },
      content: Object.fromEntries(types.map((type) => [type, { schema: schema ? reference(schema, schemas) : type === 'text/event-stream' ? sentEvent : { type: 'string' } }])),
      ...(links === undefined ? {} : { links: Object.fromEntries(Object.entries(links).map(([operationId, parameters]) => [operationId, { operationId, parameters: { ...parameters } }])) }),
    },
  ]));
}

/** What each event is; comments between them are heartbeats. */
const sentEvent: JsonObject = { type: 'object', properties: { id: { type: 'string' }, event: { type: 'string' }, data: { type: 'string', contentMediaType: 'application/json' } }, required: ['event', 'data'] };

const requestId = { 'X-Request-Id': { description: 'Of this request, as in the log.', schema: { type: 'string' } } };

function problemsOf({ problems = [] }: Route, problem: JsonObject): JsonObject {
  const statuses = [...new Set([...always, ...problems])].sort((left, right) => left - right);
  return Object.fromEntries(statuses.map((status) => [String(status), { description: STATUS_CODES[status] ?? '', headers: { ...requestId, ...headersOf(status) }, content: { 'application/problem+json': { schema: problem } } }]));
}

function headersOf(status: number): JsonObject {
  if (status === 429 || status === 503) return { 'Retry-After': { description: 'Seconds until it is worth another try.', schema: { type: 'integer' } } };
  return status === 401 ? { 'WWW-Authenticate': { description: 'How to show who asks.', schema: { type: 'string' } } } : {};
}

/** Schemas with a name stand among the components. */
function reference(schema: TSchema, schemas: Map<string, JsonObject>): JsonObject {
  return inline(plainOf(schema), schemas);
}

function inline(schema: JsonObject, schemas: Map<string, JsonObject>): JsonObject {
  const { $id, errorMessage: _message, ...rest } = schema;
  const inner = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, inlineValue(key, value, schemas)]));
  if (typeof $id !== 'string') return inner;
  schemas.set($id, inner);
  return { $ref: `#/components/schemas/${$id}` };
}

/** What stands under these keywords are values, and no schemas. */
const values: ReadonlySet<string> = new Set(['enum', 'default', 'const', 'required', 'examples']);

function inlineValue(key: string, value: Json | undefined, schemas: Map<string, JsonObject>): Json | undefined {
  if (values.has(key)) return value;
  if (key === 'properties' && isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, isObject(field) ? inline(field, schemas) : field]));
  if (Array.isArray(value)) return value.map((each) => (isObject(each) ? inline(each, schemas) : each));
  return isObject(value) ? inline(value, schemas) : value;
}

/** Without what TypeBox keeps on its objects beside JSON Schema. */
function plainOf(schema: object): JsonObject {
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}

/** Text of a member; for whoever renders the document. */
export function textIn(value: unknown, key: string): string {
  return stringAt(value, key) ?? '';
}
