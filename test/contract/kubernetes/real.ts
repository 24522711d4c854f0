/** Runs contract cases against a real API server, each in a namespace of its own. */
import { expect } from 'vitest';
import type { Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { sleep, systemClock } from '../../../src/lib/clock.ts';
import { arrayAt, isObject, objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import type { Bench, Subject } from './subject.ts';

/** `transport` must have the rights of a cluster administrator. */
export function realBench(transport: Transport): Bench {
  let cases = 0;
  return {
    run: async (work) => {
      cases += 1;
      const namespace = `contract-${process.pid}-${cases}`;
      await makeNamespace(transport, namespace);
      try {
        await work({ transport, namespace, clock: systemClock, setQuota: (hard) => setQuota(transport, namespace, hard) });
      } finally {
        // Pods on a node that does not exist would keep the namespace for their grace period: nobody waits for it.
        await transport.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Pods need the default ServiceAccount, which a controller makes a moment later. */
async function makeNamespace(transport: Transport, name: string): Promise<void> {
  const made = await transport.request({ method: 'POST', path: '/api/v1/namespaces', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  await until('the default ServiceAccount', async () => (await transport.request({ method: 'GET', path: `/api/v1/namespaces/${name}/serviceaccounts/default` })).status === 200);
}

/** What a quota can count here, and the least that such an object needs. */
const counted: Readonly<Record<string, { readonly root: string; readonly plural: string; readonly body: JsonObject }>> = {
  'count/configmaps': { root: '/api/v1', plural: 'configmaps', body: { apiVersion: 'v1', kind: 'ConfigMap' } },
  'count/secrets': { root: '/api/v1', plural: 'secrets', body: { apiVersion: 'v1', kind: 'Secret' } },
  'count/jobs.batch': { root: '/apis/batch/v1', plural: 'jobs', body: { apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] } } } } },
};

/**
 * A controller counts what there is by its cache, which may lag behind, and counts again only after minutes: a quota with
 * a wrong count is made anew. The API server refuses by a cache of its own, and everything while that shows no count.
 */
async function setQuota(transport: Transport, namespace: string, hard: Parameters<Subject['setQuota']>[0]): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
  await transport.request({ method: 'DELETE', path: `${path}/quota` });
  if (!hard) return;
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota' }, spec: { hard } };
  await until('the quota', async () => {
    await transport.request({ method: 'POST', path, body: quota });
    const used = await usedOf(transport, path, hard);
    if (!used) return false;
    const counts = await Promise.all(Object.keys(hard).map(async (key) => [key, await countOf(transport, namespace, key)] as const));
    if (counts.every(([key, count]) => used[key] === String(count))) return true;
    await transport.request({ method: 'DELETE', path: `${path}/quota` });
    return false;
  });
  for (const [key, most] of Object.entries(hard)) {
    const isFull = (await countOf(transport, namespace, key)) >= Number(most);
    await until(`the API server to know the quota of ${key}`, async () => (await refusal(transport, namespace, key)) === (isFull ? 'exceeded' : 'none'));
  }
}

/** What the status of the quota tells, once it is about these limits. */
async function usedOf(transport: Transport, path: string, hard: Readonly<Record<string, string>>): Promise<JsonObject | undefined> {
  const { body } = await transport.request({ method: 'GET', path: `${path}/quota` });
  const status = objectAt(body, 'status');
  const known = Object.keys(hard).every((key) => stringAt(objectAt(status, 'hard'), key) === hard[key]);
  return known && isObject(status['used']) ? status['used'] : undefined;
}

async function countOf(transport: Transport, namespace: string, key: string): Promise<number> {
  const { body } = await transport.request({ method: 'GET', path: pathOf(namespace, key) });
  return arrayAt(body, 'items').length;
}

async function refusal(transport: Transport, namespace: string, key: string): Promise<'none' | 'exceeded' | 'other'> {
  const body = { ...counted[key]?.body, metadata: { generateName: 'quota-' } };
  const answer = await transport.request({ method: 'POST', path: pathOf(namespace, key), query: { dryRun: 'All' }, body });
  if (answer.status === 201) return 'none';
  return answer.status === 403 && (stringAt(answer.body, 'message') ?? '').includes('exceeded quota') ? 'exceeded' : 'other';
}

function pathOf(namespace: string, key: string): string {
  const { root, plural } = counted[key] ?? { root: '', plural: key };
  return `${root}/namespaces/${namespace}/${plural}`;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + 90_000;
  while (!(await condition())) {
    if (systemClock.monotonic() > end) throw new Error(`did not come true: ${what}`);
    await sleep(systemClock, 50);
  }
}
