import { expect, test } from 'vitest';
import type { Reply } from '../../support/api-double.ts';
import { status } from '../../support/api-double.ts';
import { settle, until } from '../../support/fake-clock.ts';
import { configMaps, jobs } from '../../../src/adapters/kubernetes/resources.ts';
import { startHarness } from './harness.ts';
import type { Harness } from './harness.ts';

const created: Reply = { status: 201, body: { metadata: { name: 'a', uid: 'u', resourceVersion: '5' } }, headers: { warning: ['299 - "first"', '299 - "second"'] } };
const busy = (seconds: number): Reply => ({ status: 429, body: status(429, 'TooManyRequests', 'later'), headers: { 'retry-after': String(seconds) } });

/** Waits until the client sleeps, then moves to the end of the sleep. */
async function sleepOver(h: Harness): Promise<number> {
  // The time limit of a request under way is 15 s: shorter ones are pauses.
  await until(() => h.clock.pending.some((delay) => delay < 15_000), 'a pause');
  const delay = h.clock.pending[0]!;
  await h.clock.advance(delay);
  return delay;
}

test('create posts raw JSON with field manager and user agent', async () => {
  await using h = await startHarness();
  h.double.handle(() => created);
  const manifest = { kind: 'Job', spec: { futureField: { deep: [1, null] } } };
  expect(await h.client.create(jobs, manifest)).toEqual({ kind: 'done', resourceVersion: '5', uid: 'u', warnings: ['first', 'second'] });
  const [request] = h.double.requests;
  expect([request?.method, request?.path, request?.query.toString()]).toEqual(['POST', '/apis/batch/v1/namespaces/test/jobs', 'fieldManager=job-chief']);
  expect(request?.body).toEqual(manifest);
  expect(request?.headers).toMatchObject({ 'user-agent': 'job-chief/test', 'content-type': 'application/json' });
});

test('dry run asks for strict validation and stores nothing', async () => {
  await using h = await startHarness();
  h.double.handle(() => created);
  await h.client.dryRun(jobs, {});
  expect(Object.fromEntries(h.double.requests[0]!.query)).toEqual({ fieldManager: 'job-chief', dryRun: 'All', fieldValidation: 'Strict' });
});

test('merge patch, delete and get', async () => {
  await using h = await startHarness();
  h.double.handle(() => ({ status: 200, body: { metadata: { uid: 'u', resourceVersion: '6' } } }));
  expect((await h.client.mergePatch(configMaps, 'a', { metadata: { uid: 'u' } })).kind).toBe('done');
  expect((await h.client.delete(jobs, 'a', { propagationPolicy: 'Foreground', uid: 'u', resourceVersion: '6' })).kind).toBe('done');
  expect((await h.client.get(jobs, 'a/b')).kind).toBe('found');
  expect(h.double.requests.map((each) => [each.method, each.path, each.headers['content-type']])).toEqual([
    ['PATCH', '/api/v1/namespaces/test/configmaps/a', 'application/merge-patch+json'],
    ['DELETE', '/apis/batch/v1/namespaces/test/jobs/a', 'application/json'],
    ['GET', '/apis/batch/v1/namespaces/test/jobs/a%2Fb', undefined],
  ]);
  expect(h.double.requests[1]?.body).toEqual({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Foreground', preconditions: { uid: 'u', resourceVersion: '6' } });
});

test('metadata lists ask for PartialObjectMetadata', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '1');
  await h.client.list(jobs, { metadataOnly: true });
  expect(h.double.requests[0]?.headers.accept).toContain('as=PartialObjectMetadataList');
});

test('429 with Retry-After is tried again, also for writes', async () => {
  await using h = await startHarness();
  h.double.script(() => true, busy(2), busy(3));
  h.double.handle(() => created);
  const result = h.client.create(jobs, {});
  expect(await sleepOver(h)).toBe(2_000);
  expect(await sleepOver(h)).toBe(3_000);
  expect((await result).kind).toBe('done');
  expect(h.double.requests.length).toBe(3);
});

