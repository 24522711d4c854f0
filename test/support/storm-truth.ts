/**
 * What really happens to runs in a simulated cluster, watched from outside, and what must hold after every change: the
 * order of steps by what pods really did, one live Job for each item, no attempt twice, records that never go back, limits.
 */
import { gunzipSync } from 'node:zlib';
import { objectAt, stringAt } from '../../src/lib/json.ts';
import type { RunRequest, RunResult } from '../../src/plan/run/record.ts';
import type { RunState, StepState } from '../../src/plan/run/state.ts';
import { asJob, asPod, hasCondition, isTerminal, type JobObject, type PodObject } from '../../src/simulation/job-shape.ts';
import { configMaps, jobs, pods, type KubeObject } from '../../src/simulation/objects.ts';
import type { Change } from '../../src/simulation/store.ts';
import * as keys from '../../src/spec/keys.ts';
import { checkEnd } from './storm-end.ts';
import { type AttemptTruth, fateOf, Oracle, type RunTruth } from './storm-oracle.ts';
import { undoImage, type Fate, type StepModel, type WorkflowModel } from './storm-model.ts';
import type { Simulation } from './simulation.ts';

type Role = 'do' | 'undo';

export interface JobFacts {
  readonly name: string;
  readonly uid: string;
  readonly run: RunFacts;
  readonly step: string;
  readonly role: Role;
  readonly item: number;
  readonly attempt: number;
  readonly bornAt: number;
  /** Two processes acted when it was created. */
  readonly raced: boolean;
  /** Indexes whose containers have done their work; of a plain Job the only one is 0. */
  readonly good: Set<number>;
  readonly livePods: Set<string>;
  /** All that it ever had, by UID; those that were disrupted are replaced. */
  readonly everyPod: Map<string, { readonly index: number; readonly disrupted: boolean }>;
  /** So many pods have to succeed. */
  readonly pods: number;
  verdict: 'Complete' | 'Failed' | undefined;
  /** Its run did not want it any more. */
  ended: boolean;
  gone: boolean;
  byHand: boolean;
}

export interface RunFacts {
  readonly uid: string;
  readonly name: string;
  readonly workflow: string;
  readonly request: RunRequest;
  /** undefined: it is queued, or its spec is not one of ours. */
  model: WorkflowModel | undefined;
  readonly jobs: Map<string, JobFacts>;
  /** Steps that people meddled with. */
  readonly wild: Set<string>;
  /** Steps that were started while two processes acted. */
  readonly raced: Set<string>;
  commanded: boolean;
  approvals: ReadonlyMap<string, 'approved' | 'rejected'>;
  state: RunState | undefined;
  result: RunResult | undefined;
  gone: boolean;
}

export interface TruthOptions {
  readonly world: Simulation;
  /** Two controllers may act at once, or one that died has requests on their way. */
  readonly racing: () => boolean;
  /** The meaning of a spec's text. */
  readonly modelOf: (text: string) => WorkflowModel | undefined;
}

const placeOf = (step: string, role: Role, item: number, attempt: number): string => `${step}/${role}/${item}/${attempt}`;

export class Truth {
  readonly violations: string[] = [];
  readonly runs = new Map<string, RunFacts>();
  readonly #options: TruthOptions;
  readonly #jobs = new Map<string, JobFacts>();
  /** Jobs by run name, step, role and item: of all runs that ever had the name. */
  readonly #lines = new Map<string, JobFacts[]>();
  /** The last change run of each workflow, and scheduled times that were used. */
  readonly #lastChange = new Map<string, string>();
  readonly #scheduled = new Set<string>();
  /** When somebody last deleted a spec: runs that are created in that moment end with it as well. */
  readonly #specDeleted = new Map<string, number>();

