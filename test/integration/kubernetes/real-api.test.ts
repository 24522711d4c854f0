/** The adapter against a real API server: what it answers is not what one would think. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterAccess } from '../../../src/adapters/kubernetes/access.ts';
import { KubernetesClient } from '../../../src/adapters/kubernetes/client.ts';
import { KubernetesClusterCache } from '../../../src/adapters/kubernetes/cluster-cache.ts';
import { ConfigMapSpecs } from '../../../src/adapters/kubernetes/config-map-source.ts';
import { KubernetesEventReader } from '../../../src/adapters/kubernetes/event-reader.ts';
import { KubernetesEvents } from '../../../src/adapters/kubernetes/event-sink.ts';
import { KubernetesJobs } from '../../../src/adapters/kubernetes/job-api.ts';
import { checkPermissions } from '../../../src/adapters/kubernetes/permissions.ts';
import { configMaps, events, jobs, pods } from '../../../src/adapters/kubernetes/resources.ts';
import type { Resource } from '../../../src/adapters/kubernetes/resources.ts';
import { KubernetesStatus } from '../../../src/adapters/kubernetes/status-sink.ts';
import { UndiciTransport } from '../../../src/adapters/kubernetes/undici-transport.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { objectAt, stringAt } from '../../../src/lib/json.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { startCluster } from '../../support/cluster.ts';
import type { Cluster } from '../../support/cluster.ts';
import { until } from '../../support/fake-clock.ts';
import { MemoryLog } from './harness.ts';

let cluster: Cluster;
let admin: UndiciTransport;
let namespace: string;
let client: KubernetesClient;
let count = 0;

const quotas: Resource = { group: '', version: 'v1', plural: 'resourcequotas', kind: 'ResourceQuota' };
const accounts: Resource = { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount' };

function transportWith(token: string): UndiciTransport {
  const ca = readFileSync(cluster.caFile);
  const access: ClusterAccess = {
    server: cluster.server,
    namespace: undefined,
    credentials: () => Promise.resolve({ headers: { authorization: `Bearer ${token}` }, tls: { ca } }),
    forget: () => undefined,
  };
  return new UndiciTransport({ access, userAgent: 'job-chief/test' });
}

beforeAll(async () => {
  cluster = await startCluster({ pods: 'none' });
  admin = transportWith(cluster.token);
}, 600_000);

afterAll(async () => {
  await admin.close();
  await cluster.stop();
});

beforeEach(async () => {
  namespace = `adapter-${process.pid}-${(count += 1)}`;
  await admin.request({ method: 'POST', path: '/api/v1/namespaces', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } } });
  client = new KubernetesClient({ transport: admin, clock: systemClock, namespace, fieldManager: 'job-chief', limits: 'off' });
  await eventually(async () => (await client.get(accounts, 'default')).kind === 'found');
});

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  let holds = false;
  let asking = false;
  await until(() => {
    if (!asking && !holds) {
      asking = true;
      void condition().then((result) => {
        holds = result;
        asking = false;
      });
    }
    return holds;
  }, 'a change in the cluster', 30_000);
}

const key = { kind: 'queue', name: 'thumbnails' } as const;
const labels = { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'queue', 'job-chief/name': 'thumbnails' };
function aJob(name: string, more: JsonObject = {}, metadata: JsonObject = {}): JsonObject {
  const template = { metadata: { labels }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'example.invalid/x' }] } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, labels: { ...labels, 'job-chief/run': '3' }, ...metadata }, spec: { backoffLimit: 0, template, ...more } };
}
const configMap = (name: string): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { 'job-chief': 'queue' } }, data: { 'spec.yaml': 'kind: Queue' } });

async function uidOf(resource: Resource, name: string): Promise<string> {
  const found = await client.get(resource, name);
  return found.kind === 'found' ? (stringAt(objectAt(found.value, 'metadata'), 'uid') ?? '') : '';
}

describe('writes', () => {
  test('a name that exists', async () => {
    expect(await client.create(jobs, aJob('a'))).toMatchObject({ kind: 'done', uid: expect.stringMatching(/-/) as string });
    expect((await client.create(jobs, aJob('a'))).kind).toBe('exists');
  });

  test('a name that exists while the quota is full', async () => {
    const exceeded = /^exceeded quota: q, requested: count\/jobs.batch=1/;
    expect((await client.create(jobs, aJob('a'))).kind).toBe('done');
    await client.create(quotas, { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard: { 'count/jobs.batch': '0' } } });
    // For a moment the API server does not know of it, and then refuses everything until a controller has counted. Where none
    // are allowed it is full whatever was counted.
    await eventually(async () => {
      const tried = await client.dryRun(jobs, aJob('b'));
      return tried.kind === 'quota' && exceeded.test(tried.message);
    });
    expect(await client.create(jobs, aJob('a'))).toMatchObject({ kind: 'quota', message: expect.stringMatching(exceeded) as string });
    expect((await client.get(jobs, 'a')).kind).toBe('found');
  });

  test('unknown and ill-typed fields in a dry run', async () => {
    const unknown = await client.dryRun(jobs, aJob('a', { parralelism: 2 }));
    expect(unknown).toMatchObject({ kind: 'refused', message: expect.stringContaining('unknown field "spec.parralelism"') as string });
    expect((await client.dryRun(jobs, aJob('a', { parallelism: 'two' }))).kind).toBe('refused');
    expect((await client.get(jobs, 'a')).kind).toBe('absent');
  });

  test('a dry run with generateName, and one that is invalid, whose message is the same each time', async () => {
    const { name: _name, ...unnamed } = objectAt(aJob('a'), 'metadata');
    const generated = { ...aJob('a'), metadata: { ...unnamed, generateName: 'job-chief-check-' } };
    expect((await client.dryRun(jobs, generated)).kind).toBe('done');
    const invalid = { ...generated, spec: { backoffLimit: -1, template: objectAt(objectAt(aJob('a'), 'spec'), 'template') } };
    const [first, second] = [await client.dryRun(jobs, invalid), await client.dryRun(jobs, invalid)];
    expect(first).toMatchObject({ kind: 'refused', message: expect.stringMatching(/^spec\.backoffLimit/) as string });
    expect(second).toEqual(first);
  });

  test("a uid that is not the object's, in patch and delete", async () => {
    await client.create(jobs, aJob('a'));
    const api = new KubernetesJobs({ client, instance: 'default' });
    const wrong = '00000000-0000-0000-0000-000000000000';
    expect((await api.patch('a', wrong, { spec: { activeDeadlineSeconds: 1 } })).kind).toBe('conflict');
    expect((await api.delete('a', wrong, '1')).kind).toBe('conflict');
    expect((await api.patch('gone', wrong, {})).kind).toBe('gone');
    expect((await client.get(jobs, 'a')).kind).toBe('found');
  });

  test('patch and foreground delete of the right object', async () => {
    const made = await client.create(jobs, aJob('a'));
    const api = new KubernetesJobs({ client, instance: 'default' });
    const uid = made.kind === 'done' ? made.uid : '';
    const patched = await api.patch('a', uid, { metadata: { annotations: { x: 'y' } }, spec: { activeDeadlineSeconds: 100 } });
    expect(patched).toMatchObject({ kind: 'done', uid });
    await eventually(async () => {
      const now = await api.get('a');
      return now.kind === 'found' && (await api.delete('a', uid, now.value.resourceVersion)).kind === 'done';
    });
  });

  test('without the right', async () => {
    await client.create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'nobody' } });
    const answer = await admin.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/serviceaccounts/nobody/token`, body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} } });
    const transport = transportWith(stringAt(objectAt(answer.body, 'status'), 'token') ?? '');
    const nobody = new KubernetesClient({ transport, clock: systemClock, namespace, fieldManager: 'job-chief', limits: 'off' });
    expect(await nobody.create(jobs, aJob('a'))).toMatchObject({ kind: 'forbidden', message: expect.stringMatching(/^User ".*" cannot create resource "jobs"/) as string });
    expect(await nobody.get(jobs, 'a')).toMatchObject({ kind: 'failed', forbidden: true });
    expect(await checkPermissions(nobody, [{ name: 'x', rights: [{ verb: 'list', resource: jobs }] }])).toEqual([{ name: 'x', state: 'off', missing: ['list jobs.batch'] }]);
    expect(await checkPermissions(client, [{ name: 'x', rights: [{ verb: 'list', resource: jobs }] }])).toEqual([{ name: 'x', state: 'on', missing: [] }]);
    await transport.close();
    const stale = transportWith('no-such-token');
    expect((await new KubernetesClient({ transport: stale, clock: systemClock, namespace, fieldManager: 'x' }).create(jobs, aJob('a'))).kind).toBe('forbidden');
    await stale.close();
  });

  test('a namespace that is not there', async () => {
    const elsewhere = new KubernetesClient({ transport: admin, clock: systemClock, namespace: 'no-such-namespace', fieldManager: 'x' });
    expect((await elsewhere.create(jobs, aJob('a'))).kind).toBe('unknown');
  });

  test('PodSecurity says its piece as a warning', async () => {
    await admin.request({ method: 'PATCH', path: `/api/v1/namespaces/${namespace}`, contentType: 'application/merge-patch+json', body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } } });
    await eventually(async () => {
      const result = await client.dryRun(jobs, aJob('a'));
      return result.kind === 'done' && result.warnings.some((warning) => warning.includes('would violate PodSecurity "restricted:latest"'));
    });
  });

  test('status on a ConfigMap, and on its namesake', async () => {
    await client.create(configMaps, configMap('a'));
    const sink = new KubernetesStatus({ client });
    const uid = await uidOf(configMaps, 'a');
    expect((await sink.write({ name: 'a', uid }, { annotation: '{}', state: 'Idle', health: 'Healthy' })).kind).toBe('done');
    expect((await sink.write({ name: 'a', uid: '00000000-0000-0000-0000-000000000000' }, { annotation: '{}', state: 'Idle', health: 'Healthy' })).kind).toBe('conflict');
    expect((await sink.write({ name: 'b', uid }, { annotation: '{}', state: 'Idle', health: 'Healthy' })).kind).toBe('gone');
    expect((await client.get(configMaps, 'b')).kind).toBe('absent');
  });
});

describe('caches and lists', () => {
  test('a Job and its pod, from create to delete', async () => {
    const changed: string[] = [];
    const vanished: string[] = [];
    const log = new MemoryLog();
    const cache = new KubernetesClusterCache({
      client, clock: systemClock, random: Math.random, instance: 'default', log,
      onChange: (each) => changed.push(each.name),
      onVanished: (_key, job) => vanished.push(job.name),
    });
    cache.start();
    await cache.whenSynced;
    const made = await client.create(jobs, aJob('a'));
    const version = made.kind === 'done' ? made.resourceVersion : '';
    await until(() => cache.hasSeen(version) && (cache.jobs(key)[0]?.pods.length ?? 0) === 1, 'the pod of the Job', 30_000);
    expect(cache.jobs(key)[0]).toMatchObject({ name: 'a', sequence: 3, finished: undefined, pods: [{ phase: 'Pending', jobName: 'a' }] });
    const view = await new KubernetesJobs({ client, instance: 'default' }).live(key);
    expect(view).toEqual({ kind: 'found', value: { highestSequence: 3, liveJobs: ['a'], livePods: [cache.jobs(key)[0]?.pods[0]?.name] } });
    await client.delete(jobs, 'a', { propagationPolicy: 'Background', uid: cache.jobs(key)[0]?.uid ?? '' });
    await until(() => vanished.length === 1, 'the end of the Job', 30_000);
    expect(cache.hasSeen(String(BigInt(version) + 1_000_000n))).toBe(false);
    await cache.stop();
    expect(log.at('warn')).toEqual([]);
  });

  test('pages of a list, and watches that begin where it ended', async () => {
    for (let n = 0; n < 7; n += 1) await client.create(configMaps, configMap(`cm-${n}`));
    const changed: string[] = [];
    const specs = new ConfigMapSpecs({ client: { list: (resource, query) => client.list(resource, { ...query, limit: 3 }), watch: client.watch.bind(client), get: client.get.bind(client) }, clock: systemClock, random: Math.random, instance: 'default', log: new MemoryLog(), onChange: (id) => changed.push(id) });
    specs.start();
    await specs.reflector.whenSynced;
    expect(specs.ids().length).toBe(7);
    await client.create(configMaps, configMap('later'));
    await until(() => changed.includes('later'), 'the event', 30_000);
    await specs.stop();
  });

  test('metadata only', async () => {
    await client.create(configMaps, configMap('a'));
    const result = await client.list(configMaps, { labelSelector: 'job-chief', metadataOnly: true });
    const [item] = result.kind === 'page' ? result.page.items : [];
    expect(item).toMatchObject({ metadata: { name: 'a' } });
    expect(item).not.toHaveProperty('data');
  });

  test('a version that is too old is told as 410, or watched from', async () => {
    const opened = await client.watch(pods, { resourceVersion: '1', timeoutSeconds: 5, signal: AbortSignal.timeout(10_000) });
    if (opened.kind === 'failed') expect(opened.failure.status).toBe(410);
    else opened.stream.close();
  });
});

describe('Events', () => {
  test('are written, counted and read back', async () => {
    await client.create(configMaps, configMap('a'));
    const made = await client.create(jobs, aJob('j'));
    const job = { name: 'j', uid: made.kind === 'done' ? made.uid : '' };
    const sink = new KubernetesEvents({ client, clock: systemClock, log: new MemoryLog(), identity: 'test' });
    const emission = { configMap: { name: 'a', uid: await uidOf(configMaps, 'a') }, related: job, type: 'Warning' as const, reason: 'JobFailed', message: 'exit 3' };
    sink.emit(emission);
    sink.emit(emission);
    sink.emit({ ...emission, configMap: undefined });
    await sink.flush();
    const list = await client.list(events, { fieldSelector: 'reason=JobFailed' });
    const items = list.kind === 'page' ? list.page.items : [];
    expect(items.map((item) => [stringAt(objectAt(item, 'involvedObject'), 'kind'), (item as JsonObject)['count']]).toSorted()).toEqual([['ConfigMap', 2], ['Job', 1]]);
    expect(await new KubernetesEventReader({ client, log: new MemoryLog() }).texts({ kind: 'Job', ...job })).toEqual(['JobFailed: exit 3']);
  });
});
