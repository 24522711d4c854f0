/**
 * A queue whose messages start runs, its spec, the template that they run and a controller on a simulated cluster, and what
 * really happened to each message, seen from outside job-chief: which runs there were for it, what their containers did, and
 * what its queue was told. What must never happen is checked with each change.
 */
import { afterEach, expect } from 'vitest';
import { isObject, numberAt, parseJson, stringAt, type JsonObject } from '../../src/lib/json.ts';
import type { Verdict } from '../../src/plan/messages/message.ts';
import { asPod, isFinished, isTerminal, type PodObject } from '../../src/simulation/job-shape.ts';
import type { SimulatedMessageQueue, StoredMessage } from '../../src/simulation/message-queue.ts';
import type { MessageQueueKind, MessageQueueOptions } from '../../src/simulation/message-rules.ts';
import { configMaps, pods, type KubeObject } from '../../src/simulation/objects.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import type { KillPoint, SimulatedProcess } from '../../src/simulation/process.ts';
import type { Change } from '../../src/simulation/store.ts';
import { kindLabel, messageAnnotation, nameLabel, recordLabel, resultAnnotation, runLabel, settledAnnotation } from '../../src/spec/keys.ts';
import { startController, type ControllerOptions } from './controller.ts';
import { simulate, type SentRequest, type Simulation, type SimulateOptions } from './simulation.ts';

/** A run that a message started. */
export interface MessageRun {
  readonly name: string;
  readonly uid: string;
  readonly id: string;
  readonly serial: number;
  readonly attempt: number;
  readonly target: string;
  /** A container of it ran. */
  started: boolean;
  /** Every container that ran and ended did so with 0. */
  failed: boolean;
  outcome: string | undefined;
  reason: string | undefined;
  settled: string | undefined;
  settledAt: number | undefined;
  gone: boolean;
}

export interface RunSceneOptions extends Omit<SimulateOptions, 'script'> {
  readonly kind: MessageQueueKind;
  readonly queue?: Omit<MessageQueueOptions, 'kind'>;
  /** Fields of the Queue beside kind, source and template. */
  readonly spec?: JsonObject;
  /** Fields of the Template beside kind; `none`: there is none yet. */
  readonly template?: JsonObject | 'none';
  readonly pod?: (attempt: number, pod: PodObject) => PodScript;
  /** Messages that cannot become runs. */
  readonly invalid?: (stored: StoredMessage) => boolean;
  readonly controller?: ControllerOptions | 'none';
}

/** Registers a check after each test: nothing happened that must never happen. */
export function useRunScenes(): (options: RunSceneOptions) => RunScene {
  let open: RunScene[] = [];
  afterEach(() => {
    const violations = open.flatMap((scene) => scene.violations);
    for (const scene of open) scene.controller?.kill();
    open = [];
    expect(violations).toEqual([]);
  });
  return (options) => {
    const scene = new RunScene(options);
    open.push(scene);
    return scene;
  };
}

/** What is said of a message on its run before a next one may be made for it. */
const goesOn: ReadonlySet<string | undefined> = new Set(['returned', 'kept', 'dead']);
/** Less what clocks may differ by. */
const dedupeWindow = 600_000 - 10_000;

export class RunScene {
  readonly world: Simulation;
  readonly kind: MessageQueueKind;
  readonly queue: SimulatedMessageQueue;
  readonly ownDead: SimulatedMessageQueue;
  readonly dead: SimulatedMessageQueue;
  readonly violations: string[] = [];
  /** All that there ever were, in order. */
  readonly runs: MessageRun[] = [];
  readonly #invalid: (stored: StoredMessage) => boolean;
  controller: SimulatedProcess | undefined;