  constructor(options: TruthOptions) {
    this.#options = options;
    options.world.cluster.store.subscribe((change) => { this.#notice(change); });
  }

  /** Somebody meddles with a Job or with what belongs to it. */
  meddle(jobUid: string, deletes: boolean): void {
    const job = this.#jobs.get(jobUid);
    if (!job) return;
    job.run.wild.add(job.step);
    if (deletes) job.byHand = true;
  }

  /** Somebody deletes a record: what it said is forgotten with it. */
  forget(uid: string): void {
    const run = this.runs.get(uid);
    if (!run) return;
    this.#lastChange.delete(run.workflow);
    if (run.request.scheduledAt !== undefined) this.#scheduled.delete(scheduledPlace(run));
    const parent = this.runs.get(run.request.parent?.uid ?? '');
    if (parent && run.request.parent) parent.wild.add(run.request.parent.step);
  }

  /** The spec is deleted: of the runs that it started those may end that belong to it. */
  specDeleted(workflow: string): void {
    this.#specDeleted.set(workflow, this.#options.world.clock.now());
    for (const run of this.runs.values()) if (run.workflow === workflow && !run.result && isOfGit(run)) run.commanded = true;
  }


  /** The model and the step that a pod works for. */
  workOf(pod: PodObject): { readonly step: StepModel; readonly job: JobFacts } | undefined {
    const job = this.#jobs.get(jobUidOf(pod));
    const step = job?.run.model && stepOf(job.run.model, job.step);
    return job && step ? { job, step } : undefined;
  }

  truthOf(run: RunFacts, model: WorkflowModel): RunTruth {
    const earlier = this.runs.get(run.request.rerunOf?.uid ?? '');
    return {
      model,
      attempt: (step, role, item, attempt) => attemptTruth(run.jobs.get(placeOf(step, role, item, attempt)), stepOf(model, step)),
      indexed: (step, count) => indexedTruth(run.jobs.get(placeOf(step, 'do', 0, 1)), count),
      word: (step) => run.approvals.get(step),
      subRun: (step, attempt) => this.#subRun(run, step, attempt),
      wild: (step) => run.wild.has(step),
      commanded: run.commanded,
      raced: (step) => run.raced.has(step),
      carried: (step) => earlier?.state?.steps[step]?.outcome === 'succeeded',
    };
  }

  #subRun(run: RunFacts, step: string, attempt: number): 'none' | 'open' | 'succeeded' | 'failed' {
    const child = [...this.runs.values()].find(({ request: { parent } }) => parent?.uid === run.uid && parent.step === step && parent.attempt === attempt);
    if (!child) return 'none';
    if (!child.result) return 'open';
    return child.result.outcome === 'succeeded' ? 'succeeded' : 'failed';
  }

  #report(text: string): void {
    this.violations.push(`${(this.#options.world.clock.monotonic() / 1000).toFixed(3)} s: ${text}`);
  }

