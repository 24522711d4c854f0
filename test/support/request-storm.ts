/**
 * A stormy day of requests for runs of templates, drawn from a seed, as workflow-storm.ts is one of workflows. People apply
 * Runs, apply them again, replace, edit, cancel, delete and re-create them; callers ask with idempotency keys, also with
 * other values under the same key; templates change, break, go and come back; Jobs, pods and records are deleted. What must
 * hold is checked after every change (request-truth.ts). Then the storm ends, and every request must come to its end.
 */
import { KubernetesClient } from '../../src/adapters/kubernetes/client.ts';
import { KubernetesRecords } from '../../src/adapters/kubernetes/records.ts';
import { numberAt, objectAt, parseJson, stringAt, type JsonObject } from '../../src/lib/json.ts';
import { requestRun } from '../../src/plan/workflow/request-run.ts';
import { isTerminal, type PodObject } from '../../src/simulation/job-shape.ts';
import { configMaps, jobs, pods, type KubeObject } from '../../src/simulation/objects.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import { Random } from '../../src/simulation/random.ts';
import * as keys from '../../src/spec/keys.ts';
import { RequestTruth } from './request-truth.ts';
import { minute, Storm, type StormOptions, type StormResult } from './storm.ts';
import { jobUidOf } from './storm-truth.ts';

/** After the storm everything must be done within this time. */
const convergence = 12 * 60 * minute;
const templates = ['resize', 'report'] as const;
const keysOfCallers = ['order-1', 'order-2', 'order-3'] as const;
const rule = { count: undefined, age: undefined };
const ends: readonly string[] = ['Succeeded', 'Failed', 'Cancelled'];
/** A watch whose history is gone begins with such a request. */
const listed = /\/(jobs|pods|configmaps)$/u;

export function stormOfRequests(seed: number, options: StormOptions = {}): Promise<StormResult> {
  return new RequestStorm(seed, options).day();
}

class RequestStorm extends Storm {
  protected readonly pace = 12_000;
  protected readonly end = this.lasts(5, 20);
  protected readonly crew = this.hire(this.end);
  readonly #truth: RequestTruth;
  /** What git says of each Run that was ever there. */
  readonly #runs = new Map<string, JsonObject>();
  readonly #caller: KubernetesRecords;
  /** Names what pods will do. */
  readonly #fates: number;
  #count = 0;

  constructor(seed: number, options: StormOptions) {
    super('requests', seed, options);
    this.#fates = seed;
    const { world } = this;
    this.#truth = new RequestTruth({ world, racing: () => this.crew.racing, succeedsAt: (value) => this.#succeedsAt(value) });
    world.cluster.script = (pod, podRandom) => this.#script(pod, podRandom);
    world.cluster.store.subscribe(({ type, resource, object: { metadata } }) => {
      const { labels = {} } = metadata;
      if (resource === jobs || resource === pods || labels[keys.recordLabel] === 'run') this.tell(`${type} ${resource.plural}/${metadata.name} ${labels[keys.stateLabel] ?? ''}${metadata.deletionTimestamp === undefined ? '' : ' deleting'}`);
    });
    const client = new KubernetesClient({ transport: world.cluster.api, clock: world.clock, namespace: world.cluster.namespace, fieldManager: 'caller', limits: 'off' });
    this.#caller = new KubernetesRecords({ client, instance: keys.defaultInstance });
  }

  protected begin(): void {
    this.schedule(20_000, 120_000);
    const several = this.highAvailability || this.random.chance(0.35);
    for (const name of templates) this.#applyTemplate(name);
    this.crew.start();
    if (several) this.crew.start();
  }

