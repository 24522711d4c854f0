/**
 * A stormy day of Queues that lease messages, drawn from a seed: requests to the API server and to the queues fail before or
 * after taking effect, brokers restart, connections break, leases are taken away and messages handed out twice, processes
 * die at any await, pods fail in every way, people edit, suspend, break, rename and delete specs, change what they do with
 * messages and where these come from, and delete Jobs. What must never happen is checked with each change. Then the storm
 * ends, and every message must be settled for what really became of it, or wait in a queue that no spec names any more.
 */
import type { PodObject } from '../../src/simulation/job-shape.ts';
import { noMessageFaults, randomMessageFaults } from '../../src/simulation/message-faults.ts';
import type { SimulatedMessageQueue, StoredMessage } from '../../src/simulation/message-queue.ts';
import type { MessageQueueKind } from '../../src/simulation/message-rules.ts';
import { configMaps, jobs, pods } from '../../src/simulation/objects.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import type { Random } from '../../src/simulation/random.ts';
import { recordLabel, stateLabel } from '../../src/spec/keys.ts';
import { messageQueueKinds } from './message-scene.ts';
import { drawQueue, drawTemplate, type MessageMode, messageModes, template } from './message-storm-spec.ts';
import { MessageTruth, queueOf } from './message-truth.ts';
import { messageWorker } from './message-worker.ts';
import { hour, minute, Storm, type StormOptions, type StormResult } from './storm.ts';

/** After the storm every message must have met its end within this time: leases, start timeouts and back-offs are over by then. */
const convergence = 8 * hour;
/** RabbitMQ does not say whether it took an acknowledgement: after a day it is presumed. */
const presumption = 26 * hour;

export function stormOfMessages(seed: number, options: StormOptions = {}): Promise<StormResult> {
  return new MessageStorm(seed, options).day();
}

/** Where messages wait. */
interface Well {
  readonly kind: MessageQueueKind;
  readonly queue: SimulatedMessageQueue;
}

/** A Queue of job-chief. */
interface Place {
  readonly name: string;
  /** The ConfigMap that defines it: another one after each renaming. */
  object: string;
  mode: MessageMode;
  /** What its spec names as source. */
  well: Well;
  /** What it may name. */
  readonly wells: readonly Well[];
}

class MessageStorm extends Storm {
  protected readonly pace = 15_000;
  readonly #truth = new MessageTruth(this.world, { invalid: isBad, racing: () => !this.highAvailability && this.crew.racing });
  protected readonly end = this.lasts(10, 40);
  /** Specs keep their way with messages, and their source. */
  readonly #steady = this.random.chance(0.4);
  readonly #places: readonly Place[] = ['alpha', 'beta'].slice(0, this.random.int(1, 2)).map((name) => this.#place(name));
  protected readonly crew = this.hire(this.end);
  readonly #limits = this.limit(4);
  #sent = 0;

  constructor(seed: number, options: StormOptions) {
    super('messages', seed, options);
    const { world: { broker, clock, cluster }, random } = this;
    cluster.script = (pod, podRandom) => this.#script(pod, podRandom);
    broker.faults = randomMessageFaults({ random: random.split('faults'), clock, rate: random.pick([0, 0.03, 0.15]), until: this.end });
    cluster.store.subscribe(({ type, resource, object }) => {
      const { name, labels = {} } = object.metadata;
      if (resource === jobs || resource === pods || labels[recordLabel] === 'run') this.tell(`${type} ${resource.plural}/${name} ${labels[stateLabel] ?? ''}`);
    });
  }

