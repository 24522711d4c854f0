/** What the store sends; what comes of it is in test/contract/kubernetes/records.contract.ts. */
import { expect, test } from 'vitest';
import { KubernetesRecords } from '../../../../src/adapters/kubernetes/records.ts';
import type { RecordsOptions } from '../../../../src/adapters/kubernetes/records.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { objectAt } from '../../../../src/lib/json.ts';
import type { ReadResult, WriteResult } from '../../../../src/reconcile/ports.ts';
import { aNewRecord, aRequest, aRunState } from '../../../support/records.ts';

interface Answers {
  readonly create?: (manifest: JsonObject) => WriteResult;
  readonly get?: (name: string) => ReadResult<JsonObject>;
  readonly patch?: () => WriteResult;
}

const done: WriteResult = { kind: 'done', uid: 'record-uid', resourceVersion: '7', warnings: [] };
const target = { name: 'nightly-abc', uid: 'record-uid', resourceVersion: '7' };

function setUp(answers: Answers = {}) {
  const sent: [string, string, ...unknown[]][] = [];
  const client: RecordsOptions['client'] = {
    create: (resource, manifest) => {
      sent.push(['create', resource.plural, manifest]);
      return Promise.resolve(answers.create?.(manifest) ?? done);
    },
    get: (resource, name) => {
      sent.push(['get', resource.plural, name]);
      return Promise.resolve(answers.get?.(name) ?? { kind: 'absent' });
    },
    mergePatch: (resource, name, patch) => {
      sent.push(['patch', resource.plural, name, patch]);
      return Promise.resolve(answers.patch?.() ?? done);
    },
    delete: (resource, name, options) => {
      sent.push(['delete', resource.plural, name, options]);
      return Promise.resolve(done);
    },
  };
  return { sent, store: new KubernetesRecords({ client, instance: 'blue' }) };
}

const nameOf = (manifest: JsonObject): unknown => objectAt(manifest, 'metadata')['name'];

test('a record is one ConfigMap; what it is for stands in its metadata', async () => {
  const { sent, store } = setUp();
  expect(await store.create(aNewRecord({ request: aRequest({ workflow: 'Nächtlich' }), owner: { name: 'spec', uid: 'spec-uid' } }))).toEqual(done);
  expect(sent).toEqual([['create', 'configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'nightly-abc',
      labels: { 'job-chief-record': 'run', 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'blue', 'job-chief/kind': 'workflow', 'job-chief/name': 'N-chtlich-cwtlv6s2mx', 'job-chief/state': 'Queued' },
      annotations: { 'job-chief/name': 'Nächtlich', 'job-chief/request': '{"workflow":"Nächtlich","trigger":"change","specHash":"hash-1","source":"spec-uid"}' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'spec', uid: 'spec-uid', controller: true }],
    },
    data: { 'parameters.json': '{"day":"monday","rows":3}' },
  }]]);
});

test('a write names the object and its version, and nothing that it does not change', async () => {
  const { sent, store } = setUp();
  await store.write(target, { phase: 'Suspended' });
  await store.write(target, { state: aRunState() });
  await store.write(target, { cancel: 'enough', owner: { name: 'spec', uid: 'u' } });
  expect(sent.map(([, , , patch]) => patch)).toEqual([
    { metadata: { uid: 'record-uid', resourceVersion: '7', labels: { 'job-chief/state': 'Suspended' } } },
    { metadata: { uid: 'record-uid', resourceVersion: '7' }, data: { 'state.json': JSON.stringify(aRunState()) }, binaryData: { 'state.json.gz': null } },
    { metadata: { uid: 'record-uid', resourceVersion: '7', annotations: { 'job-chief/cancel': 'enough' }, ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'spec', uid: 'u', controller: true }] } },
  ]);
});

test('what a Run says goes into the annotations that people use', async () => {
  const { sent, store } = setUp();
  await store.write(target, { cancel: 'enough', approvals: 'deploy,load=rejected', suspend: 'run' });
  await store.write(target, { suspend: null });
  expect(sent.map(([, , , patch]) => objectAt(patch, 'metadata')['annotations'])).toEqual([
    { 'job-chief/cancel': 'enough', 'job-chief/approvals': 'deploy,load=rejected', 'job-chief/suspend': 'run' },
    { 'job-chief/suspend': null },
  ]);
});

test('a record is deleted in the background, with what was seen of it', async () => {
  const { sent, store } = setUp();
  await store.delete(target);
  expect(sent).toEqual([['delete', 'configmaps', 'nightly-abc', { propagationPolicy: 'Background', uid: 'record-uid', resourceVersion: '7' }]]);
});

const noise = (bytes: number): string => {
  let seed = 1;
  return Array.from({ length: bytes }, () => String.fromCharCode(33 + ((seed = (seed * 48_271) % 2_147_483_647) % 90))).join('');
};