test('429 is tried ten times at most', async () => {
  await using h = await startHarness();
  h.double.handle(() => busy(1));
  const result = h.client.create(jobs, {});
  for (let n = 0; n < 10; n += 1) await sleepOver(h);
  expect((await result).kind).toBe('unknown');
  expect(h.double.requests.length).toBe(11);
});

test.each<[string, (h: Harness) => Promise<{ kind: string }>, number, string]>([
  ['a read', (h) => h.client.get(jobs, 'a'), 2, 'failed'],
  ['a dry run', (h) => h.client.dryRun(jobs, {}), 2, 'unknown'],
  ['a create', (h) => h.client.create(jobs, {}), 1, 'unknown'],
  ['a patch', (h) => h.client.mergePatch(jobs, 'a', {}), 1, 'unknown'],
])('503 with Retry-After: %s', async (_name, send, times, kind) => {
  await using h = await startHarness();
  h.double.script(() => true, { status: 503, headers: { 'retry-after': '1' } }, { status: 503 });
  const result = send(h);
  if (times > 1) await sleepOver(h);
  expect((await result).kind).toBe(kind);
  expect(h.double.requests.length).toBe(times);
});

test('429 without Retry-After is an answer', async () => {
  await using h = await startHarness();
  h.double.handle(() => ({ status: 429 }));
  expect((await h.client.create(jobs, {})).kind).toBe('unknown');
  expect(h.double.requests.length).toBe(1);
});

test('a write whose connection breaks is unknown and not sent again', async () => {
  await using h = await startHarness();
  h.double.script(() => true, 'cut');
  expect((await h.client.create(jobs, {})).kind).toBe('unknown');
  expect(h.double.requests.length).toBe(1);
});

test('a read whose connection breaks is sent once more', async () => {
  await using h = await startHarness();
  h.double.script(() => true, 'cut');
  h.double.listing('jobs', '1');
  expect((await h.client.list(jobs)).kind).toBe('page');
  expect(h.double.requests.length).toBe(2);
});

test('without an answer in 15 seconds a write is unknown, a read failed', async () => {
  await using h = await startHarness();
  h.double.handle(() => 'hang');
  const results = [h.client.create(jobs, {}), h.client.get(jobs, 'a')];
  await until(() => h.double.requests.length === 2);
  await h.clock.advance(14_999);
  await h.clock.advance(1);
  expect(await Promise.all(results)).toEqual([
    { kind: 'unknown', message: 'no answer within 15 s' },
    { kind: 'failed', message: 'no answer within 15 s', forbidden: false },
  ]);
  expect(h.clock.pending).toEqual([]);
});

test('half a body is no answer', async () => {
  await using h = await startHarness();
  h.double.handle(() => 'cutInBody');
  expect((await h.client.create(jobs, {})).kind).toBe('unknown');
});

test('an API server that nobody listens for is no answer', async () => {
  await using h = await startHarness();
  await h.double.stop();
  const result = await h.client.create(jobs, {});
  expect(result.kind).toBe('unknown');
  expect(result).toHaveProperty('message', expect.stringContaining('ECONNREFUSED'));
});

test('the rate limit lets a burst through and then so many a second', async () => {
  await using h = await startHarness({ limits: { qps: 10, burst: 3 } });
  h.double.handle(() => created);
  const all = Promise.all(Array.from({ length: 6 }, () => h.client.create(jobs, {})));
  await until(() => h.double.requests.length === 3);
  await settle();
  expect(h.clock.pending.filter((delay) => delay < 1000).map(Math.round)).toEqual([100, 200, 300]);
  await h.clock.advance(100);
  await until(() => h.double.requests.length === 4);
  await h.clock.advance(200);
  await all;
  expect(h.double.requests.length).toBe(6);
});