  protected mend(): void {
    for (const name of templates) this.#applyTemplate(name, true);
    for (const { metadata } of this.#records()) this.#annotate(metadata.name, { [keys.suspendAnnotation]: 'false' });
  }

  protected async converge(): Promise<void> {
    if (!(await this.world.runUntil(() => this.#isDone(), convergence))) this.problem(`not converged ${convergence / minute} min after the storm: ${this.#open().join(', ')}`);
    await this.world.run(3 * minute);
    await this.#idle();
    this.#checkStatuses();
    for (const violation of this.#truth.violations) this.problem(violation);
  }

  #isDone(): boolean {
    return this.world.livingPods().length === 0 && this.#open().length === 0;
  }

  /** What has not come to its end. */
  #open(): string[] {
    const runs = [...this.#runs.keys()].filter((name) => this.world.configMap(name) !== undefined);
    const phases = [...this.#records(), ...runs.flatMap((name) => this.world.configMap(name) ?? [])].map(({ metadata }) => [metadata.name, metadata.labels?.[keys.stateLabel] ?? 'nothing'] as const);
    return [...phases.filter(([, phase]) => !ends.includes(phase)).map(([name, phase]) => `${name} is ${phase}`), ...this.world.unfinishedJobs().map(({ metadata }) => `Job ${metadata.name} is unfinished`)];
  }

  async #idle(): Promise<void> {
    const made = (await this.requestsWithin(5 * minute)).filter(({ method, path, query }) => query?.['watch'] !== 'true' && !(method === 'GET' && listed.test(path)));
    if (made.length > 0) this.problem(`${made.length} requests in 5 idle minutes: ${[...new Set(made.map(({ method, path }) => `${method} ${path}`))].slice(0, 5).join(', ')}`);
  }

  /** A Run tells what its record does. */
  #checkStatuses(): void {
    for (const name of this.#runs.keys()) {
      const object = this.world.configMap(name);
      const record = object && this.#truth.recordOf(object.metadata.uid);
      if (!record) continue;
      const phase = this.world.configMap(record.name)?.metadata.labels?.[keys.stateLabel];
      const told = parseJson(object.metadata.annotations?.[keys.statusAnnotation] ?? '');
      if (stringAt(told, 'state') !== phase || object.metadata.labels?.[keys.stateLabel] !== phase || stringAt(objectAt(told, 'run'), 'name') !== record.name) this.problem(`status of Run "${name}" is not true at the end: its run is ${phase}, and it says ${JSON.stringify(told)}`);
    }
  }

  // What people, callers and the weather do

  protected something(): void {
    const random = this.random;
    if (random.chance(0.1)) random.pick<() => void>([() => { this.crew.replace(); }, () => { this.crew.jump(); }])();
    random.pick<() => void>([
      () => { this.#newRun(); },
      () => { this.#newRun(); },
      () => { this.#submit(); },
      () => { this.#submit(); },
      () => { this.#again(); },
      () => { this.#replace(); },
      () => { this.#replace(); },
      () => { this.#edit(); },
      () => { this.#remove(); },
      () => { this.#steer(); },
      () => { this.#applyTemplate(random.pick(templates)); },
      () => { this.#removeTemplate(); },
      () => { this.#deleteRecord(); },
      () => { this.deleteJob(({ metadata: { uid } }) => { this.#truth.meddle(uid, true); }); },
      () => { this.#deletePod(); },
      () => { this.crew.kill(); },
      () => { this.crew.kill(); },
      () => { this.#quota(); },
      () => { this.world.cluster.store.compact(); },
    ])();
  }

  #applyTemplate(name: string, last = false): void {
    const random = this.random;
    const attempts = random.int(1, 3);
    const spec = {
      apiVersion: keys.apiVersion, kind: 'Template', name, parameters: { n: { type: 'integer' } },
      job: { image: `registry.example/${name}:${(this.#count += 1)}`, args: ['$(params.n)'] },
      retry: { attempts, delay: random.pick(['0s', '5s', '40s']), factor: 1 }, startTimeout: '2m', concurrency: { max: random.int(1, 4) },
      retention: { succeeded: { count: random.int(0, 2) }, failed: { count: random.int(0, 2) } },
    };
    const text = !last && random.chance(0.1) ? 'kind: Template\n\tthis: is no YAML\n' : JSON.stringify({ ...spec, suspend: !last && random.chance(0.1) });
    if (!this.#hasRoom(name)) return;
    this.tell(`apply template ${text}`);
    this.world.applyObject(configMaps, { metadata: { name, labels: { [keys.kindLabel]: 'template' } }, data: { [keys.specKey]: text } });
  }

  #removeTemplate(): void {
    const name = this.random.pick(templates);
    if (!this.world.configMap(name)) return;
    this.tell(`delete template ${name}`);
    this.world.deleteConfigMap(name, { propagation: this.random.pick(['Foreground', 'Background'] as const) });
    this.world.clock.timer(this.random.pick([500, 20_000, 180_000]), () => { if (!this.world.configMap(name)) this.#applyTemplate(name); });
  }

  #newRun(): void {
    const number = (this.#count += 1);
    const name = `ask-${number}`;
    this.#put(name, { apiVersion: keys.apiVersion, kind: 'Run', template: this.random.pick(templates), parameters: { n: number * 10 } });
  }

  #put(name: string, spec: JsonObject): void {
    if (!this.#hasRoom(name)) return;
    this.tell(`apply ${name} ${JSON.stringify(spec)}`);
    this.#runs.set(name, spec);
    this.world.applyObject(configMaps, { metadata: { name, labels: { [keys.kindLabel]: 'run' } }, data: { [keys.specKey]: JSON.stringify(spec) } });
  }

  /** The quota refuses people's ConfigMaps as it does records. */
  #hasRoom(name: string): boolean {
    return this.world.configMap(name) !== undefined || !this.world.cluster.quota.has('count/configmaps');
  }

  /** A Run that git has, with what git says; also one that somebody deleted in the cluster. */
  #some(): readonly [name: string, spec: JsonObject] | undefined {
    return this.#runs.size === 0 ? undefined : this.random.pick([...this.#runs]);
  }

  /** The next sync: what was deleted comes back, as another object. */
  #again(): void {
    const some = this.#some();
    if (some) this.#put(...some);
  }

  /** As kubectl replace: what is not in git goes, the UID stays. */
  #replace(): void {
    const [name = ''] = this.#some() ?? [];
    const object = this.world.configMap(name);
    if (!object) return;
    this.tell(`replace ${name}`);
    this.world.cluster.registry.update(configMaps, name, (current) => ({ ...current, metadata: { ...current.metadata, annotations: {}, labels: { [keys.kindLabel]: 'run' } } }));
    this.#truth.stripped(object.metadata.uid);
  }

  #edit(): void {
    const [name, spec] = this.#some() ?? [];
    if (name !== undefined && spec) this.#put(name, { ...spec, parameters: { n: (numberAt(objectAt(spec, 'parameters'), 'n') ?? 0) + 1 } });
  }

  #remove(): void {
    const [name, spec] = this.#some() ?? [];
    if (name === undefined || !spec || !this.world.configMap(name)) return;
    this.tell(`delete ${name}`);
    this.world.deleteConfigMap(name, { propagation: this.random.pick(['Foreground', 'Background', 'Orphan'] as const) });
    if (this.random.chance(0.5)) this.world.clock.timer(this.random.pick([1, 500, 20_000]), () => { if (this.world.clock.now() < this.end && !this.world.configMap(name)) this.#put(name, spec); });
  }

  /** In git, or on the record. */
  #steer(): void {
    const [name, spec] = this.#some() ?? [];
    const open = this.#records().filter(({ metadata }) => !ends.includes(metadata.labels?.[keys.stateLabel] ?? ''));
    const record = open.length === 0 ? undefined : this.random.pick(open).metadata;
    this.random.pick<() => void>([
      () => { if (name !== undefined && spec) this.#put(name, { ...spec, cancel: 'enough' }); },
      () => { if (record) this.#annotate(record.name, { [keys.cancelAnnotation]: 'enough' }); },
      () => { if (record) this.#annotate(record.name, { [keys.suspendAnnotation]: record.annotations?.[keys.suspendAnnotation] === 'true' ? 'false' : 'true' }); },
    ])();
  }

  #annotate(name: string, annotations: Readonly<Record<string, string>>): void {
    this.tell(`annotate ${name} ${JSON.stringify(annotations)}`);
    this.world.cluster.registry.update(configMaps, name, (object) => ({ ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } } }));
  }

  /** With a key that may have been used before, for this value or the other one. */
  #submit(): void {
    const key = this.random.pick(keysOfCallers);
    const value = this.random.int(1, 2);
    const { name, request } = requestRun({ kind: 'Template', name: this.random.pick(templates), retention: { succeeded: rule, failed: rule } }, { instance: keys.defaultInstance, key });
    this.tell(`ask for ${name} by ${key} with ${value}`);
    void this.#caller.create({ name, request, parameters: { n: value }, data: undefined, owner: undefined }).then(({ kind }) => {
      const held = this.#truth.runs.values().toArray().findLast((run) => run.name === name)?.value;
      this.tell(`answer for ${name}: ${kind}`);
      if ((kind === 'done' && held !== value) || (kind === 'exists' && held === value)) this.problem(`${name} was asked for with ${value}: the answer is ${kind}, and its run has ${held}`);
    });
  }

  #records(): KubeObject[] {
    return this.world.cluster.store.list(configMaps).filter(({ metadata }) => metadata.labels?.[keys.recordLabel] === 'run');
  }

  #deleteRecord(): void {
    const all = this.#records();
    if (all.length === 0) return;
    const { name, uid } = this.random.pick(all).metadata;
    this.tell(`delete record ${name}`);
    this.#truth.forget(uid);
    this.world.cluster.registry.delete(configMaps, name, { propagation: this.random.pick(['Foreground', 'Background'] as const) });
  }

  #deletePod(): void {
    const living = this.world.pods().filter((pod) => !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined);
    if (living.length === 0) return;
    const pod = this.random.pick(living);
    this.tell(`lose pod ${pod.metadata.name}`);
    this.#truth.meddle(jobUidOf(pod), false);
    this.world.cluster.registry.delete(pods, pod.metadata.name);
  }

  #quota(): void {
    const { quota } = this.world.cluster;
    if (quota.size > 0) quota.clear();
    else if (this.random.chance(0.8)) quota.set('count/jobs.batch', this.random.int(0, 3));
    else quota.set('count/configmaps', this.random.int(0, 30));
    this.tell(`quota ${JSON.stringify([...quota])}`);
  }

  // Pods

  /** Drawn from the value, so that everybody can know it beforehand. */
  #succeedsAt(value: number): number {
    return new Random(`fate-${this.#fates}-${value}`).pick([1, 1, 1, 2, 3, 4]);
  }

  #script(pod: PodObject, random: Random): PodScript {
    const work = this.#truth.workOf(pod);
    const script = { startsAfter: random.between(5, 2000), runs: random.pick([0, 500, 15_000, 60_000]), stopsAfter: random.between(50, 5000) };
    return work && work.attempt < this.#succeedsAt(work.value) ? { ...script, ...random.pick<PodScript>([{ exit: { code: 1 } }, { exit: { code: 137, reason: 'OOMKilled' } }, { image: { for: Infinity } }]) } : script;
  }
}
