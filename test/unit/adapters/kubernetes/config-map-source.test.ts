import { afterEach, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { ConfigMapSpecs } from '../../../../src/adapters/kubernetes/config-map-source.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { ScriptedClient, silentLog } from './scripted-client.ts';

const running: ConfigMapSpecs[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

async function start(instance: string, ...items: JsonObject[]) {
  const client = new ScriptedClient({ configmaps: items });
  const changed: string[] = [];
  const specs = new ConfigMapSpecs({ client, clock: new FakeClock(), random: () => 0.5, instance, log: silentLog, onChange: (id) => changed.push(id) });
  running.push(specs);
  expect(specs.synced).toBe(false);
  specs.start();
  await settle();
  return { client, specs, changed };
}

const configMap = (name: string, labels: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  metadata: { name, uid: `${name}-uid`, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', labels: { 'job-chief': 'queue', ...labels }, ...metadata },
  data: { 'spec.yaml': 'kind: Queue', 'other.sh': 'x', odd: 3 },
});

test('a labelled ConfigMap is a document', async () => {
  const { specs } = await start('default', configMap('a', { 'job-chief/state': 'Idle' }, { annotations: { 'job-chief/status': '{}' }, deletionTimestamp: '2026-01-02T00:00:00Z' }));
  expect(specs.synced).toBe(true);
  expect(specs.ids()).toEqual(['a']);
  expect(specs.get('a')).toEqual({
    source: { kind: 'configMap', name: 'a', uid: 'a-uid', createdAt: Date.UTC(2026, 0, 1), deleting: true, writtenStatus: '{}', writtenState: 'Idle' },
    file: 'configmap/a',
    objectName: 'a',
    label: 'queue',
    data: { 'spec.yaml': 'kind: Queue', 'other.sh': 'x' },
  });
  expect(specs.get('b')).toBeUndefined();
});

test('a look asks the API server, and sees no more than the watch does', async () => {
  const { specs } = await start('blue', configMap('a', { 'job-chief/instance': 'blue' }), configMap('other'), { metadata: { name: 'plain', uid: 'x', labels: { 'job-chief/instance': 'blue' } } });
  expect(await specs.look('a')).toEqual({ kind: 'found', value: specs.get('a') });
  expect(await Promise.all(['other', 'plain', 'gone'].map((id) => specs.look(id)))).toEqual(Array(3).fill({ kind: 'absent' }));
});

test.each(['annotations', 'labels'])('an opt-out of the substitution of Flux among the %s is told to the parser', async (field) => {
  const optOut = (value: string) => ({ [field]: { 'job-chief': 'queue', 'kustomize.toolkit.fluxcd.io/substitute': value } });
  const { specs } = await start('default', configMap('a', {}, { labels: { 'job-chief': 'queue' }, ...optOut('disabled') }), configMap('b', {}, { labels: { 'job-chief': 'queue' }, ...optOut('enabled') }));
  expect([specs.get('a')?.substituteDisabled, specs.get('b')?.substituteDisabled]).toEqual([true, undefined]);
});

test('garbage is a document without data, for the parser to report', async () => {
  const { specs } = await start('default', { metadata: { name: 'a', uid: 'u', labels: { 'job-chief': 'queue' } }, data: 'text' });
  expect(specs.get('a')).toMatchObject({ data: {}, source: { createdAt: 0, deleting: false } });
});

test.each<[string, string[], string]>([
  ['default', ['unlabelled', 'default'], 'job-chief'],
  ['blue', ['blue'], 'job-chief,job-chief/instance=blue'],
])('instance %s sees its own', async (instance, expected, selector) => {
  const { specs, client } = await start(instance, configMap('unlabelled'), configMap('default', { 'job-chief/instance': 'default' }), configMap('blue', { 'job-chief/instance': 'blue' }));
  expect(specs.ids()).toEqual(expected);
  expect(client.selectors[0]).toBe(selector);
});

test('a ConfigMap that goes over to another instance is gone for this one', async () => {
  const { specs, client, changed } = await start('default', configMap('a'));
  client.send('configmaps', 'MODIFIED', configMap('a', { 'job-chief/instance': 'blue' }));
  await settle();
  expect(specs.ids()).toEqual([]);
  expect(changed).toEqual(['a', 'a']);
});
