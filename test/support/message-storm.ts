/**
 * A stormy day of Queues that lease messages, drawn from a seed: requests to the API server and to the queues fail before or
 * after taking effect, brokers restart, connections break, leases are taken away and messages handed out twice, processes
 * die at any await, pods fail in every way, people edit, suspend, break and delete specs and Jobs. What must never happen
 * is checked with each change. Then the storm ends, and every message must be settled for what really became of it.
 */
import type { JsonObject } from '../../src/lib/json.ts';
import { scheduleOutages } from '../../src/simulation/fault-plans.ts';
import { noMessageFaults, randomMessageFaults } from '../../src/simulation/message-faults.ts';
import type { SimulatedMessageQueue, StoredMessage } from '../../src/simulation/message-queue.ts';
import type { MessageQueueKind } from '../../src/simulation/message-rules.ts';
import { jobs, pods } from '../../src/simulation/objects.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import { Random } from '../../src/simulation/random.ts';
import { stateLabel } from '../../src/spec/keys.ts';
import type { StormOptions as ChaosOptions, StormResult as ChaosResult } from './storm.ts';
import { Crew } from './crew.ts';
import { messageQueueKinds, messageSpec } from './message-scene.ts';
import { MessageTruth, workOf } from './message-truth.ts';
import { simulate, type Simulation } from './simulation.ts';
import { deleteSomeJob, loseSomePod } from './mischief.ts';

const minute = 60_000;
const hour = 60 * minute;
/** After the storm every message must have met its end within this time: leases, start timeouts and back-offs are over by then. */
const convergence = 8 * hour;
/** RabbitMQ does not say whether it took an acknowledgement: after a day it is presumed. */
const presumption = 26 * hour;

export async function stormOfMessages(seed: number, options: ChaosOptions = {}): Promise<ChaosResult> {
  const storm = new MessageStorm(seed, options);
  await storm.rage();
  await storm.settle();
  return { seed, problems: storm.problems, story: storm.story };
}

interface Place {
  readonly name: string;
  readonly kind: MessageQueueKind;
  readonly queue: SimulatedMessageQueue;
}

class MessageStorm {
  readonly problems: string[] = [];
  readonly story: string[] = [];
  readonly #seed: number;
  readonly #random: Random;
  readonly #world: Simulation;
  readonly #truth: MessageTruth;
  readonly #places: readonly Place[];
  readonly #crew: Crew;
  readonly #end: number;
  #calm = false;
  #sent = 0;

