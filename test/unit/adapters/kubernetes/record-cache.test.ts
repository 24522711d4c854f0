import { afterEach, expect, test } from 'vitest';
import type { ListQuery, ListResult, WatchQuery, WatchResult } from '../../../../src/adapters/kubernetes/client.ts';
import { KubernetesRecordCache } from '../../../../src/adapters/kubernetes/record-cache.ts';
import { recordsOff } from '../../../../src/adapters/kubernetes/records-off.ts';
import type { ReflectorMeter } from '../../../../src/adapters/kubernetes/reflector.ts';
import type { Resource } from '../../../../src/adapters/kubernetes/resources.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { objectAt } from '../../../../src/lib/json.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { aNewRecord } from '../../../support/records.ts';
import { aRawRecord } from './raw-records.ts';
import { ScriptedClient, silentLog } from './scripted-client.ts';

const running: KubernetesRecordCache[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

type Failure = Extract<ListResult, { kind: 'failed' }>['failure'];

/** Fails for as long as it is told to. */
class FailingClient extends ScriptedClient {
  failure: Failure | undefined;
  readonly queries: { metadataOnly: boolean | undefined }[] = [];

  override list(resource: Resource, query: ListQuery = {}): Promise<ListResult> {
    this.queries.push({ metadataOnly: query.metadataOnly });
    return this.failure ? Promise.resolve({ kind: 'failed', failure: this.failure }) : super.list(resource, query);
  }

  override watch(resource: Resource, query: WatchQuery): Promise<WatchResult> {
    this.queries.push({ metadataOnly: query.metadataOnly });
    return this.failure ? Promise.resolve({ kind: 'failed', failure: this.failure }) : super.watch(resource, query);
  }
}

async function start(items: JsonObject[], failure?: Failure) {
  const client = new FailingClient({ configmaps: items });
  client.failure = failure;
  const clock = new FakeClock();
  const changed: string[] = [];
  const states: string[] = [];
  const metered: string[] = [];
  const meter = (resource: string): ReflectorMeter => {
    metered.push(resource);
    const nothing = (): void => undefined;
    return { contact: nothing, event: nothing, relist: nothing, poison: nothing, size: nothing };
  };
  const cache: KubernetesRecordCache = new KubernetesRecordCache({
    client, clock, random: () => 0.5, instance: 'blue', log: silentLog, meter,
    onChange: ({ name, target }) => changed.push(`${target.name}/${name}`),
    onState: () => states.push(`${cache.synced ? 'synced' : 'not synced'}, ${cache.problem?.reason ?? 'no problem'}`),
  });
  running.push(cache);
  cache.start();
  await settle();
  return { client, clock, cache, changed, states, metered };
}

const nightly = { kind: 'workflow', name: 'nightly' } as const;
const relabelled = (more: JsonObject, version = '200'): JsonObject => aRawRecord({ labels: { ...objectAt(objectAt(aRawRecord(), 'metadata'), 'labels'), ...more }, resourceVersion: version });
const status = (code: number | undefined, message: string): Failure => ({ status: code, reason: '', message, retryAfter: undefined });

test('records are listed and watched as metadata, by label and instance', async () => {
  const { client, cache, states, metered, changed } = await start([aRawRecord()]);
  expect(client.selectors).toEqual(Array(2).fill('job-chief-record=run,job-chief/instance=blue'));
  expect(client.queries).toEqual(Array(2).fill({ metadataOnly: true }));
  expect([cache.synced, cache.problem, states, metered, changed]).toEqual([true, undefined, ['synced, no problem'], ['records'], ['nightly/nightly-abc']]);
  expect(cache.get('nightly-abc')).toEqual(cache.all()[0]);
  expect(cache.of(nightly)).toEqual(cache.all());
  expect([cache.get('other'), cache.of({ kind: 'template', name: 'nightly' })]).toEqual([undefined, []]);
});

test('every write is told, also one that changes nothing of the metadata: somebody may wait for its version', async () => {
  const { client, cache, changed } = await start([aRawRecord()]);
  changed.length = 0;
  expect([cache.hasSeen('100'), cache.hasSeen('200')]).toEqual([true, false]);
  client.send('configmaps', 'MODIFIED', aRawRecord({ resourceVersion: '200' }));
  await settle();
  expect([changed, cache.hasSeen('200')]).toEqual([['nightly/nightly-abc'], true]);
});

test('a record that goes, or changes its workflow, concerns those that had it', async () => {
  const { client, cache, changed } = await start([aRawRecord()]);
  changed.length = 0;
  client.send('configmaps', 'MODIFIED', relabelled({ 'job-chief/name': 'weekly' }));
  await settle();
  expect(changed).toEqual(['nightly/nightly-abc', 'weekly/nightly-abc']);
  client.send('configmaps', 'DELETED', relabelled({ 'job-chief/name': 'weekly' }, '201'));
  await settle();
  expect([changed.slice(2), cache.all()]).toEqual([['weekly/nightly-abc'], []]);
});

test('sub-runs are found by the run that waits for them, for as long as they name it', async () => {
  const child = (uid: string | undefined, version: string): JsonObject =>
    aRawRecord({ resourceVersion: version, annotations: { 'job-chief/request': JSON.stringify({ workflow: 'nightly', trigger: 'step', ...(uid !== undefined && { parent: { run: 'weekly-x', uid, step: 's', attempt: 1, depth: 1 } }) }) } });
  const { client, cache } = await start([child('u', '100'), aRawRecord({ name: 'of-nobody', uid: 'other', annotations: {} })]);
  const families = (): string[][] => ['u', 'v', 'w'].map((uid) => cache.childrenOf(uid).map(({ name, resourceVersion }) => `${name} ${resourceVersion}`));
  expect(families()).toEqual([['nightly-abc 100'], [], []]);
  client.send('configmaps', 'MODIFIED', child('u', '200'));
  await settle();
  expect(families()).toEqual([['nightly-abc 200'], [], []]);
  client.send('configmaps', 'MODIFIED', child('v', '201'));
  await settle();
  expect(families()).toEqual([[], ['nightly-abc 201'], []]);
  client.send('configmaps', 'MODIFIED', child(undefined, '202'));
  await settle();
  expect(families()).toEqual([[], [], []]);
  client.send('configmaps', 'MODIFIED', child('w', '203'));
  client.send('configmaps', 'DELETED', child('w', '204'));
  await settle();
  expect(families()).toEqual([[], [], []]);
});

test('a record without the name of a workflow is kept: retention has to find it', async () => {
  const { cache } = await start([relabelled({ 'job-chief/name': null })]);
  expect(cache.of({ kind: 'workflow', name: '' })).toEqual(cache.all());
  expect(cache.all().length).toBe(1);
});

const forbidden = status(403, 'User "system:serviceaccount:test:job-chief" cannot list resource "configmaps" in API group "" in the namespace "test"');

test('a missing right is told with the question that shows it, and mends itself when it is granted', async () => {
  const { client, clock, cache, states } = await start([aRawRecord()], forbidden);
  expect([cache.synced, cache.all()]).toEqual([false, []]);
  expect(cache.problem).toEqual({ reason: 'Forbidden', message: 'the right to list configmaps is missing: kubectl auth can-i list configmaps -n test --as system:serviceaccount:test:job-chief' });
  await clock.advance(60_000);
  expect(states).toEqual(['not synced, Forbidden']);
  client.failure = undefined;
  await clock.advance(60_000);
  expect([cache.synced, cache.problem, states.at(-1)]).toEqual([true, undefined, 'synced, no problem']);
});

test.each<[string, Failure, unknown]>([
  ['a log-in that was refused', status(401, 'Unauthorized'), { reason: 'Forbidden', message: 'records of runs cannot be read: Unauthorized' }],
  ['an API server that is away', status(undefined, 'connect ECONNREFUSED'), { reason: 'RecordsUnread', message: 'connect ECONNREFUSED' }],
  ['an API server in trouble', status(500, 'etcd leader changed'), { reason: 'RecordsUnread', message: 'etcd leader changed' }],
])('%s is told before the first list', async (_name, failure, expected) => {
  const { cache } = await start([], failure);
  expect([cache.synced, cache.problem]).toEqual([false, expected]);
});

test('later, trouble that passes is no problem, and a right that is taken away is one', async () => {
  const { client, clock, cache } = await start([aRawRecord()]);
  client.failure = status(500, 'oops');
  client.send('configmaps', 'ERROR', { code: 500, message: 'oops' });
  await clock.advance(5_000);
  expect([cache.synced, cache.problem, cache.all().length]).toEqual([true, undefined, 1]);
  client.failure = forbidden;
  await clock.advance(60_000);
  expect([cache.synced, cache.problem?.reason, cache.all().length]).toEqual([true, 'Forbidden', 1]);
});

test('without records nothing is known, and every answer says why', async () => {
  const { cache, store } = recordsOff('records.enabled is false');
  expect([cache.synced, cache.problem, cache.all(), cache.of(nightly), cache.get('a'), cache.hasSeen('1')]).toEqual([false, { reason: 'RecordsOff', message: 'records.enabled is false' }, [], [], undefined, false]);
  const target = { name: 'a', uid: 'u', resourceVersion: '1' };
  const answers = await Promise.all([store.create(aNewRecord()), store.write(target, {}), store.delete(target), store.createMap({})]);
  expect(answers).toEqual(Array(4).fill({ kind: 'forbidden', message: 'records.enabled is false' }));
  expect(await store.read('a')).toEqual({ kind: 'failed', message: 'records.enabled is false', forbidden: true });
});
