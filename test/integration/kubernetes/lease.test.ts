/** Electors on a real API server: it takes our times, our preconditions hold, and the Role of the component is enough. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { KubernetesClient } from '../../../src/adapters/kubernetes/client.ts';
import { highAvailability } from '../../../src/adapters/kubernetes/features.ts';
import { LeaseElector } from '../../../src/adapters/kubernetes/lease.ts';
import { checkPermissions } from '../../../src/adapters/kubernetes/permissions.ts';
import { leases, pathOf, type Resource } from '../../../src/adapters/kubernetes/resources.ts';
import { UndiciTransport } from '../../../src/adapters/kubernetes/undici-transport.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import { startCluster, type Cluster } from '../../support/cluster.ts';
import { until } from '../../support/fake-clock.ts';
import { MemoryLog } from './harness.ts';

const namespace = `lease-${process.pid}`;
const account = { kind: 'ServiceAccount', name: 'job-chief', namespace };
let cluster: Cluster;
let admin: UndiciTransport;
let restricted: UndiciTransport;

function transportWith(token: string): UndiciTransport {
  const ca = readFileSync(cluster.caFile);
  const credentials = (): Promise<{ headers: Record<string, string>; tls: { ca: Buffer } }> => Promise.resolve({ headers: { authorization: `Bearer ${token}` }, tls: { ca } });
  return new UndiciTransport({ access: { server: cluster.server, namespace: undefined, credentials, forget: () => undefined }, userAgent: 'job-chief/test' });
}

async function post(path: string, body: JsonObject): Promise<JsonObject> {
  const answer = await admin.request({ method: 'POST', path, body });
  expect([path, answer.status]).toEqual([path, 201]);
  return answer.body as JsonObject;
}

beforeAll(async () => {
  cluster = await startCluster({ pods: 'none' });
  admin = transportWith(cluster.token);
  await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'job-chief' } });
  const text = readFileSync(new URL('../../../manifests/components/high-availability/role-lease.yaml', import.meta.url), 'utf8');
  for (const document of parseAllDocuments(text)) {
    const manifest = document.toJS() as JsonObject;
    const rbac: Resource = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: `${(stringAt(manifest, 'kind') ?? '').toLowerCase()}s`, kind: '' };
    await post(pathOf(rbac, namespace), manifest['subjects'] === undefined ? manifest : { ...manifest, subjects: [account] });
  }
  const token = await post(`/api/v1/namespaces/${namespace}/serviceaccounts/job-chief/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} });
  restricted = transportWith(stringAt(objectAt(token, 'status'), 'token') ?? '');
}, 600_000);

afterAll(async () => {
  await Promise.all([admin.close(), restricted.close()]);
  await cluster.stop();
});

test('one of two holds it and renews it, and gives it to the other', async () => {
  const client = new KubernetesClient({ transport: restricted, clock: systemClock, namespace, fieldManager: 'job-chief' });
  expect(await checkPermissions(client, [highAvailability('job-chief')])).toEqual([{ name: 'high availability', state: 'on', missing: [] }]);
  const log = new MemoryLog();
  const [one, two] = ['one', 'two'].map((identity) => new LeaseElector({ client, clock: systemClock, random: () => 0.5, log, name: 'job-chief', identity, leaseDuration: 3000, renewDeadline: 2000, retryPeriod: 200, meter: () => undefined }));
  if (!one || !two) throw new Error('two were made');
  one.start();
  await until(() => one.leading);
  two.start();
  const spec = async (): Promise<JsonObject> => {
    const found = await client.get(leases, 'job-chief');
    return found.kind === 'found' ? objectAt(found.value, 'spec') : {};
  };
  const first = await spec();
  expect(first).toMatchObject({ holderIdentity: 'one', leaseDurationSeconds: 3, leaseTransitions: 0 });
  let renewed = first;
  await until(() => {
    void spec().then((now) => (renewed = now));
    return renewed['renewTime'] !== first['renewTime'];
  }, 'a renewal');
  expect([renewed['acquireTime'], two.leading]).toEqual([first['acquireTime'], false]);
  await one.stop();
  await until(() => two.leading);
  expect(await spec()).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
  await two.stop();
  expect(await spec()).toMatchObject({ leaseDurationSeconds: 1, leaseTransitions: 1 });
  expect(log.at('warn')).toEqual([]);
}, 60_000);