  #notice(change: Change): void {
    if (change.resource === jobs) this.#job(change);
    else if (change.resource === pods) this.#pod(change);
    else if (change.resource === configMaps && change.object.metadata.labels?.[keys.recordLabel] === 'run') this.#record(change);
  }

  // Pods

  #pod({ type, object }: Change): void {
    const pod = asPod(object);
    const job = this.#jobs.get(jobUidOf(pod));
    if (!job) return;
    job.everyPod.set(pod.metadata.uid, { index: indexOf(pod), disrupted: hasCondition(pod.status, 'DisruptionTarget') });
    const states = pod.status.containerStatuses ?? [];
    const ended = states.length > 0 && states.every(({ state }) => state.terminated !== undefined);
    if (type === 'DELETED' || isTerminal(pod) || ended) job.livePods.delete(pod.metadata.uid);
    else job.livePods.add(pod.metadata.uid);
    const worked = ended && pod.metadata.deletionTimestamp === undefined && states.every(({ state }) => state.terminated?.['exitCode'] === 0);
    if (worked) job.good.add(indexOf(pod));
  }

  // Jobs

  #job({ type, object }: Change): void {
    const job = asJob(object);
    if (job.metadata.labels?.[keys.jobKindLabel] !== 'workflow') return;
    if (type === 'ADDED') this.#born(job);
    const facts = this.#jobs.get(job.metadata.uid);
    if (!facts) return;
    facts.verdict ??= hasCondition(job.status, 'Complete') ? 'Complete' : hasCondition(job.status, 'Failed') ? 'Failed' : undefined;
    facts.ended ||= (job.metadata.annotations?.[keys.outcomeAnnotation] ?? '').includes('"RunCancelled"');
    if (type === 'DELETED') facts.gone = true;
  }

  #born(job: JobObject): void {
    const { name, uid, labels = {} } = job.metadata;
    const run = this.runs.get(job.metadata.ownerReferences?.[0]?.uid ?? '');
    const role: Role = job.spec.template.spec.containers[0]?.image === undoImage ? 'undo' : 'do';
    const step = labels[keys.stepLabel] ?? '';
    const item = Number(labels[keys.indexLabel] ?? 0);
    const attempt = Number(labels[keys.attemptLabel]);
    if (!run?.model) {
      this.#report(`Job "${name}" of step "${step}" is created for a run that nobody knows`);
      return;
    }
    const facts: JobFacts = { name, uid, run, step, role, item, attempt, bornAt: this.#options.world.clock.now(), raced: this.#options.racing(), good: new Set(), livePods: new Set(), everyPod: new Map(), pods: job.spec.completions ?? 1, verdict: undefined, ended: false, gone: false, byHand: false };
    this.#checkBirth(facts, run.model);
    const place = placeOf(step, role, item, attempt);
    run.jobs.set(place, facts);
    if (facts.raced) run.raced.add(step);
    this.#jobs.set(uid, facts);
    const line = this.#lines.get(lineOf(facts));
    if (line) line.push(facts);
    else this.#lines.set(lineOf(facts), [facts]);
    this.#checkLimit(run, run.model);
  }

  #checkBirth(job: JobFacts, model: WorkflowModel): void {
    const { run, step, role, item, attempt } = job;
    const what = `Job "${job.name}" (run "${run.name}", ${role} ${step}, item ${item}, attempt ${attempt})`;
    const twin = run.jobs.get(placeOf(step, role, item, attempt));
    if (twin && !twin.byHand && !run.gone) this.#report(`${what} is created again`);
    // Under one name nobody can tell what somebody deleted from what was never made, while two processes act.
    const isExcused = (other: JobFacts): boolean => other.byHand && other.name === job.name && job.raced;
    for (const other of this.#lines.get(lineOf(job)) ?? []) if (this.isLive(other) && !isExcused(other)) this.#report(`${what} is created while "${other.name}" (attempt ${other.attempt}) lives`);
    if (run.gone) return;
    if (run.result && !job.raced) this.#report(`${what} is created after the run's end`);
    // Of two processes one may know nothing of a spec that has just come back.
    const truth = this.truthOf(run, model);
    const oracle = new Oracle(job.raced && isOfGit(run) ? { ...truth, commanded: true } : truth);
    const objection = role === 'undo' ? oracle.undoObjection(step) : oracle.objection(step, item, attempt);
    if (objection !== undefined) this.#report(`${what} is created although ${objection}`);
  }

  /** Its outcome is not known, or a container of it runs. */
  isLive(job: JobFacts): boolean {
    if (job.livePods.size > 0) return true;
    if (job.gone || job.verdict !== undefined) return false;
    return job.good.size < job.pods;
  }

  #checkLimit(run: RunFacts, { maxParallel }: WorkflowModel): void {
    if (maxParallel === undefined || this.#options.racing()) return;
    const live = [...run.jobs.values()].filter((job) => this.isLive(job)).length;
    const children = [...this.runs.values()].filter(({ request, result, gone }) => request.parent?.uid === run.uid && !result && !gone).length;
    if (live + children > maxParallel) this.#report(`run "${run.name}" has ${live} live Jobs and ${children} sub-runs, more than its maxParallel of ${maxParallel}`);
  }

  // Records

  #record({ type, object, previous }: Change): void {
    const { uid, name } = object.metadata;
    if (type === 'ADDED') this.#made(object);
    const run = this.runs.get(uid);
    if (!run) return;
    if (type === 'DELETED') {
      run.gone = true;
      // Its owner took it along before its time.
      if (!run.result) this.forget(uid);
      return;
    }
    this.#learn(run, object, previous);
    const size = Buffer.byteLength(JSON.stringify(object));
    if (size > 1_048_576) this.#report(`record "${name}" has ${size} bytes`);
  }

  #made(object: KubeObject): void {
    const { uid, name, annotations = {}, labels = {} } = object.metadata;
    const request = JSON.parse(annotations[keys.requestAnnotation] ?? '{}') as RunRequest;
    const run: RunFacts = { uid, name, workflow: labels[keys.nameLabel] ?? '', request, model: undefined, jobs: new Map(), wild: new Set(), raced: new Set(), commanded: false, approvals: new Map(), state: undefined, result: undefined, gone: false };
    this.runs.set(uid, run);
    if (isOfGit(run) && this.#options.world.clock.now() < (this.#specDeleted.get(run.workflow) ?? -Infinity) + aMoment) run.commanded = true;
    if (request.parent && this.#options.racing()) this.runs.get(request.parent.uid)?.raced.add(request.parent.step);
    if (request.trigger === 'change') {
      const pair = `${request.specHash ?? ''} ${request.source ?? ''}`;
      if (this.#lastChange.get(run.workflow) === pair && !this.#options.racing()) this.#report(`run "${name}" repeats the change run before it`);
      this.#lastChange.set(run.workflow, pair);
    }
    if (request.scheduledAt === undefined) return;
    const at = scheduledPlace(run);
    if (this.#scheduled.has(at)) this.#report(`run "${name}" uses a scheduled time for the second time`);
    this.#scheduled.add(at);
  }

  #learn(run: RunFacts, object: KubeObject, previous: KubeObject | undefined): void {
    const annotations = object.metadata.annotations ?? {};
    run.commanded ||= annotations[keys.cancelAnnotation] !== undefined;
    run.approvals = approvalsIn(annotations[keys.approvalsAnnotation]);
    const text = stringAt(objectAt(object, 'data'), keys.specKey);
    if (run.model === undefined && text !== undefined) {
      run.model = this.#options.modelOf(text);
      this.#admitted(run);
    }
    if (dataOf(object) !== dataOf(previous)) this.#compare(run, stateOf(object));
    const result = annotations[keys.resultAnnotation];
    if (result === undefined || run.result) return;
    run.result = JSON.parse(result) as RunResult;
    run.commanded ||= run.state?.stopping?.reason === 'SpecDeleted';
    if (run.model) for (const problem of checkEnd(this.truthOf(run, run.model), run)) this.#report(`run "${run.name}": ${problem}`);
  }

  #admitted(run: RunFacts): void {
    if (!run.model || this.#options.racing()) return;
    const active = [...this.runs.values()].filter(({ workflow, model, result, gone }) => workflow === run.workflow && model && !result && !gone).length;
    if (active > run.model.concurrency) this.#report(`run "${run.name}" begins as number ${active} of "${run.workflow}", whose concurrency is ${run.model.concurrency}`);
  }

  /** What has an outcome never changes it, and nothing that was written is lost. */
  #compare(run: RunFacts, state: RunState | undefined): void {
    const before = run.state;
    run.state = state;
    if (!before) return;
    if (!state) {
      this.#report(`record "${run.name}" has lost its state`);
      return;
    }
    if (before.end && JSON.stringify(before.end) !== JSON.stringify(state.end)) this.#report(`the end of run "${run.name}" changed from ${JSON.stringify(before.end)} to ${JSON.stringify(state.end)}`);
    if (before.stopping && !state.stopping) this.#report(`run "${run.name}" does not stop any more`);
    for (const part of ['steps', 'undo'] as const) for (const [name, step] of Object.entries(before[part])) this.#compareStep(`${run.name}: ${part} ${name}`, step, state[part][name]);
  }

  #compareStep(what: string, before: StepState, after: StepState | undefined): void {
    if (!after) {
      this.#report(`${what} is gone from its record`);
      return;
    }
    for (const field of ['outcome', 'reason', 'at', 'outputs'] as const) {
      if (before.outcome !== undefined && JSON.stringify(before[field]) !== JSON.stringify(after[field])) this.#report(`${what}: ${field} of what had ended changed from ${JSON.stringify(before[field])} to ${JSON.stringify(after[field])}`);
    }
    if ((after.attempts?.length ?? 0) < (before.attempts?.length ?? 0)) this.#report(`${what} has lost an attempt`);
    before.attempts?.forEach(({ job, outcome }, index) => {
      const now = after.attempts?.[index];
      if (now && (now.job !== job || (outcome !== undefined && now.outcome !== outcome))) this.#report(`${what}: attempt ${index + 1} changed from ${job} ${outcome} to ${now.job} ${now.outcome}`);
    });
    before.items?.forEach(({ outcome }, index) => {
      if (outcome !== undefined && after.items?.[index]?.outcome !== outcome) this.#report(`${what}: item ${index} changed from ${outcome} to ${after.items?.[index]?.outcome}`);
    });
  }

  /** What is left at the end that belongs to nobody. */
  checkLeftovers(): void {
    const { store } = this.#options.world.cluster;
    const owned = [...store.list(jobs).filter(({ metadata }) => metadata.labels?.[keys.jobKindLabel] === 'workflow'), ...store.list(configMaps).filter(({ metadata }) => ['items', 'files'].includes(metadata.labels?.[keys.recordLabel] ?? ''))];
    for (const { kind, metadata } of owned) {
      const owner = metadata.ownerReferences?.[0];
      if (!owner || !store.byUid(owner.uid)) this.#report(`${kind} "${metadata.name}" is left behind`);
    }
  }
}

