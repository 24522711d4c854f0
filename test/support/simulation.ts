/**
 * A simulated cluster with queues and killable processes, for component tests:
 *
 *     const world = simulate({ seed: 1 });
 *     world.queue('thumbnails').send(3);
 *     world.applyConfigMap('thumbnails', spec);
 *     world.process(({ clock, transport, depth }) => startController({ clock, transport, depth }));
 *     await world.runUntil(() => world.jobs().length === 1);
 */
import type { ApiRequest, Transport } from '../../src/adapters/kubernetes/transport.ts';
import { asError, type Clock } from '../../src/lib/clock.ts';
import type { MessageSource } from '../../src/reconcile/message-ports.ts';
import type { DepthProbe } from '../../src/reconcile/ports.ts';
import { kindLabel, specKey, statusAnnotation } from '../../src/spec/keys.ts';
import { VirtualClock } from '../../src/simulation/clock.ts';
import { type ClusterOptions, SimulatedCluster } from '../../src/simulation/cluster.ts';
import { asJob, asPod, isFinished, isTerminal, type JobObject, type PodObject } from '../../src/simulation/job-shape.ts';
import { MessageBroker } from '../../src/simulation/message-broker.ts';
import { SimulatedMessages } from '../../src/simulation/message-source.ts';
import { configMaps, events, jobs, type KubeObject, pods, type Resource } from '../../src/simulation/objects.ts';
import { SimulatedProcess } from '../../src/simulation/process.ts';
import { type QueueOptions, type SimulatedQueue, SimulatedQueues } from '../../src/simulation/queue.ts';
import { Random } from '../../src/simulation/random.ts';
import type { DeleteOptions } from '../../src/simulation/registry.ts';

export interface SimulateOptions extends Omit<ClusterOptions, 'clock' | 'random'> {
  readonly seed?: string | number;
}

/** What a process gets instead of the world. All of it dies with the process. */
export interface ProcessViews {
  readonly process: SimulatedProcess;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly depth: DepthProbe;
  readonly messages: MessageSource;
  readonly random: Random;
  readonly namespace: string;
  /** Calls `run` after every send to any queue, as long as the process lives. */
  readonly onSend: (run: (queue: string) => void) => void;
}

export interface StartOptions {
  /** Milliseconds by which the time of day of its machine is off; a function where that changes. */
  readonly skew?: number | (() => number);
  /** Puts faults between the process and the API server. */
  readonly wrap?: (transport: Transport, clock: VirtualClock) => Transport;
}

/** A request or watch that a process sent and that no fault kept from the network, with when (milliseconds since 1970). */
export interface SentRequest extends ApiRequest {
  readonly at: number;
}

export class Simulation {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly cluster: SimulatedCluster;
  readonly queues: SimulatedQueues;
  /** Queues whose messages are leased. */
  readonly broker: MessageBroker;
  /** Every change of every object, in order: equal for equal seeds. */
  readonly trace: string[] = [];
  /** What the processes sent to the API server. */
  readonly requests: SentRequest[] = [];
  readonly #requestListeners: ((request: SentRequest) => void)[] = [];
  readonly #sendListeners: ((queue: string) => void)[] = [];
  readonly #known = new Set<string>();
  #processes = 0;
  #failure: Error | undefined;

  constructor({ seed = 1, ...options }: SimulateOptions) {
    this.random = new Random(seed);
    this.cluster = new SimulatedCluster({ ...options, clock: this.clock, random: this.random });
    const latency = this.random.split('queues');
    this.queues = new SimulatedQueues({ clock: this.clock, latency: () => latency.between(1, 4) });
    this.broker = new MessageBroker({ clock: this.clock, random: this.random.split('broker') });
    this.cluster.store.subscribe(({ type, resource, object, version, at }) => {
      this.trace.push(`${at.toFixed(3)} ${type} ${resource.plural}/${object.metadata.name} ${version}`);
    });
  }

