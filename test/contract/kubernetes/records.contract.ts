/** Records of runs, for any API server: what the store writes, what the cache shows, and what a crash leaves to mend. */
import { describe, expect, it } from 'vitest';
import { KubernetesClient } from '../../../src/adapters/kubernetes/client.ts';
import { KubernetesRecordCache } from '../../../src/adapters/kubernetes/record-cache.ts';
import { KubernetesRecords } from '../../../src/adapters/kubernetes/records.ts';
import type { ApiRequest, Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { isObject, objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import type { ReadResult, WriteResult } from '../../../src/reconcile/ports.ts';
import type { NewRecord, StoredRecord } from '../../../src/reconcile/record-ports.ts';
import { aLargeState, aNewRecord, aRequest, aRunState } from '../../support/records.ts';
import { Api, jobManifest, nameOf, uidOf, type Bench } from './subject.ts';

const nightly = { kind: 'workflow', name: 'nightly' } as const;

type Case = (api: Api) => Promise<void>;
type Holds = (name: string, test: Case) => void;

export function recordsContract(bench: () => Bench): void {
  let cases = 0;
  const holds: Holds = (name, test) => {
    cases += 1;
    const suffix = `r${cases}`;
    it(name, () => bench().run((subject) => test(new Api(subject, suffix))));
  };
  describe('a record is made', () => { creationCases(holds); });
  describe('and its files', () => { fileCases(holds); });
  describe('a record is written', () => { writeCases(holds); });
  describe('a record goes', () => { deletionCases(holds); });
  describe('maps that Jobs mount', () => { mapCases(holds); });
  describe('the cache of records', () => { cacheCases(holds); });
}

const instance = 'blue';
const frozen = { 'spec.yaml': 'kind: Workflow\n', 'extract.yaml': 'kind: Job\n', 'run.sh': '#!/bin/sh\nexit 0\n' };

function clientOf(api: Api, transport: Transport = api.subject.transport): KubernetesClient {
  return new KubernetesClient({ transport, clock: api.subject.clock, namespace: api.subject.namespace, fieldManager: 'job-chief', limits: 'off' });
}

function storeOf(api: Api, transport?: Transport): KubernetesRecords {
  return new KubernetesRecords({ client: clientOf(api, transport), instance });
}

/** A process that dies, or is cut off, when it sends such a request: it never arrives. */
function dyingAt(api: Api, isLast: (request: ApiRequest) => boolean): Transport {
  const { transport } = api.subject;
  return { request: (request) => (isLast(request) ? Promise.reject(new Error('killed')) : transport.request(request)), stream: (request) => transport.stream(request) };
}

const isFiles = (request: ApiRequest): boolean => request.method === 'POST' && (stringAt(objectAt(request.body, 'metadata'), 'name') ?? '').endsWith('-files');

function named(api: Api, more: Partial<NewRecord> = {}): NewRecord {
  return aNewRecord({ name: api.name('nightly'), ...more });
}

function done(result: WriteResult): Extract<WriteResult, { kind: 'done' }> {
  if (result.kind !== 'done') throw new Error(`not done: ${JSON.stringify(result)}`);
  return result;
}

function found(result: ReadResult<StoredRecord>): StoredRecord {
  if (result.kind !== 'found') throw new Error(`not found: ${JSON.stringify(result)}`);
  return result.value;
}

const targetOf = ({ record: { name, uid, resourceVersion } }: StoredRecord): { name: string; uid: string; resourceVersion: string } => ({ name, uid, resourceVersion });

async function raw(api: Api, name: string): Promise<JsonObject> {
  const { body } = await api.get('configmaps', name);
  return isObject(body) ? body : {};
}

async function madeRecord(api: Api, more: Partial<NewRecord> = {}): Promise<StoredRecord> {
  const store = storeOf(api);
  done(await store.create(named(api, more)));
  return found(await store.read(api.name('nightly')));
}

function creationCases(holds: Holds): void {
  holds('queued, without a spec', async (api) => {
    const { record, ...content } = await madeRecord(api);
    expect(content).toEqual({ data: undefined, parameters: { day: 'monday', rows: 3 }, state: undefined });
    expect(record).toMatchObject({ name: api.name('nightly'), target: nightly, phase: 'Queued', request: aRequest(), result: undefined, deleting: false, ownerUid: undefined });
    expect(Math.abs(record.createdAt - api.subject.clock.now())).toBeLessThan(60_000);
  });

  holds('running, with the spec that it keeps and the owner that it goes with', async (api) => {
    const spec = await api.created('configmaps', { metadata: { name: api.name('spec') } });
    const stored = await madeRecord(api, { data: { 'spec.yaml': 'kind: Workflow' }, owner: { name: nameOf(spec), uid: uidOf(spec) } });
    expect([stored.record.phase, stored.record.ownerUid, stored.data]).toEqual(['Running', uidOf(spec), { 'spec.yaml': 'kind: Workflow' }]);
    expect((await api.get('configmaps', api.name('nightly-files'))).status).toBe(404);
    await api.delete('configmaps', nameOf(spec));
    await api.gone('configmaps', api.name('nightly'));
  });

  holds('once, however often it is asked for', async (api) => {
    const store = storeOf(api);
    const first = done(await store.create(named(api, { data: frozen })));
    const again = await store.create(named(api, { data: { 'spec.yaml': 'later' }, request: aRequest({ priority: 3, retention: { succeeded: { count: 1 }, failed: {} } }) }));
    expect(done(again).uid).toBe(first.uid);
    expect(found(await store.read(api.name('nightly'))).data).toEqual(frozen);
  });

  holds('also where the answer got lost, or the quota is full by now', async (api) => {
    const lost: Transport = { ...dyingAt(api, () => false), request: async (request) => {
      const answer = await api.subject.transport.request(request);
      if (request.method === 'POST') throw new Error('connection reset');
      return answer;
    } };
    const first = done(await storeOf(api, lost).create(named(api)));
    await api.subject.setQuota({ 'count/configmaps': '0' });
    const again = await storeOf(api).create(named(api));
    const other = await storeOf(api).create(named(api, { name: api.name('other') }));
    await api.subject.setQuota(undefined);
    expect([done(again).uid, other.kind]).toEqual([first.uid, 'quota']);
  });

  const others: [string, (api: Api) => NewRecord][] = [
    ['another revision', (api) => named(api, { request: aRequest({ specHash: 'hash-2' }) })],
    ['another origin', (api) => named(api, { request: { workflow: 'nightly', trigger: 'request' } })],
  ];
  for (const [what, wanted] of others) {
    holds(`never for two runs: the name says exists to ${what}`, async (api) => {
      await madeRecord(api);
      expect(await storeOf(api).create(wanted(api))).toEqual({ kind: 'exists' });
    });
  }

  holds('with the same idempotency key only for the same parameters', async (api) => {
    const request = { workflow: 'nightly', trigger: 'request' } as const;
    await madeRecord(api, { request });
    expect((await storeOf(api).create(named(api, { request }))).kind).toBe('done');
    expect(await storeOf(api).create(named(api, { request, parameters: { day: 'tuesday' } }))).toEqual({ kind: 'exists' });
  });

  holds('not over a ConfigMap of somebody else, nor is that read as one, nor that of another instance', async (api) => {
    await api.created('configmaps', { metadata: { name: api.name('nightly') }, data: { 'spec.yaml': 'mine' } });
    expect(await storeOf(api).create(named(api))).toEqual({ kind: 'exists' });
    expect(await storeOf(api).read(api.name('nightly'))).toEqual({ kind: 'absent' });
    done(await storeOf(api).create(named(api, { name: api.name('ours') })));
    expect(await new KubernetesRecords({ client: clientOf(api), instance: 'green' }).read(api.name('ours'))).toEqual({ kind: 'absent' });
    expect(await storeOf(api).read(api.name('nobody'))).toEqual({ kind: 'absent' });
  });
}

function fileCases(holds: Holds): void {
  const files = (api: Api): Promise<JsonObject> => raw(api, api.name('nightly') + '-files');

  holds('in an immutable map that it owns', async (api) => {
    const { record, data } = await madeRecord(api, { data: frozen });
    const map = await files(api);
    const { 'spec.yaml': _spec, ...expected } = frozen;
    expect([data, map['data'], map['immutable']]).toEqual([frozen, expected, true]);
    expect(objectAt(map, 'metadata')).toMatchObject({ labels: { 'job-chief-record': 'files', 'job-chief/run': record.name, 'job-chief/instance': instance }, ownerReferences: [{ kind: 'ConfigMap', uid: record.uid, controller: true }] });
  });

  holds('after a crash in between, by whoever reads it next, even without the spec', async (api) => {
    const dead = await storeOf(api, dyingAt(api, isFiles)).create(named(api, { data: frozen }));
    expect([dead.kind, (await api.get('configmaps', `${api.name('nightly')}-files`)).status]).toEqual(['unknown', 404]);
    expect(found(await storeOf(api).read(api.name('nightly'))).data).toEqual(frozen);
    expect(Object.keys(objectAt(await files(api), 'data')).toSorted()).toEqual(['extract.yaml', 'run.sh']);
  });

  holds('after a crash in between, by the create that is tried again', async (api) => {
    await storeOf(api, dyingAt(api, isFiles)).create(named(api, { data: frozen }));
    expect((await storeOf(api).create(named(api, { data: frozen }))).kind).toBe('done');
    expect(objectAt(await files(api), 'data')).toMatchObject({ 'extract.yaml': 'kind: Job\n' });
  });

  holds('when a queued run is admitted, with the record as it was', async (api) => {
    const store = storeOf(api);
    const queued = await madeRecord(api);
    const spec = await api.created('configmaps', { metadata: { name: api.name('spec') } });
    done(await store.write(targetOf(queued), { data: frozen, phase: 'Running', state: aRunState(), owner: { name: nameOf(spec), uid: uidOf(spec) } }));
    const running = found(await store.read(api.name('nightly')));
    expect(running).toMatchObject({ data: frozen, parameters: queued.parameters, state: aRunState(), record: { uid: queued.record.uid, phase: 'Running', ownerUid: uidOf(spec), request: aRequest() } });
    expect(uidOf(await files(api))).not.toBe('');
  });

  holds('by a reader after a crash in the middle of the admission; of two admissions one holds', async (api) => {
    const queued = await madeRecord(api);
    expect((await storeOf(api, dyingAt(api, isFiles)).write(targetOf(queued), { data: frozen, phase: 'Running' })).kind).toBe('unknown');
    const other = await storeOf(api).write(targetOf(queued), { data: { 'spec.yaml': 'other', 'run.sh': 'other' }, phase: 'Running' });
    expect(other.kind).toBe('conflict');
    expect(found(await storeOf(api).read(api.name('nightly'))).data).toEqual(frozen);
    expect(objectAt(await files(api), 'data')['run.sh']).toBe(frozen['run.sh']);
  });

  holds('again while the run goes on, not after it; a reader that only looks makes none', async (api) => {
    const store = storeOf(api);
    const running = await madeRecord(api, { data: frozen });
    await api.delete('configmaps', `${api.name('nightly')}-files`);
    const looking = new KubernetesRecords({ client: clientOf(api), instance, readOnly: true });
    expect(found(await looking.read(api.name('nightly'))).data).toEqual(frozen);
    expect((await api.get('configmaps', `${api.name('nightly')}-files`)).status).toBe(404);
    found(await store.read(api.name('nightly')));
    expect((await api.get('configmaps', `${api.name('nightly')}-files`)).status).toBe(200);
    done(await store.write(targetOf(running), { phase: 'Succeeded', result: { outcome: 'succeeded', reason: 'RunSucceeded', message: '', startedAt: 1, finishedAt: 2, failedSteps: [] } }));
    await api.delete('configmaps', `${api.name('nightly')}-files`);
    found(await store.read(api.name('nightly')));
    expect((await api.get('configmaps', `${api.name('nightly')}-files`)).status).toBe(404);
  });

  holds('nothing else passes for them: a run waits until a foreign map is out of the way', async (api) => {
    await api.created('configmaps', { metadata: { name: `${api.name('nightly')}-files` }, data: { 'run.sh': 'rm -rf /' }, immutable: true });
    const store = storeOf(api);
    expect(await store.create(named(api, { data: frozen }))).toMatchObject({ kind: 'unknown', message: expect.stringContaining('-files: it holds something else') as string });
    expect(await store.read(api.name('nightly'))).toMatchObject({ kind: 'failed', forbidden: false });
    await api.delete('configmaps', `${api.name('nightly')}-files`);
    expect(found(await store.read(api.name('nightly'))).data).toEqual(frozen);
  });
}

function writeCases(holds: Holds): void {
  holds('state, phase and result together, or not at all', async (api) => {
    const store = storeOf(api);
    const record = await madeRecord(api, { data: { 'spec.yaml': 'x' } });
    const end = { outcome: 'failed', reason: 'StepFailed', message: 'load failed', at: 5_000, failedSteps: ['load'] } as const;
    const result = { outcome: 'failed', reason: 'StepFailed', message: 'load failed', startedAt: 1_000, finishedAt: 5_000, failedSteps: ['load'], outputs: { rows: 7 } } as const;
    done(await store.write(targetOf(record), { state: aRunState({ end }), phase: 'Failed', result }));
    expect(await store.write(targetOf(record), { state: aRunState(), phase: 'Running' })).toMatchObject({ kind: 'conflict' });
    expect(found(await store.read(api.name('nightly')))).toMatchObject({ state: aRunState({ end }), data: { 'spec.yaml': 'x' }, record: { phase: 'Failed', result } });
  });

  holds('compressed where the state is large, with nothing left of its other form', async (api) => {
    const store = storeOf(api);
    const keys = async (): Promise<string[][]> => {
      const now = await raw(api, api.name('nightly'));
      return [Object.keys(objectAt(now, 'data')).toSorted(), Object.keys(objectAt(now, 'binaryData'))];
    };
    let now = await madeRecord(api, { data: { 'spec.yaml': 'x' } });
    const seen: string[][][] = [];
    for (const state of [aRunState(), aLargeState(2_000), aLargeState(3)]) {
      done(await store.write(targetOf(now), { state }));
      now = found(await store.read(api.name('nightly')));
      expect(now.state).toEqual(state);
      seen.push(await keys());
    }
    const plain = [['parameters.json', 'spec.yaml', 'state.json'], []];
    expect(seen).toEqual([plain, [['parameters.json', 'spec.yaml'], ['state.json.gz']], plain]);
  });

  holds('never into a namesake, and gone is gone', async (api) => {
    const store = storeOf(api);
    const old = await madeRecord(api);
    await api.delete('configmaps', api.name('nightly'));
    expect(await store.write(targetOf(old), { phase: 'Running' })).toEqual({ kind: 'gone' });
    const next = await madeRecord(api);
    expect((await store.write(targetOf(old), { phase: 'Running' })).kind).toBe('conflict');
    expect((await store.write({ ...targetOf(next), uid: old.record.uid }, { phase: 'Running' })).kind).toBe('conflict');
    expect(found(await store.read(api.name('nightly'))).record.phase).toBe('Queued');
  });

  holds('with a command, which leaves those of people as they are', async (api) => {
    const store = storeOf(api);
    await madeRecord(api);
    await api.patch('configmaps', api.name('nightly'), { metadata: { annotations: { 'job-chief/approvals': 'deploy', 'team.example.com/note': 'x' } } });
    done(await store.write(targetOf(found(await store.read(api.name('nightly')))), { cancel: 'replaced by a newer run' }));
    const { record } = found(await store.read(api.name('nightly')));
    expect(record.commands).toEqual({ cancel: 'replaced by a newer run', suspend: false, approvals: new Map([['deploy', 'approved']]) });
    expect(objectAt(objectAt(await raw(api, api.name('nightly')), 'metadata'), 'annotations')['team.example.com/note']).toBe('x');
  });

  holds('not beyond what a ConfigMap may hold, and the refusal says so', async (api) => {
    const stored = await madeRecord(api, { data: { 'spec.yaml': 'x'.repeat(690_000) } });
    const noise = Array.from({ length: 60_000 }, (_, n) => ((n * 2_654_435_761) % 4_294_967_296).toString(36) + Math.imul(n, 40_503 * n).toString(36)).join('');
    const refused = await storeOf(api).write(targetOf(stored), { state: aRunState({ stopping: { mode: 'stop', reason: 'StepFailed', message: noise, at: 1 } }) });
    expect(refused).toMatchObject({ kind: 'refused', message: expect.stringContaining('larger than a ConfigMap may be') as string });
  });

  holds('read back as broken where somebody edited it', async (api) => {
    const edits: JsonObject[] = [
      { data: { 'state.json': '{"startedAt":' } },
      { data: { 'state.json': '{"startedAt":1,"steps":{"a":{"outcome":"perfect"}},"undo":{}}' } },
      { data: { 'state.json': '{"startedAt":1,"steps":{},"undo":{}}' }, binaryData: { 'state.json.gz': 'eA==' } },
      { data: { 'state.json': null }, binaryData: { 'state.json.gz': 'eA==' } },
      { data: { 'parameters.json': '[]' }, binaryData: { 'state.json.gz': null } },
    ];
    await madeRecord(api, { data: { 'spec.yaml': 'x' } });
    for (const edit of edits) {
      await api.patch('configmaps', api.name('nightly'), edit);
      expect([edit, found(await storeOf(api).read(api.name('nightly'))).state]).toEqual([edit, 'broken']);
    }
  });
}

function deletionCases(holds: Holds): void {
  holds('with its version, and all that it owns follows', async (api) => {
    const store = storeOf(api);
    const old = await madeRecord(api, { data: frozen });
    const { name, uid } = old.record;
    await api.created('jobs', { ...jobManifest(api, 'step'), metadata: { name: api.name('step'), ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid, controller: true }] } });
    done(await store.create(named(api, { name: api.name('sub'), request: { workflow: 'nightly', trigger: 'step', parent: { run: name, uid, step: 'a', attempt: 1, depth: 1 } }, owner: { name, uid } })));
    await api.somePods(1);
    done(await store.write(targetOf(old), { phase: 'Succeeded' }));
    expect((await store.delete(targetOf(old))).kind).toBe('conflict');
    const now = found(await store.read(name));
    expect((await store.delete({ ...targetOf(now), uid: 'other' })).kind).toBe('conflict');
    expect((await store.delete(targetOf(now))).kind).toBe('done');
    expect(await store.delete(targetOf(now))).toEqual({ kind: 'gone' });
    await Promise.all([api.gone('jobs', api.name('step')), api.gone('configmaps', `${name}-files`), api.gone('configmaps', api.name('sub'))]);
    await api.until('no pods', async () => ((await api.pods()).length === 0 ? true : undefined));
  });
}