function stepOf(model: WorkflowModel, name: string): StepModel | undefined {
  return model.steps.find((step) => step.name === name) ?? model.late.find((step) => step.name === name);
}

const goodFates: readonly Fate['kind'][] = ['ok', 'evicted', 'nodeLost'];

function attemptTruth(job: JobFacts | undefined, step: StepModel | undefined): AttemptTruth {
  if (!job || !step) return 'none';
  const fate = job.role === 'undo' ? step.undoFate : fateOf(step, job.item, job.attempt);
  const isGood = goodFates.includes(fate.kind);
  if (job.verdict === 'Complete' || job.good.size > 0) return isGood ? 'done' : 'strange';
  if (job.verdict === undefined) return job.gone ? 'strange' : 'open';
  if (job.ended) return 'ended';
  return isGood ? 'strange' : 'done';
}

function indexedTruth(job: JobFacts | undefined, count: number): AttemptTruth {
  if (!job) return 'none';
  if (job.verdict === 'Complete' || job.good.size >= count) return 'done';
  if (job.verdict === undefined) return job.gone ? 'strange' : 'open';
  return job.ended ? 'ended' : 'done';
}

function lineOf({ run, step, role, item }: JobFacts): string {
  return `${run.name}/${step}/${role}/${item}`;
}

