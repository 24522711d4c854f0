/**
 * One queue, its spec, its workers and a controller on a simulated cluster, with the invariants attached: what almost
 * every component test starts from.
 *
 *     const stage = useScenes();
 *     const scene = stage({ spec: { drain: { pods: { max: 3 } } } });
 *     scene.queue.send(3);
 *     await scene.world.run(60_000);
 */
import { afterEach, expect } from 'vitest';
import type { ApiRequest } from '../../src/adapters/kubernetes/transport.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import type { RecordedOutcome } from '../../src/plan/notes.ts';
import type { Status } from '../../src/plan/action.ts';
import { defaultStart } from '../../src/simulation/clock.ts';
import { type FaultPlan, FaultyTransport } from '../../src/simulation/faults.ts';
import { asPod, conditionOf, isTerminal, type JobObject, type PodObject } from '../../src/simulation/job-shape.ts';
import { configMaps, jobs, pods } from '../../src/simulation/objects.ts';
import type { PodScript, Scriptwriter } from '../../src/simulation/pod-script.ts';
import type { SimulatedProcess } from '../../src/simulation/process.ts';
import type { QueueOptions, SimulatedQueue } from '../../src/simulation/queue.ts';
import { drainWorker, type WorkerOptions } from '../../src/simulation/worker.ts';
import { instanceLabel, kindLabel, outcomeAnnotation, specKey } from '../../src/spec/keys.ts';
import { type ControllerOptions, type LogLine, startController } from './controller.ts';
import { type Invariants, watchInvariants } from './invariants.ts';
import { type SentRequest, simulate, type Simulation, type SimulateOptions } from './simulation.ts';

export const second = 1000;
export const minute = 60_000;
export const hour = 3_600_000;

export interface SceneOptions extends SimulateOptions {
  /** Fields of the spec beside kind, source and job; undefined: the defaults. `none`: no spec is applied. */
  readonly spec?: JsonObject | 'none';
  readonly queue?: QueueOptions;
  readonly worker?: WorkerOptions;
  /** What pods do instead of draining the queue. */
  readonly pod?: PodScript | Scriptwriter;
  /** `none`: the test starts it. */
  readonly controller?: ControllerOptions | 'none';
}

/** A Job that was created, with when: seconds since the start of the world. */
export interface Birth {
  readonly name: string;
  readonly uid: string;
  readonly at: number;
  readonly object: JobObject;
}

/** Registers a check after each test: no invariant was broken in any scene. */
export function useScenes(): (options?: SceneOptions) => Scene {
  let open: Scene[] = [];
  afterEach(() => {
    const violations = open.flatMap((scene) => scene.invariants.violations);
    open = [];
    expect(violations).toEqual([]);
  });
  return (options = {}) => {
    const scene = new Scene(options);
    open.push(scene);
    return scene;
  };
}

/** A Queue for the queue `thumbnails` as text; JSON is YAML. */
export function specText(fields: JsonObject = {}): string {
  const { job, jobTemplate, ...rest } = fields;
  const work: JsonObject = jobTemplate === undefined ? { job: job ?? { image: 'registry.example/worker:1' } } : { jobTemplate };
  return JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', source: { pgBoss: { connection: 'main', queue: 'thumbnails' } }, drain: {}, ...rest, ...work }, undefined, 2);
}

export class Scene {
  readonly world: Simulation;
  readonly queue: SimulatedQueue;
  readonly invariants: Invariants;
  /** Every Job that was ever created, in order. */
  readonly births: Birth[] = [];
  readonly lines: LogLine[] = [];
  controller: SimulatedProcess | undefined;

  constructor({ spec, queue, worker, pod, controller, ...options }: SceneOptions = {}) {
    this.world = simulate(options);
    this.queue = this.world.queue('thumbnails', queue);
    this.invariants = watchInvariants(this.world);
    this.world.cluster.store.subscribe(({ type, resource, object, at }) => {
      if (type === 'ADDED' && resource === jobs) this.births.push({ name: object.metadata.name, uid: object.metadata.uid, at: (at - defaultStart) / 1000, object: object as JobObject });
    });
    if (typeof pod === 'function') this.world.cluster.script = pod;
    else this.world.cluster.script = () => pod ?? drainWorker(this.queue, worker);
    if (spec !== 'none') this.apply(spec);
    if (controller !== 'none') this.start(controller);
  }

  /** Starts a controller; the one before goes on if it was not killed. */
  start(options: ControllerOptions = {}): SimulatedProcess {
    this.controller = startController(this.world, { lines: this.lines, ...options });
    return this.controller;
  }

