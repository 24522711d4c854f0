/** Runs contract cases against a real API server, each in a namespace of its own. */
import { expect } from 'vitest';
import type { Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { sleep, systemClock } from '../../../src/lib/clock.ts';
import { isObject, objectAt, stringAt } from '../../../src/lib/json.ts';
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
  await until(async () => (await transport.request({ method: 'GET', path: `/api/v1/namespaces/${name}/serviceaccounts/default` })).status === 200);
}

async function setQuota(transport: Transport, namespace: string, hard: Parameters<Subject['setQuota']>[0]): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
  if (!hard) {
    await transport.request({ method: 'DELETE', path: `${path}/quota` });
    return;
  }
  await transport.request({ method: 'POST', path, body: { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quota' }, spec: { hard } } });
  // It refuses everything until a controller has counted what is there.
  await until(async () => {
    const { body } = await transport.request({ method: 'GET', path: `${path}/quota` });
    const status = objectAt(body, 'status');
    return Object.keys(hard).every((key) => stringAt(objectAt(status, 'hard'), key) === hard[key] && isObject(status['used']));
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + 30_000;
  while (!(await condition())) {
    if (systemClock.monotonic() > end) throw new Error('the namespace did not become ready');
    await sleep(systemClock, 50);
  }
}
