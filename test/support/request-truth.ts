/**
 * What really becomes of requests for runs of templates, watched from outside, and what must hold after every change: one
 * record for each request, one Job for each attempt, never two at once, none after a success, and the values that were
 * asked for, whatever the request says later.
 */
import { arrayAt, isObject, numberAt, objectAt, parseJson, stringAt } from '../../src/lib/json.ts';
import { asJob, asPod, hasCondition, isTerminal, type JobObject, type PodObject } from '../../src/simulation/job-shape.ts';
import { configMaps, jobs, pods, type KubeObject } from '../../src/simulation/objects.ts';
import type { Change } from '../../src/simulation/store.ts';
import * as keys from '../../src/spec/keys.ts';
import { jobUidOf } from './storm-truth.ts';
import type { Simulation } from './simulation.ts';

interface JobFacts {
  readonly name: string;
  readonly run: RequestedRunFacts;
  readonly attempt: number;
  readonly livePods: Set<string>;
  worked: boolean;
  over: boolean;
  gone: boolean;
  byHand: boolean;
}

export interface RequestedRunFacts {
  readonly name: string;
  readonly uid: string;
  /** UID of the Run that asked; undefined: somebody asked with a key, which is in the name. */
  readonly source: string | undefined;
  /** The parameter `n`. */
  readonly value: number | undefined;
  readonly jobs: JobFacts[];
  /** Attempts that the text allows which it was begun with; undefined: it has not begun. */
  attempts: number | undefined;
  outcome: string | undefined;
  cancelled: boolean;
  /** People meddled with its Jobs or pods. */
  wild: boolean;
  gone: boolean;
  /** Somebody's hand deleted its record. */
  forgotten: boolean;
}

export interface RequestTruthOptions {
  readonly world: Simulation;
  /** Two controllers may act at once, or one that died has requests on their way. */
  readonly racing: () => boolean;
  /** Which attempt of a run with this value is the first that succeeds, from 1. */
  readonly succeedsAt: (value: number) => number;
}

export class RequestTruth {
  readonly violations: string[] = [];
  readonly runs = new Map<string, RequestedRunFacts>();
  readonly #options: RequestTruthOptions;
  readonly #jobs = new Map<string, JobFacts>();
  /** Requests that have had a record: by UID of the Run, or by name. */
  readonly #asked = new Set<string>();
  /** Of these, those that nothing remembers any more. */
  readonly #forgotten = new Set<string>();

  constructor(options: RequestTruthOptions) {
    this.#options = options;
    options.world.cluster.store.subscribe((change) => { this.#notice(change); });
  }

  /** The attempt that a pod works for, and the value of its run. */
  workOf(pod: PodObject): { readonly value: number; readonly attempt: number } | undefined {
    const job = this.#jobs.get(jobUidOf(pod));
    return job?.run.value === undefined ? undefined : { value: job.run.value, attempt: job.attempt };
  }

  /** Somebody meddles with a Job, or with a pod of it. */
  meddle(jobUid: string, deletes: boolean): void {
    const job = this.#jobs.get(jobUid);
    if (!job) return;
    job.run.wild = true;
    job.byHand ||= deletes;
  }

  /** Somebody is about to delete a record. */
  forget(uid: string): void {
    const run = this.runs.get(uid);
    if (run) run.forgotten = true;
  }

  /** Somebody took away what job-chief has written on a Run. */
  stripped(uid: string): void {
    if (this.recordOf(uid) === undefined) this.#forgotten.add(uid);
  }

  recordOf(source: string): RequestedRunFacts | undefined {
    return [...this.runs.values()].find((run) => run.source === source && !run.gone);
  }

  #report(text: string): void {
    this.violations.push(`${(this.#options.world.clock.monotonic() / 1000).toFixed(3)} s: ${text}`);
  }

  #notice(change: Change): void {
    if (change.resource === jobs) this.#job(change);
    else if (change.resource === pods) this.#pod(asPod(change.object), change.type);
    else if (change.resource === configMaps && change.object.metadata.labels?.[keys.recordLabel] === 'run') this.#record(change);
  }