/** By the label, which stays when a Job is deleted with its pods orphaned. */
export function jobUidOf({ metadata }: PodObject): string {
  return metadata.labels?.['batch.kubernetes.io/controller-uid'] ?? '';
}

/** Completion index. */
export function indexOf({ metadata }: PodObject): number {
  return Number(metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? 0);
}

/** How long a watch may be behind, and a request under way. */
const aMoment = 5 * 60_000;

function isOfGit({ request: { trigger } }: RunFacts): boolean {
  return trigger === 'change' || trigger === 'schedule';
}

function scheduledPlace({ workflow, request }: RunFacts): string {
  return `${workflow} ${request.scheduledAt ?? 0}`;
}

function approvalsIn(text = ''): ReadonlyMap<string, 'approved' | 'rejected'> {
  return new Map(text.split(',').filter((part) => part !== '').map((part) => [part.split('=')[0] ?? '', part.endsWith('=rejected') ? 'rejected' : 'approved']));
}

function dataOf(object: KubeObject | undefined): unknown {
  return stringAt(objectAt(object, 'binaryData'), keys.compressedStateKey) ?? stringAt(objectAt(object, 'data'), keys.stateKey);
}

export function stateOf(record: KubeObject): RunState | undefined {
  const packed = stringAt(objectAt(record, 'binaryData'), keys.compressedStateKey);
  const text = packed === undefined ? stringAt(objectAt(record, 'data'), keys.stateKey) : gunzipSync(Buffer.from(packed, 'base64')).toString();
  return text === undefined ? undefined : (JSON.parse(text) as RunState);
}

