/**
 * Workflows, the pods of their steps and a controller on a simulated cluster, with invariants attached:
 *
 *     const stage = useWorkflows();
 *     const scene = stage({ steps: chain('a', 'b', 'c') });
 *     await scene.finished();
 *     expect(scene.run.phase).toBe('Succeeded');
 */
import { gunzipSync } from 'node:zlib';
import { afterEach, expect } from 'vitest';
import type { Json, JsonObject } from '../../src/lib/json.ts';
import { objectAt, stringAt } from '../../src/lib/json.ts';
import type { RunPhase, RunRequest, RunResult } from '../../src/plan/run/record.ts';
import type { RunState, StepOutcome } from '../../src/plan/run/state.ts';
import { defaultStart } from '../../src/simulation/clock.ts';
import { asJob, isFinished, type JobObject, type PodObject } from '../../src/simulation/job-shape.ts';
import { configMaps, jobs, type KubeObject } from '../../src/simulation/objects.ts';
import { type FaultPlan, FaultyTransport } from '../../src/simulation/faults.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import type { SimulatedProcess } from '../../src/simulation/process.ts';
import * as keys from '../../src/spec/keys.ts';
import { type ControllerOptions, type LogLine, startController } from './controller.ts';
import { simulate, type Simulation, type SimulateOptions } from './simulation.ts';

/** What the pods of a step do; with the attempt, from 1. */
export type StepScript = PodScript | ((attempt: number, pod: PodObject) => PodScript);

export interface WorkflowSceneOptions extends SimulateOptions {
  /** Fields beside apiVersion and kind; the trigger is onChange unless said otherwise. `none`: no spec is applied. */
  readonly spec?: JsonObject | 'none';
  /** Steps of the workflow `etl`: for specs that are nothing but steps. */
  readonly steps?: readonly JsonObject[];
  /** By step name; others run for a tenth of a second and succeed. */
  readonly pods?: Readonly<Record<string, StepScript>>;
  readonly controller?: ControllerOptions | 'none';
}

/** A Job of a step that was created. */
export interface StepBirth {
  readonly step: string;
  readonly attempt: number;
  readonly name: string;
  /** Seconds since the start of the world. */
  readonly at: number;
  readonly object: JobObject;
}

/** Checks after each test that no invariant was broken in any scene. */
export function useWorkflows(): (options?: WorkflowSceneOptions) => WorkflowScene {
  let open: WorkflowScene[] = [];
  afterEach(() => {
    const violations = open.flatMap((scene) => scene.violations);
    open = [];
    expect(violations).toEqual([]);
  });
  return (options = {}) => {
    const scene = new WorkflowScene(options);
    open.push(scene);
    return scene;
  };
}

/** A step that is one Job. */
export function step(name: string, fields: JsonObject = {}): JsonObject {
  const { workflow, approve, jobTemplate, jobFile, jobFiles } = fields;
  const isOther = [workflow, approve, jobTemplate, jobFile, jobFiles].some((one) => one !== undefined);
  return { name, ...(isOther ? {} : { job: { image: 'registry.example/step:1' } }), ...fields };
}

/** Steps of which each waits for the one before. */
export function chain(...names: readonly string[]): JsonObject[] {
  return names.map((name, index) => step(name, index === 0 ? {} : { dependsOn: [names[index - 1] ?? ''] }));
}

/** A Workflow as text; JSON is YAML. */
export function workflowText(fields: JsonObject): string {
  return JSON.stringify({ apiVersion: keys.apiVersion, kind: 'Workflow', trigger: { onChange: true }, ...fields }, undefined, 2);
}

export class WorkflowScene {
  readonly world: Simulation;
  readonly lines: LogLine[] = [];
  readonly violations: string[] = [];
  /** Every Job that was ever created, in order. */
  readonly births: StepBirth[] = [];
  controller: SimulatedProcess | undefined;
  readonly pods: Record<string, StepScript>;

  constructor({ spec, steps, pods = {}, controller, ...options }: WorkflowSceneOptions = {}) {
    this.world = simulate(options);
    this.pods = { ...pods };
    this.world.cluster.script = (pod) => this.#script(pod);
    this.world.cluster.store.subscribe(({ type, resource, object, at }) => {
      if (type === 'ADDED' && resource === jobs) this.#born(asJob(object), at);
    });
    if (spec !== 'none') this.apply(spec ?? { steps: [...(steps ?? chain('a', 'b', 'c'))] });
    if (controller !== 'none') this.start(controller);
  }

  start(options: ControllerOptions = {}): SimulatedProcess {
    this.controller = startController(this.world, { lines: this.lines, ...options });
    return this.controller;
  }

  /** kill -9, and a new process after `pause` milliseconds. */
  async restart(pause = 1000, options: ControllerOptions = {}): Promise<void> {
    this.controller?.kill();
    await this.world.run(pause);
    this.start(options);
  }

  startWith(plan: FaultPlan, options: ControllerOptions = {}): void {
    this.start({ ...options, wrap: (transport, clock) => new FaultyTransport(transport, clock, plan) });
  }

  apply(fields: JsonObject, name = 'etl', files: Readonly<Record<string, string>> = {}): void {
    this.world.applyObject(configMaps, { metadata: { name, labels: { [keys.kindLabel]: 'workflow' } }, data: { [keys.specKey]: workflowText(fields), ...files } });
  }

