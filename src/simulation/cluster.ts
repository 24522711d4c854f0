/** A whole cluster in memory: API server, Job controller, garbage collector, scheduler and kubelet on one virtual clock. */
import type { Attributes } from './access.ts';
import { ApiServer } from './api-server.ts';
import type { VirtualClock } from './clock.ts';
import { EventRecorder } from './cluster-events.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { JobController } from './job-controller.ts';
import { Kubelet } from './kubelet.ts';
import type { KubeObject, Resource } from './objects.ts';
import { ordinaryPod, type Scriptwriter } from './pod-script.ts';
import type { Random } from './random.ts';
import { type Denial, Registry } from './registry.ts';
import { Store } from './store.ts';

export interface ClusterOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly namespace?: string;
  /** What happens to pods. */
  readonly script?: Scriptwriter;
  /** One-way latency of requests and watch events, in milliseconds; about 2 unless said otherwise. */
  readonly latency?: (random: Random) => number;
  /** How long watches can look back: five minutes, as etcd's compaction. */
  readonly historyWindow?: number;
  /** An admission policy. */
  readonly refuse?: (resource: Resource, object: KubeObject) => Denial | undefined;
  /** The caller's Role; everything unless said otherwise. */
  readonly allows?: (attributes: Attributes) => boolean;
  /** Which components run: everything, no kubelet (somebody else plays it through the API), or the API server alone. */
  readonly components?: 'all' | 'noKubelet' | 'apiServer';
}

export class SimulatedCluster {
  readonly namespace: string;
  readonly store: Store;
  /** Writes as any other tenant or component of the cluster would make them, without latency. */
  readonly registry: Registry;
  /** What clients talk to. */
  readonly api: ApiServer;
  readonly kubelet: Kubelet | undefined;
  /** Hard limits of the namespace's ResourceQuota: `count/jobs.batch`, `count/secrets`, `pods`. */
  readonly quota = new Map<string, number>();
  /** May be replaced at any time: it decides about pods made from then on. */
  script: Scriptwriter;
  refuse: (resource: Resource, object: KubeObject) => Denial | undefined;
  allows: (attributes: Attributes) => boolean;

  constructor(options: ClusterOptions) {
    const { clock } = options;
    const random = options.random.split('cluster');
    this.namespace = options.namespace ?? 'default';
    this.script = options.script ?? ordinaryPod;
    this.refuse = options.refuse ?? (() => undefined);
    this.allows = options.allows ?? (() => true);
    this.store = new Store(() => clock.now(), options.historyWindow ?? 300_000);
    this.registry = new Registry({ clock, random: random.split('registry'), namespace: this.namespace, store: this.store, quota: this.quota, refuse: (resource, object) => this.refuse(resource, object) });
    this.api = new ApiServer({
      clock,
      random: random.split('api-server'),
      namespace: this.namespace,
      registry: this.registry,
      latency: options.latency ?? ((latencies) => latencies.between(1, 3)),
      allows: (attributes) => this.allows(attributes),
      output: (uid, container, previous) => this.kubelet?.output(uid, container, previous),
    });
    if (options.components === 'apiServer') return;
    const parts = { clock, random, registry: this.registry, events: new EventRecorder({ clock, random, registry: this.registry }) };
    new GarbageCollector(parts);
    new JobController(parts);
    if (options.components === 'noKubelet') return;
    this.kubelet = new Kubelet({ ...parts, script: (pod, podRandom) => this.script(pod, podRandom) });
  }
}