test('what is urgent passes the rate limit', async () => {
  await using h = await startHarness({ limits: { qps: 1, burst: 1 } });
  h.double.handle(() => created);
  await h.client.create(jobs, {});
  expect((await h.client.create(jobs, {}, { priority: 'urgent' })).kind).toBe('done');
});

test('connections are kept and shared', async () => {
  await using h = await startHarness();
  const ports = new Set<string>();
  h.double.handle((request) => {
    ports.add(request.headers['connection'] ?? 'keep-alive');
    return created;
  });
  for (let n = 0; n < 20; n += 1) await h.client.create(jobs, {});
  expect([...ports]).toEqual(['keep-alive']);
});

test('open watches leave all connections to requests', async () => {
  await using h = await startHarness();
  const { UndiciTransport } = await import('../../../src/adapters/kubernetes/undici-transport.ts');
  const { plainAccess } = await import('./harness.ts');
  const transport = new UndiciTransport({ access: plainAccess(h.double.url), userAgent: 'x', connections: 1 });
  h.double.handle(() => created);
  const watch = { method: 'GET' as const, path: '/apis/batch/v1/jobs', query: { watch: 'true' } };
  const streams = [await transport.stream(watch), await transport.stream(watch)];
  expect((await transport.request({ method: 'GET', path: '/x' })).status).toBe(201);
  for (const stream of streams) stream.close();
  await transport.close();
});

test('what is urgent waits for no connection, and the rest in the order of its priority', async () => {
  await using h = await startHarness();
  const { UndiciTransport } = await import('../../../src/adapters/kubernetes/undici-transport.ts');
  const { plainAccess } = await import('./harness.ts');
  const transport = new UndiciTransport({ access: plainAccess(h.double.url), userAgent: 'x', connections: 1 });
  h.double.handle((request) => (request.path === '/stuck' ? 'hang' : created));
  const stop = new AbortController();
  const stuck = transport.request({ method: 'GET', path: '/stuck', signal: stop.signal });
  const ended: string[] = [];
  const waiting = (['last', 'normal', 'first'] as const).map(async (priority) => {
    await transport.request({ method: 'GET', path: `/${priority}`, priority });
    ended.push(priority);
  });
  expect((await transport.request({ method: 'GET', path: '/lease', priority: 'urgent' })).status).toBe(201);
  expect(ended).toEqual([]);
  stop.abort(new Error('enough'));
  await expect(stuck).rejects.toThrow('enough');
  await Promise.all(waiting);
  expect(ended).toEqual(['first', 'normal', 'last']);
  await transport.close();
});

test('writes ask for the metadata of what they wrote', async () => {
  await using h = await startHarness();
  h.double.handle(() => created);
  await h.client.create(jobs, {});
  await h.client.dryRun(jobs, {});
  await h.client.mergePatch(jobs, 'a', {});
  expect(h.double.requests.map(({ headers }) => headers.accept)).toEqual(Array.from({ length: 3 }, () => 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'));
});

test('the meter sees each attempt', async () => {
  const seen: unknown[] = [];
  const meter = {
    request: (method: string, code: number | undefined) => seen.push(['request', method, code]),
    watch: (code: number | undefined) => seen.push(['watch', code]),
    retry: (method: string, code: number | undefined) => seen.push(['retry', method, code]),
  };
  await using h = await startHarness({ meter });
  h.double.script(() => true, busy(1), created, 'cut');
  const result = h.client.create(jobs, {});
  await sleepOver(h);
  await result;
  await h.client.mergePatch(jobs, 'a', {});
  await h.client.watch(jobs, { resourceVersion: '1', timeoutSeconds: 300, signal: AbortSignal.timeout(5000) }).then((opened) => {
    if (opened.kind === 'stream') opened.stream.close();
  });
  expect(seen).toEqual([['request', 'POST', 429], ['retry', 'POST', 429], ['request', 'POST', 201], ['request', 'PATCH', undefined], ['watch', 200]]);
});
