/**
 * A stormy day of workflows, drawn from a seed: as queue-storm.ts for queues, with random workflows whose pods have their fates
 * fixed beforehand. People edit, break, delete, re-create and rename specs, ask for runs, cancel, suspend, approve and
 * reject, delete Jobs, pods and records, and prune what has finished. What must hold is checked after every change
 * (storm-truth.ts), and what each run came to is held against an oracle (storm-oracle.ts). Then the storm ends, and
 * everything must come to its end.
 */
import { recordManifest } from '../../src/adapters/kubernetes/record-manifest.ts';
import { encodeParameters } from '../../src/adapters/kubernetes/record-codec.ts';
import type { Json, JsonObject } from '../../src/lib/json.ts';
import type { RunRequest } from '../../src/plan/run/record.ts';
import type { RunState } from '../../src/plan/run/state.ts';
import { isFinished, type PodObject } from '../../src/simulation/job-shape.ts';
import { configMaps, jobs, type KubeObject, pods } from '../../src/simulation/objects.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import type { Random } from '../../src/simulation/random.ts';
import type { DeleteOptions } from '../../src/simulation/registry.ts';
import * as keys from '../../src/spec/keys.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { minute, Storm, type StormOptions, type StormResult } from './storm.ts';
import { drawWorkflow, outputValue, type Fate, type WorkflowModel } from './storm-model.ts';
import { fateOf } from './storm-oracle.ts';
import { indexOf, jobUidOf, stateOf, Truth } from './storm-truth.ts';

/** After the storm everything must be done within this time: many attempts that never start, one after the other. */
const convergence = 24 * 60 * minute;
/** A watch whose history is gone begins with such a request. */
const listed = /\/(jobs|pods|configmaps)$/u;
/** What other workflows have as steps. */
const childName = 'kid';

export function stormOfWorkflows(seed: number, options: StormOptions = {}): Promise<StormResult> {
  return new WorkflowStorm(seed, options).day();
}

class WorkflowStorm extends Storm {
  protected readonly pace = 15_000;
  readonly #names = ['alpha', 'beta'].slice(0, this.random.int(1, 2));
  protected readonly end = this.lasts(5, 20);
  /** People change specs and ask for runs, and nothing worse: what comes of each run is fixed then. */
  readonly #peaceful = this.random.chance(0.4);
  readonly #fair = this.random.chance(0.2);
  protected readonly crew = this.hire(this.end);
  readonly #limits = this.limit(4);
  readonly #truth: Truth;
  /** What every spec text means. */
  readonly #models = new Map<string, WorkflowModel>();
  /** Spec ConfigMaps by logical name: the object's name changes with renames. */
  readonly #objects = new Map<string, string>();
  #revision = 0;
  #requests = 0;

  constructor(seed: number, options: StormOptions) {
    super('workflows', seed, options);
    this.#truth = new Truth({ world: this.world, racing: () => this.crew.racing, modelOf: (text) => this.#models.get(text) });
    this.world.cluster.script = (pod, podRandom) => this.#script(pod, podRandom);
    this.world.cluster.store.subscribe((change) => {
      if (change.resource === jobs || change.resource === pods || change.object.metadata.labels?.[keys.recordLabel] === 'run') this.tell(`${change.type} ${change.resource.plural}/${change.object.metadata.name} ${summary(change.object)}`);
    });
  }

