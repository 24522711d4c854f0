/** Requests for every route of the document: a route that is new is in every test that goes over them. */
import { isObject, objectAt, stringAt, type JsonObject } from '../../src/lib/json.ts';

export interface RouteCase {
  readonly id: string;
  readonly method: string;
  /** With something that fits in the place of its parameters. */
  readonly path: string;
  readonly role: 'read' | 'submit' | 'admin';
  readonly body: unknown;
}

/** Bodies that are taken, by operation. */
const bodies: Readonly<Record<string, unknown>> = { submitRun: { workflow: 'etl', parameters: { day: 'x' } }, approveStep: { step: 'load' } };

export function routeCases(document: JsonObject): readonly RouteCase[] {
  return Object.entries(objectAt(document, 'paths')).flatMap(([path, methods]) =>
    Object.entries(isObject(methods) ? methods : {}).map(([method, operation]) => {
      const id = stringAt(operation, 'operationId') ?? '';
      return { id, method: method.toUpperCase(), path: filled(path), role: stringAt(operation, 'x-role') as RouteCase['role'], body: bodies[id] };
    }));
}

function filled(path: string): string {
  return path.replace('{kind}', 'workflow').replace('{name}', 'etl');
}

/** Statuses that an operation says it has. */
export function statusesOf(document: JsonObject, { path, method }: { readonly path: string; readonly method: string }): readonly string[] {
  return Object.keys(objectAt(objectAt(objectAt(objectAt(document, 'paths'), path), method.toLowerCase()), 'responses'));
}
