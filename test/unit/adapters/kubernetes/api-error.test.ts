import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../../src/lib/json.ts';
import { readResult, writeResult, failureOf } from '../../../../src/adapters/kubernetes/api-error.ts';
import type { WriteResult } from '../../../../src/reconcile/ports.ts';

const status = (code: number, reason: string, message: string, details: JsonObject = {}): JsonObject => ({ kind: 'Status', status: 'Failure', code, reason, message, details });
const answer = (code: number, body: Json, headers: Record<string, string | string[]> = {}) => ({ status: code, headers, body });

const rows: [string, number, Json, WriteResult['kind'], string?][] = [
  ['a name that exists', 409, status(409, 'AlreadyExists', 'jobs.batch "a" already exists'), 'exists'],
  ['a name that is being deleted', 409, status(409, 'AlreadyExists', 'object is being deleted: jobs.batch "a" already exists'), 'exists'],
  ['another version in between', 409, status(409, 'Conflict', 'Operation cannot be fulfilled on jobs.batch "a": the object has been modified'), 'conflict'],
  ['a wrong UID in preconditions', 409, status(409, 'Conflict', 'Precondition failed: UID in precondition: x, UID in object meta: y'), 'conflict'],
  ['a wrong UID in a patch', 422, status(422, 'Invalid', 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "x": field is immutable', { causes: [{ field: 'metadata.uid', reason: 'FieldValueInvalid' }, { field: 'metadata.uid', reason: 'FieldValueInvalid' }] }), 'conflict'],
  ['a wrong UID in a patch of a Job', 422, status(422, 'Invalid', 'Job.batch "a" is invalid: [metadata.uid: Invalid value: "x": field is immutable, spec.selector: Invalid value: {}: `selector` not auto-generated]', { causes: [{ field: 'metadata.uid' }, { field: 'spec.template.metadata.labels[controller-uid]' }, { field: 'spec.selector' }, { field: 'metadata.uid' }] }), 'conflict'],
  ['an object that is gone', 404, status(404, 'NotFound', 'jobs.batch "a" not found'), 'gone'],
  ["a proxy's 404", 404, '<html>no such page</html>', 'unknown'],
  ['a full quota', 403, status(403, 'Forbidden', 'jobs.batch "a" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: count/jobs.batch=5, limited: count/jobs.batch=5'), 'quota', 'exceeded quota: q, requested: count/jobs.batch=1, used: count/jobs.batch=5, limited: count/jobs.batch=5'],
  ['a quota not counted yet', 403, status(403, 'Forbidden', 'jobs.batch "a" is forbidden: status unknown for quota: q, resources: count/jobs.batch'), 'quota'],
  ['a missing right', 403, status(403, 'Forbidden', 'jobs.batch is forbidden: User "system:serviceaccount:etl:job-chief" cannot create resource "jobs" in API group "batch" in the namespace "etl"'), 'forbidden', 'User "system:serviceaccount:etl:job-chief" cannot create resource "jobs" in API group "batch" in the namespace "etl"'],
  ['a missing right on a named object', 403, status(403, 'Forbidden', 'configmaps "a" is forbidden: User "x" cannot patch resource "configmaps" in API group "" in the namespace "etl"'), 'forbidden'],
  ['a namespace on its way out', 403, status(403, 'Forbidden', 'jobs.batch "a" is forbidden: unable to create new content in namespace etl because it is being terminated', { causes: [{ reason: 'NamespaceTerminating' }] }), 'forbidden'],
  ['an API server that is starting', 403, status(403, 'Forbidden', 'jobs.batch "a" is forbidden: not yet ready to handle request'), 'unknown'],
  ['a webhook', 403, status(403, 'Forbidden', 'admission webhook "policy.example.com" denied the request: User "x" cannot be trusted'), 'refused', 'admission webhook "policy.example.com" denied the request: User "x" cannot be trusted'],
  ['a webhook with a code of its own', 500, status(500, '', 'admission webhook "policy.example.com" denied the request without explanation'), 'refused'],
  ['a webhook that does not answer', 500, status(500, 'InternalError', 'Internal error occurred: failed calling webhook "policy.example.com": timeout'), 'unknown'],
  ['PodSecurity', 403, status(403, 'Forbidden', 'pods "a" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'), 'refused', 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'],
  ['a ValidatingAdmissionPolicy', 422, status(422, 'Invalid', "jobs.batch \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"), 'refused', "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"],
  ['a ValidatingAdmissionPolicy as 403', 403, status(403, 'Forbidden', "jobs.batch \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"), 'refused'],
  ['unknown fields', 400, status(400, 'BadRequest', 'Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field "spec.foo"'), 'refused', 'strict decoding error: unknown field "spec.foo"'],
  ['an invalid field', 422, status(422, 'Invalid', 'Job.batch "a-x7f" is invalid: spec.template.spec.containers[0].image: Required value', { causes: [{ field: 'spec.template.spec.containers[0].image' }] }), 'refused', 'spec.template.spec.containers[0].image: Required value'],
  ['a body that is too large', 413, status(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728'), 'refused'],
  ['no or a stale token', 401, status(401, 'Unauthorized', 'Unauthorized'), 'forbidden'],
  ['too many requests', 429, status(429, 'TooManyRequests', 'Too many requests, please try again later.'), 'unknown'],
  ['an internal error', 500, status(500, 'InternalError', 'etcdserver: request timed out'), 'unknown'],
  ['a gateway', 502, '<html>bad gateway</html>', 'unknown'],
  ['a timeout', 504, status(504, 'Timeout', 'Timeout: request did not complete within requested timeout'), 'unknown'],
  ['a redirect', 302, '', 'unknown', 'the API server answered 302'],
  ['a login page', 200, '<html>log in</html>', 'unknown'],
];

describe('a write answered by', () => {
  test.each(rows)('%s', (_name, code, body, kind, message) => {
    const result = writeResult(answer(code, body));
    expect(result.kind).toBe(kind);
    if (message !== undefined) expect(result).toHaveProperty('message', message);
  });
});

test('a success gives version, UID and warnings', () => {
  const body = { metadata: { resourceVersion: '12', uid: 'u' } };
  const headers = { warning: ['299 - "would violate PodSecurity \\"restricted\\"", 299 - "second"', '299 kube "third"'] };
  expect(writeResult(answer(201, body, headers))).toEqual({ kind: 'done', resourceVersion: '12', uid: 'u', warnings: ['would violate PodSecurity "restricted"', 'second', 'third'] });
});

test('a background delete answers with a Status', () => {
  expect(writeResult(answer(200, { kind: 'Status', status: 'Success', metadata: {}, details: { uid: 'u' } }))).toEqual({ kind: 'done', resourceVersion: '', uid: 'u', warnings: [] });
});

test('a dry run names its object anew each time: the message does not change', () => {
  const messages = ['job-chief-check-aaaaa', 'job-chief-check-bbbbb'].map((name) => writeResult(answer(422, status(422, 'Invalid', `Job.batch "${name}" is invalid: spec.x: Required value`))));
  expect(messages[0]).toEqual(messages[1]);
});

test('long messages are cut', () => {
  expect(failureOf(answer(422, status(422, 'Invalid', 'x '.repeat(5000)))).message.length).toBeLessThanOrEqual(700);
});

test.each<[string, number, Json, string]>([
  ['an object', 200, { metadata: {} }, 'found'],
  ['NotFound', 404, status(404, 'NotFound', 'jobs.batch "a" not found'), 'absent'],
  ["a proxy's 404", 404, 'not here', 'failed'],
  ['a login page', 200, '<html>', 'failed'],
  ['a missing right', 403, status(403, 'Forbidden', 'User "x" cannot get'), 'failed'],
  ['a server error', 500, status(500, 'InternalError', 'oops'), 'failed'],
])('a read answered by %s', (_name, code, body, kind) => {
  const result = readResult(answer(code, body));
  expect(result.kind).toBe(kind);
  if (result.kind === 'failed') expect(result.forbidden).toBe(code === 403);
});

test.each<[string, Record<string, string>, JsonObject, number | undefined]>([
  ['in the header', { 'retry-after': '7' }, {}, 7000],
  ['in the Status', {}, { retryAfterSeconds: 3 }, 3000],
  ['as a date, which is not understood', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, {}, undefined],
  ['nowhere', {}, {}, undefined],
])('Retry-After %s', (_name, headers, details, expected) => {
  expect(failureOf(answer(429, status(429, 'TooManyRequests', 'x', details), headers)).retryAfter).toBe(expected);
});
