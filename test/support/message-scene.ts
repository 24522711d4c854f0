/**
 * One queue whose messages job-chief leases, its spec, its pods and a controller on a simulated cluster:
 *
 *     const stage = useMessageScenes();
 *     const scene = stage({ kind: 'amqp', pod: ({ attempt }) => ({ exit: { code: attempt === 1 ? 1 : 0 } }) });
 *     scene.queue.send({ id: 'a', body: '{}' });
 *     await scene.settled();
 */
import { afterEach, expect } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import type { Status } from '../../src/plan/action.ts';
import { type FaultPlan, FaultyTransport } from '../../src/simulation/faults.ts';
import type { PodObject } from '../../src/simulation/job-shape.ts';
import type { SimulatedMessageQueue, StoredMessage } from '../../src/simulation/message-queue.ts';
import type { MessageQueueKind, MessageQueueOptions } from '../../src/simulation/message-rules.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import type { KillPoint, SimulatedProcess } from '../../src/simulation/process.ts';
import type { Random } from '../../src/simulation/random.ts';
import { type ControllerOptions, type LogLine, startController } from './controller.ts';
import { MessageTruth, workOf } from './message-truth.ts';
import { simulate, type Simulation, type SimulateOptions } from './simulation.ts';

export const messageQueueKinds: readonly MessageQueueKind[] = ['pgBoss', 'amqp', 'sqs'];

export interface Work {
  readonly id: string;
  readonly attempt: number;
  readonly pod: PodObject;
  readonly random: Random;
}

export interface MessageSceneOptions extends Omit<SimulateOptions, 'script'> {
  readonly kind: MessageQueueKind;
  readonly queue?: Omit<MessageQueueOptions, 'kind'>;
  /** Fields of the spec beside kind, source and job. `none`: no spec is applied. */
  readonly spec?: JsonObject | 'none';
  readonly pod?: (work: Work) => PodScript;
  /** Messages that cannot become Jobs. */
  readonly invalid?: (stored: StoredMessage) => boolean;
  /** `none`: the test starts it. */
  readonly controller?: ControllerOptions | 'none';
}

/** Registers a check after each test: nothing happened that must never happen. */
export function useMessageScenes(): (options: MessageSceneOptions) => MessageScene {
  let open: MessageScene[] = [];
  afterEach(() => {
    const violations = open.flatMap(({ truth }) => truth.violations);
    for (const scene of open) scene.controller?.kill();
    open = [];
    expect(violations).toEqual([]);
  });
  return (options) => {
    const scene = new MessageScene(options);
    open.push(scene);
    return scene;
  };
}

export function messageSpec(kind: MessageQueueKind, fields: JsonObject = {}, queue = 'work'): string {
  const { perMessage, job = { image: 'registry.example/worker:1' }, ...rest } = fields;
  const dead: JsonObject = kind === 'amqp' ? { deadLetter: { policy: true } } : {};
  const given = perMessage as JsonObject | undefined;
  return JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', source: { [kind]: { connection: 'main', queue } }, startTimeout: '2m', timeout: '5m', perMessage: { ...dead, ...given }, job, ...rest }, undefined, 2);
}

export class MessageScene {
  readonly world: Simulation;
  readonly kind: MessageQueueKind;
  readonly queue: SimulatedMessageQueue;
  /** Where dead ones go by the policy of the queue. */
  readonly ownDead: SimulatedMessageQueue;
  /** Where job-chief publishes dead ones, if the spec names it. */
  readonly dead: SimulatedMessageQueue;
  readonly truth: MessageTruth;
  readonly lines: LogLine[] = [];
  controller: SimulatedProcess | undefined;

  constructor({ kind, queue, spec, pod = () => ({}), invalid, controller, ...options }: MessageSceneOptions) {
    this.world = simulate(options);
    this.kind = kind;
    this.ownDead = this.world.broker.create('own-dead', { kind });
    this.dead = this.world.broker.create('dead', { kind });
    this.queue = this.world.broker.create('work', { kind, deadLetter: 'own-dead', ...queue });
    this.truth = new MessageTruth(this.world, { invalid });
    this.truth.watch(this.queue);
    this.world.cluster.script = (object, random) => pod({ ...workOf(object), pod: object, random });
    if (spec !== 'none') this.apply(spec);
    if (controller !== 'none') this.start(controller);
  }

  apply(fields: JsonObject = {}): void {
    this.world.applyConfigMap('work', messageSpec(this.kind, fields));
  }

  /** Starts a controller; the one before goes on if it was not killed. */
  start(options: ControllerOptions = {}): SimulatedProcess {
    this.controller = startController(this.world, { lines: this.lines, ...options });
    return this.controller;
  }

  /** kill -9, and a new process after `pause` milliseconds. */
  async restart(pause = 5_000, options: ControllerOptions = {}): Promise<void> {
    this.controller?.kill();
    await this.world.run(pause);
    this.start(options);
  }

  /** kill -9 there, and a new process after `pause` milliseconds. */
  killAt(point: KillPoint, pause = 5_000): SimulatedProcess {
    const doomed = this.controller ?? this.start();
    doomed.killAt(point);
    doomed.onDeath(() => { this.world.clock.timer(pause, () => { this.start(); }); });
    return doomed;
  }

  /** Faults between the next controller and the API server. */
  startWith(plan: FaultPlan, options: ControllerOptions = {}): void {
    this.start({ ...options, wrap: (transport, clock) => new FaultyTransport(transport, clock, plan) });
  }

  /** Until every message is settled for good, and its Job says so. */
  settled(limit?: number): Promise<boolean> {
    return this.world.runUntil(() => this.queue.messages.length > 0 && this.queue.unfinished === 0 && this.truth.jobs.every(({ settled, gone }) => gone || settled !== undefined), limit);
  }

  /** State of each message, in the order in which they were sent. */
  get states(): string[] {
    return this.queue.messages.map(({ state }) => state);
  }

  status(): Status {
    const status = this.world.status('work');
    if (status === undefined) throw new Error('no status is written');
    return status as Status;
  }
}