test.each<[string, (store: KubernetesRecords) => Promise<WriteResult>, string]>([
  ['a spec that leaves no room for a state', (store) => store.create(aNewRecord({ data: { 'spec.yaml': 'x'.repeat(700_000) } })), 'spec, files and parameters of 700,049 bytes, where 700,000 are allowed'],
  ['parameters that leave none', (store) => store.create(aNewRecord({ parameters: { all: 'ä'.repeat(400_000) } })), 'spec, files and parameters of 800,025 bytes'],
  ['files that do not compress', (store) => store.write(target, { data: { 'spec.yaml': '', 'big.bin': noise(900_000) } }), 'bytes, where 700,000 are allowed'],
  ['files of more than one map', (store) => store.create(aNewRecord({ data: { 'spec.yaml': '', a: 'x'.repeat(600_000), b: 'x'.repeat(600_000) } })), 'files of 1,200,011 bytes, where 1,000,000 are allowed'],
  ['a state of more than a ConfigMap', (store) => store.write(target, { state: aRunState({ steps: { a: { outputs: { a: noise(1_500_000) } } } }) }), 'a change of 1,'],
  ['items of more than one map', (store) => store.createMap({ data: { 0: 'x'.repeat(600_000) }, binaryData: { 1: Buffer.alloc(500_000).toString('base64') } }), 'a map of 1,100,001 bytes'],
])('too large, and nothing is sent: %s', async (_name, act, message) => {
  const { sent, store } = setUp();
  const result = await act(store);
  expect(result).toEqual({ kind: 'refused', tooLarge: true, message: expect.stringContaining(message) as string });
  expect(sent).toEqual([]);
});

test.each<[string, WriteResult]>([
  ['refused', { kind: 'refused', message: 'policy' }],
  ['forbidden', { kind: 'forbidden', message: 'no right' }],
  ['quota', { kind: 'quota', message: 'full' }],
  ['unknown', { kind: 'unknown', message: 'reset' }],
])('a create that came to %s stays so where nothing is there', async (_name, answer) => {
  const { store } = setUp({ create: () => answer });
  expect(await store.create(aNewRecord())).toEqual(answer);
});

test.each<[string, (store: KubernetesRecords) => Promise<WriteResult>, string]>([
  ['record', (store) => store.create(aNewRecord()), 'nightly-abc'],
  ['map', (store) => store.createMap({ metadata: { name: 'step-items' } }), 'step-items'],
])('a %s whose name is still that of one being deleted may be made later', async (_what, create, name) => {
  const metadata = { name, uid: 'before', resourceVersion: '6', deletionTimestamp: '2026-01-01T00:00:00Z', labels: { 'job-chief-record': 'run', 'job-chief/instance': 'blue' } };
  const { store } = setUp({ create: () => ({ kind: 'exists' }), get: () => ({ kind: 'found', value: { metadata } }) });
  expect(await create(store)).toEqual({ kind: 'conflict', message: `the ConfigMap "${name}" of before is being deleted` });
});

test('a record whose name is taken, by what nobody can look at, may be the one that was to be made', async () => {
  const { store } = setUp({ create: () => ({ kind: 'exists' }), get: () => ({ kind: 'failed', message: 'reset', forbidden: false }) });
  expect(await store.create(aNewRecord())).toEqual({ kind: 'unknown', message: 'reset' });
});

test.each<[string, ReadResult<JsonObject>, string]>([
  ['nobody can look at', { kind: 'failed', message: 'reset', forbidden: false }, 'reset'],
  ['has gone since', { kind: 'absent' }, 'something of its name was there'],
])("a map whose name is taken by what %s is not called somebody else's", async (_what, answer, message) => {
  const { store } = setUp({ create: () => ({ kind: 'exists' }), get: () => answer });
  expect(await store.createMap({ metadata: { name: 'step-items' } })).toEqual({ kind: 'unknown', message });
});

test('a create whose answer got lost is no more known while nobody can look', async () => {
  const { store } = setUp({ create: () => ({ kind: 'unknown', message: 'reset' }), get: () => ({ kind: 'failed', message: 'down', forbidden: false }) });
  expect(await store.create(aNewRecord())).toEqual({ kind: 'unknown', message: 'reset' });
});

test.each<[string, WriteResult, boolean]>([
  ['for want of a right', { kind: 'forbidden', message: 'no right' }, true],
  ['by a policy', { kind: 'refused', message: 'no right' }, false],
])('files that are refused %s: the record is there, and a reader hears why it cannot be used', async (_name, refusal, isForbidden) => {
  const { store, sent } = setUp({ create: (manifest) => (nameOf(manifest) === 'nightly-abc-files' ? refusal : done) });
  const message = 'ConfigMap nightly-abc-files: no right';
  expect(await store.create(aNewRecord({ data: { 'spec.yaml': 'x', 'run.sh': 'y' } }))).toEqual({ kind: 'unknown', message });
  const [, , manifest] = sent[0] ?? [];
  const stored = { ...(manifest as JsonObject), metadata: { ...objectAt(manifest, 'metadata'), uid: 'record-uid', resourceVersion: '7' } };
  const reading = setUp({ create: () => refusal, get: (name) => (name === 'nightly-abc' ? { kind: 'found', value: stored } : { kind: 'absent' }) });
  expect(await reading.store.read('nightly-abc')).toEqual({ kind: 'failed', message, forbidden: isForbidden });
});

test.each<[WriteResult]>([[{ kind: 'gone' }], [{ kind: 'conflict', message: 'm' }], [{ kind: 'unknown', message: 'm' }]])('a write that came to $kind makes no files', async (answer) => {
  const { store, sent } = setUp({ patch: () => answer });
  expect(await store.write(target, { data: { 'spec.yaml': 'x', 'run.sh': 'y' } })).toEqual(answer);
  expect(sent.map(([verb]) => verb)).toEqual(['patch']);
});
