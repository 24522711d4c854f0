/** Workflows in a few words, and a run of one in a world that does what it is told: Jobs appear, and end as the test says. */
import { formatIndexes } from '../../src/lib/index-ranges.ts';
import type { Json, JsonObject } from '../../src/lib/json.ts';
import type { ObservedJob, ObservedPod, Reservation, StepJobFacts } from '../../src/plan/observed.ts';
import type { Room } from '../../src/plan/limits/room.ts';
import type { RunAction, RunPlan } from '../../src/plan/run/action.ts';
import type { ObservedRun, StepRefusal } from '../../src/plan/run/observed.ts';
import { planRun } from '../../src/plan/run/plan-run.ts';
import type { ObservedRecord, RunCommands, RunRequest, RunResult } from '../../src/plan/run/record.ts';
import type { RunState, StepOutcome } from '../../src/plan/run/state.ts';
import { noMetadata } from '../../src/spec/common.ts';
import { compileDependsOn, compileWhen, type Expression } from '../../src/spec/expression.ts';
import type { ForEachSpec, OutputSpec, RetrySpec, StepSpec, WorkflowSpec } from '../../src/spec/workflow.ts';
import { aFailedPod, aJob, aJobTemplate, anEnvironment, aPod, aRunningPod, complete, failed, hours, minutes, noon, seconds } from './builders.ts';

export const once: RetrySpec = { attempts: 1, within: undefined, delay: 0, factor: 1, maxDelay: 0, exitCodes: undefined, onOOM: undefined };
export const retries = (attempts: number, changes: Partial<RetrySpec> = {}): RetrySpec => ({ ...once, attempts, maxDelay: hours(1), ...changes });
export const anOutput = (type: OutputSpec['type'], otherwise?: Json): OutputSpec => ({ type, default: otherwise });
export const jobWith = (container: JsonObject): StepSpec['work'] => ({ kind: 'job', template: aJobTemplate(container) });
export const printing = (...texts: string[]): StepSpec['work'] => jobWith({ args: texts });
export const eachOf = (items: readonly Json[], changes: Partial<ForEachSpec> = {}): ForEachSpec => ({ source: { kind: 'items', items }, maxParallel: undefined, shape: 'jobs', ...changes });
export const undoJob = (container: JsonObject = {}, retry = once): NonNullable<StepSpec['undo']> => ({ template: aJobTemplate({ image: 'undo', ...container }), retry, startTimeout: minutes(15), timeout: undefined });
export const approval: StepSpec['work'] = { kind: 'approve', message: 'may it?' };
export const subRun = (workflow: string, parameters: JsonObject = {}): StepSpec['work'] => ({ kind: 'subRun', target: { kind: 'workflow', name: workflow }, parameters });

export function aStepSpec(name: string, changes: Partial<StepSpec> = {}): StepSpec {
  return {
    name,
    id: name.replaceAll('-', '_'),
    phase: undefined,
    work: { kind: 'job', template: aJobTemplate() },
    dependsOn: { all: [], phase: undefined, expression: undefined },
    when: undefined,
    forEach: undefined,
    retry: once,
    startTimeout: minutes(15),
    timeout: undefined,
    allowFailure: false,
    undo: undefined,
    outputs: {},
    files: {},
    ...changes,
  };
}

export type StepChanges = Readonly<Record<string, Partial<Omit<StepSpec, 'when'>> & { readonly when?: string }>>;
export type SpecChanges = Partial<Omit<WorkflowSpec, 'steps' | 'finally'>> & { readonly steps?: StepChanges };

/**
 * Steps in words, one in each line: `load`, `check < load, clean` (a list), `tell ? load.failed` (an expression).
 * `-- name` begins a phase, `-- finally` the steps of the end.
 */
