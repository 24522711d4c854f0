/**
 * The engine put together over a Transport: client, caches, sinks and controller. The service, the simulation and the
 * benchmarks all start it this way, so that what is tested is what runs.
 */
import type { Clock } from './lib/clock.ts';
import type { PlanEnvironment } from './plan/environment.ts';
import { Controller, type ControllerDeps } from './reconcile/controller.ts';
import { alone } from './reconcile/leadership.ts';
import type { MessageSource } from './reconcile/message-ports.ts';
import { noMessages } from './reconcile/messages/no-messages.ts';
import type { MessageMeter, Meter, RunMeter, WorkQueueMeter } from './reconcile/meter.ts';
import type { ClusterCache, DeletionHook, DepthProbe, JobApi, Log, SpecSource, WakeSource } from './reconcile/ports.ts';
import type { RecordCache, RecordNews, RecordStore } from './reconcile/record-ports.ts';
import type { QueueStats } from './reconcile/api-ports.ts';
import { Observers } from './reconcile/api/observers.ts';
import type { OnRound } from './reconcile/runs/run-rounds.ts';
import type { ParseSpec } from './reconcile/spec-index.ts';
import { ClusterClock } from './adapters/kubernetes/cluster-clock.ts';
import { KubernetesClient } from './adapters/kubernetes/client.ts';
import type { ClientMeter } from './adapters/kubernetes/exchange.ts';
import { KubernetesClusterCache } from './adapters/kubernetes/cluster-cache.ts';
import { ConfigMapSpecs } from './adapters/kubernetes/config-map-source.ts';
import { KubernetesEventReader } from './adapters/kubernetes/event-reader.ts';
import { KubernetesEvents } from './adapters/kubernetes/event-sink.ts';
import { KubernetesJobs } from './adapters/kubernetes/job-api.ts';
import { KubernetesHistories } from './adapters/kubernetes/histories.ts';
import { LeaseElector, type LeaseTimes } from './adapters/kubernetes/lease.ts';
import { whileLeading } from './adapters/kubernetes/lease-guard.ts';
import type { ReflectorMeter } from './adapters/kubernetes/reflector.ts';
import { KubernetesPayloads } from './adapters/kubernetes/payloads.ts';
import { KubernetesRecordCache } from './adapters/kubernetes/record-cache.ts';
import { KubernetesRecords } from './adapters/kubernetes/records.ts';
import { recordsOff } from './adapters/kubernetes/records-off.ts';
import { KubernetesStatus } from './adapters/kubernetes/status-sink.ts';
import type { Transport } from './adapters/kubernetes/transport.ts';
import { FolderSpecs } from './adapters/files/folder-source.ts';
import { fieldManager } from './spec/keys.ts';
import { podPolicyFrom, type PodPolicy } from './spec/pod-policy/policy.ts';
import type { LimitFields } from './spec/limits.ts';

export interface EngineOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1): jitter of watches and back-off. */
  readonly random: () => number;
  readonly log: Log;
  readonly transport: Transport;
  readonly environment: PlanEnvironment;
  readonly parse: ParseSpec;
  /** What the operator lets pods be and use; without one only what is never allowed is denied. */
  readonly policy?: PodPolicy;
  /** Called before something is deleted; without one, what a spec wants to be told of stays. */
  readonly hook?: DeletionHook;
  /** `none`: nothing is defined; only runs that are recorded already are looked after. */
  readonly specs: { readonly kind: 'configMaps' } | { readonly kind: 'folder'; readonly folder: string } | { readonly kind: 'none' };
  readonly probe: DepthProbe;
  readonly wakes: WakeSource;
  /** Whence messages are leased; whoever made it closes it, after `stop`. Absent: Queues that lease messages are unsupported. */
  readonly messages?: MessageSource;
  /** Whether it is kept in ConfigMaps what became of messages; absent: it is. */
  readonly messageHistory?: boolean;
  /** Tells how old messages are that wait; absent: nobody does. */
  readonly queueStats?: QueueStats;
  readonly meter: Meter;
  readonly runMeter: RunMeter;
  /** Absent: nobody counts messages. */
  readonly messageMeter?: MessageMeter;
  readonly workQueueMeter: WorkQueueMeter;
  readonly clientMeter: ClientMeter;
  readonly watchMeter: (resource: string) => ReflectorMeter;
  readonly status: boolean;
  /** Whether runs of workflows are written down; without that none starts. Or what keeps them elsewhere than in ConfigMaps. */
  readonly records: boolean | RecordKeeping;
  /** `read`: none are written. */
  readonly events: boolean | 'read';
  /** Told after each round of a run: for whoever watches it in this process. */
  readonly onRound?: OnRound;
  /** Name of this process in Events, such as the pod's name. */
  readonly identity: string;
  readonly api: { readonly limits: { readonly qps: number; readonly burst: number } | 'off'; readonly timeout: number };
  readonly concurrency: number;
  /** Bounds that the operator sets; absent: none. */
  readonly ceilings?: LimitFields | undefined;
  /** Several replicas of which one acts; undefined: this process is alone. */
  readonly highAvailability?: HighAvailability | undefined;
}