  protected begin(): void {
    for (const name of [childName, ...this.#names]) this.#apply(name);
    this.start();
    this.schedule(20_000, 120_000);
  }

  protected mend(): void {
    this.#limits.mend();
    for (const name of [childName, ...this.#names]) this.#apply(name, { last: true });
  }

  protected async converge(): Promise<void> {
    await this.#untilDone();
    await this.world.run(3 * minute);
    await this.#idle();
    this.#checkStatuses();
    this.#truth.checkLeftovers();
    for (const violation of this.#truth.violations) this.problem(violation);
  }

  /** People give their answers, and let go on what they held. */
  async #untilDone(): Promise<void> {
    const end = this.world.clock.now() + convergence;
    let done = false;
    while (!done && this.world.clock.now() < end) {
      for (const record of this.#records()) {
        if (record.metadata.annotations?.[keys.suspendAnnotation] === 'true') this.#annotate(record, { [keys.suspendAnnotation]: 'false' });
        this.#answer(record, 1);
      }
      done = await this.world.runUntil(() => this.#isDone(), 5 * minute);
    }
    if (done) return;
    const open = this.#records().filter(({ metadata }) => !isOver(metadata.labels?.[keys.stateLabel]));
    this.problem(`not converged ${convergence / minute} min after the storm: ${open.map(({ metadata, ...rest }) => `${metadata.name} is ${metadata.labels?.[keys.stateLabel]} ${stateText(stateOf({ metadata, ...rest }))}`).join(', ')}; ${this.leftLiving}`);
  }

  #isDone(): boolean {
    if (!this.nothingLives) return false;
    return this.#records().every(({ metadata }) => isOver(metadata.labels?.[keys.stateLabel])) && this.#names.every((name) => this.#hasRun(name));
  }

  /** The spec as it is now has been run. */
  #hasRun(name: string): boolean {
    const object = this.world.configMap(this.#objects.get(name) ?? '');
    const text = specTextOf(object);
    return [...this.#truth.runs.values()].some(({ request, model }) => request.trigger === 'change' && request.source === object?.metadata.uid && model !== undefined && model === this.#models.get(text));
  }

  /** Those that keep the Lease and the watches go on for ever, and broken watches begin anew with a list; nobody else asks for anything. */
  async #idle(): Promise<void> {
    const made = (await this.requestsWithin(5 * minute)).filter(({ query }) => query?.['watch'] !== 'true');
    const [lists, others] = [made.filter(({ method, path }) => method === 'GET' && listed.test(path)), made.filter(({ method, path }) => method !== 'GET' || !listed.test(path))];
    if (others.length > 0) this.problem(`${others.length} requests in 5 idle minutes: ${[...new Set(others.map(({ method, path }) => `${method} ${path}`))].slice(0, 5).join(', ')}`);
    if (lists.length > 12 * this.crew.living) this.problem(`${lists.length} lists in 5 idle minutes`);
  }

  #checkStatuses(): void {
    for (const name of this.#names) {
      const object = this.#objects.get(name) ?? '';
      const state = this.world.configMap(object)?.metadata.labels?.[keys.stateLabel];
      const status = this.world.status(object) as { state?: string; activeRuns?: number; queuedRuns?: number } | undefined;
      if (state !== 'Idle' || status?.state !== 'Idle' || status.activeRuns !== 0 || status.queuedRuns !== 0) this.problem(`status of "${object}" is not true at the end: label ${String(state)}, ${JSON.stringify(status)}`);
    }
  }

  #records(): KubeObject[] {
    return this.world.cluster.store.list(configMaps).filter(({ metadata }) => metadata.labels?.[keys.recordLabel] === 'run');
  }

  // What people and the weather do

  protected something(): void {
    for (const record of this.#records()) this.#answer(record, 0.2);
    if (this.highAvailability && this.random.chance(0.2)) this.crew.cut();
    if (this.random.chance(this.highAvailability ? 0.3 : 0.1)) this.random.pick<() => void>([() => { this.crew.replace(); }, () => { this.crew.jump(); }])();
    const always = [
      () => { this.#request(); },
      () => { this.#request(); },
      () => { this.crew.kill(); },
      () => { this.crew.kill(); },
      () => { this.#apply(this.random.pick([childName, ...this.#names])); },
      () => { this.#suspend(); },
      () => { this.changeQuota('count/jobs.batch'); },
      () => { this.world.cluster.store.compact(); },
    ];
    const rude = [
      () => { this.#remove(); },
      () => { this.#rename(); },
      () => { this.#cancel(); },
      () => { this.#deleteJob(); },
      () => { this.#deleteJob(); },
      () => { this.#prune(); },
      () => { this.losePod((pod) => { this.#truth.meddle(jobUidOf(pod), false); }); },
      () => { this.#deleteRecord(); },
      () => { this.#misstate(); },
    ];
    this.random.pick<() => void>(this.#peaceful ? always : [...always, ...rude])();
  }

  #apply(name: string, { last = false } = {}): void {
    const random = this.random;
    const object = this.#objects.get(name) ?? name;
    this.#objects.set(name, object);
    const model = this.#draw(name, last);
    const broken = !last && random.chance(0.1);
    const suspend = !last && random.chance(0.1);
    const text = broken ? 'kind: Workflow\n\tthis: is no YAML\n' : JSON.stringify({ ...model.spec, suspend }, undefined, 1);
    this.#models.set(text, model);
    this.tell(`apply ${object} revision ${model.revision}${broken ? ' (broken)' : ''}${suspend ? ' (suspended)' : ''} ${broken ? '' : modelText(model)}`);
    this.#put(object, text);
  }

  #put(object: string, text: string): void {
    this.world.applyObject(configMaps, { metadata: { name: object, labels: { [keys.kindLabel]: 'workflow' } }, data: { [keys.specKey]: text } });
  }

  /** One that the spec ring takes: what can never start is a problem of the spec. */
  #draw(name: string, last: boolean): WorkflowModel {
    const trigger = (): JsonObject => ({
      onRequest: true,
      ...(name !== childName && { onChange: true }),
      ...(name !== childName && !last && this.random.chance(0.2) && { schedules: ['*/3 * * * *'], concurrencyPolicy: this.random.pick(['Forbid', 'Replace', 'Allow']) }),
    });
    for (;;) {
      this.#revision += 1;
      const model = drawWorkflow(this.random, { name, revision: this.#revision, child: name === childName ? undefined : childName, fair: this.#fair, trigger: trigger(), aging: !last && this.random.chance(0.3) });
      const parsed = parseSpec({ file: 'x', objectName: name, label: 'workflow', data: { [keys.specKey]: JSON.stringify(model.spec) } }, {});
      const errors = parsed.problems.filter(({ severity }) => severity === 'error');
      if (errors.length === 0) return model;
      if (errors.some(({ code }) => code !== 'NeverStarts')) throw new Error(`a workflow that is none was drawn: ${JSON.stringify(errors)}`);
    }
  }

  /** As the CLI does it: a queued record. */
  #request(): void {
    const name = this.random.pick([childName, ...this.#names]);
    this.#requests += 1;
    const over = this.#records().filter(({ metadata }) => isOver(metadata.labels?.[keys.stateLabel]) && metadata.labels?.[keys.nameLabel] === name);
    const earlier = over.length > 0 && !this.#peaceful && this.random.chance(0.3) ? this.random.pick(over) : undefined;
    const request: RunRequest = { workflow: name, trigger: 'request', ...(earlier && { rerunOf: { run: earlier.metadata.name, uid: earlier.metadata.uid } }) };
    const record = `${name}-asked-${this.#requests}`;
    this.tell(`ask for ${record}${earlier ? ` again as ${earlier.metadata.name}` : ''}`);
    const manifest = recordManifest({ name: record, request, parameters: {}, data: undefined, owner: undefined }, encodeParameters({}), 'default');
    this.world.cluster.registry.create(configMaps, manifest);
  }

  #annotate(record: KubeObject, annotations: Readonly<Record<string, string>>): void {
    this.tell(`annotate ${record.metadata.name} ${JSON.stringify(annotations)}`);
    this.world.cluster.registry.update(configMaps, record.metadata.name, (object) => ({ ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } } }));
  }

  /** To what a run asks, or will ask. */
  #answer(record: KubeObject, chance: number): void {
    const { annotations = {}, labels = {} } = record.metadata;
    if (isOver(labels[keys.stateLabel])) return;
    const model = this.#models.get(specTextOf(record));
    const given = (annotations[keys.approvalsAnnotation] ?? '').split(',').filter((part) => part !== '');
    const open = [...(model?.steps ?? []), ...(model?.late ?? [])].filter(({ name, work }) => work.kind === 'approve' && !given.some((part) => part.split('=')[0] === name));
    const answered = open.filter(() => this.random.chance(chance)).map(({ name }) => `${name}${this.random.chance(0.3) ? '=rejected' : ''}`);
    if (answered.length > 0) this.#annotate(record, { [keys.approvalsAnnotation]: [...given, ...answered].join(',') });
  }

  #someRun(): KubeObject | undefined {
    const running = this.#records().filter(({ metadata }) => !isOver(metadata.labels?.[keys.stateLabel]) && metadata.deletionTimestamp === undefined);
    return running.length === 0 ? undefined : this.random.pick(running);
  }

  #suspend(): void {
    const record = this.#someRun();
    if (record) this.#annotate(record, { [keys.suspendAnnotation]: record.metadata.annotations?.[keys.suspendAnnotation] === 'true' ? 'false' : 'true' });
  }

  #cancel(): void {
    const record = this.#someRun();
    if (record) this.#annotate(record, { [keys.cancelAnnotation]: 'enough' });
  }

  /** Somebody takes the label for the run, or tidies annotations up. */
  #misstate(): void {
    const all = this.#records().filter(({ metadata }) => metadata.deletionTimestamp === undefined && metadata.labels?.[keys.stateLabel] !== 'Queued');
    if (all.length === 0) return;
    const { name, annotations = {} } = this.random.pick(all).metadata;
    const { [keys.resultAnnotation]: result, ...others } = annotations;
    const label = this.random.pick(['Succeeded', 'Failed', 'Cancelled']);
    this.tell(result === undefined ? `label ${name} as ${label}` : `take the result of ${name} away`);
    this.world.cluster.registry.update(configMaps, name, (object) => ({ ...object, metadata: { ...object.metadata, annotations: others, ...(result === undefined && { labels: { ...object.metadata.labels, [keys.stateLabel]: label } }) } }));
  }

  #deleteRecord(): void {
    const all = this.#records();
    if (all.length === 0) return;
    const { name, uid } = this.random.pick(all).metadata;
    const options: DeleteOptions = { propagation: this.random.pick(['Foreground', 'Background'] as const) };
    this.tell(`delete record ${name} (${options.propagation})`);
    this.#truth.forget(uid);
    this.world.cluster.registry.delete(configMaps, name, options);
  }

  #remove(): void {
    const name = this.random.pick([childName, ...this.#names]);
    const object = this.#objects.get(name) ?? '';
    const text = specTextOf(this.world.configMap(object));
    const again = (): void => {
      if (this.world.clock.now() >= this.end || this.#objects.get(name) !== object) return;
      this.tell(`create ${object} again`);
      this.#put(object, text);
    };
    this.removeSpec(object, again, () => { this.#truth.specDeleted(name); });
  }

  #rename(): void {
    const name = this.random.pick([childName, ...this.#names]);
    const old = this.#objects.get(name) ?? '';
    const text = specTextOf(this.world.configMap(old));
    if (text === '') return;
    this.renameSpec(old, name, (object) => {
      this.#objects.set(name, object);
      this.#put(object, text);
    }, () => { this.#truth.specDeleted(name); });
  }

  #deleteJob(): void {
    const all = this.world.jobs();
    if (all.length > 0) this.#drop(this.random.pick(all), this.random.pick(['Foreground', 'Background', 'Orphan'] as const));
  }

  /** Somebody keeps the namespace tidy. */
  #prune(): void {
    for (const job of this.world.jobs()) if (isFinished(job)) this.#drop(job, 'Background');
  }

  #drop({ metadata: { name, uid } }: KubeObject, propagation: NonNullable<DeleteOptions['propagation']>): void {
    this.tell(`delete Job ${name} (${propagation})`);
    this.#truth.meddle(uid, true);
    this.world.cluster.registry.delete(jobs, name, { propagation });
  }

  // Pods

  /** By the fate of its attempt. Of an Indexed Job each pod that was not disrupted was an attempt of its index. */
  #script(pod: PodObject, random: Random): PodScript {
    const startsAfter = random.between(5, 2000);
    const work = this.#truth.workOf(pod);
    if (!work) return { startsAfter, runs: 100 };
    const { job, step } = work;
    const earlier = [...job.everyPod].filter(([uid, { index }]) => uid !== pod.metadata.uid && index === indexOf(pod));
    const disrupted = earlier.filter(([, other]) => other.disrupted);
    const isIndexed = step.work.kind === 'indexed' && job.role === 'do';
    const fate = job.role === 'undo' ? step.undoFate : isIndexed ? fateOf(step, indexOf(pod), earlier.length - disrupted.length + 1) : fateOf(step, job.item, job.attempt);
    return { startsAfter, stopsAfter: random.between(50, 5000), ...scriptOf(fate, disrupted.length > 0, step.output !== undefined) };
  }
}

function scriptOf(fate: Fate, wasDisrupted: boolean, hasOutput: boolean): PodScript {
  const written = (writes: boolean): Pick<PodScript, 'exit'> => (writes ? { exit: { code: 0, message: `n=${outputValue}` } } : {});
  switch (fate.kind) {
    case 'ok':
      return { runs: fate.runs, ...written(fate.writes === true) };
    case 'evicted':
      return { runs: fate.runs, ...written(fate.writes === true), ...(!wasDisrupted && { runs: fate.runs + 1000, evictedAfter: fate.runs / 2 }) };
    case 'nodeLost':
      return { runs: fate.runs, ...written(hasOutput), ...(!wasDisrupted && { runs: Infinity, nodeLost: { after: fate.runs, removedAfter: fate.removedAfter } }) };
    case 'fail':
      return { runs: fate.runs, exit: { code: fate.code, ...(fate.reason !== undefined && { reason: fate.reason }) } };
    case 'neverStarts':
      return { image: { for: Infinity } };
    case 'hangs':
      return { runs: Infinity };
  }
}

function specTextOf(object: KubeObject | undefined): string {
  const text: Json | undefined = (object?.['data'] as JsonObject | undefined)?.[keys.specKey];
  return typeof text === 'string' ? text : '';
}

function isOver(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Cancelled';
}

function summary(object: KubeObject): string {
  const status = (object['status'] ?? {}) as { phase?: string; conditions?: { type: string; status: string }[]; active?: number };
  const conditions = (status.conditions ?? []).filter((one) => one.status === 'True').map((one) => one.type);
  const { labels = {}, deletionTimestamp } = object.metadata;
  const step = labels[keys.stepLabel] === undefined ? '' : ` ${labels[keys.stepLabel]}#${labels[keys.attemptLabel]}${labels[keys.indexLabel] === undefined ? '' : `[${labels[keys.indexLabel]}]`}`;
  const state = labels[keys.recordLabel] === 'run' ? `${labels[keys.stateLabel]} ${stateText(stateOf(object))}` : (status.phase ?? `active ${status.active ?? 0}`);
  return `${state} ${conditions.join('+')}${step}${deletionTimestamp === undefined ? '' : ' deleting'}`;
}

/** The spec, and what its pods will do. */
function modelText({ spec, steps, late }: WorkflowModel): string {
  const fates = [...steps, ...late].map((step) => `${step.name}: ${step.fates.map((item) => item.map(fateText).join(' ')).join(' / ')}${step.undo ? `, undo ${fateText(step.undoFate)}` : ''}`);
  return `${JSON.stringify(spec)}\n${fates.map((fate) => `            ${fate}`).join('\n')}`;
}

function fateText(fate: Fate): string {
  const runs = 'runs' in fate ? `(${(fate.runs / 1000).toFixed(1)} s)` : '';
  return `${fate.kind}${'code' in fate ? fate.code : ''}${'writes' in fate && fate.writes ? '+n' : ''}${runs}`;
}

/** `s0=succeeded s1#2 | undo s0`: outcomes, and how many attempts what is open has had. */
function stateText(state: RunState | undefined): string {
  if (!state) return 'nothing decided';
  const text = (steps: RunState['steps']): string => Object.entries(steps).map(([name, { outcome, attempts, items }]) => (outcome === undefined ? `${name}#${items ? items.map((item) => item.outcome ?? item.attempts.length).join('/') : (attempts?.length ?? 0)}` : `${name}=${outcome}`)).join(' ');
  const undo = text(state.undo);
  return `${text(state.steps)}${undo === '' ? '' : ` | undo ${undo}`}${state.stopping ? ` | stopping: ${state.stopping.mode} ${state.stopping.reason}` : ''}${state.end ? ` | ${state.end.outcome}` : ''}`;
}
