/**
 * One queue whose messages job-chief puts into batches, its spec, its pods and a controller on a simulated cluster:
 *
 *     const stage = useBatchScenes();
 *     const scene = stage({ kind: 'sqs', batch: { size: 3 }, pod: ({ id }) => ({ exit: { code: id === 'b' ? 1 : 0 } }) });
 *     scene.send('a', 'b', 'c');
 *     await scene.settled();
 */
import { afterEach, expect } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import type { Status } from '../../src/plan/action.ts';
import { asPod } from '../../src/simulation/job-shape.ts';
import { type FaultPlan, FaultyTransport } from '../../src/simulation/faults.ts';
import type { SimulatedMessageQueue, StoredMessage } from '../../src/simulation/message-queue.ts';
import type { MessageQueueKind, MessageQueueOptions } from '../../src/simulation/message-rules.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import type { KillPoint, SimulatedProcess } from '../../src/simulation/process.ts';
import { BatchTruth, batchWorkOf } from './batch-truth.ts';
import { type ControllerOptions, type LogLine, startController } from './controller.ts';
import { simulate, type Simulation, type SimulateOptions } from './simulation.ts';

export interface BatchSceneOptions extends Omit<SimulateOptions, 'script'> {
  readonly kind: MessageQueueKind;
  readonly queue?: Omit<MessageQueueOptions, 'kind'>;
  readonly batch?: JsonObject;
  /** Fields of the spec beside kind, source, perBatch and job. */
  readonly spec?: JsonObject;
  readonly pod?: (work: { readonly id: string; readonly attempt: number }) => PodScript;
  /** Messages that cannot be worked on. */
  readonly invalid?: (stored: StoredMessage) => boolean;
  /** `none`: the test starts it. */
  readonly controller?: ControllerOptions | 'none';
}

/** Registers a check after each test: nothing happened that must never happen. */
export function useBatchScenes(): (options: BatchSceneOptions) => BatchScene {
  let open: BatchScene[] = [];
  afterEach(() => {
    const violations = open.flatMap(({ truth }) => truth.violations);
    for (const scene of open) scene.stop();
    open = [];
    expect(violations).toEqual([]);
  });
  return (options) => {
    const scene = new BatchScene(options);
    open.push(scene);
    return scene;
  };
}

export class BatchScene {
  readonly world: Simulation;
  readonly kind: MessageQueueKind;
  readonly queue: SimulatedMessageQueue;
  /** Where job-chief publishes dead ones, if the spec names it. */
  readonly dead: SimulatedMessageQueue;
  readonly truth: BatchTruth;
  readonly lines: LogLine[] = [];
  readonly #controllers: SimulatedProcess[] = [];

  constructor({ kind, queue, batch, spec, pod = () => ({}), invalid, controller, ...options }: BatchSceneOptions) {
    this.world = simulate(options);
    this.kind = kind;
    this.world.broker.create('own-dead', { kind });
    this.dead = this.world.broker.create('dead', { kind });
    this.queue = this.world.broker.create('work', { kind, deadLetter: 'own-dead', ...queue });
    this.truth = new BatchTruth(this.world, invalid);
    this.truth.watch(this.queue);
    this.world.cluster.script = (object) => pod(batchWorkOf(this.world, asPod(object)));
    this.apply(batch, spec);
    if (controller !== 'none') this.start(controller);
  }

  apply(batch: JsonObject = {}, fields: JsonObject = {}): void {
    const { job = { image: 'registry.example/worker:1' }, ...rest } = fields;
    const deadLetter: JsonObject = this.kind === 'amqp' ? { deadLetter: { policy: true } } : {};
    const source = { [this.kind]: { connection: 'main', queue: 'work' } };
    this.world.applyConfigMap('work', JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', source, startTimeout: '2m', timeout: '5m', perBatch: { ...deadLetter, ...batch }, job, ...rest }, undefined, 2));
  }

  /** The newest. */
  get controller(): SimulatedProcess | undefined {
    return this.#controllers.at(-1);
  }

  /** Starts a controller; the one before goes on if it was not killed. */
  start(options: ControllerOptions = {}): SimulatedProcess {
    const controller = startController(this.world, { lines: this.lines, ...options });
    this.#controllers.push(controller);
    return controller;
  }

  /** Faults between the next controller and the API server. */
  startWith(plan: FaultPlan): void {
    this.start({ wrap: (transport, clock) => new FaultyTransport(transport, clock, plan) });
  }

  stop(): void {
    for (const controller of this.#controllers) controller.kill();
  }

  /** kill -9, and a new process after `pause` milliseconds. */
  async restart(pause = 5_000): Promise<void> {
    this.controller?.kill();
    await this.world.run(pause);
    this.start();
  }

  /** kill -9 there, and a new process after `pause` milliseconds. */
  killAt(point: KillPoint, pause = 5_000): void {
    const doomed = this.controller ?? this.start();
    doomed.killAt(point);
    doomed.onDeath(() => { this.world.clock.timer(pause, () => { this.start(); }); });
  }

  send(...ids: readonly string[]): void {
    for (const id of ids) this.queue.send({ id, body: JSON.stringify({ of: id }) });
  }

  /** Until every message is settled for good, and its index says so. */
  settled(limit?: number): Promise<boolean> {
    return this.world.runUntil(() => this.queue.messages.length > 0 && this.queue.unfinished === 0 && this.truth.items.every(({ settled, gone }) => gone || settled !== undefined), limit);
  }

  /** State of each message, in the order in which they were sent. */
  get states(): string[] {
    return this.queue.messages.map(({ state }) => state);
  }

  /** What is said of a message, Job by Job. */
  said(id: string): (string | undefined)[] {
    return this.truth.of(id).filter(({ committed }) => committed).map(({ settled }) => settled);
  }

  status(): Status {
    const status = this.world.status('work');
    if (status === undefined) throw new Error('no status is written');
    return status as Status;
  }
}
