/** One line of a watch, as far as a reflector needs it. */
import { isObject, numberAt, objectAt, stringAt } from '../../lib/json.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import { failureOf } from './api-error.ts';
import type { ApiFailure } from './api-error.ts';

export type WatchEvent =
  | { readonly kind: 'set' | 'remove'; readonly type: string; readonly object: JsonObject; readonly resourceVersion: string | undefined }
  | { readonly kind: 'bookmark'; readonly type: string; readonly resourceVersion: string }
  | { readonly kind: 'error'; readonly failure: ApiFailure }
  /** Not as the API says: skipped and counted, like an object that cannot be projected. */
  | { readonly kind: 'garbage' };

export function readWatchEvent(line: Json): WatchEvent {
  const type = stringAt(line, 'type');
  const object = objectAt(line, 'object');
  const resourceVersion = stringAt(objectAt(object, 'metadata'), 'resourceVersion');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { kind: 'set', type, object, resourceVersion };
    case 'DELETED':
      return { kind: 'remove', type, object, resourceVersion };
    case 'BOOKMARK':
      return resourceVersion === undefined ? { kind: 'garbage' } : { kind: 'bookmark', type, resourceVersion };
    case 'ERROR':
      return { kind: 'error', failure: failureOf({ status: numberAt(object, 'code') ?? 500, headers: {}, body: object }) };
    default:
      return { kind: 'garbage' };
  }
}

/** Name and UID of anything that has them. */
export function identityOf(raw: unknown): { readonly name: string; readonly uid: string } | undefined {
  const metadata = isObject(raw) ? objectAt(raw, 'metadata') : {};
  const name = stringAt(metadata, 'name');
  const uid = stringAt(metadata, 'uid');
  return name === undefined || uid === undefined ? undefined : { name, uid };
}