/** `changed` is to be called with each change of a record. */
export type RecordKeeping = (changed: (news: RecordNews) => void) => { readonly cache: RecordCache; readonly store: RecordStore };

export interface HighAvailability extends LeaseTimes {
  /** Name of the Lease. */
  readonly lease: string;
  readonly meter: (leading: boolean) => void;
}

export class Engine {
  readonly controller: Controller;
  /** For whoever wants to know of changes besides. */
  readonly observers = new Observers();
  /** As the watch shows them, or what keeps them elsewhere. */
  readonly records: RecordCache;
  readonly #cache: KubernetesClusterCache;
  /** As it asks for what it creates and ends. */
  readonly jobs: JobApi;
  readonly #specs: ConfigMapSpecs | FolderSpecs | undefined;
  /** undefined: they are no ConfigMaps, or switched off. */
  readonly #records: KubernetesRecordCache | undefined;
  readonly #events: KubernetesEvents;
  readonly #elector: LeaseElector | undefined;

  constructor(options: EngineOptions) {
    const { random, log, environment } = options;
    const { instance, namespace } = environment;
    const clock = new ClusterClock(options.clock);
    const transport = clock.watching(options.transport);
    const api = { clock, namespace, fieldManager, limits: options.api.limits, timeout: options.api.timeout, meter: options.clientMeter };
    this.#elector = options.highAvailability && elector(options, options.highAvailability, new KubernetesClient({ ...api, transport }));
    const leadership = this.#elector ?? alone;
    const client = new KubernetesClient({ ...api, transport: this.#elector ? whileLeading(transport, this.#elector, namespace) : transport });
    const shared = { client, clock, random, instance, log, meter: options.watchMeter };
    const onChange = (id: string): void => { this.controller.documentChanged(id); };
    this.#cache = new KubernetesClusterCache({
      ...shared,
      onChange: (key, appeared) => {
        this.controller.jobsChanged(key, appeared);
        this.observers.jobsChanged(key);
      },
      onVanished: (key, job) => { this.controller.jobVanished(key, job); },
      onUnsettled: (key, note) => { this.controller.messageJobGone(key, note); },
      live: {
        live: (name, place) => { this.controller.capacity.live(name, place); },
        appeared: (name, createdAt) => { this.controller.capacity.appeared(name, createdAt); },
      },
    });
    this.#specs = specsFor(options.specs, { folder: (folder) => new FolderSpecs({ folder, clock, log, onChange, instance }), configMaps: () => new ConfigMapSpecs({ ...shared, onChange }) });
    const recordChanged = (news: RecordNews): void => {
      this.controller.recordChanged(news);
      this.observers.recordChanged(news.name);
    };
    this.#records = options.records === true ? new KubernetesRecordCache({ ...shared, onChange: recordChanged }) : undefined;
    const records = this.#records ? { cache: this.#records, store: new KubernetesRecords({ client, instance }) } : keptElsewhere(options.records, recordChanged);
    this.records = records.cache;
    this.#events = new KubernetesEvents({ client, clock, log, identity: options.identity, enabled: options.events === true });
    this.jobs = new KubernetesJobs({ client, instance });
    this.controller = new Controller({
      ...options,
      hook: options.hook ?? noHook,
      policy: options.policy ?? podPolicyFrom(undefined, { connectionSecrets: [], ownServiceAccount: undefined }),
      clock,
      leadership,
      refresh: this.#elector && (() => this.#refresh()),
      probe: inClusterTime(options.probe, clock),
      ...messagesFor(options, client),
      specs: this.#specs ?? noSpecs,
      cache: this.#cache,
      jobs: this.jobs,
      records: records.cache,
      store: records.store,
      events: this.#events,
      eventReader: new KubernetesEventReader({ client, log, enabled: options.events !== false }),
      statusSink: options.status && options.specs.kind === 'configMaps' ? new KubernetesStatus({ client }) : undefined,
    });
  }

