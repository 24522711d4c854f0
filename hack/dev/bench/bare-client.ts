/**
 * The yardstick: nothing but POSTs of ready manifests, so many at once, on the same transport as the controller's.
 *
 *   node bare-client.ts KUBECONFIG MANIFESTS.json NAMESPACE CONCURRENCY
 *
 * Warms up with dry runs of the same manifests, of a thousand at most, as the controller does, says `ready`, and begins at a line on stdin.
 */
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { openCluster } from '../../../src/adapters/kubernetes/open-cluster.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { ask, inParallel, jobsPath } from './requests.ts';

const [kubeconfig, file = '', namespace = '', width = '1'] = process.argv.slice(2);
const manifests = JSON.parse(readFileSync(file, 'utf8')) as JsonObject[];
const cluster = await openCluster({ clock: systemClock, env: {}, kubeconfig, context: undefined, connections: Number(width), version: 'bare' });

const post = (some: readonly JsonObject[], query: Record<string, string>): Promise<void> =>
  inParallel(some, Number(width), (body) => ask(cluster.transport, { method: 'POST', path: jobsPath(namespace), query: { fieldManager: 'job-chief', ...query }, body }));

await post(manifests.slice(0, 1000), { dryRun: 'All', fieldValidation: 'Strict' });
console.log('ready');
const input = createInterface({ input: process.stdin });
await new Promise((resolve) => input.once('line', resolve));
const began = Date.now();
await post(manifests, {});
console.log(JSON.stringify({ began, ended: Date.now() }));
// Its CPU time can be read until then.
await once(input, 'close');
await cluster.close();
