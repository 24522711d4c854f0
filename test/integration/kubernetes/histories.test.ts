/** Histories of queues on a real API server, with no other rights than the Role gives, and the command line that reads them as a viewer. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { KubernetesClient } from '../../../src/adapters/kubernetes/client.ts';
import { KubernetesHistories } from '../../../src/adapters/kubernetes/histories.ts';
import { configMaps } from '../../../src/adapters/kubernetes/resources.ts';
import { UndiciTransport } from '../../../src/adapters/kubernetes/undici-transport.ts';
import { sleep, systemClock } from '../../../src/lib/clock.ts';
import { isObject, type JsonObject } from '../../../src/lib/json.ts';
import { historyName } from '../../../src/plan/messages/history-name.ts';
import { mergeHistories, mostEntries } from '../../../src/plan/messages/history.ts';
import type { SpecKey } from '../../../src/plan/observed.ts';
import type { StoredHistory } from '../../../src/reconcile/messages/history-ports.ts';
import { noon } from '../../support/builders.ts';
import { startCluster, type Cluster } from '../../support/cluster.ts';
import { aHistory, anEntry, idsIn } from '../../support/histories.ts';

const queue: SpecKey = { kind: 'queue', name: 'orders' };
const name = historyName('default', queue);
const spec: JsonObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'orders', labels: { 'job-chief': 'queue' } }, data: { 'spec.yaml': 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: orders}}\nperMessage: {}\ntimeout: 1m\njob: {image: "worker:1"}\n' } };

let cluster: Cluster;
let folder: string;
let namespace: string;
let admin: KubernetesClient;
let histories: KubernetesHistories;
let count = 0;
const transports: UndiciTransport[] = [];

beforeAll(async () => {
  cluster = await startCluster({ pods: 'none', kcm: 'tuned' });
  folder = mkdtempSync(path.join(tmpdir(), 'histories-'));
}, 900_000);

afterAll(async () => {
  await Promise.all(transports.map((transport) => transport.close()));
  rmSync(folder, { recursive: true });
  await cluster.stop();
});

beforeEach(() => {
  namespace = `histories-${process.pid}-${(count += 1)}`;
  cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  admin = clientWith(cluster.token);
  histories = new KubernetesHistories({ client: clientWith(accountWith('job-chief', 'manifests/components/messages/role-history.yaml')), instance: 'default' });
});

function clientWith(token: string): KubernetesClient {
  const ca = readFileSync(cluster.caFile);
  const transport = new UndiciTransport({ access: { server: cluster.server, namespace: undefined, credentials: () => Promise.resolve({ headers: { authorization: `Bearer ${token}` }, tls: { ca } }), forget: () => undefined }, userAgent: 'job-chief/test' });
  transports.push(transport);
  return new KubernetesClient({ transport, clock: systemClock, namespace, fieldManager: 'job-chief', limits: 'off' });
}

/** A ServiceAccount with the Role of a manifest; its token. */
function accountWith(account: string, manifest: string | undefined): string {
  cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } });
  const [role] = manifest === undefined ? [] : parseAllDocuments(readFileSync(manifest, 'utf8')).map((document) => document.toJS() as unknown).filter(isObject).filter(({ kind }) => kind === 'Role');
  if (role) {
    cluster.apply({ ...role, metadata: { name: account, namespace } });
    cluster.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: account, namespace }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account }, subjects: [{ kind: 'ServiceAccount', name: account, namespace }] });
  }
  return cluster.adminKubectl('create', 'token', account, '-n', namespace).trim();
}

async function stored(): Promise<StoredHistory> {
  const read = await histories.read(queue);
  if (read.kind !== 'found') throw new Error(`no history: ${JSON.stringify(read)}`);
  return read.value;
}

async function owner(): Promise<{ readonly name: string; readonly uid: string }> {
  const made = await admin.create(configMaps, spec);
  if (made.kind !== 'done') throw new Error(JSON.stringify(made));
  return { name: 'orders', uid: made.uid };
}

test('is made, read and changed with the rights of its Role; whoever saw an older version is outrun', async () => {
  const [first, second] = [aHistory([anEntry('a')]), aHistory([anEntry('b', { settledAt: noon })])];
  expect(await histories.read(queue)).toEqual({ kind: 'absent' });
  expect(await histories.create(queue, first, await owner())).toMatchObject({ kind: 'done' });
  expect(await histories.create(queue, second, undefined)).toEqual({ kind: 'exists' });
  const seen = await stored();
  expect(seen).toMatchObject({ history: first, deleting: false });
  expect(await histories.write(queue, seen, { history: mergeHistories(first, second), owner: undefined })).toMatchObject({ kind: 'done' });
  expect(await histories.write(queue, seen, { history: first, owner: undefined })).toMatchObject({ kind: 'conflict' });
  expect(idsIn((await stored()).history ?? aHistory([]))).toEqual(['b', 'a']);
  expect((await stored()).ownerUid).toBe(seen.ownerUid);
});