  /** Records, oldest first. */
  get records(): KubeObject[] {
    return this.world.cluster.store.list(configMaps).filter(({ metadata }) => metadata.labels?.[keys.recordLabel] === 'run').sort((left, right) => Number(left.metadata.resourceVersion) - Number(right.metadata.resourceVersion));
  }

  /** Views of all runs, oldest first by creation. */
  get runs(): RunView[] {
    return this.records.map((record) => new RunView(record));
  }

  /** The only run there is, or the one of that workflow. */
  runOf(workflow = 'etl'): RunView {
    const found = this.runs.filter((run) => run.workflow === workflow);
    const [run] = found;
    if (!run || found.length > 1) throw new Error(`there are ${found.length} runs of "${workflow}"`);
    return run;
  }

  get run(): RunView {
    return this.runOf();
  }

  /** Waits until there are `count` runs and all are over. */
  async finished(limit = 600_000, count = 1): Promise<void> {
    const held = await this.world.runUntil(() => this.runs.length >= count && this.runs.every((run) => run.isOver), limit);
    if (!held) throw new Error(`no end after ${limit / 1000} s: ${this.explain()}`);
  }

  /** What people write on a record. */
  annotate(name: string, annotations: Readonly<Record<string, string>>): void {
    this.world.cluster.registry.update(configMaps, name, (object) => ({ ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } } }));
  }

  /** Steps in the order in which their Jobs were created; `step#2` is its second attempt. */
  get started(): string[] {
    return this.births.map(({ step: name, attempt }) => (attempt === 1 ? name : `${name}#${attempt}`));
  }

  unfinished(): JobObject[] {
    return this.world.jobs().filter((job) => !isFinished(job));
  }

  jobOf(stepName: string): JobObject | undefined {
    return this.world.job(this.births.findLast((birth) => birth.step === stepName)?.name ?? '');
  }

  birth(stepName: string): StepBirth {
    const found = this.births.findLast((birth) => birth.step === stepName);
    if (!found) throw new Error(`no Job of step "${stepName}" was created`);
    return found;
  }

  /** Seconds since the start of the world. */
  get now(): number {
    return (this.world.clock.now() - defaultStart) / 1000;
  }

  explain(): string {
    const runs = this.runs.map((run) => `${run.name} ${run.phase} ${JSON.stringify(run.state)}`);
    const log = this.lines.filter(({ level }) => level !== 'debug').slice(-15).map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields)}`);
    return ['', ...runs, ...log, `status ${JSON.stringify(this.world.status('etl'))}`].join('\n');
  }

  #script(pod: PodObject): PodScript {
    const labels = pod.metadata.labels ?? {};
    const script = this.pods[labels[keys.stepLabel] ?? ''] ?? {};
    const chosen = typeof script === 'function' ? script(Number(labels[keys.attemptLabel]), pod) : script;
    return { startsAfter: 5, runs: 100, ...chosen };
  }

  #born(job: JobObject, at: number): void {
    const { name, labels = {} } = job.metadata;
    if (labels[keys.jobKindLabel] !== 'workflow' && labels[keys.jobKindLabel] !== 'template') return;
    if (name.length > 52) this.violations.push(`the name of Job "${name}" has ${name.length} characters`);
    for (const label of [keys.managedByLabel, keys.instanceLabel, keys.jobKindLabel, keys.nameLabel, keys.runLabel, keys.stepLabel, keys.attemptLabel]) if (labels[label] === undefined) this.violations.push(`Job "${name}" has no label ${label}`);
    const { [keys.stepLabel]: stepName = '', [keys.attemptLabel]: attempt } = labels;
    if (this.births.some((birth) => birth.name === name)) this.violations.push(`Job "${name}" of step "${stepName}" was created twice`);
    this.births.push({ step: stepName, attempt: Number(attempt), name, at: (at - defaultStart) / 1000, object: job });
  }
}

/** A record, read. */
export class RunView {
  readonly object: KubeObject;

  constructor(object: KubeObject) {
    this.object = object;
  }

  get name(): string {
    return this.object.metadata.name;
  }

  get uid(): string {
    return this.object.metadata.uid;
  }

  get workflow(): string {
    return this.object.metadata.labels?.[keys.nameLabel] ?? '';
  }

  get phase(): RunPhase {
    return (this.object.metadata.labels?.[keys.stateLabel] ?? '') as RunPhase;
  }

  get isOver(): boolean {
    return this.phase === 'Succeeded' || this.phase === 'Failed' || this.phase === 'Cancelled';
  }

  get request(): RunRequest {
    return JSON.parse(this.object.metadata.annotations?.[keys.requestAnnotation] ?? '') as RunRequest;
  }

  get result(): RunResult | undefined {
    const text = this.object.metadata.annotations?.[keys.resultAnnotation];
    return text === undefined ? undefined : (JSON.parse(text) as RunResult);
  }

  get state(): RunState | undefined {
    const packed = stringAt(objectAt(this.object, 'binaryData'), keys.compressedStateKey);
    const text = packed === undefined ? stringAt(objectAt(this.object, 'data'), keys.stateKey) : gunzipSync(Buffer.from(packed, 'base64')).toString();
    return text === undefined ? undefined : (JSON.parse(text) as RunState);
  }

  /** Outcomes of its steps. */
  get outcomes(): Record<string, StepOutcome | undefined> {
    return Object.fromEntries(Object.entries(this.state?.steps ?? {}).map(([name, { outcome }]) => [name, outcome]));
  }

  get outputs(): Readonly<Record<string, Json>> | undefined {
    return this.result?.outputs;
  }
}