function mapCases(holds: Holds): void {
  const items = (api: Api, { record }: StoredRecord, data: Record<string, string>): JsonObject => ({
    apiVersion: 'v1', kind: 'ConfigMap', immutable: true, data,
    metadata: { name: api.name('step-items'), labels: { 'job-chief-record': 'items' }, ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: record.name, uid: record.uid, controller: true }] },
  });

  holds('are made once, also with a full quota, and by one run only', async (api) => {
    const store = storeOf(api);
    const record = await madeRecord(api);
    const first = done(await store.createMap(items(api, record, { 0: 'a', 1: 'b' })));
    await api.subject.setQuota({ 'count/configmaps': '0' });
    const again = await store.createMap(items(api, record, { 0: 'a', 1: 'b' }));
    await api.subject.setQuota(undefined);
    expect(done(again).uid).toBe(first.uid);
    expect(await store.createMap(items(api, record, { 0: 'other' }))).toEqual({ kind: 'exists' });
    expect(await store.createMap(items(api, { ...record, record: { ...record.record, uid: 'other' } }, { 0: 'a', 1: 'b' }))).toEqual({ kind: 'exists' });
  });
}

function cacheCases(holds: Holds): void {
  const following = async (api: Api, work: (cache: KubernetesRecordCache, told: string[]) => Promise<void>): Promise<void> => {
    const told: string[] = [];
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const cache = new KubernetesRecordCache({ client: clientOf(api), clock: api.subject.clock, random: () => 0.5, instance, log, onChange: ({ name, target }) => told.push(`${target.name}/${name}`) });
    cache.start();
    try {
      await cache.whenSynced;
      await work(cache, told);
    } finally {
      await cache.stop();
    }
  };
  const shown = (api: Api, what: string, question: () => unknown): Promise<true> => api.until(what, () => Promise.resolve(question() === true ? true : undefined));

  holds('shows what is there, then every write, with the version that the write answered', async (api) => {
    await madeRecord(api);
    const name = api.name('nightly');
    await following(api, async (cache, told) => {
      const queued = cache.get(name);
      expect([cache.synced, cache.problem, cache.all().length, queued?.phase, told]).toEqual([true, undefined, 1, 'Queued', [`nightly/${name}`]]);
      if (!queued) return;
      const { resourceVersion } = done(await storeOf(api).write(queued, { phase: 'Running', data: frozen, state: aRunState() }));
      await shown(api, 'the write', () => cache.hasSeen(resourceVersion));
      const { record } = found(await storeOf(api).read(name));
      expect(cache.get(name)).toEqual(record);
      expect(record).toMatchObject({ phase: 'Running', resourceVersion });
      expect(told.at(-1)).toBe(`nightly/${name}`);
      expect([cache.of(nightly), cache.of({ kind: 'workflow', name: 'other' })]).toEqual([[record], []]);
    });
  });

  holds('shows what people annotate, as kubectl does it', async (api) => {
    await madeRecord(api);
    const name = api.name('nightly');
    await following(api, async (cache, told) => {
      told.length = 0;
      await api.patch('configmaps', name, { metadata: { annotations: { 'job-chief/cancel': 'wrong day', 'job-chief/suspend': 'true', 'job-chief/approvals': 'deploy, load=rejected' } } });
      await shown(api, 'the annotations', () => cache.get(name)?.commands.cancel === 'wrong day');
      expect(cache.get(name)?.commands).toEqual({ cancel: 'wrong day', suspend: true, approvals: new Map([['deploy', 'approved'], ['load', 'rejected']]) });
      expect(told).toEqual([`nightly/${name}`]);
    });
  });

  holds('forgets a record that was deleted, and one that somebody took the label off', async (api) => {
    const record = await madeRecord(api);
    done(await storeOf(api).create(named(api, { name: api.name('other'), request: aRequest({ workflow: 'weekly' }) })));
    await following(api, async (cache, told) => {
      told.length = 0;
      await storeOf(api).delete(targetOf(record));
      await api.patch('configmaps', api.name('other'), { metadata: { labels: { 'job-chief-record': null } } });
      await shown(api, 'nothing', () => cache.all().length === 0);
      expect(told).toEqual([`nightly/${api.name('nightly')}`, `weekly/${api.name('other')}`]);
      expect([cache.of(nightly), cache.of({ kind: 'workflow', name: 'weekly' })]).toEqual([[], []]);
    });
  });

  holds('leaves out maps, specs and what other instances keep', async (api) => {
    await madeRecord(api, { data: frozen });
    await api.created('configmaps', { metadata: { name: api.name('spec'), labels: { 'job-chief': 'workflow', 'job-chief/instance': instance } } });
    done(await new KubernetesRecords({ client: clientOf(api), instance: 'green' }).create(named(api, { name: api.name('green') })));
    await following(api, (cache) => {
      expect(cache.all().map(({ name }) => name)).toEqual([api.name('nightly')]);
      return Promise.resolve();
    });
  });
}