test('fits at its largest, and is told from specs and records by its label', async () => {
  const full = mergeHistories(aHistory(Array.from({ length: mostEntries }, (_, index) => anEntry(`${crypto.randomUUID()}-${index}`, { settledAt: noon + index }))));
  const long = mergeHistories(aHistory(Array.from({ length: mostEntries }, (_, index) => anEntry(`${index}${crypto.randomUUID().repeat(28)}`, { settledAt: noon + index }))));
  expect(full.entries).toHaveLength(mostEntries);
  expect(await histories.create(queue, full, await owner())).toMatchObject({ kind: 'done' });
  expect((await stored()).history).toEqual(full);
  expect(await histories.write(queue, await stored(), { history: long, owner: undefined })).toMatchObject({ kind: 'done' });
  expect((await stored()).history).toEqual(long);
  expect(cluster.adminKubectl('get', 'configmaps', '-n', namespace, '-l', 'job-chief', '-o', 'name').trim()).toBe('configmap/orders');
  expect(cluster.adminKubectl('get', 'configmaps', '-n', namespace, '-l', 'job-chief-record=history', '-o', 'name').trim()).toBe(`configmap/${name}`);
});

test('goes with the ConfigMap that defines its queue, unless it was handed over', async () => {
  const [old, heir] = [await owner(), await admin.create(configMaps, { ...spec, metadata: { name: 'renamed' } })];
  if (heir.kind !== 'done') throw new Error(JSON.stringify(heir));
  await histories.create(queue, aHistory([anEntry('a')]), old);
  expect(await histories.write(queue, await stored(), { history: aHistory([anEntry('a')]), owner: { name: 'renamed', uid: heir.uid } })).toMatchObject({ kind: 'done' });
  cluster.adminKubectl('delete', 'configmap', 'orders', '-n', namespace);
  expect((await stored()).ownerUid).toBe(heir.uid);
  cluster.adminKubectl('delete', 'configmap', 'renamed', '-n', namespace);
  for (let tries = 0; (await histories.read(queue)).kind === 'found' && tries < 300; tries += 1) await sleep(systemClock, 100);
  expect(await histories.read(queue)).toEqual({ kind: 'absent' });
});

test('is not written without the right, nor into what somebody else made', async () => {
  const none = new KubernetesHistories({ client: clientWith(accountWith('nobody', undefined)), instance: 'default' });
  expect(await none.read(queue)).toMatchObject({ kind: 'failed', forbidden: true });
  expect(await none.create(queue, aHistory([]), undefined)).toMatchObject({ kind: 'forbidden' });
  await admin.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { mine: 'yes' } });
  expect(await histories.read(queue)).toEqual({ kind: 'absent' });
  expect(await histories.create(queue, aHistory([]), undefined)).toEqual({ kind: 'exists' });
});

test('answers a viewer on the command line', async () => {
  await histories.create(queue, aHistory([anEntry('4711', { as: 'dead', reason: 'OOMKilled' }), anEntry('4712')]), await owner());
  const kubeconfig = path.join(folder, `viewer-${namespace}`);
  const token = accountWith('viewer', 'manifests/roles/viewer.yaml');
  writeFileSync(kubeconfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [{ name: 'k', cluster: { server: cluster.server, 'certificate-authority': cluster.caFile } }], users: [{ name: 'u', user: { token } }], contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace } }] }));
  const status = async (...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> =>
    promisify(execFile)(process.execPath, ['src/cli/main.ts', 'status', ...args, '--kubeconfig', kubeconfig]).then(({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }), (failed: unknown) => ({ code: Number(isObject(failed) ? failed['code'] : -1), out: '', err: String(isObject(failed) ? failed['stderr'] : failed) }));
  const one = await status('orders', '--message', '4711');
  expect([one.code, one.err]).toEqual([0, '']);
  expect(one.out.split('\n')[1]?.split(/ {2,}/).slice(0, 7)).toEqual(['4711', 'dead', '1', 'orders-4711-1', 'history', 'succeeded', 'OOMKilled']);
  const all = JSON.parse((await status('orders', '--messages', '-o', 'json')).out) as { readonly messages: readonly { readonly id: string }[] };
  expect(all.messages.map(({ id }) => id).toSorted()).toEqual(['4711', '4712']);
  expect(await status('orders', '--message', '4713')).toMatchObject({ code: 2, err: expect.stringContaining('the history, which goes back to') as string });
});