export function aWorkflow(text: string, { steps: changes = {}, ...rest }: SpecChanges = {}): WorkflowSpec {
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const names = lines.filter((line) => !line.startsWith('--')).map((line) => /^[\w-]+/.exec(line)?.[0] ?? '');
  const ids = names.map((name) => ({ name, id: name.replaceAll('-', '_') }));
  const outputs = new Map(ids.map(({ name, id }) => [id, changes[name]?.outputs ?? {}]));
  const steps: StepSpec[] = [];
  const after: StepSpec[] = [];
  let phase: string | undefined;
  let before: string | undefined;
  for (const line of lines) {
    if (line.startsWith('--')) {
      [before, phase] = [phase, line.slice(2).trim()];
      continue;
    }
    const atEnd = phase === 'finally';
    const [, name = '', sign, rhs = ''] = /^([\w-]+)\s*(?:([<?])\s*(.*))?$/.exec(line) ?? [];
    const { when, ...more } = changes[name] ?? {};
    const dependsOn = {
      all: sign === '<' ? rhs.split(',').map((one) => one.trim()) : [],
      phase: atEnd ? undefined : before,
      expression: sign === '?' ? compiled(compileDependsOn(rhs, { steps: ids })) : undefined,
    };
    const condition = when === undefined ? undefined : compiled(compileWhen(when, { steps: outputs, parameters: rest.parameters ?? {}, finally: atEnd }));
    (atEnd ? after : steps).push(aStepSpec(name, { dependsOn, phase: atEnd ? undefined : phase, when: condition, ...more }));
  }
  return { ...plainWorkflow, ...rest, steps, finally: after };
}

function compiled(result: ReturnType<typeof compileDependsOn>): Expression {
  if (!('evaluate' in result)) throw new Error(result.message);
  return result;
}

const plainWorkflow: WorkflowSpec = {
  kind: 'Workflow',
  name: 'etl',
  hash: 'hash-1',
  suspend: false,
  observe: false,
  onSpecDelete: 'delete',
  onSpecChange: 'keep',
  retention: { succeeded: { count: 3, age: undefined }, failed: { count: 10, age: hours(168) } },
  jobMetadata: noMetadata,
  podMetadata: noMetadata,
  health: { includeLastRun: false },
  parameters: {},
  trigger: { onChange: true, onRequest: false, schedule: undefined },
  concurrency: { max: 1 },
  steps: [],
  finally: [],
  maxParallel: undefined,
  onFailure: 'stop',
  outputs: {},
  files: [],
};

export const noCommands: RunCommands = { cancel: undefined, suspend: false, approvals: new Map() };
export const freshState: RunState = { startedAt: noon, steps: {}, undo: {} };

export function aRecord(changes: Partial<ObservedRecord> = {}): ObservedRecord {
  const name = changes.name ?? 'etl-1';
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    createdAt: noon,
    deleting: false,
    ownerUid: 'cm-1',
    target: { kind: 'workflow', name: 'etl' },
    request: { workflow: 'etl', trigger: 'change' },
    phase: 'Running',
    result: undefined,
    commands: noCommands,
    ...changes,
  };
}

export function anObservedRun(spec: WorkflowSpec, changes: Partial<ObservedRun> = {}): ObservedRun {
  return {
    record: aRecord(),
    spec,
    parameters: {},
    state: freshState,
    jobs: new Map(),
    orphans: [],
    reservations: new Map(),
    confirmed: new Set(),
    absent: new Set(),
    refusals: new Map(),
    children: new Map(),
    earlier: undefined,
    specGone: false,
    explanations: new Map(),
    ...changes,
  };
}

const plainFacts: StepJobFacts = { indexed: false, completions: 1, parallelism: 1, restartPolicy: 'Never', awaitsVerdict: false, completedIndexes: '', failedIndexes: '' };

/** What a Job or sub-run was made for: `load`, `load[2]`, `undo load`. */
interface Thing {
  readonly place: string;
  readonly name: string;
  readonly action: Extract<RunAction, { kind: 'createStepJob' | 'createSubRun' }>;
}

/** A run and all that it can see. Jobs that are created run until they are told how to end; ended ones fail at once. */
export class RunWorld {
  now = noon;
  spec: WorkflowSpec;
  state: RunState;
  record = aRecord();
  parameters: JsonObject = {};
  earlier: RunState | undefined;
  specGone = false;
  readonly jobs = new Map<string, ObservedJob>();
  readonly children = new Map<string, ObservedRecord>();
  readonly reservations = new Map<string, Reservation['state']>();
  readonly refusals = new Map<string, StepRefusal>();
  readonly confirmed = new Set<string>();
  readonly absent = new Set<string>();
  orphans: ObservedPod[] = [];
  /** In the order of their creation. */
  readonly things: Thing[] = [];
  /** Creates are carried out. Else they are lost, as by a process that dies before them. */
  creates = true;
  plan: RunPlan | undefined;
  /** What the limits of the instance leave to each round; absent: nothing limits it. */
  room: Room | undefined;