  protected begin(): void {
    this.#applyTemplate();
    for (const place of this.#places) this.#apply(place);
    this.start();
    this.schedule(20_000);
  }

  protected override heal(): void {
    const { broker } = this.world;
    broker.setDown(false);
    broker.faults = noMessageFaults;
    for (const { queue } of this.#wells) broker.setForbidden(queue.name, false);
  }

  protected mend(): void {
    this.#limits.mend();
    this.#applyTemplate();
    for (const place of this.#places) this.#apply(place);
    for (const { well } of this.#places) this.#send(well, 2);
  }

  protected async converge(): Promise<void> {
    const done = await this.world.runUntil(() => this.#isDone() && this.nothingLives, convergence);
    if (!done) this.problem(`not converged ${convergence / hour} h after the storm: ${this.#left()}`);
    const settled = await this.world.runUntil(() => this.#truth.unsettled.length === 0, presumption);
    if (!settled) this.problem(`Jobs whose messages are not settled: ${this.#truth.unsettled.map(({ name, id }) => `${name} of ${id}`).join(', ')}`);
    await this.#checkQuiet();
    this.#checkEnd();
  }

  get #wells(): readonly Well[] {
    return this.#places.flatMap(({ wells }) => wells);
  }

  /** All is settled where it is asked for, and nobody holds anything elsewhere. */
  #isDone(): boolean {
    return this.#places.every(({ well }) => well.queue.unfinished === 0) && this.#wells.every(({ queue }) => queue.inFlight === 0);
  }

  #place(name: string): Place {
    const well = this.#well(name);
    const wells = [well, ...(!this.#steady && this.random.chance(0.5) ? [this.#well(`${name}-other`)] : [])];
    return { name, object: name, mode: this.random.pick(messageModes), well, wells };
  }

  #well(name: string): Well {
    const { random, world: { broker } } = this;
    const kind = random.pick(messageQueueKinds);
    for (const dead of [`own-dead-${name}`, ...deadOf(name)]) broker.create(dead, { kind });
    const queue = broker.create(name, {
      kind,
      deadLetter: `own-dead-${name}`,
      ...(kind === 'pgBoss' ? { limit: 20 * minute, mostDeliveries: random.int(2, 6), retryDelay: random.pick([0, 5_000]) } : {}),
      ...(kind === 'amqp' ? random.pick([{}, { limit: 4 * minute, saysLimit: 'nothing' as const }]) : {}),
      ...(kind === 'sqs' ? { visibility: random.pick([20_000, 60_000]), mostDeliveries: random.int(3, 10) } : {}),
    });
    this.#truth.watch(queue);
    queue.onTold(({ message }, { kind: verdict }) => { this.tell(`${name}: ${message.id} ${verdict}`); });
    return { kind, queue };
  }

  async #checkQuiet(): Promise<void> {
    await this.world.run(2 * minute);
    // What is deleted by age is deleted when its time has come.
    const quiet = (await this.requestsWithin(30 * minute)).filter(({ method }) => method !== 'DELETE').length;
    if (quiet > 120 * this.crew.living) this.problem(`${quiet} requests in 30 idle minutes`);
  }

  #checkEnd(): void {
    for (const problem of [...this.#truth.atEnd(), ...this.#truth.violations]) this.problem(problem);
    for (const { object } of this.#places) {
      const state = this.world.configMap(object)?.metadata.labels?.[stateLabel];
      const status = this.world.status(object) as { state?: string; liveJobs?: number } | undefined;
      if (state !== 'Idle' || status?.state !== 'Idle' || status.liveJobs !== 0) this.problem(`status of "${object}" is not true at the end: label ${String(state)}, ${JSON.stringify(status)}`);
    }
  }

  #left(): string {
    const messages = this.#wells.map(({ queue }) => `${queue.name}: ${queue.messages.filter(({ state }) => state === 'ready' || state === 'inFlight').map(({ message, state }) => `${message.id} ${state}`).join(', ')}`);
    return `${messages.join('; ')}; ${this.#places.map(({ object }) => JSON.stringify(this.world.status(object))).join(', ')}; ${this.leftLiving}`;
  }

  // What happens

  protected something(): void {
    const { world: { broker, cluster }, random } = this;
    const place = random.pick(this.#places);
    const well = random.chance(0.8) ? place.well : random.pick(place.wells);
    if (this.highAvailability && random.chance(0.2)) this.crew.cut();
    if (random.chance(this.highAvailability ? 0.3 : 0.1)) random.pick<() => void>([() => { this.crew.replace(); }, () => { this.crew.jump(); }])();
    random.pick<() => void>([
      () => { this.#send(well, random.int(1, 8)); },
      () => { this.#send(well, random.int(1, 8)); },
      () => { this.#send(well, random.int(1, 8)); },
      () => { this.crew.kill(); },
      () => { this.crew.kill(); },
      () => { this.#edit(place); },
      () => { this.#edit(place); },
      () => { this.removeSpec(place.object, () => { this.#apply(place); }); },
      () => { this.#rename(place); },
      () => { this.deleteJob(); },
      () => { this.#deleteRecord(); },
      () => { this.losePod(); },
      () => { this.#changeTemplate(); },
      () => { this.changeQuota('count/jobs.batch', 'count/secrets', 'count/configmaps'); },
      () => { cluster.store.compact(); },
      () => {
        this.tell('every connection to the broker breaks');
        broker.cut();
      },
      () => { this.#restartBroker(); },
      () => {
        const forbidden = random.chance(0.5);
        this.tell(`${well.queue.name} is ${forbidden ? 'forbidden' : 'allowed'}`);
        broker.setForbidden(well.queue.name, forbidden);
      },
      () => {
        this.tell(`the consumers of ${well.queue.name} are taken away`);
        if (well.kind === 'amqp') broker.cancelConsumers(well.queue.name);
      },
      () => { this.#handOutAgain(well); },
      () => { this.#handOutAgain(well); },
    ])();
  }

  #send({ kind, queue }: Well, count: number): void {
    const { random } = this;
    for (let sent = 0; sent < count; sent += 1) {
      this.#sent += 1;
      const bad = !this.calm && random.chance(0.08);
      const id = `${queue.name}-${bad ? 'bad' : 'm'}${this.#sent}`;
      const startAfter = random.chance(0.1) && kind !== 'amqp' ? random.int(1, 120) * 1000 : 0;
      const message = { id, body: bad ? '{"broken' : '{"width": 3}', startAfter };
      queue.send(message);
      // A publisher that got no answer publishes once more.
      if (kind === 'amqp' && !this.calm && random.chance(0.05)) queue.send(message);
      this.tell(`send ${id}`);
    }
  }

  /** Another text, which may do something else with messages, or take them from somewhere else. */
  #edit(place: Place): void {
    const { random } = this;
    if (!this.#steady && random.chance(0.5)) place.mode = random.pick(messageModes);
    if (random.chance(0.3)) place.well = random.pick(place.wells);
    this.#apply(place);
  }

  #apply(place: Place): void {
    const { random, calm } = this;
    const { name, object, mode, well: { kind, queue } } = place;
    if (!this.#hasRoom(object)) return;
    const [broken, suspend, observe] = [0.1, 0.1, 0.05].map((chance) => !calm && random.chance(chance));
    const text = drawQueue(random, { name, kind, queue: queue.name, mode, dead: deadOf(queue.name), image: `registry.example/worker:${this.world.clock.now()}`, suspend: suspend === true, observe: observe === true });
    this.tell(`apply ${object} (${mode} of ${queue.name}${broken === true ? ', broken' : ''}${suspend === true ? ', suspended' : ''}${observe === true ? ', observed' : ''}) ${text}`);
    this.world.applyConfigMap(object, broken === true ? 'kind: Queue\n\tthis: is no YAML\n' : text, { 'job-chief': 'queue' });
  }

  #rename(place: Place): void {
    const old = place.object;
    if (!this.world.configMap(old) || !this.#hasRoom('')) return;
    this.renameSpec(old, place.name, (object) => {
      place.object = object;
      this.#apply(place);
    });
  }

  #changeTemplate(): void {
    if (this.random.chance(0.6)) this.#applyTemplate();
    else this.removeSpec(template, () => { this.#applyTemplate(); });
  }

  #applyTemplate(): void {
    if (!this.#hasRoom(template)) return;
    this.tell(`apply ${template}`);
    this.world.applyConfigMap(template, drawTemplate(this.random, `registry.example/${template}:${this.world.clock.now()}`), { 'job-chief': 'template' });
  }

  /** The quota refuses people's ConfigMaps as it does records. */
  #hasRoom(object: string): boolean {
    return this.world.configMap(object) !== undefined || !this.world.cluster.quota.has('count/configmaps');
  }

  /** Of a run that a message started, over or not. */
  #deleteRecord(): void {
    const records = this.world.cluster.store.list(configMaps).filter(({ metadata }) => metadata.labels?.[recordLabel] === 'run');
    if (records.length === 0) return;
    const { name } = this.random.pick(records).metadata;
    this.tell(`delete record ${name}`);
    this.world.cluster.registry.delete(configMaps, name, { propagation: this.random.pick(['Foreground', 'Background'] as const) });
  }

  #restartBroker(): void {
    const { broker, clock } = this.world;
    const lasting = this.random.exponential(20_000);
    this.tell(`the broker is down for ${(lasting / 1000).toFixed(1)} s`);
    broker.setDown(true);
    clock.timer(lasting, () => { broker.setDown(false); });
  }

  /** What is in hand, or what was acknowledged. */
  #handOutAgain({ queue }: Well): void {
    const done = queue.messages.filter(({ state }) => state === 'inFlight' || state === 'completed');
    if (done.length === 0) return;
    const stored = this.random.pick(done);
    this.tell(`${stored.message.id} is handed out again (${stored.state})`);
    if (stored.state === 'inFlight') queue.takeAway(stored);
    else if (this.#isKnown(stored)) queue.deliverOnceMore(stored);
  }

  /** Its Job is there to be met: later it would rightly run once more. */
  #isKnown({ message: { id } }: StoredMessage): boolean {
    return this.#truth.of(id).some(({ gone, finished }) => !gone && finished === 'Complete');
  }

  // Pods

  #script(pod: PodObject, random: Random): PodScript {
    const work = this.#truth.workOf(pod);
    const startsAfter = random.between(300, 3000);
    const ordinary = work === undefined && queueOf(pod) !== '' ? this.#draining(pod, random, startsAfter) : { startsAfter, runs: random.between(500, 20_000) };
    if (this.calm || random.chance(0.5)) return ordinary;
    this.tell(`the pod of ${work?.id ?? 'a drain'} will have trouble`);
    return random.pick<() => PodScript>([
      () => ({ ...ordinary, exit: { code: random.int(1, 255) } }),
      () => ({ ...ordinary, exit: { code: random.int(1, 255) } }),
      () => ({ ...ordinary, exit: { code: 137, reason: 'OOMKilled' } }),
      () => ({ image: { for: random.pick([10_000, 60_000, Infinity]) } }),
      () => ({ image: { for: Infinity, reason: 'InvalidImageName' } }),
      () => ({ ...ordinary, config: { for: random.pick([5000, 50_000, Infinity]) } }),
      () => ({ ...ordinary, unschedulable: { for: random.pick([10_000, 120_000, 3_600_000]) } }),
      () => ({ runs: 100, exit: { code: 128, reason: 'StartError', message: 'exec: not found' } }),
      () => ({ runs: 1_800_000, stopsAfter: random.between(100, 40_000) }),
      () => ({ ...ordinary, evictedAfter: random.between(100, 10_000) }),
      () => ({ ...ordinary, nodeLost: { after: random.between(100, 5000), removedAfter: random.int(30, 400) * 1000 } }),
      () => ({ ...ordinary, phaseAfter: random.between(500, 12_000) }),
    ])();
  }

  #draining(pod: PodObject, random: Random, startsAfter: number): PodScript {
    const { broker } = this.world;
    const queue = broker.find(queueOf(pod));
    if (!queue) return { startsAfter };
    const trouble = this.calm || random.chance(0.5) ? {} : { crashes: 0.2, fails: 0.2 };
    return messageWorker({ broker, queue, startsAfter, takes: random.between(100, 3000), ...trouble, telling: (tell) => { this.#truth.byWorker(tell); } });
  }
}

/** Where specs may send dead ones. */
function deadOf(queue: string): readonly string[] {
  return [`dead-${queue}`, `dead-too-${queue}`];
}

function isBad({ message }: StoredMessage): boolean {
  return message.id.includes('-bad');
}
