/**
 * A stormy day of the whole controller, drawn from a seed: requests fail before or after taking effect, watches are cut,
 * silent, late or compacted, processes die at any await and start with empty memory, pods fail in every way, people edit,
 * break, delete, re-create and rename specs and delete Jobs. Invariants are checked after every change. Then the storm
 * ends, and everything must converge: all messages done, nothing live, every status true.
 *
 * With high availability two controllers run all the time, and more is asked: at most one live Job, its pods counted,
 * at any moment but those in which requests of a controller that died are still under way; and who changes anything
 * holds the Lease at the moment of sending.
 */
import type { PodScript } from '../../src/simulation/pod-script.ts';
import type { PodObject } from '../../src/simulation/job-shape.ts';
import { jobs, pods } from '../../src/simulation/objects.ts';
import type { Random } from '../../src/simulation/random.ts';
import { drainWorker } from '../../src/simulation/worker.ts';
import { nameLabel, stateLabel } from '../../src/spec/keys.ts';
import { watchInvariants } from './invariants.ts';
import { minute, Storm, type StormOptions, type StormResult } from './storm.ts';

/** After the storm everything must be done within this time: start timeouts, leases and back-offs have run out by then. */
const convergence = 4 * 60 * minute;

export function stormOfQueues(seed: number, options: StormOptions = {}): Promise<StormResult> {
  return new QueueStorm(seed, options).day();
}

class QueueStorm extends Storm {
  protected readonly pace = 20_000;
  readonly #invariants: { readonly violations: string[] };
  readonly #names = ['alpha', 'beta_queue', 'Gamma/9'].slice(0, this.random.int(1, 3));
  protected readonly end = this.lasts(10, 40);
  protected readonly crew = this.hire(this.end);
  readonly #limits = this.limit(2);
  /** Spec ConfigMaps by logical name: the object's name changes with renames. */
  readonly #objects = new Map<string, string>();
  #revision = 0;

