/** What the store sends, and what it makes of what it finds; with a real API server: test/integration/kubernetes/histories.test.ts. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { KubernetesHistories, type HistoriesOptions } from '../../../../src/adapters/kubernetes/histories.ts';
import { decodeHistory, encodeHistory } from '../../../../src/adapters/kubernetes/history-codec.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { historyName } from '../../../../src/plan/messages/history-name.ts';
import { mostEntries, type History } from '../../../../src/plan/messages/history.ts';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import type { ReadResult } from '../../../../src/reconcile/ports.ts';
import { noon } from '../../../support/builders.ts';
import { done } from '../../../support/fakes.ts';
import { aHistory, anEntry, idsIn } from '../../../support/histories.ts';

const queue: SpecKey = { kind: 'queue', name: 'orders' };
const history = aHistory([anEntry('a')]);
const packed = (value: unknown): string => gzipSync(JSON.stringify(value)).toString('base64');
const labels = { 'job-chief-record': 'history', 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'blue', 'job-chief/kind': 'queue', 'job-chief/name': 'orders' };
const found = (changes: { readonly labels?: JsonObject; readonly binaryData?: JsonObject } = {}): ReadResult<JsonObject> => ({
  kind: 'found',
  value: { metadata: { name: historyName('blue', queue), uid: 'uid-1', resourceVersion: '5', creationTimestamp: new Date(noon).toISOString(), labels: changes.labels ?? labels, ownerReferences: [{ kind: 'ConfigMap', name: 'orders', uid: 'uid-orders', controller: true }] }, binaryData: changes.binaryData ?? { 'history.json.gz': encodeHistory(history).toString('base64') } },
});

function setUp(answer: ReadResult<JsonObject> = { kind: 'absent' }) {
  const sent: JsonObject[] = [];
  const client: HistoriesOptions['client'] = {
    get: () => Promise.resolve(answer),
    create: (_resource, manifest) => {
      sent.push(manifest);
      return Promise.resolve(done());
    },
    mergePatch: (_resource, name, patch) => {
      sent.push({ name, ...patch });
      return Promise.resolve(done());
    },
  };
  return { sent, store: new KubernetesHistories({ client, instance: 'blue' }) };
}

describe('a history', () => {
  it('is one ConfigMap of the queue that is neither a spec nor a record of a run', async () => {
    const { sent, store } = setUp();
    await store.create(queue, history, { name: 'orders', uid: 'uid-orders' });
    expect(sent).toEqual([{
      apiVersion: 'v1', kind: 'ConfigMap',
      metadata: { name: expect.stringMatching(/^orders-[a-z2-7]{12}-history$/) as string, labels, ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'orders', uid: 'uid-orders', controller: true }] },
      binaryData: { 'history.json.gz': encodeHistory(history).toString('base64') },
    }]);
  });

  it('is written only as it was read, and keeps its owner unless it gets another', async () => {
    const { sent, store } = setUp();
    await store.write(queue, { uid: 'uid-1', resourceVersion: '5' }, { history, owner: undefined });
    await store.write(queue, { uid: 'uid-1', resourceVersion: '5' }, { history, owner: { name: 'other', uid: 'uid-other' } });
    expect(sent.map(({ name, metadata }) => [name, metadata])).toEqual([
      [historyName('blue', queue), { uid: 'uid-1', resourceVersion: '5' }],
      [historyName('blue', queue), { uid: 'uid-1', resourceVersion: '5', ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'uid-other', controller: true }] }],
    ]);
  });

  it('is read with its owner and its age', async () => {
    expect(await setUp(found()).store.read(queue)).toEqual({ kind: 'found', value: { uid: 'uid-1', resourceVersion: '5', deleting: false, ownerUid: 'uid-orders', createdAt: noon, history } });
  });

  it('of another instance, or whatever else has the name, is none', async () => {
    expect(await setUp(found({ labels: { ...labels, 'job-chief/instance': 'green' } })).store.read(queue)).toEqual({ kind: 'absent' });
    expect(historyName('green', queue)).not.toBe(historyName('blue', queue));
  });

  it.each<[string, JsonObject]>([
    ['is not there', {}],
    ['is not compressed', { 'history.json.gz': Buffer.from('{"version":1}').toString('base64') }],
    ['is no mapping', { 'history.json.gz': packed([1]) }],
    ['is of another version', { 'history.json.gz': packed({ version: 2, sources: [], entries: [] }) }],
    ['unfolds to more than anybody writes', { 'history.json.gz': packed({ version: 1, sources: ['x'.repeat(5 * 1024 * 1024)], entries: [] }) }],
  ])('is read without a content that %s', async (_name, binaryData) => {
    expect(await setUp(found({ binaryData })).store.read(queue)).toMatchObject({ kind: 'found', value: { uid: 'uid-1', history: undefined } });
  });
});

describe('a content that somebody edited', () => {
  const good = ['a', 0, 'completed', noon];
  const read = (entries: unknown, more: JsonObject = {}): History | undefined => decodeHistory(packed({ version: 1, sources: ['q'], entries, ...more }));

  it.each<[string, unknown]>([['a row', 'a'], ['an id', [1, 0, 'completed', noon]], ['a queue', ['b', 7, 'completed', noon]], ['a word', ['b', 0, 'eaten', noon]], ['a time', ['b', 0, 'completed', 9e15]]])('loses the message of which %s cannot be read, and no other', (_name, row) => {
    expect(idsIn(read([row, good]) ?? aHistory([]))).toEqual(['a']);
  });

  it.each<[string, readonly unknown[]]>([['a name', [1, null, 1, 1, noon]], ['a serial', ['job', null, -1, 1, noon]], ['a time', ['job', null, 1, 1, '12:00']]])('loses a Job of which %s cannot be read', (_name, job) => {
    expect(read([[...good, 'Completed', null, null, null, ...job]])?.entries).toEqual([{ id: 'a', source: 'q', as: 'completed', settledAt: noon, reason: 'Completed' }]);
  });

  it('is put in order, and within the bounds', () => {
    const entries = Array.from({ length: mostEntries + 1 }, (_, index) => [String(index), 0, 'completed', noon + index]);
    const history = read(entries, { since: 'yesterday' });
    expect([history?.entries.length, history?.entries[0]?.id, history?.since]).toEqual([mostEntries, String(mostEntries), noon]);
  });
});
