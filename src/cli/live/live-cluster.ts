/** Everything that plans look at, read once: specs, Jobs, pods, records. With the rights of whoever asks, and reading only. */
import { KubernetesClusterCache } from '../../adapters/kubernetes/cluster-cache.ts';
import { textsAt } from '../../adapters/kubernetes/labels.ts';
import { configMaps } from '../../adapters/kubernetes/resources.ts';
import type { Clock } from '../../lib/clock.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import { effectiveLimits, noCeilings } from '../../plan/limits/effective.ts';
import { Capacity } from '../../reconcile/capacity/capacity.ts';
import type { ClusterCache, Log } from '../../reconcile/ports.ts';
import { kindLabel } from '../../spec/keys.ts';
import type { SpecEnvironment } from '../../spec/parsed.ts';
import { UserError } from '../exit-code.ts';
import { listObjects } from '../runs/list-objects.ts';
import type { ApiClient, RunClient } from '../runs/run-client.ts';
import { specView, type SpecView } from '../runs/spec-view.ts';
import { wordOf, type ControllerWord } from './controller-word.ts';
import { ListOnlyClient } from './list-only.ts';
import { specKeyOf } from './spec-key.ts';

/** A spec as it stands in the cluster. */
export interface LiveSpec extends SpecView {
  readonly key: SpecKey;
  readonly data: Readonly<Record<string, string>>;
  /** What the controller wrote about it; undefined: nothing that can be read. */
  readonly word: ControllerWord | undefined;
}

export interface LiveCluster {
  readonly namespace: string;
  readonly instance: string;
  readonly specs: readonly LiveSpec[];
  readonly records: readonly ObservedRecord[];
  readonly cluster: Pick<ClusterCache, 'jobs' | 'orphans'>;
  /** What the limits of the instance leave, as far as its Limits tell: the operator's own ceilings are not known here. */
  readonly capacity: Capacity;
  /** When it was read, milliseconds since 1970. */
  readonly now: number;
}

export interface ReadLiveDeps {
  readonly runs: RunClient;
  readonly clock: Clock;
  /** What the operator's configuration adds to reading specs, as far as it is known. */
  readonly environment?: SpecEnvironment;
}

/** Throws a UserError where the API server says no, or nothing: what cannot be read is never taken for nothing. */
export async function readLive({ runs, clock, environment = {} }: ReadLiveDeps): Promise<LiveCluster> {
  const { client, instance, namespace } = runs;
  const [specs, records, { cluster, capacity }] = await Promise.all([liveSpecs(client, instance, environment), runs.runs(), readCache(client, instance, clock)]);
  capacity.limits = effectiveLimits([...Map.groupBy(specs.filter(({ key }) => key.kind === 'limits'), ({ key }) => key.name).values()].map((of) => of.map(({ claim }) => claim)), noCeilings);
  return { namespace, instance, specs, records, cluster, capacity, now: clock.now() };
}

async function liveSpecs(client: ApiClient, instance: string, environment: SpecEnvironment): Promise<readonly LiveSpec[]> {
  const objects = await listObjects(client, { resource: configMaps, labelSelector: kindLabel });
  return objects.flatMap((raw): LiveSpec[] => {
    const view = specView(raw, instance, environment);
    return view ? [{ ...view, key: specKeyOf(view.kind, view.name), data: textsAt(raw, 'data'), word: wordOf(view.status, raw) }] : [];
  });
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Filled {
  readonly cluster: ClusterCache;
  readonly capacity: Capacity;
}

/** The controller's own cache, and its count of places, filled by one list each and then left as they are. */
async function readCache(client: ApiClient, instance: string, clock: Clock): Promise<Filled> {
  const lists = new ListOnlyClient(client);
  const capacity = new Capacity({ clock, wake: () => undefined, jobs: () => cache.jobReflector.values() });
  const cache: KubernetesClusterCache = new KubernetesClusterCache({ client: lists, clock, random: () => 0.5, instance, log: silent, live: capacity, onChange: () => undefined, onVanished: () => undefined });
  cache.start();
  try {
    const failed = await Promise.race([cache.whenSynced, lists.failed]);
    if (failed) throw new UserError(`cannot list ${failed.resource.plural} in namespace ${client.namespace}: ${failed.failure.message}`);
    return { cluster: cache, capacity };
  } finally {
    await cache.stop();
  }
}
