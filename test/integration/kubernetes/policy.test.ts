/** The service itself, as its own ServiceAccount with its own Roles, on a real API server: what it denies, and what it may. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { KubernetesClient } from '../../../src/adapters/kubernetes/client.ts';
import { openCluster } from '../../../src/adapters/kubernetes/open-cluster.ts';
import { runCheckPermissions } from '../../../src/cli/check-permissions.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import { runService } from '../../../src/main.ts';
import { kindLabel, specKey, statusAnnotation } from '../../../src/spec/keys.ts';
import { startCluster, type Cluster } from '../../support/cluster.ts';

const namespace = 'etl';
let cluster: Cluster;
let folder = '';
let kubeconfig = '';
const stop = new AbortController();
let service: Promise<void> = Promise.resolve();

const kubectl = (...args: string[]): string => cluster.adminKubectl('-n', namespace, ...args);
const json = (...args: string[]): JsonObject => JSON.parse(kubectl(...args, '-o', 'json')) as JsonObject;

beforeAll(async () => {
  cluster = await startCluster({ pods: 'none' });
  folder = await mkdtemp(join(tmpdir(), 'job-chief-policy-'));
  kubeconfig = join(folder, 'kubeconfig');
  cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  for (const file of ['service-account', 'role', 'role-specs', 'role-status', 'role-records', 'role-events']) {
    for (const document of parseAllDocuments(readFileSync(new URL(`../../../manifests/base/${file}.yaml`, import.meta.url), 'utf8'))) {
      const manifest = document.toJS() as JsonObject;
      const subjects = manifest['subjects'] === undefined ? {} : { subjects: [{ kind: 'ServiceAccount', name: 'job-chief', namespace }] };
      cluster.apply({ ...manifest, ...subjects, metadata: { ...objectAt(manifest, 'metadata'), namespace } });
    }
  }
  const token = kubectl('create', 'token', 'job-chief').trim();
  const config = { apiVersion: 'v1', kind: 'Config', 'current-context': 'a', contexts: [{ name: 'a', context: { cluster: 'a', user: 'a', namespace } }], clusters: [{ name: 'a', cluster: { server: cluster.server, 'certificate-authority': cluster.caFile } }], users: [{ name: 'a', user: { token } }] };
  await writeFile(kubeconfig, JSON.stringify(config));
  // The pod that this process would be.
  cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: hostname(), namespace }, spec: { serviceAccountName: 'job-chief', containers: [{ name: 'job-chief', image: 'x' }], volumes: [{ name: 'tokens', secret: { secretName: 'own-tokens', optional: true } }] } });
  await writeFile(join(folder, 'config.yaml'), 'listen: 127.0.0.1:0\nlog: {level: error}\npodPolicy: {imagePrefixes: [registry.example/acme]}\n');
  const { config: loaded, warnings } = loadConfig({ env: {}, file: join(folder, 'config.yaml'), flags: { kubeconfig } });
  service = runService({ config: loaded, warnings, env: {} }, stop.signal);
}, 600_000);

afterAll(async () => {
  stop.abort(new Error('the test is over'));
  await service;
  await rm(folder, { recursive: true });
  await cluster.stop();
});

function workflow(name: string, job: JsonObject): void {
  const text = JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Workflow', trigger: { onChange: true }, steps: [{ name: 'a', job: { image: 'registry.example/acme/app:1', ...job } }] });
  cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { [kindLabel]: 'workflow' } }, data: { [specKey]: text } });
}

async function statusOf(name: string, done: (status: JsonObject) => boolean): Promise<JsonObject> {
  for (let times = 0; times < 300; times += 1) {
    const text = stringAt(objectAt(objectAt(json('get', 'configmap', name), 'metadata'), 'annotations'), statusAnnotation);
    const status = text === undefined ? {} : (JSON.parse(text) as JsonObject);
    if (done(status)) return status;
    await pause(200);
  }
  throw new Error(`the status of ${name} did not come: ${kubectl('get', 'configmap', name, '-o', 'yaml')}`);
}

describe('a real installation', () => {
  test.each<[string, JsonObject, string]>([
    ['own-account', { serviceAccountName: 'job-chief' }, 'the ServiceAccount "job-chief" is the one that job-chief runs under'],
    ['own-secret', { envFrom: [{ secretRef: { name: 'own-tokens' } }] }, 'the Secret "own-tokens" belongs to the operator'],
    ['other-image', { image: 'registry.example/acme-evil/app' }, 'says podPolicy.imagePrefixes'],
    ['host-network', { hostNetwork: true }, '"hostNetwork" must not be set'],
  ])('denies %s', async (name, job, message) => {
    workflow(name, job);
    const status = await statusOf(name, ({ state }) => state === 'Rejected');
    expect(status).toMatchObject({ reason: 'PolicyDenied', message: expect.stringContaining(message) as string });
    expect(json('get', 'jobs', '-l', `job-chief/name=${name}`)['items']).toEqual([]);
  });

  test('creates what is allowed', async () => {
    workflow('allowed', { env: [{ name: 'A', value: 'b' }] });
    await statusOf('allowed', ({ state }) => state === 'Running');
    expect(json('get', 'jobs', '-l', 'job-chief/name=allowed')['items']).toHaveLength(1);
  });

  test('has all its rights by its own Roles, and says which are missing without one', async () => {
    const check = async (): Promise<{ code: number; lines: string[] }> => {
      const lines: string[] = [];
      const open = async () => {
        const opened = await openCluster({ clock: systemClock, env: {}, kubeconfig, context: undefined, connections: 4, version: 'test' });
        return { client: new KubernetesClient({ transport: opened.transport, clock: systemClock, namespace, fieldManager: 'test' }), close: () => opened.close() };
      };
      const code = await runCheckPermissions({ output: 'text' }, { env: {}, out: (line) => lines.push(line), err: (line) => lines.push(line), screen: { colours: false, width: undefined }, open });
      return { code, lines };
    };
    const whole = await check();
    // Whoever has no Queue with perMessage does not install the component of messages.
    const [optional, others] = [whole.lines.slice(1).filter((line) => line.startsWith('payloads')), whole.lines.slice(1).filter((line) => !line.startsWith('payloads'))];
    expect([whole.code, others.every((line) => line.includes('complete')), optional]).toEqual([0, true, [expect.stringMatching(/^payloads of messages +not given +create secrets$/)]]);
    kubectl('delete', 'rolebinding', 'job-chief-events');
    for (let times = 0; times < 50 && (await check()).code === 0; times += 1) await pause(200);
    expect((await check()).lines.find((line) => line.startsWith('events'))).toMatch(/^events +missing +list events, create events, patch events$/);
  });
});
