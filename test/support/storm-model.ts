/**
 * Random small workflows, as what they mean (a model, with the fate of every attempt fixed beforehand) and as the text
 * that says it. The storm plays the pods by the model, and the oracle computes from the model what has to come of a run.
 */
import type { Json, JsonObject } from '../../src/lib/json.ts';
import type { Random } from '../../src/simulation/random.ts';
import * as keys from '../../src/spec/keys.ts';

/** What becomes of one attempt of one item. `evicted` and `nodeLost` hit its first pod only: the next one does the work. */
export type Fate =
  | { readonly kind: 'ok' | 'evicted'; readonly runs: number; readonly writes?: boolean }
  | { readonly kind: 'fail'; readonly runs: number; readonly code: number; readonly reason?: string }
  | { readonly kind: 'nodeLost'; readonly runs: number; readonly removedAfter: number }
  | { readonly kind: 'neverStarts' | 'hangs' };

export type Word = 'ok' | 'succeeded' | 'failed' | 'completed' | 'skipped' | 'notStarted';
export type Expression =
  | { readonly op: 'is'; readonly step: string; readonly word: Word }
  | { readonly op: 'not'; readonly of: Expression }
  | { readonly op: 'and' | 'or'; readonly left: Expression; readonly right: Expression };

export type Work =
  | { readonly kind: 'job' }
  /** One Job for each item, or one Indexed Job for all. `countFrom`: the number comes from that step's output. */
  | { readonly kind: 'jobs' | 'indexed'; readonly count: number; readonly countFrom?: string; readonly maxParallel?: number; readonly files: boolean }
  | { readonly kind: 'approve' }
  | { readonly kind: 'run'; readonly workflow: string };

export interface StepModel {
  readonly name: string;
  readonly phase: number | undefined;
  readonly work: Work;
  /** As it is written; undefined: it follows from references, or there is none. */
  readonly list: readonly string[] | undefined;
  readonly expression: Expression | undefined;
  readonly when: boolean | undefined;
  /** The step whose output `n` its args name. */
  readonly consumes: string | undefined;
  /** It declares the output `n`; with a default or without. */
  readonly output: { readonly default: boolean } | undefined;
  readonly attempts: number;
  readonly delay: string;
  /** An exit code that is not tried again. */
  readonly final: number | undefined;
  readonly allowFailure: boolean;
  readonly undo: boolean;
  readonly timeout: boolean;
  /** By item and attempt; the last of each stays. */
  readonly fates: readonly (readonly Fate[])[];
  readonly undoFate: Fate;
}

export interface WorkflowModel {
  readonly name: string;
  readonly revision: number;
  readonly steps: readonly StepModel[];
  readonly late: readonly StepModel[];
  readonly onFailure: 'stop' | 'cancel' | 'continue' | 'revert';
  readonly maxParallel: number | undefined;
  readonly concurrency: number;
  readonly spec: JsonObject;
}

/** Value of the output `n`, wherever it is written, and its default. */
export const outputValue = 2;
export const outputDefault = 3;

export interface DrawOptions {
  readonly name: string;
  readonly revision: number;
  /** Another workflow that steps may be runs of. */
  readonly child: string | undefined;
  /** Nothing but steps that end well. */
  readonly fair: boolean;
  readonly trigger: JsonObject;
  /** Runs are also deleted by their age. */
  readonly aging: boolean;
}

export function drawWorkflow(random: Random, options: DrawOptions): WorkflowModel {
  const phases = random.chance(0.25) ? random.int(2, 3) : 0;
  const count = random.int(1, 7);
  const steps: StepModel[] = [];
  for (let index = 0; index < count; index += 1) {
    const phase = phases === 0 ? undefined : Math.floor((index * phases) / count);
    steps.push(drawStep(random, { ...options, name: `s${index}`, phase, before: steps.filter((other) => other.phase === phase) }));
  }
  const late: StepModel[] = [];
  if (random.chance(0.4)) {
    for (let index = 0; index < random.int(1, 2); index += 1) late.push({ ...drawStep(random, { ...options, child: undefined, name: `f${index}`, phase: undefined, before: late }), undo: false });
  }
  const model = {
    name: options.name,
    revision: options.revision,
    steps,
    late,
    onFailure: random.pick(['stop', 'cancel', 'continue', 'revert'] as const),
    maxParallel: random.chance(0.3) ? random.int(1, 3) : undefined,
    concurrency: random.int(1, 3),
  };
  return { ...model, spec: specOf(random, model, options) };
}