  constructor(spec: WorkflowSpec, changes: { readonly state?: RunState; readonly request?: Partial<RunRequest> } = {}) {
    this.spec = spec;
    this.state = changes.state ?? freshState;
    if (changes.request) this.record = aRecord({ request: { workflow: 'etl', trigger: 'change', ...changes.request } });
  }

  observed(): ObservedRun {
    const { record, spec, parameters, state, jobs, orphans, reservations, absent, refusals, children, earlier, specGone, confirmed } = this;
    return { record, spec, parameters, state, jobs: new Map(jobs), orphans: [...orphans], reservations: new Map(reservations), absent: new Set(absent), refusals: new Map(refusals), children: new Map(children), earlier, specGone, confirmed: new Set(confirmed), explanations: new Map(), ...(this.room && { room: this.room }) };
  }

  /** One round, carried out. */
  round(): RunPlan {
    const plan = planRun(this.observed(), anEnvironment(), this.now);
    this.plan = plan;
    this.state = plan.state;
    for (const action of plan.actions) this.#apply(action);
    return plan;
  }

  /** Rounds until nothing happens any more. */
  settle(): this {
    for (let rounds = 0; rounds < 100; rounds += 1) {
      const before = this.state;
      const plan = this.round();
      if (plan.state === before && plan.actions.length === 0) return this;
    }
    throw new Error('the run does not come to rest');
  }