  constructor({ kind, queue, spec, template, pod = () => ({}), invalid = () => false, controller, ...options }: RunSceneOptions) {
    this.world = simulate(options);
    this.kind = kind;
    this.#invalid = invalid;
    this.ownDead = this.world.broker.create('own-dead', { kind });
    this.dead = this.world.broker.create('dead', { kind });
    this.queue = this.world.broker.create('work', { kind, deadLetter: 'own-dead', ...queue });
    this.queue.onTold((stored, verdict) => { this.#told(stored, verdict); });
    this.world.cluster.store.subscribe((change) => {
      if (change.resource === configMaps) this.#record(change);
      else if (change.resource === pods) this.#pod(asPod(change.object));
    });
    this.world.onRequest((request) => { this.#request(request); });
    this.world.cluster.script = (object) => pod(this.runOf(object)?.attempt ?? 0, asPod(object));
    if (template !== 'none') this.applyTemplate(template);
    this.apply(spec);
    if (controller !== 'none') this.start(controller);
  }

  apply(fields: JsonObject = {}): void {
    const { perMessage, ...rest } = fields;
    const given: JsonObject = { ...(this.kind === 'amqp' ? { deadLetter: { policy: true } } : {}), ...(isObject(perMessage) ? perMessage : {}) };
    const what: JsonObject = 'workflow' in rest ? {} : { template: 'thumbnail' };
    this.world.applyConfigMap('work', JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', source: { [this.kind]: { connection: 'main', queue: 'work' } }, ...what, perMessage: given, ...rest }, undefined, 2));
  }

  applyTemplate(fields: JsonObject = {}): void {
    const text = { apiVersion: 'job-chief/v1', kind: 'Template', name: 'thumbnail', job: { image: 'registry.example/worker:1' }, startTimeout: '2m', timeout: '5m', ...fields };
    this.world.applyConfigMap('thumbnail', JSON.stringify(text, undefined, 2), { [kindLabel]: text.kind.toLowerCase() });
  }

  /** Starts a controller; the one before goes on if it was not killed. */
  start(options: ControllerOptions = {}): SimulatedProcess {
    this.controller = startController(this.world, options);
    return this.controller;
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

  /** Until every message is settled for good, and its run says so. */
  settled(limit?: number): Promise<boolean> {
    return this.world.runUntil(() => this.queue.messages.length > 0 && this.queue.unfinished === 0 && this.runs.every(({ settled, gone }) => gone || settled !== undefined), limit);
  }

  /** State of each message, in the order in which they were sent. */
  get states(): string[] {
    return this.queue.messages.map(({ state }) => state);
  }

  /** Attempt, outcome and what is said of the message, of each run in order. */
  get story(): string[] {
    return this.runs.map(({ attempt, outcome = 'open', settled = 'not settled', gone }) => `${attempt} ${outcome} ${settled}${gone ? ' gone' : ''}`);
  }

  of(id: string): MessageRun[] {
    return this.runs.filter((run) => run.id === id);
  }

  status(name = 'work'): { readonly state?: string; readonly reason?: string; readonly message?: string; readonly liveJobs?: number; readonly lastRun?: JsonObject } {
    return (this.world.status(name) ?? {});
  }

  record(name: string): KubeObject | undefined {
    return this.world.cluster.store.get(configMaps, name);
  }

  /** What is wrong when everything has come to rest; empty: nothing. */
  atEnd(): string[] {
    return this.queue.messages.flatMap(({ message: { id }, state }) => (state === 'inFlight' || state === 'dropped' ? [`message ${id} is ${state}`] : []));
  }

  runOf(pod: KubeObject): MessageRun | undefined {
    const name = pod.metadata.labels?.[runLabel];
    return this.runs.findLast((run) => run.name === name);
  }

  #report(text: string): void {
    this.violations.push(`${(this.world.clock.monotonic() / 1000).toFixed(3)} s: ${text}`);
  }

  #record({ type, object }: Change): void {
    const { name, uid, labels = {}, annotations = {} } = object.metadata;
    const note = parseJson(annotations[messageAnnotation]);
    const id = stringAt(note, 'id');
    if (id === undefined || labels[recordLabel] !== 'run') return;
    if (type === 'ADDED') this.#born({ name, uid, id, serial: numberAt(note, 'serial') ?? 0, attempt: numberAt(note, 'attempt') ?? 0, target: labels[nameLabel] ?? '' });
    const run = this.runs.find((one) => one.uid === uid);
    if (!run) return;
    run.gone = type === 'DELETED';
    const result = parseJson(annotations[resultAnnotation]);
    run.outcome = stringAt(result, 'outcome');
    run.reason = stringAt(result, 'reason');
    const settled = parseJson(annotations[settledAnnotation]);
    const as = stringAt(settled, 'as');
    if (as !== run.settled) this.#checkSettled(run, as);
    run.settled = as;
    run.settledAt = numberAt(settled, 'at');
  }

  #born(run: Pick<MessageRun, 'name' | 'uid' | 'id' | 'serial' | 'attempt' | 'target'>): void {
    for (const before of this.of(run.id)) if (!before.gone && !goesOn.has(before.settled)) this.#report(`run ${run.name} was made for message ${run.id}, whose run ${before.name} is ${before.settled ?? 'not settled'}`);
    this.runs.push({ ...run, started: false, failed: false, outcome: undefined, reason: undefined, settled: undefined, settledAt: undefined, gone: false });
  }

  #checkSettled({ name, outcome, started }: MessageRun, as: string | undefined): void {
    const fits = as === 'completed' || as === 'presumed' ? outcome === 'succeeded' : as === 'returned' || as === 'dead' ? outcome === 'failed' || outcome === 'cancelled' : as === 'kept' ? outcome === 'failed' && !started : as === 'taken';
    if (!fits) this.#report(`run ${name} ${outcome ?? 'is open'}, and says that its message is ${as ?? 'nothing'}`);
  }

  #pod(pod: PodObject): void {
    const run = this.runOf(pod);
    if (!run) return;
    const states = (pod.status.containerStatuses ?? []).map(({ state }) => state);
    if (states.some(({ running }) => running !== undefined)) run.started = true;
    if (states.some(({ terminated }) => (numberAt(terminated, 'exitCode') ?? 0) !== 0)) run.failed = true;
    const live = new Set(this.world.pods().filter((one) => !isTerminal(one) && this.runOf(one)?.id === run.id).map((one) => one.metadata.labels?.[runLabel]));
    for (const job of this.world.jobs()) if (!isFinished(job) && this.runOf(job)?.id === run.id) live.add(job.metadata.labels?.[runLabel]);
    if (live.size > 1) this.#report(`message ${run.id} has live Jobs of ${live.size} runs`);
  }

  #told(stored: StoredMessage, verdict: Verdict): void {
    const { id } = stored.message;
    const mine = this.of(id);
    const published = this.dead.find(id) !== undefined;
    const done = mine.some(({ outcome, settled }) => outcome === 'succeeded' || settled === 'taken') || (published && (this.#invalid(stored) || mine.some(({ outcome }) => outcome === 'failed' || outcome === 'cancelled'))) || this.#isTaken;
    if (verdict.kind === 'complete' && !done) this.#report(`message ${id} is acknowledged, and none of its runs succeeded: ${this.story.join('; ')}`);
    if (verdict.kind === 'fail' && !this.#invalid(stored) && !mine.some(({ outcome }) => outcome === 'failed' || outcome === 'cancelled')) this.#report(`message ${id} is said to have failed, and none of its runs did`);
  }

  /** Whether messages are acknowledged as soon as their runs are written down. */
  get #isTaken(): boolean {
    return (stringAt(this.world.configMap('work')?.['data'], 'spec.yaml') ?? '').includes('onJobCreated') && this.runs.length > 0;
  }

  /** Retention: only what is settled, and not before redeliveries have had their time to meet it. */
  #request({ method, path, at }: SentRequest): void {
    const name = method === 'DELETE' ? path.split('/configmaps/')[1] : undefined;
    const run = this.runs.find((one) => one.name === name && !one.gone);
    if (!run) return;
    if (run.settledAt === undefined) this.#report(`run ${run.name} is deleted before its message is settled`);
    else if (at < run.settledAt + dedupeWindow) this.#report(`run ${run.name} is deleted ${(at - run.settledAt) / 1000} s after its message was settled`);
  }
}
