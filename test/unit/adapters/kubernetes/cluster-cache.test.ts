import { afterEach, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { KubernetesClusterCache } from '../../../../src/adapters/kubernetes/cluster-cache.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { ScriptedClient, silentLog } from './scripted-client.ts';
import { aRawJob, aRawPod } from './raw-objects.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

const thumbnails = { kind: 'queue', name: 'thumbnails' } as const;
const labels = (name: string) => ({ 'job-chief/kind': 'queue', 'job-chief/name': name });

async function start(jobs: JsonObject[], pods: JsonObject[]) {
  const client = new ScriptedClient({ jobs, pods });
  const changed: string[] = [];
  const vanished: string[] = [];
  const appearances: string[] = [];
  const clock = new FakeClock();
  const cache = new KubernetesClusterCache({
    client, clock, random: () => 0.5, instance: 'blue', log: silentLog,
    onChange: (key, appeared) => {
      changed.push(`${key.kind}/${key.name}`);
      if (appeared === true) appearances.push(key.name);
    },
    onVanished: (key, job) => vanished.push(`${key.name} ${job.name} ${job.uid} ${job.ownerUid}`),
  });
  running.push(cache);
  cache.start();
  await cache.whenSynced;
  await settle();
  return { client, cache, changed, appearances, vanished, clock };
}

const metadata = (raw: JsonObject) => raw['metadata'] as JsonObject;
const renamed = (raw: JsonObject, more: JsonObject): JsonObject => ({ ...raw, metadata: { ...metadata(raw), ...more } });

test('Jobs come with their pods; both are selected by instance', async () => {
  const { cache, client, changed } = await start([aRawJob()], [aRawPod()]);
  expect(client.selectors).toEqual(Array(4).fill('app.kubernetes.io/managed-by=job-chief,job-chief/instance=blue'));
  expect(cache.synced).toBe(true);
  const [job] = cache.jobs(thumbnails);
  expect(job).toMatchObject({ name: 'thumbnails-abc', pods: [{ name: 'thumbnails-abc-x1' }] });
  expect(job).not.toHaveProperty('key');
  expect(cache.orphans(thumbnails)).toEqual([]);
  expect(cache.keys()).toEqual([thumbnails]);
  expect(changed).toEqual(['queue/thumbnails', 'queue/thumbnails']);
  expect(cache.jobs({ kind: 'queue', name: 'other' })).toEqual([]);
});

test.each<[string, JsonObject, number]>([
  ['of a Job that is gone', aRawPod({}, { ownerReferences: [], labels: { ...labels('thumbnails'), 'batch.kubernetes.io/job-name': 'gone', 'batch.kubernetes.io/controller-uid': 'gone-uid' } }), 1],
  ['of an earlier Job of the same name', aRawPod({}, { ownerReferences: [{ kind: 'Job', name: 'thumbnails-abc', uid: 'earlier', controller: true }] }), 1],
  ['whose Job nothing names', aRawPod({}, { ownerReferences: [], labels: labels('thumbnails') }), 1],
  ['that is being deleted', aRawPod({}, { deletionTimestamp: '2026-01-01T00:00:00Z', ownerReferences: [{ kind: 'Job', name: 'x', uid: 'x', controller: true }] }), 1],
  ['that has ended', aRawPod({ phase: 'Failed' }, { ownerReferences: [{ kind: 'Job', name: 'x', uid: 'x', controller: true }] }), 0],
  ['told by name only, whose Job is there', aRawPod({}, { ownerReferences: [], labels: { ...labels('thumbnails'), 'job-name': 'thumbnails-abc' } }), 0],
])('orphans: a pod %s', async (_name, pod, orphans) => {
  const { cache } = await start([aRawJob()], [pod]);
  expect(cache.orphans(thumbnails).length).toBe(orphans);
});

test('Jobs and pods of a workflow belong to the run that made them; without a run to nobody', async () => {
  const ofStep = (more: JsonObject = {}) => ({ 'job-chief/kind': 'workflow', 'job-chief/name': 'nightly', 'job-chief/run': 'nightly-abc', ...more });
  const { cache, changed } = await start([renamed(aRawJob(), { labels: ofStep() }), renamed(aRawJob(), { name: 'lost', labels: ofStep({ 'job-chief/run': '' }) })], [aRawPod({}, { labels: ofStep() })]);
  const run = { kind: 'run', name: 'nightly-abc' } as const;
  expect(cache.keys()).toEqual([run]);
  expect(cache.jobs(run)).toMatchObject([{ name: 'thumbnails-abc', sequence: undefined, pods: [{ name: 'thumbnails-abc-x1' }] }]);
  expect(cache.jobs({ kind: 'workflow', name: 'nightly' })).toEqual([]);
  expect(changed).toEqual(['run/nightly-abc', 'run/nightly-abc']);
});

test('keys: of Jobs, and of pods that live', async () => {
  const { cache } = await start(
    [renamed(aRawJob(), { labels: labels('a') })],
    [aRawPod({}, { name: 'p1', labels: labels('b') }), aRawPod({ phase: 'Succeeded' }, { name: 'p2', labels: labels('c') })],
  );
  expect(cache.keys().map((key) => key.name)).toEqual(['a', 'b']);
});

test('a Job that goes unfinished has vanished; a finished one has not', async () => {
  const done = renamed({ ...aRawJob(), status: { conditions: [{ type: 'Complete', status: 'True' }] } }, { name: 'done', uid: 'done-uid' });
  const { client, vanished, cache } = await start([aRawJob(), done], []);
  client.send('jobs', 'DELETED', renamed(done, { resourceVersion: '200' }));
  client.send('jobs', 'DELETED', renamed(aRawJob(), { resourceVersion: '201' }));
  await settle();
  expect(vanished).toEqual(['thumbnails thumbnails-abc job-uid owner-uid']);
  expect(cache.keys()).toEqual([]);
});

test('an appearance is an unfinished Job that is new, and nothing else', async () => {
  const { client, changed, appearances } = await start([], []);
  const job = (more: JsonObject, changes: JsonObject = {}): JsonObject => renamed({ ...aRawJob(), ...changes }, more);
  const finished = { status: { conditions: [{ type: 'Complete', status: 'True' }] } };
  client.send('jobs', 'ADDED', job({ name: 'new', uid: 'new', labels: labels('new'), resourceVersion: '200' }));
  client.send('jobs', 'MODIFIED', job({ name: 'new', uid: 'new', labels: labels('new'), resourceVersion: '201' }));
  client.send('jobs', 'ADDED', job({ name: 'over', uid: 'over', labels: labels('over'), resourceVersion: '202' }, finished));
  client.send('pods', 'ADDED', aRawPod());
  client.send('jobs', 'DELETED', job({ name: 'new', uid: 'new', labels: labels('new'), resourceVersion: '203' }));
  await settle();
  expect(changed).toHaveLength(5);
  expect(appearances).toEqual(['new']);
});

test('labels that somebody edits concern both keys', async () => {
  const { client, cache, changed } = await start([aRawJob()], []);
  changed.length = 0;
  client.send('jobs', 'MODIFIED', renamed(aRawJob(), { labels: labels('other'), resourceVersion: '200' }));
  await settle();
  expect(changed.toSorted()).toEqual(['queue/other', 'queue/thumbnails']);
  expect(cache.keys().map((key) => key.name)).toEqual(['other']);
});

test('a Job that is re-labelled out of our reach is let go, and has vanished', async () => {
  const { client, cache, vanished } = await start([aRawJob()], []);
  client.send('jobs', 'MODIFIED', renamed(aRawJob(), { labels: {}, resourceVersion: '200' }));
  await settle();
  expect(cache.keys()).toEqual([]);
  expect(vanished.length).toBe(1);
});

test('what the kubelet writes and nobody needs is not told', async () => {
  const { client, changed } = await start([], [aRawPod()]);
  changed.length = 0;
  client.send('pods', 'MODIFIED', renamed(aRawPod({ podIP: '10.0.0.1' }), { resourceVersion: '300' }));
  await settle();
  expect(changed).toEqual([]);
  client.send('pods', 'MODIFIED', aRawPod({ phase: 'Succeeded' }));
  await settle();
  expect(changed).toEqual(['queue/thumbnails']);
});

test('hasSeen compares with list, events and bookmarks of Jobs', async () => {
  const { client, cache } = await start([], []);
  const seen = (version: string) => cache.hasSeen(version);
  expect([seen('99'), seen('100'), seen('101')]).toEqual([true, true, false]);
  client.send('jobs', 'ADDED', renamed(aRawJob(), { resourceVersion: '101' }));
  await settle();
  expect([seen('101'), seen('102')]).toEqual([true, false]);
  client.send('jobs', 'BOOKMARK', { metadata: { resourceVersion: '123456789012345678901' } });
  await settle();
  expect([seen('123456789012345678900'), seen('123456789012345678902')]).toEqual([true, false]);
});

test('a Job whose pod is gone is known to have run, as long as it goes on', async () => {
  const started = { containerStatuses: [{ name: 'main', state: { running: { startedAt: '2026-01-02T03:04:10Z' } } }] };
  const { client, cache } = await start([aRawJob()], [aRawPod(started)]);
  expect(cache.jobs(thumbnails)[0]).not.toHaveProperty('ranAt');
  client.send('pods', 'DELETED', renamed(aRawPod(started), { resourceVersion: '200' }));
  await settle();
  expect(cache.jobs(thumbnails)).toMatchObject([{ ranAt: Date.parse('2026-01-02T03:04:10Z'), pods: [] }]);
  client.send('jobs', 'DELETED', renamed(aRawJob(), { resourceVersion: '201' }));
  client.send('jobs', 'ADDED', renamed(aRawJob(), { resourceVersion: '202' }));
  await settle();
  expect(cache.jobs(thumbnails)[0]).not.toHaveProperty('ranAt');
});

test('a Job of which a pod was ready has run, whatever becomes of that pod and its watch', async () => {
  const { client, cache, clock } = await start([aRawJob({ status: { startTime: '2026-01-02T03:04:06Z', active: 1, ready: 1 } })], []);
  const seenAt = clock.now();
  client.send('jobs', 'MODIFIED', renamed(aRawJob({ status: { startTime: '2026-01-02T03:04:06Z', active: 1, ready: 0 } }), { resourceVersion: '200' }));
  await settle();
  expect(cache.jobs(thumbnails)).toMatchObject([{ ranAt: seenAt, pods: [] }]);
  expect(cache.jobs(thumbnails)[0]).not.toHaveProperty('gone');
});

test('a Job whose pod is gone before it ran has not run', async () => {
  const { client, cache } = await start([aRawJob()], [aRawPod({ phase: 'Pending' })]);
  client.send('pods', 'DELETED', renamed(aRawPod({ phase: 'Pending' }), { resourceVersion: '200' }));
  await settle();
  expect(cache.jobs(thumbnails)[0]).toMatchObject({ pods: [], gone: { succeeded: 0, failed: 1 } });
  expect(cache.jobs(thumbnails)[0]).not.toHaveProperty('ranAt');
});

test.each<[string, JsonObject, object | undefined]>([
  ['that had succeeded', { phase: 'Succeeded' }, { succeeded: 1, failed: 0 }],
  ['that had failed', { phase: 'Failed' }, { succeeded: 0, failed: 1 }],
  ['that was disrupted, and is replaced', { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True' }] }, undefined],
])('a pod %s and goes', async (_sentence, status, gone) => {
  const { client, cache } = await start([aRawJob()], [aRawPod(status)]);
  client.send('pods', 'DELETED', renamed(aRawPod(status), { resourceVersion: '200' }));
  await settle();
  expect(cache.jobs(thumbnails)[0]?.gone).toEqual(gone);
});
