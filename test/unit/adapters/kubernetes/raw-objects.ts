/** Raw Jobs and Pods as the API server sends them, and the same objects damaged in every way. */
import fc from 'fast-check';
import type { Json, JsonObject } from '../../../../src/lib/json.ts';
import { isObject } from '../../../../src/lib/json.ts';

export function aRawJob(more: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'thumbnails-abc',
      uid: 'job-uid',
      resourceVersion: '123',
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels: { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'queue', 'job-chief/name': 'thumbnails', 'job-chief/run': '7' },
      annotations: {
        'job-chief/spec-hash': 'hash',
        'job-chief/on-spec-delete': 'finish',
        'job-chief/outcome': '{"outcome":"failed","reason":"Error","message":"exit 3","exitCode":3,"phase":"final"}',
        'job-chief/upkeep': '{"startTimeout":900000,"timeout":1000,"succeeded":{"count":3},"failed":{"count":10,"age":604800000}}',
      },
      ownerReferences: [{ kind: 'Other', name: 'o', uid: 'not-this' }, { kind: 'ConfigMap', name: 'thumbnails', uid: 'owner-uid', controller: true }],
      managedFields: [{ manager: 'job-chief', fieldsV1: { 'f:metadata': {} } }],
    },
    spec: { parallelism: 3, activeDeadlineSeconds: 60, template: { spec: { containers: [{ name: 'main', image: 'x' }] } } },
    status: { startTime: '2026-01-02T03:04:06Z', active: 1, succeeded: 1, failed: 2, conditions: [] },
    ...more,
  };
}

export function aRawPod(status: JsonObject = {}, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'thumbnails-abc-x1',
      uid: 'pod-uid',
      creationTimestamp: '2026-01-02T03:04:06Z',
      labels: { 'job-chief/kind': 'queue', 'job-chief/name': 'thumbnails', 'batch.kubernetes.io/controller-uid': 'job-uid', 'batch.kubernetes.io/job-name': 'thumbnails-abc' },
      ownerReferences: [{ kind: 'Job', name: 'thumbnails-abc', uid: 'job-uid', controller: true }],
      ...metadata,
    },
    spec: { nodeName: 'node-1' },
    status: { phase: 'Running', ...status },
  };
}

/** The object with any of its parts replaced by anything. */
export function garbled(object: JsonObject): fc.Arbitrary<JsonObject> {
  const paths = pathsOf(object);
  const junk: fc.Arbitrary<Json> = fc.oneof(fc.constantFrom<Json>(null, '', 0, -1, 1.5, 1e300, true, [], {}, [null], ['x'], [[]], { '': null }, '9999-99-99', 'True'), fc.jsonValue() as fc.Arbitrary<Json>);
  return fc.array(fc.tuple(fc.constantFrom(...paths), junk), { maxLength: 4 }).map((damages) => damages.reduce((broken, [path, value]) => replaced(broken, path, value), object));
}

function pathsOf(value: Json, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [...(path.length > 0 ? [path] : []), ...Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : pathsOf(inner, [...path, key])))];
}

function replaced(object: JsonObject, path: readonly string[], value: Json): JsonObject {
  const copy = structuredClone(object);
  let at: JsonObject | Json[] = copy;
  for (const key of path.slice(0, -1)) {
    const next: Json | undefined = Array.isArray(at) ? at[Number(key)] : at[key];
    if (!Array.isArray(next) && !isObject(next)) return copy;
    at = next;
  }
  const last = path.at(-1) ?? '';
  if (Array.isArray(at)) at[Number(last)] = value;
  else at[last] = value;
  return copy;
}