  constructor(seed: number, options: StormOptions) {
    super('chaos', seed, options);
    this.#invariants = watchInvariants(this.world, { racing: () => this.crew.racing });
    this.world.cluster.script = (pod, podRandom) => this.#script(pod, podRandom);
    for (const name of this.#names) this.world.queue(name, { expiry: 90_000 });
    this.world.cluster.store.subscribe((change) => {
      if (change.resource === jobs || change.resource === pods) this.tell(`${change.type} ${change.resource.plural}/${change.object.metadata.name} ${summary(change.object)}`);
    });
  }

  protected begin(): void {
    for (const name of this.#names) this.#apply(name);
    this.start();
    this.schedule(20_000);
  }

  protected mend(): void {
    this.#limits.mend();
    this.world.queues.breakConnection('main');
    this.world.queues.setHanging(false);
    for (const name of this.#names) this.#apply(name, { broken: false, suspend: false });
  }

  protected async converge(): Promise<void> {
    const { queues } = this.world;
    for (const name of this.#names) this.world.queue(name).send(2);
    const done = await this.world.runUntil(() => queues.all.every((queue) => queue.unfinished === 0) && this.nothingLives, convergence);
    if (!done) this.problem(`not converged ${convergence / minute} min after the storm: ${queues.all.map((queue) => `${queue.name}: ${queue.unfinished} messages left`).join(', ')}; ${this.leftLiving}`);
    await this.world.run(2 * minute);
    const quiet = (await this.requestsWithin(30 * minute)).length;
    if (quiet > 120 * this.crew.living) this.problem(`${quiet} requests in 30 idle minutes`);
    this.#checkStatuses();
    for (const violation of this.#invariants.violations) this.problem(violation);
  }

  #checkStatuses(): void {
    for (const name of this.#names) {
      const object = this.#objects.get(name) ?? '';
      const state = this.world.configMap(object)?.metadata.labels?.[stateLabel];
      const status = this.world.status(object) as { state?: string; liveJobs?: number } | undefined;
      if (state !== 'Idle' || status?.state !== 'Idle' || status.liveJobs !== 0) this.problem(`status of "${object}" is not true at the end: label ${String(state)}, ${JSON.stringify(status)}`);
    }
  }

  protected something(): void {
    if (this.highAvailability && this.random.chance(0.2)) this.crew.cut();
    if (this.random.chance(this.highAvailability ? 0.3 : 0.1)) this.random.pick<() => void>([() => { this.crew.replace(); }, () => { this.crew.jump(); }])();
    const act = this.random.pick<() => void>([
      () => { this.#send(); },
      () => { this.#send(); },
      () => { this.#send(); },
      () => { this.crew.kill(); },
      () => { this.crew.kill(); },
      () => { this.#apply(this.random.pick(this.#names)); },
      () => { this.#remove(); },
      () => { this.#rename(); },
      () => { this.deleteJob(); },
      () => { this.losePod(); },
      () => { this.changeQuota('count/jobs.batch'); },
      () => { this.#breakQueue(); },
    ]);
    act();
  }

  #send(): void {
    const name = this.random.pick(this.#names);
    const count = this.random.int(1, 12);
    this.tell(`send ${count} to ${name}`);
    this.world.queue(name).send(count, { startAfter: this.random.chance(0.2) ? this.random.int(1, 300) * 1000 : 0 });
  }

  #apply(name: string, wanted: { broken?: boolean; suspend?: boolean } = {}): void {
    const random = this.random;
    const broken = wanted.broken ?? random.chance(0.15);
    const suspend = wanted.suspend ?? random.chance(0.1);
    const object = this.#objects.get(name) ?? objectName(name);
    this.#objects.set(name, object);
    this.#revision += 1;
    const text = broken ? 'kind: Queue\n\tthis: is no YAML\n' : this.#spec(name, suspend);
    this.tell(`apply ${object}${broken ? ' (broken)' : ''}${suspend ? ' (suspended)' : ''}`);
    this.world.applyConfigMap(object, text, { 'job-chief': 'queue' });
  }

  #spec(name: string, suspend: boolean): string {
    const random = this.random;
    const max = random.int(1, 4);
    const lines = [
      'apiVersion: job-chief/v1',
      'kind: Queue',
      `name: ${objectName(name)}`,
      `source: {pgBoss: {connection: main, queue: "${name}"}}`,
      `drain: {checkInterval: ${random.pick(['5s', '10s', '1m'])}, pods: {max: ${max}, messagesPerPod: ${random.int(1, 3)}}, waitAfter: {succeeded: ${random.pick(['0s', '5s'])}, failed: ${random.pick(['5s', '30s'])}, notStarted: ${random.pick(['10s', '1m'])}}}`,
      `startTimeout: ${random.pick(['1m', '5m'])}`,
      `timeout: ${random.pick(['2m', '10m'])}`,
      `breaker: {notStarted: ${random.pick(['2', '5', 'off'])}, failed: ${random.pick(['3', 'off'])}, probeEvery: ${random.pick(['1m', '5m'])}}`,
      `retention: {succeeded: {count: ${random.int(0, 3)}}, failed: {count: ${random.int(0, 4)}, age: ${random.pick(['5m', '1h'])}}}`,
      `onSpecChange: ${random.pick(['keep', 'keep', 'replace'])}`,
      `onSpecDelete: ${random.pick(['delete', 'delete', 'finish'])}`,
      ...(suspend ? ['suspend: true'] : []),
      `job: {image: "registry.example/worker:${this.#revision}"}`,
    ];
    return `${lines.join('\n')}\n`;
  }

  #remove(): void {
    const name = this.random.pick(this.#names);
    this.removeSpec(this.#objects.get(name) ?? '', () => { this.#apply(name); });
  }

  #rename(): void {
    const name = this.random.pick(this.#names);
    const old = this.#objects.get(name) ?? '';
    const text = this.world.configMap(old)?.['data'] as { 'spec.yaml': string } | undefined;
    if (!text) return;
    this.renameSpec(old, objectName(name), (object) => {
      this.#objects.set(name, object);
      this.world.applyConfigMap(object, text['spec.yaml'], { 'job-chief': 'queue' });
    });
  }

  #breakQueue(): void {
    const problem = this.random.pick(['QueueUnreachable', 'QueueForbidden', 'works', 'works'] as const);
    this.tell(`queue ${problem}`);
    this.world.queues.breakConnection('main', problem === 'works' ? undefined : problem);
  }

  #script(pod: PodObject, random: Random): PodScript {
    const name = pod.metadata.labels?.[nameLabel] ?? '';
    const queue = this.world.queue(this.#names.find((one) => objectName(one) === name) ?? name);
    const ordinary = drainWorker(queue, { perMessage: random.between(100, 3000), startsAfter: random.between(300, 3000) });
    if (this.calm || random.chance(0.5)) return ordinary;
    return random.pick<() => PodScript>([
      () => drainWorker(queue, { crashChance: 0.3, failChance: 0.2, retryAfter: 5000 }),
      () => ({ image: { for: random.pick([10_000, 60_000, Infinity]) } }),
      () => ({ image: { for: Infinity, reason: 'InvalidImageName' } }),
      () => ({ ...ordinary, config: { for: random.pick([5000, 50_000, Infinity]) } }),
      () => ({ ...ordinary, unschedulable: { for: random.pick([10_000, 120_000, 3_600_000]) } }),
      () => ({ runs: random.between(100, 20_000), exit: { code: random.int(1, 255) } }),
      () => ({ runs: random.between(100, 20_000), exit: { code: 137, reason: 'OOMKilled' } }),
      () => ({ runs: 100, exit: { code: 128, reason: 'StartError', message: 'exec: not found' } }),
      () => ({ runs: 1_800_000, stopsAfter: random.between(100, 40_000) }),
      () => ({ ...ordinary, evictedAfter: random.between(100, 10_000) }),
      () => ({ ...ordinary, nodeLost: { after: random.between(100, 5000), removedAfter: random.int(30, 400) * 1000 } }),
      () => ({ ...ordinary, phaseAfter: random.between(500, 12_000) }),
    ])();
  }
}

/** A ConfigMap's name for a queue's. */
function objectName(queue: string): string {
  return queue.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

function summary(object: { readonly [key: string]: unknown; metadata: { deletionTimestamp?: string } }): string {
  const status = (object['status'] ?? {}) as { phase?: string; conditions?: { type: string; status: string }[]; active?: number };
  const conditions = (status.conditions ?? []).filter((one) => one.status === 'True').map((one) => one.type);
  return `${status.phase ?? `active ${status.active ?? 0}`} ${conditions.join('+')}${object.metadata.deletionTimestamp === undefined ? '' : ' deleting'}`;
}