  constructor(seed: number, options: ChaosOptions) {
    this.#seed = seed;
    this.#random = new Random(`messages-${seed}`);
    const random = this.#random;
    this.#world = simulate({ seed, historyWindow: random.pick([5 * minute, 30_000]) });
    this.#truth = new MessageTruth(this.#world, { invalid: isBad });
    this.#end = this.#world.clock.now() + random.int(10, 40) * minute;
    this.#places = ['alpha', 'beta'].slice(0, random.int(1, 2)).map((name) => this.#place(name));
    this.#crew = new Crew({ world: this.#world, random, highAvailability: options.highAvailability === true, until: this.#end, tell: (text) => { this.#tell(text); }, problem: (text) => { this.#problem(text); } });
    this.#world.cluster.script = (pod, podRandom) => this.#script(workOf(pod).id, podRandom);
    this.#world.broker.faults = randomMessageFaults({ random: random.split('faults'), clock: this.#world.clock, rate: random.pick([0, 0.03, 0.15]), until: this.#end });
    this.#world.cluster.store.subscribe(({ type, resource, object }) => {
      if (resource === jobs || resource === pods) this.#tell(`${type} ${resource.plural}/${object.metadata.name}`);
    });
  }

  async rage(): Promise<void> {
    const { clock, cluster } = this.#world;
    for (const place of this.#places) this.#apply(place);
    this.#crew.start();
    if (this.#random.chance(0.35)) this.#crew.start();
    if (this.#random.chance(0.4)) scheduleOutages(cluster.api, clock, this.#random.split('outages'), { every: 5 * minute, lasting: 20_000, until: this.#end });
    while (clock.now() < this.#end) {
      await this.#world.run(this.#random.exponential(15_000));
      this.#something();
    }
  }

  /** The storm is over: what was broken is mended, and the rest is up to the controller. */
  async settle(): Promise<void> {
    const { cluster, broker } = this.#world;
    this.#calm = true;
    this.#tell('the storm is over');
    cluster.api.setAvailable(true);
    broker.setDown(false);
    broker.faults = noMessageFaults;
    for (const { name } of this.#places) broker.setForbidden(name, false);
    await this.#world.run(10_000);
    // Pods that somebody orphaned belong to nobody; one that never starts is there until a person removes it.
    for (const pod of this.#world.livingPods()) if (!pod.metadata.ownerReferences?.length) cluster.registry.delete(pods, pod.metadata.name);
    cluster.quota.clear();
    for (const place of this.#places) this.#apply(place, { calm: true });
    if (this.#crew.living === 0) this.#crew.start();
    for (const place of this.#places) this.#send(place, 2);
    const done = await this.#world.runUntil(() => this.#places.every(({ queue }) => queue.unfinished === 0) && this.#nothingLives(), convergence);
    if (!done) this.#problem(`not converged ${convergence / hour} h after the storm: ${this.#left()}`);
    const settled = await this.#world.runUntil(() => this.#truth.jobs.every((job) => job.gone || job.settled !== undefined), presumption);
    if (!settled) this.#problem(`Jobs whose messages are not settled: ${this.#truth.jobs.filter((job) => !job.gone && job.settled === undefined).map(({ name, id }) => `${name} of ${id}`).join(', ')}`);
    await this.#checkQuiet();
    this.#checkEnd();
    this.#crew.dismiss();
  }

  #place(name: string): Place {
    const random = this.#random;
    const kind = random.pick(messageQueueKinds);
    const { broker } = this.#world;
    for (const dead of [`own-dead-${name}`, `dead-${name}`]) broker.create(dead, { kind });
    const queue = broker.create(name, {
      kind,
      deadLetter: `own-dead-${name}`,
      ...(kind === 'pgBoss' ? { limit: 20 * minute, mostDeliveries: random.int(2, 6), retryDelay: random.pick([0, 5_000]) } : {}),
      ...(kind === 'amqp' ? random.pick([{}, { limit: 4 * minute, saysLimit: 'nothing' as const }]) : {}),
      ...(kind === 'sqs' ? { visibility: random.pick([20_000, 60_000]), mostDeliveries: random.int(3, 10) } : {}),
    });
    this.#truth.watch(queue);
    queue.onTold(({ message }, { kind: verdict }) => { this.#tell(`${name}: ${message.id} ${verdict}`); });
    return { name, kind, queue };
  }

  async #checkQuiet(): Promise<void> {
    await this.#world.run(2 * minute);
    const before = this.#requests();
    await this.#world.run(30 * minute);
    const quiet = this.#requests() - before;
    if (quiet > 120 * this.#crew.living) this.#problem(`${quiet} requests in 30 idle minutes`);
  }

  #checkEnd(): void {
    for (const problem of [...this.#truth.atEnd(), ...this.#truth.violations]) this.#problem(problem);
    for (const { name } of this.#places) {
      const state = this.#world.configMap(name)?.metadata.labels?.[stateLabel];
      const status = this.#world.status(name) as { state?: string; liveJobs?: number } | undefined;
      if (state !== 'Idle' || status?.state !== 'Idle' || status.liveJobs !== 0) this.#problem(`status of "${name}" is not true at the end: label ${String(state)}, ${JSON.stringify(status)}`);
    }
  }

  /** Those that keep the Lease go on for ever; what is deleted by age is deleted when its time has come. */
  #requests(): number {
    return this.#world.requests.filter(({ path, method }) => !path.includes('/leases') && method !== 'DELETE').length;
  }

  #nothingLives(): boolean {
    return this.#world.unfinishedJobs().length === 0 && this.#world.livingPods().length === 0;
  }

  #left(): string {
    const messages = this.#places.map(({ name, queue }) => `${name}: ${queue.messages.filter(({ state }) => state === 'ready' || state === 'inFlight').map(({ message, state }) => `${message.id} ${state}`).join(', ')} ${JSON.stringify(this.#world.status(name))}`);
    return `${messages.join('; ')}; ${this.#world.unfinishedJobs().length} unfinished Jobs, ${this.#world.livingPods().length} living pods`;
  }

  // What happens

  #something(): void {
    const { broker, cluster } = this.#world;
    const random = this.#random;
    const place = random.pick(this.#places);
    if (random.chance(0.1)) random.pick<() => void>([() => { this.#crew.replace(); }, () => { this.#crew.jump(); }])();
    random.pick<() => void>([
      () => { this.#send(place, random.int(1, 8)); },
      () => { this.#send(place, random.int(1, 8)); },
      () => { this.#send(place, random.int(1, 8)); },
      () => { this.#crew.kill(); },
      () => { this.#crew.kill(); },
      () => { this.#apply(place); },
      () => { this.#remove(place); },
      () => { this.#deleteJob(); },
      () => { this.#losePod(); },
      () => {
        if (cluster.quota.size > 0) cluster.quota.clear();
        else cluster.quota.set(random.pick(['count/jobs.batch', 'count/secrets']), random.int(0, 3));
        this.#tell(`quota ${JSON.stringify([...cluster.quota])}`);
      },
      () => {
        this.#tell('every connection to the broker breaks');
        broker.cut();
      },
      () => { this.#restartBroker(); },
      () => {
        const forbidden = random.chance(0.5);
        this.#tell(`${place.name} is ${forbidden ? 'forbidden' : 'allowed'}`);
        broker.setForbidden(place.name, forbidden);
      },
      () => {
        this.#tell(`the consumers of ${place.name} are taken away`);
        if (place.kind === 'amqp') broker.cancelConsumers(place.name);
      },
      () => { this.#handOutAgain(place); },
      () => { this.#handOutAgain(place); },
    ])();
  }

  #send({ name, kind, queue }: Place, count: number): void {
    const random = this.#random;
    for (let sent = 0; sent < count; sent += 1) {
      this.#sent += 1;
      const bad = !this.#calm && random.chance(0.08);
      const id = `${name}-${bad ? 'bad' : 'm'}${this.#sent}`;
      const startAfter = random.chance(0.1) && kind !== 'amqp' ? random.int(1, 120) * 1000 : 0;
      const message = { id, body: bad ? '{"broken' : '{"width": 3}', startAfter };
      queue.send(message);
      // A publisher that got no answer publishes once more.
      if (kind === 'amqp' && !this.#calm && random.chance(0.05)) queue.send(message);
      this.#tell(`send ${id}`);
    }
  }

  #apply({ name, kind }: Place, { calm = false } = {}): void {
    const random = this.#random;
    const broken = !calm && random.chance(0.1);
    const suspend = !calm && random.chance(0.1);
    this.#tell(`apply ${name}${broken ? ' (broken)' : ''}${suspend ? ' (suspended)' : ''}`);
    const atCreation = random.chance(0.2);
    const perMessage: JsonObject = {
      settle: atCreation ? 'onJobCreated' : 'onCompletion',
      ...(atCreation || random.chance(0.3) ? {} : { retry: { attempts: random.int(1, 3), delay: random.pick(['1s', '10s']) } }),
      ...(random.chance(0.5) ? { deadLetter: { queue: `dead-${name}` } } : {}),
      ...(random.chance(0.5) ? { schema: { type: 'object' } } : {}),
      waitAfter: { notStarted: random.pick(['5s', '1m']), refused: random.pick(['5s', '30s']) },
    };
    const fields: JsonObject = {
      perMessage,
      startTimeout: random.pick(['30s', '1m']),
      timeout: '2m',
      concurrency: { max: random.int(1, 6) },
      breaker: { notStarted: random.pick([2, 5, 'off']), failed: random.pick([3, 'off']), probeEvery: random.pick(['1m', '3m']) },
      retention: { succeeded: { count: random.int(0, 3) }, failed: { count: random.int(0, 4), age: random.pick(['15m', '1h']) } },
      onSpecChange: random.pick(['keep', 'keep', 'replace']),
      onSpecDelete: random.pick(['delete', 'finish']),
      ...(suspend ? { suspend: true } : {}),
      job: { image: `registry.example/worker:${this.#world.clock.now()}` },
    };
    this.#world.applyConfigMap(name, broken ? 'kind: Queue\n\tthis: is no YAML\n' : messageSpec(kind, fields, name), { 'job-chief': 'queue' });
  }

  #remove(place: Place): void {
    if (!this.#world.configMap(place.name)) return;
    const propagation = this.#random.pick(['Foreground', 'Background', 'Orphan'] as const);
    this.#tell(`delete ${place.name} (${propagation})`);
    this.#world.deleteConfigMap(place.name, { propagation });
    this.#world.clock.timer(this.#random.pick([1, 500, 20_000, 180_000]), () => {
      if (!this.#calm && !this.#world.configMap(place.name)) this.#apply(place);
    });
  }

  #deleteJob(): void {
    deleteSomeJob({ world: this.#world, random: this.#random, tell: (text) => { this.#tell(text); } });
  }

  #losePod(): void {
    loseSomePod({ world: this.#world, random: this.#random, tell: (text) => { this.#tell(text); } });
  }

  #restartBroker(): void {
    const { broker, clock } = this.#world;
    const lasting = this.#random.exponential(20_000);
    this.#tell(`the broker is down for ${(lasting / 1000).toFixed(1)} s`);
    broker.setDown(true);
    clock.timer(lasting, () => { broker.setDown(false); });
  }

  /** What is in hand, or what was acknowledged. */
  #handOutAgain({ queue }: Place): void {
    const done = queue.messages.filter(({ state }) => state === 'inFlight' || state === 'completed');
    if (done.length === 0) return;
    const stored = this.#random.pick(done);
    this.#tell(`${stored.message.id} is handed out again (${stored.state})`);
    if (stored.state === 'inFlight') queue.takeAway(stored);
    else if (this.#isKnown(stored)) queue.deliverOnceMore(stored);
  }

  /** Its Job is there to be met: later it would rightly run once more. */
  #isKnown({ message: { id } }: StoredMessage): boolean {
    return this.#truth.of(id).some(({ gone, finished }) => !gone && finished === 'Complete');
  }

  #script(id: string, random: Random): PodScript {
    const ordinary = { startsAfter: random.between(300, 3000), runs: random.between(500, 20_000) };
    if (this.#calm || random.chance(0.5)) return ordinary;
    this.#tell(`the pod of ${id} will have trouble`);
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

  #problem(text: string): void {
    this.problems.push(`seed ${this.#seed}: ${text}`);
    this.#tell(`PROBLEM ${text}`);
  }

  #tell(text: string): void {
    this.story.push(`${(this.#world.clock.monotonic() / 1000).toFixed(3).padStart(10)}  ${text}`);
  }
}

function isBad({ message }: StoredMessage): boolean {
  return message.id.includes('-bad');
}
