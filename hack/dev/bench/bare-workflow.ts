/**
 * The yardstick for workflows: a few lines that watch pods and create the next Job of a chain when the pod of the one
 * before has succeeded, on the same transport as the controller's.
 *
 *   node bare-workflow.ts KUBECONFIG NAMESPACE CONCURRENCY
 *
 * Says `ready`. A line on stdin names a file: chains of ready manifests, each an array. When the last pod of each has
 * succeeded it says when it began and when it saw that.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openCluster } from '../../../src/adapters/kubernetes/open-cluster.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { numberAt, objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import { ask, inParallel, jobsPath, nameOf, podsPath } from './requests.ts';
import { Watch } from './watch.ts';

const [kubeconfig, namespace = '', width = '1'] = process.argv.slice(2);
const { transport } = await openCluster({ clock: systemClock, env: {}, kubeconfig, context: undefined, connections: Number(width), version: 'bare' });
const now = (): number => performance.timeOrigin + performance.now();

/** What is left of the chain of which a Job is the head, and how many of its pods have to succeed. */
const waiting = new Map<string, { left: number; readonly rest: readonly JsonObject[] }>();
const seen = new Set<string>();

async function begin([head, ...rest]: readonly JsonObject[]): Promise<void> {
  if (!head) return;
  waiting.set(nameOf(head), { left: numberAt(objectAt(head, 'spec'), 'completions') ?? 1, rest });
  await ask(transport, { method: 'POST', path: jobsPath(namespace), query: { fieldManager: 'job-chief' }, body: head });
}

const watch = await Watch.open({
  transport,
  path: podsPath(namespace),
  take: (_type, pod) => {
    if (stringAt(objectAt(pod, 'status'), 'phase') !== 'Succeeded' || seen.has(nameOf(pod))) return;
    seen.add(nameOf(pod));
    const job = stringAt(objectAt(objectAt(pod, 'metadata'), 'labels'), 'job-name') ?? '';
    const chain = waiting.get(job);
    if (!chain || (chain.left -= 1) > 0) return;
    waiting.delete(job);
    void begin(chain.rest);
  },
});
// A connection is open and the code is warm, as they are in a controller that has run for an hour.
await ask(transport, { method: 'GET', path: jobsPath(namespace), query: { limit: '1' } });
console.log('ready');
for await (const file of createInterface({ input: process.stdin })) {
  const chains = JSON.parse(readFileSync(file, 'utf8')) as JsonObject[][];
  const began = now();
  await inParallel(chains, Number(width), begin);
  await watch.until('the end of all chains', () => waiting.size === 0, 900_000);
  console.log(JSON.stringify({ began, ended: now() }));
}
process.exit();