  #record({ type, object }: Change): void {
    if (type === 'ADDED') this.#asks(object);
    const run = this.runs.get(object.metadata.uid);
    if (!run) return;
    if (type === 'DELETED') this.#gone(run);
    else this.#learn(run, object);
  }

  #asks(record: KubeObject): void {
    const { name, uid, annotations = {} } = record.metadata;
    const source = stringAt(parseJson(annotations[keys.requestAnnotation] ?? ''), 'source');
    const value = numberAt(parseJson(stringAt(objectAt(record, 'data'), keys.parametersKey) ?? ''), 'n');
    const request = source ?? name;
    if (this.#asked.has(request) && !this.#forgotten.has(request)) this.#report(`run "${name}" is the second one of one request`);
    this.#asked.add(request);
    this.#forgotten.delete(request);
    this.runs.set(uid, { name, uid, source, value, jobs: [], attempts: undefined, outcome: undefined, cancelled: false, wild: false, gone: false, forgotten: false });
  }

  /** A Run that is still there keeps its record; where somebody deleted it, the Run's status remembers it. */
  #gone(run: RequestedRunFacts): void {
    run.gone = true;
    const { source } = run;
    if (source === undefined) {
      this.#forgotten.add(run.name);
      return;
    }
    const asker = this.#options.world.cluster.store.byUid(source)?.object;
    if (asker && !run.forgotten) this.#report(`the record of run "${run.name}" is deleted, and Run "${asker.metadata.name}" is still there`);
    const status = parseJson(asker?.metadata.annotations?.[keys.statusAnnotation] ?? '');
    if (stringAt(objectAt(status, 'run'), 'name') !== run.name || this.#options.racing()) this.#forgotten.add(source);
  }

  #learn(run: RequestedRunFacts, record: KubeObject): void {
    const { annotations = {} } = record.metadata;
    run.cancelled ||= annotations[keys.cancelAnnotation] !== undefined;
    const text = stringAt(objectAt(record, 'data'), keys.specKey);
    if (text !== undefined) run.attempts ??= numberAt(objectAt(parseJson(text), 'retry'), 'attempts') ?? 1;
    const result = parseJson(annotations[keys.resultAnnotation] ?? '');
    if (!isObject(result)) return;
    const outcome = stringAt(result, 'outcome') ?? '';
    if (run.outcome !== undefined && run.outcome !== outcome) this.#report(`the outcome of run "${run.name}" changed from ${run.outcome} to ${outcome}`);
    if (run.outcome === undefined) this.#ends(run, outcome);
    run.outcome = outcome;
  }

  #ends(run: RequestedRunFacts, outcome: string): void {
    if (run.wild || run.cancelled || run.value === undefined || run.attempts === undefined) return;
    const at = this.#options.succeedsAt(run.value);
    const [expected, count] = at <= run.attempts ? ['succeeded', at] : ['failed', run.attempts];
    if (outcome !== expected || run.jobs.length !== count) this.#report(`run "${run.name}" has ${outcome} after ${run.jobs.length} Jobs, and had to have ${expected} after ${count}`);
  }

  #job({ type, object }: Change): void {
    const job = asJob(object);
    if (job.metadata.labels?.[keys.jobKindLabel] !== 'template') return;
    if (type === 'ADDED') this.#born(job);
    const facts = this.#jobs.get(job.metadata.uid);
    if (!facts) return;
    facts.over ||= hasCondition(job.status, 'Complete') || hasCondition(job.status, 'Failed');
    if (type === 'DELETED') facts.gone = true;
  }

  #born(job: JobObject): void {
    const { name, uid, labels = {}, ownerReferences = [] } = job.metadata;
    const run = this.runs.get(ownerReferences[0]?.uid ?? '');
    if (!run) {
      this.#report(`Job "${name}" is created for a run that nobody knows`);
      return;
    }
    const facts: JobFacts = { name, run, attempt: Number(labels[keys.attemptLabel]), livePods: new Set(), worked: false, over: false, gone: false, byHand: false };
    for (const objection of this.#objections(facts, job)) this.#report(`Job "${name}" (run "${run.name}", attempt ${facts.attempt}) is created although ${objection}`);
    run.jobs.push(facts);
    this.#jobs.set(uid, facts);
  }

  #objections({ name, run, attempt }: JobFacts, job: JobObject): string[] {
    const racing = this.#options.racing();
    // Somebody's hand deleted it, or its record, with which it goes; of two processes without a Lease the second knows no better.
    const live = run.jobs.filter((other) => isLive(other) && !(racing && (other.byHand || run.forgotten) && other.name === name));
    const args = arrayAt(arrayAt(objectAt(objectAt(objectAt(job, 'spec'), 'template'), 'spec'), 'containers')[0], 'args');
    return [
      ...live.map((other) => `"${other.name}" lives`),
      ...run.jobs.filter((other) => other.attempt === attempt && !other.byHand && !run.gone).map(() => 'that attempt was made before'),
      ...run.jobs.filter((other) => other.worked && !other.byHand).map((other) => `"${other.name}" has succeeded`),
      ...(run.outcome !== undefined && !racing ? ['its run is over'] : []),
      ...(attempt > (run.attempts ?? 0) ? [`there may be ${run.attempts ?? 0} attempts`] : []),
      ...(args[0] === String(run.value) ? [] : [`it was asked for with ${run.value ?? 'nothing'}, and gets ${JSON.stringify(args)}`]),
    ];
  }

  #pod(pod: PodObject, type: Change['type']): void {
    const job = this.#jobs.get(jobUidOf(pod));
    if (!job) return;
    const states = pod.status.containerStatuses ?? [];
    const ended = states.length > 0 && states.every(({ state }) => state.terminated !== undefined);
    if (type === 'DELETED' || isTerminal(pod) || ended) job.livePods.delete(pod.metadata.uid);
    else job.livePods.add(pod.metadata.uid);
    job.worked ||= ended && pod.metadata.deletionTimestamp === undefined && states.every(({ state }) => state.terminated?.['exitCode'] === 0);
  }
}

/** A container of it runs, or nobody knows how it ended. */
function isLive({ livePods, worked, over, gone }: JobFacts): boolean {
  return livePods.size > 0 || !(worked || over || gone);
}