  #apply(action: RunAction): void {
    switch (action.kind) {
      case 'createStepJob': {
        if (!this.creates) return;
        this.things.push({ place: placeOf(action), name: action.jobName, action });
        const spec = action.manifest['spec'] as { completionMode?: string; completions?: number; parallelism?: number };
        const step: StepJobFacts = { ...plainFacts, indexed: spec.completionMode === 'Indexed', completions: spec.completions ?? 1, parallelism: spec.parallelism ?? 1 };
        this.jobs.set(action.jobName, aJob({ name: action.jobName, uid: `uid-${action.jobName}`, createdAt: this.now, startedAt: this.now, step, pods: [aRunningPod({ startedAt: this.now })] }));
        return;
      }
      case 'createSubRun':
        if (!this.creates) return;
        this.things.push({ place: placeOf(action), name: action.name, action });
        this.children.set(action.name, aRecord({ name: action.name, request: action.request, createdAt: this.now }));
        return;
      case 'end': {
        const job = this.jobs.get(action.job.name);
        if (job) this.jobs.set(job.name, { ...job, recorded: action.outcome, finished: failed(this.now, 'DeadlineExceeded'), pods: [] });
        return;
      }
      case 'cancelSubRun':
        this.endRun(action.name, { outcome: 'cancelled' });
        return;
      case 'lookUp':
        if (!this.jobs.has(action.jobName)) this.absent.add(action.jobName);
        this.reservations.delete(action.jobName);
        return;
      case 'lookUpSubRun':
        if (!this.children.has(action.name)) this.absent.add(action.name);
        return;
      case 'mark':
      case 'delete':
    }
  }

  /** Name of the newest Job or record that was made for the place. */
  nameOf(place: string): string {
    const thing = this.things.findLast((one) => one.place === place);
    if (!thing) throw new Error(`nothing was made for ${place}`);
    return thing.name;
  }

  jobOf(place: string): ObservedJob {
    const job = this.jobs.get(this.nameOf(place));
    if (!job) throw new Error(`the Job of ${place} is gone`);
    return job;
  }

  change(place: string, changes: Partial<ObservedJob>): this {
    const job = this.jobOf(place);
    this.jobs.set(job.name, { ...job, ...changes });
    return this;
  }

  /** Its containers have ended with 0, the Job controller has not noticed yet. */
  contain(place: string, outputs?: JsonObject): this {
    const messages = outputs ? [{ container: 'main', text: JSON.stringify(outputs) }] : [];
    return this.change(place, { pods: [aRunningPod({ step: { index: undefined, done: 'succeeded', doneAt: this.now, messages, containers: 1 } })] });
  }

  succeed(place: string, outputs?: JsonObject): this {
    this.contain(place, outputs);
    const [pod] = this.jobOf(place).pods;
    return this.change(place, { finished: complete(this.now), succeededPods: 1, pods: [{ ...(pod ?? aPod()), phase: 'Succeeded' }] });
  }

  fail(place: string, exitCode = 1): this {
    return this.change(place, { finished: failed(this.now), failedPods: 1, pods: [aFailedPod(exitCode)] });
  }

  evict(place: string): this {
    return this.change(place, { finished: failed(this.now), failedPods: 1, pods: [aRunningPod({ phase: 'Failed', disrupted: true, reason: 'Evicted' })] });
  }

  /** The Job ends without a container having started. */
  neverStart(place: string): this {
    return this.change(place, { finished: failed(this.now, 'DeadlineExceeded'), recorded: { phase: 'ending', outcome: 'notStarted', reason: 'StartTimeout', message: 'no container started' }, pods: [] });
  }

  /** An Indexed Job ends; those items fail. */
  endIndexed(place: string, failedItems: readonly number[]): this {
    const { step, name } = this.jobOf(place);
    const all = Array.from({ length: step?.completions ?? 0 }, (_, index) => index);
    const good = all.filter((index) => !failedItems.includes(index));
    const facts: StepJobFacts = { ...(step ?? plainFacts), completedIndexes: formatIndexes(good), failedIndexes: formatIndexes(failedItems) };
    const pods = all.map((index) => (failedItems.includes(index)
      ? aFailedPod(1, { name: `${name}-${index}`, step: { index, done: 'failed', doneAt: this.now, messages: [], containers: 1 } })
      : aRunningPod({ name: `${name}-${index}`, phase: 'Succeeded', step: { index, done: 'succeeded', doneAt: this.now, messages: [{ container: 'main', text: JSON.stringify({ rows: index * 10 }) }], containers: 1 } })));
    return this.change(place, { step: facts, pods, finished: failedItems.length === 0 ? complete(this.now) : failed(this.now, 'FailedIndexes'), succeededPods: good.length, failedPods: failedItems.length });
  }

  /** A Job is deleted, with its pods. */
  remove(place: string): this {
    this.jobs.delete(this.nameOf(place));
    return this;
  }

  endRun(name: string, result: Partial<RunResult>): this {
    const child = this.children.get(name);
    const all: RunResult = { outcome: 'succeeded', reason: 'RunSucceeded', message: 'so it came out', startedAt: noon, finishedAt: this.now, failedSteps: [], ...result };
    if (child) this.children.set(name, { ...child, phase: 'Succeeded', result: all });
    return this;
  }

  command(commands: Partial<RunCommands>): this {
    this.record = { ...this.record, commands: { ...this.record.commands, ...commands } };
    return this;
  }

  approve(step: string, word: 'approved' | 'rejected' = 'approved'): this {
    return this.command({ approvals: new Map([...this.record.commands.approvals, [step, word]]) });
  }

  later(milliseconds: number): this {
    this.now += milliseconds;
    return this;
  }

  /** Places whose newest Job or sub-run has not ended. */
  running(): string[] {
    const newest = new Map(this.things.map(({ place, name }) => [place, name]));
    return [...newest].filter(([, name]) => (this.jobs.has(name) ? !this.jobs.get(name)?.finished : this.children.get(name)?.result === undefined && this.children.has(name))).map(([place]) => place).sort();
  }

  /** How often something was made for the place. */
  made(place: string): number {
    return this.things.filter((thing) => thing.place === place).length;
  }

  outcome(step: string): StepOutcome | 'open' | 'not started' {
    const state = this.state.steps[step];
    return state ? (state.outcome ?? 'open') : 'not started';
  }

  /** `load succeeded, check omitted`: steps with an outcome, in the order of the text. */
  outcomes(): string {
    return [...this.spec.steps, ...this.spec.finally].flatMap(({ name }) => (this.state.steps[name]?.outcome ? [`${name} ${this.state.steps[name].outcome}`] : [])).join(', ');
  }

  /** The arguments of the container that was made for the place. */
  argsOf(place: string): Json | undefined {
    const { action } = this.things.findLast((one) => one.place === place) ?? {};
    const job = action?.kind === 'createStepJob' ? (action.manifest as unknown as { spec: { template: { spec: { containers: { args?: Json }[] } } } }) : undefined;
    return job?.spec.template.spec.containers[0]?.args;
  }
}

function placeOf(action: Thing['action']): string {
  const item = /, item (\d+)/.exec(action.because)?.[1];
  return `${action.because.startsWith('undo') ? 'undo ' : ''}${action.step}${item === undefined ? '' : `[${item}]`}`;
}

/** A run of the workflow, with its first round behind it. */
export function aRun(spec: WorkflowSpec, changes?: ConstructorParameters<typeof RunWorld>[1]): RunWorld {
  return new RunWorld(spec, changes).settle();
}

export const short = seconds(1);