interface StepOptions extends DrawOptions {
  readonly phase: number | undefined;
  /** Steps that it may depend on. */
  readonly before: readonly StepModel[];
}

function drawStep(random: Random, { name, phase, before, child, fair }: StepOptions): StepModel {
  const work = drawWork(random, before, child);
  const isJob = work.kind === 'job';
  const attempts = work.kind === 'approve' ? 1 : random.pick([1, 1, 1, 2, 3]);
  const timeout = work.kind === 'job' && random.chance(0.2);
  const items = work.kind === 'jobs' || work.kind === 'indexed' ? Math.max(outputValue, outputDefault, work.count) : 1;
  const consumes = isJob && random.chance(0.3) ? producer(random, before) : undefined;
  const named = before.map((step) => step.name);
  const hasExpression = consumes === undefined && named.length > 0 && random.chance(0.3);
  const output = isJob && random.chance(0.4) ? { default: random.chance(0.5) } : undefined;
  return {
    name,
    phase,
    work,
    list: hasExpression || named.length === 0 || random.chance(0.3) ? undefined : [...new Set([random.pick(named), random.pick(named)])],
    expression: hasExpression && !('countFrom' in work) ? drawExpression(random, named, 2) : undefined,
    when: random.chance(0.15) ? random.chance(0.5) : undefined,
    consumes,
    output,
    attempts,
    delay: random.pick(['0s', '1s', '15s']),
    final: isJob && attempts > 1 && random.chance(0.3) ? 3 : undefined,
    allowFailure: random.chance(0.2),
    undo: work.kind !== 'approve' && random.chance(0.4),
    timeout,
    fates: Array.from({ length: items }, () => Array.from({ length: attempts }, () => drawFate(random, { fair, timeout, mayNotStart: work.kind !== 'indexed', writes: output !== undefined }))),
    undoFate: drawFate(random, { fair, timeout: false, mayNotStart: true, writes: false }),
  };
}

function producer(random: Random, before: readonly StepModel[]): string | undefined {
  const all = before.filter(({ output }) => output !== undefined);
  return all.length === 0 ? undefined : random.pick(all).name;
}

function drawWork(random: Random, before: readonly StepModel[], child: string | undefined): Work {
  const draw = random.next();
  if (draw < 0.08) return { kind: 'approve' };
  if (draw < 0.18 && child !== undefined) return { kind: 'run', workflow: child };
  if (draw > 0.4) return { kind: 'job' };
  const from = random.chance(0.3) ? producer(random, before) : undefined;
  return { kind: random.pick(['jobs', 'indexed'] as const), count: random.int(0, 4), files: random.chance(0.5), ...(from !== undefined && { countFrom: from }), ...(random.chance(0.4) && { maxParallel: random.int(1, 3) }) };
}

function drawExpression(random: Random, named: readonly string[], depth: number): Expression {
  if (depth === 0 || random.chance(0.4)) return { op: 'is', step: random.pick(named), word: random.pick(['ok', 'ok', 'succeeded', 'failed', 'completed', 'completed', 'skipped', 'notStarted'] as const) };
  if (random.chance(0.2)) return { op: 'not', of: drawExpression(random, named, depth - 1) };
  return { op: random.pick(['and', 'or', 'or'] as const), left: drawExpression(random, named, depth - 1), right: drawExpression(random, named, depth - 1) };
}

function drawFate(random: Random, { fair, timeout, mayNotStart, writes }: { fair: boolean; timeout: boolean; mayNotStart: boolean; writes: boolean }): Fate {
  const runs = random.pick([0, 50, 500, 3000, 15_000, 60_000]) + random.between(0, 300);
  const ok: Fate = { kind: 'ok', runs, writes: writes && random.chance(fair ? 1 : 0.9) };
  if (fair || random.chance(0.65)) return ok;
  return random.pick<() => Fate>([
    () => ({ kind: 'fail', runs, code: random.pick([1, 2, 3]) }),
    () => ({ kind: 'fail', runs, code: random.pick([1, 2, 3]) }),
    () => ({ kind: 'fail', runs, code: 137, reason: 'OOMKilled' }),
    () => ({ kind: 'evicted', runs, writes }),
    // What its node takes along is out of its time before it can be replaced.
    () => (timeout ? ok : { kind: 'nodeLost', runs, removedAfter: random.int(30, 400) * 1000 }),
    () => (mayNotStart ? { kind: 'neverStarts' } : ok),
    () => (timeout ? { kind: 'hangs' } : ok),
  ])();
}