  /** kill -9, and a new process after `pause` milliseconds. */
  async restart(pause = 5 * second, options: ControllerOptions = {}): Promise<void> {
    this.controller?.kill();
    await this.world.run(pause);
    this.start(options);
  }

  /** Faults between the next controller and the API server. */
  startWith(plan: FaultPlan, options: ControllerOptions = {}): FaultyTransport {
    let faulty: FaultyTransport | undefined;
    this.start({ ...options, wrap: (transport, clock) => (faulty = new FaultyTransport(transport, clock, plan)) });
    if (!faulty) throw new Error('the transport was not wrapped');
    return faulty;
  }

  apply(fields: JsonObject = {}, name = 'thumbnails', labels: Record<string, string> = {}): void {
    this.world.applyConfigMap(name, specText(fields), labels);
  }

  /** Replaces the text alone. */
  applyText(text: string, name = 'thumbnails', labels: Record<string, string> = {}): void {
    this.world.applyObject(configMaps, { metadata: { name, labels: { [kindLabel]: 'queue', ...labels } }, data: { [specKey]: text } });
  }

  status(name = 'thumbnails'): Status {
    const status = this.world.status(name);
    if (status === undefined) throw new Error(`no status is written on "${name}"`);
    return status as Status;
  }

  label(name: string, label: string): string | undefined {
    return this.world.configMap(name)?.metadata.labels?.[label];
  }

  /** What people write on a Job. */
  annotate(name: string, annotations: Readonly<Record<string, string>>): void {
    this.world.cluster.registry.update(jobs, name, (object) => ({ ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } } }));
  }

  /** Seconds since the start of the world. */
  get now(): number {
    return (this.world.clock.now() - defaultStart) / 1000;
  }

  /** Whole seconds at which Jobs were created. */
  get startTimes(): number[] {
    return this.births.map(({ at }) => Math.round(at));
  }

  /** The Job that was created last, as it is now. */
  get job(): JobObject | undefined {
    return this.world.job(this.births.at(-1)?.name ?? '');
  }

  /** What is written on a Job about how it came out. */
  outcome(name = this.births.at(-1)?.name ?? ''): RecordedOutcome | undefined {
    const text = this.world.job(name)?.metadata.annotations?.[outcomeAnnotation];
    return text === undefined ? undefined : (JSON.parse(text) as RecordedOutcome);
  }

  verdict(name = this.births.at(-1)?.name ?? ''): 'Complete' | 'Failed' | 'none' {
    const status = this.world.job(name)?.status;
    if (status && conditionOf(status, 'Complete')) return 'Complete';
    return status && conditionOf(status, 'Failed') ? 'Failed' : 'none';
  }

  livingPods(): PodObject[] {
    return this.world.pods().filter((pod) => !isTerminal(pod));
  }

  /** Everything that was sent was done, and done once. */
  get allDone(): boolean {
    return this.queue.messages.every(({ state }) => state === 'completed');
  }

  /** The queue that a pod is told to drain. */
  queueOf(pod: PodObject): SimulatedQueue {
    const value = pod.spec.containers[0]?.env?.find(({ name }) => name === 'QUEUE_NAME')?.['value'];
    return this.world.queue(typeof value === 'string' ? value : '');
  }

  /** Puts container states into a pod's status, as its kubelet would. */
  writePodStatus(pod: PodObject, status: JsonObject): void {
    this.world.cluster.registry.update(pods, pod.metadata.name, (object) => ({ ...object, status: { ...asPod(object).status, ...status } }));
  }

  requests(match: (request: SentRequest) => boolean = () => true): SentRequest[] {
    return this.world.requests.filter(match);
  }
}

export const isWatch = ({ query }: ApiRequest): boolean => query?.['watch'] === 'true';
export const isDryRun = ({ query }: ApiRequest): boolean => query?.['dryRun'] === 'All';
export const isJobCreate = (request: ApiRequest): boolean => request.method === 'POST' && request.path.endsWith('/jobs') && !isDryRun(request);
export const isJobDryRun = (request: ApiRequest): boolean => request.method === 'POST' && request.path.endsWith('/jobs') && isDryRun(request);
export const isStatusWrite = ({ method, path }: ApiRequest): boolean => method === 'PATCH' && path.includes('/configmaps/');
/** The list before a create: of Jobs, without a watch following it. */
export const isLiveJobList = (request: ApiRequest): boolean => request.method === 'GET' && request.path.endsWith('/jobs') && !isWatch(request) && (request.query?.['labelSelector'] ?? '').includes(' in (');

export { instanceLabel };