  /** Resolves when everything is synced: rounds have begun, or do as soon as this replica leads. Rejects only when stopped before. */
  async start(): Promise<void> {
    this.#cache.start();
    this.#specs?.start();
    this.#records?.start();
    await this.controller.start();
    // Not before: a replica that is not synced would hold the Lease and do nothing.
    this.#elector?.start();
  }

  async #refresh(): Promise<void> {
    const specs = this.#specs instanceof ConfigMapSpecs ? this.#specs.reflector : undefined;
    await Promise.all([this.#cache.refresh(), specs?.refresh(), this.#records?.refresh()]);
  }

  get synced(): boolean {
    return this.controller.synced;
  }

  /** Documents that define specs, as the watch or the folder shows them. */
  get specs(): SpecSource {
    return this.#specs ?? noSpecs;
  }

  /** Jobs and pods as the watches show them. */
  get cluster(): ClusterCache {
    return this.#cache;
  }

  /** Per watch: monotonic time of the last attempt or byte. For liveness. */
  lastContacts(): Readonly<Record<string, number>> {
    return {
      jobs: this.#cache.jobReflector.lastContact,
      pods: this.#cache.podReflector.lastContact,
      ...(this.#specs instanceof ConfigMapSpecs ? { configmaps: this.#specs.reflector.lastContact } : {}),
      ...(this.#records ? { records: this.#records.reflector.lastContact } : {}),
    };
  }

  /** Rounds first, so that what they decided is carried out; then the Lease, which guards them, Events that are left, and the watches. */
  async stop(): Promise<void> {
    await this.controller.stop();
    await Promise.all([this.#elector?.stop(), this.#events.flush()]);
    await Promise.all([this.#cache.stop(), this.#specs?.stop(), this.#records?.stop(), this.#events.close()]);
  }
}

const noHook: DeletionHook = { call: () => Promise.resolve({ kind: 'failed', message: 'nothing is called here' }) };

function messagesFor({ messages = noMessages, messageMeter = noMessageMeter, messageHistory = true, environment: { instance } }: EngineOptions, client: KubernetesClient): Pick<ControllerDeps, 'messages' | 'messageMeter' | 'payloads' | 'histories'> {
  return { messages, messageMeter, payloads: new KubernetesPayloads({ client }), histories: messageHistory ? new KubernetesHistories({ client, instance }) : undefined };
}

const noMessageMeter: MessageMeter = { stage: () => undefined, message: () => undefined, batch: () => undefined, inHand: () => undefined, oldest: () => undefined, forget: () => undefined };
const noSpecs: SpecSource = { ids: () => [], get: () => undefined, look: () => Promise.resolve({ kind: 'absent' }), hasSeen: () => true, synced: true };

function specsFor(specs: EngineOptions['specs'], make: { readonly folder: (folder: string) => FolderSpecs; readonly configMaps: () => ConfigMapSpecs }): FolderSpecs | ConfigMapSpecs | undefined {
  if (specs.kind === 'none') return undefined;
  return specs.kind === 'folder' ? make.folder(specs.folder) : make.configMaps();
}

function keptElsewhere(records: EngineOptions['records'], changed: Parameters<RecordKeeping>[0]): ReturnType<RecordKeeping> {
  return typeof records === 'function' ? records(changed) : recordsOff('records.enabled is false in the configuration');
}

/** Its requests are urgent, so that they do not queue behind what the Lease guards. */
function elector({ clock, random, log, identity }: EngineOptions, { lease, meter, ...times }: HighAvailability, client: KubernetesClient): LeaseElector {
  // A pod's name may come back, as that of a StatefulSet does; a process never does.
  const suffix = Math.floor(random() * 0x1_0000_0000).toString(16).padStart(8, '0');
  return new LeaseElector({ client, clock, random, log, meter, name: lease, identity: `${identity}_${suffix}`, leaseDuration: times.leaseDuration, renewDeadline: times.renewDeadline, retryPeriod: times.retryPeriod });
}

/** Probes tell times by this machine's clock. */
function inClusterTime(probe: DepthProbe, clock: ClusterClock): DepthProbe {
  return {
    depth: async (query, signal) => {
      const answer = await probe.depth(query, signal);
      return answer.kind === 'known' && answer.nextReadyAt !== undefined ? { ...answer, nextReadyAt: answer.nextReadyAt + clock.offset } : answer;
    },
  };
}