// As text

const params = { yes: { type: 'boolean', default: true }, no: { type: 'boolean', default: false } };

function specOf(random: Random, { name, revision, steps, late, onFailure, maxParallel, concurrency }: Omit<WorkflowModel, 'spec'>, { trigger, aging }: DrawOptions): JsonObject {
  const phased = steps[0]?.phase !== undefined;
  const phases = [...Map.groupBy(steps, ({ phase }) => phase ?? 0)].map(([phase, members]) => ({ name: `p${phase}`, steps: members.map(stepOf) }));
  return {
    apiVersion: keys.apiVersion,
    kind: 'Workflow',
    name,
    trigger,
    parameters: params,
    ...(phased ? { phases } : { steps: steps.map(stepOf) }),
    ...(late.length > 0 && { finally: late.map(stepOf) }),
    ...(maxParallel !== undefined && { maxParallel }),
    onFailure,
    concurrency: { max: concurrency },
    retention: { succeeded: { count: random.int(0, 3) }, failed: { count: random.int(0, 4), ...(aging && { age: '10m' }) } },
    onSpecDelete: random.pick(['delete', 'delete', 'finish']),
    onSpecChange: random.pick(['keep', 'keep', 'replace']),
    jobMetadata: { annotations: { 'example.org/revision': String(revision) } },
  };
}

function stepOf(step: StepModel): JsonObject {
  const { name, work, list, expression, when, output, attempts, allowFailure, undo, timeout } = step;
  return {
    name,
    ...workOf(step),
    ...(list !== undefined && { dependsOn: [...list] }),
    ...(expression !== undefined && { dependsOn: textOf(expression) }),
    ...(when !== undefined && { when: when ? 'params.yes' : 'params.no' }),
    ...(attempts > 1 && { retry: retryOf(step) }),
    ...(allowFailure && { allowFailure }),
    ...(undo && { undo: { job: { image: undoImage }, startTimeout: '2m' } }),
    ...(timeout && { timeout: '3m' }),
    ...(work.kind !== 'approve' && work.kind !== 'run' && { startTimeout: '2m' }),
    ...(output && { outputs: { n: { type: 'integer', ...(output.default && { default: outputDefault }) } } }),
  };
}

/** What undo jobs are told by: their labels are those of their step. */
export const undoImage = 'registry.example/undo:1';

function workOf({ work, consumes }: StepModel): JsonObject {
  if (work.kind === 'approve') return { approve: {} };
  if (work.kind === 'run') return { workflow: { name: work.workflow } };
  const args = [...(consumes === undefined ? [] : [`$(steps.${consumes}.outputs.n)`]), ...(work.kind === 'jobs' ? ['$(item)'] : [])];
  const job: JsonObject = { image: 'registry.example/do:1', ...(args.length > 0 && { args }) };
  if (work.kind === 'job') return { job };
  const items: Json[] = Array.from({ length: work.count }, (_, index) => `item ${index}`);
  const forEach: JsonObject = work.countFrom !== undefined ? { count: `$(steps.${work.countFrom}.outputs.n)` } : work.files ? { items } : { count: work.count };
  return { job, forEach, ...(work.maxParallel !== undefined && { maxParallel: work.maxParallel }) };
}

/** Of an Indexed Job Kubernetes knows no more than the number of attempts. */
function retryOf({ work, attempts, delay, final }: StepModel): JsonObject {
  return { attempts, ...(work.kind !== 'indexed' && { delay, factor: 1 }), ...(final !== undefined && { exitCodes: { fail: [final] } }) };
}

function textOf(expression: Expression): string {
  switch (expression.op) {
    case 'is': return `${expression.step}.${expression.word}`;
    case 'not': return `!(${textOf(expression.of)})`;
    case 'and': return `(${textOf(expression.left)} && ${textOf(expression.right)})`;
    case 'or': return `(${textOf(expression.left)} || ${textOf(expression.right)})`;
  }
}