  queue(name: string, options?: QueueOptions): SimulatedQueue {
    const queue = this.queues.queue(name, options);
    if (!this.#known.has(name)) queue.onSend(() => { for (const listener of this.#sendListeners) listener(name); });
    this.#known.add(name);
    return queue;
  }

  /** Creates or replaces a spec as `kubectl apply` would; the label says the kind that the text says. */
  applyConfigMap(name: string, specText: string, labels: Record<string, string> = {}): KubeObject {
    const kind = /^kind:\s*(\w+)/mu.exec(specText)?.[1]?.toLowerCase() ?? 'queue';
    return this.applyObject(configMaps, { metadata: { name, labels: { [kindLabel]: kind, ...labels } }, data: { [specKey]: specText } });
  }

  applyObject(resource: Resource, manifest: { metadata: { name: string; labels?: Record<string, string> }; data?: Record<string, string> }): KubeObject {
    const { registry, store } = this.cluster;
    const { name, labels = {} } = manifest.metadata;
    if (!store.get(resource, name)) return registry.create(resource, { ...manifest, metadata: { name, labels } });
    return registry.update(resource, name, (object) => ({ ...object, ...(manifest.data ? { data: manifest.data } : {}), metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } }));
  }

  deleteConfigMap(name: string, options: DeleteOptions = {}): void {
    this.cluster.registry.delete(configMaps, name, options);
  }

  configMap(name: string): KubeObject | undefined {
    return this.cluster.store.get(configMaps, name);
  }

  jobs(): JobObject[] {
    return this.cluster.store.list(jobs).map(asJob);
  }

  job(name: string): JobObject | undefined {
    return this.jobs().find((job) => job.metadata.name === name);
  }

  unfinishedJobs(): JobObject[] {
    return this.jobs().filter((job) => !isFinished(job));
  }

  pods(): PodObject[] {
    return this.cluster.store.list(pods).map(asPod);
  }

  livingPods(): PodObject[] {
    return this.pods().filter((pod) => !isTerminal(pod));
  }

  /** Texts of Events as `Kind/name Reason: message`. */
  events(): string[] {
    return this.cluster.store.list(events).map((event) => {
      const about = event['involvedObject'] as { kind: string; name: string };
      return `${about.kind}/${about.name} ${event['reason'] as string}: ${event['message'] as string}`;
    });
  }

  /** The status that was written on a spec, parsed. */
  status(name: string): unknown {
    const text = this.configMap(name)?.metadata.annotations?.[statusAnnotation];
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Called with every request of a process, before it arrives. */
  onRequest(listener: (request: SentRequest) => void): void {
    this.#requestListeners.push(listener);
  }

  #sent(request: ApiRequest): void {
    const sent = { ...request, at: this.clock.now() };
    this.requests.push(sent);
    for (const listener of this.#requestListeners) listener(sent);
  }

  /** Starts a process. What `start` throws while the process lives fails the next `run`. */
  process(start: (views: ProcessViews) => Promise<void> | void, options: StartOptions = {}): SimulatedProcess {
    const network: Transport = {
      request: (request) => {
        this.#sent(request);
        return this.cluster.api.request(request);
      },
      stream: (request) => {
        this.#sent(request);
        return this.cluster.api.stream(request);
      },
    };
    const wrapped = options.wrap?.(network, this.clock) ?? network;
    const { skew = 0 } = options;
    const process = new SimulatedProcess({ clock: this.clock, transport: wrapped, skew: typeof skew === 'number' ? () => skew : skew });
    this.#processes += 1;
    const depth: DepthProbe = { depth: (query, signal) => process.guard(this.broker.find(query.source.queue) ? this.broker.depth(query) : this.queues.depth(query, signal)) };
    const messages = new SimulatedMessages({ broker: this.broker, process });
    const onSend = (run: (queue: string) => void): void => {
      this.#sendListeners.push((queue) => { process.clock.timer(this.random.between(1, 5), () => { run(queue); }); });
    };
    const random = this.random.split(`process-${this.#processes}`);
    const views: ProcessViews = { process, clock: process.clock, transport: process.transport, depth, messages, random, namespace: this.cluster.namespace, onSend };
    void Promise.resolve().then(() => start(views)).catch((error: unknown) => { this.#failure ??= asError(error); });
    return process;
  }

  async run(milliseconds: number): Promise<void> {
    await this.clock.runFor(milliseconds);
    this.#check();
  }

  /** Whether `condition` came to hold within `limit` milliseconds (an hour unless said otherwise). */
  async runUntil(condition: () => boolean, limit?: number): Promise<boolean> {
    const held = await this.clock.runUntil(condition, limit);
    this.#check();
    return held;
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }
}

export function simulate(options: SimulateOptions = {}): Simulation {
  return new Simulation(options);
}
