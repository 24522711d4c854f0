/** A thousand queues get a message at the same moment; beside it a bare client creates the same Jobs. */
import { isObject, type JsonObject } from '../../../src/lib/json.ts';
import { measurePairs, type RatePair } from './bursts.ts';
import { openQueues } from './queues.ts';
import { configMapsPath, createAll, listAll, makeNamespace, nameOf } from './requests.ts';
import { contains, jobOf, specMap } from './specs.ts';
import type { World } from './world.ts';

const namespace = 'bench-rate';

export async function measureRate(world: World): Promise<RatePair[]> {
  const { options, say } = world;
  await using queues = await openQueues(world, 'rate');
  const names = Array.from({ length: options.count }, (_, i) => `queue-${String(i).padStart(4, '0')}`);
  say(`rate: making ${options.count} queues and specs`);
  await queues.create(names, true);
  await makeNamespace(world.api.transport, namespace);
  await createAll(world.api.transport, configMapsPath(namespace), names.map((name) => specMap(namespace, { name, checkInterval: '10s', runFor: '10m' })));
  const specs = (await listAll(world.api.transport, configMapsPath(namespace))).filter(isObject).filter((map) => nameOf(map).startsWith('queue-'));
  const manifests = specs.map((map) => jobOf({ ...map, kind: 'ConfigMap' }, 1));
  return await measurePairs('rate', {
    world, queues, namespace, specs: names.length, jobs: names.length,
    send: () => queues.sendToAll(names),
    manifests: (stored) => {
      verify(stored, manifests);
      return manifests;
    },
  });
}

/** The bare client must create the same Jobs, or the comparison is worth nothing. */
function verify(jobs: readonly unknown[], manifests: readonly JsonObject[]): void {
  const stored = new Map(jobs.map((job) => [nameOf(job), job]));
  const other = manifests.find((manifest) => {
    const { apiVersion: _version, kind: _kind, ...rest } = manifest;
    return !contains(stored.get(nameOf(manifest)), rest);
  });
  if (other) throw new Error(`Job ${nameOf(other)} of the controller differs from the bare client's`);
  if (stored.size !== manifests.length) throw new Error(`${stored.size} Jobs for ${manifests.length} messages`);
}
