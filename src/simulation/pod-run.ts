/**
 * One pod acted out by its script: scheduled, prepared, running, ended. The order that outside observers see is the
 * measured one: the container's state first, the phase about a second later, and the Job's condition after that.
 */
import type { Timer } from '../lib/clock.ts';
import type { VirtualClock } from './clock.ts';
import type { EventRecorder } from './cluster-events.ts';
import { asPod, type Condition, isTerminal, type PodObject, type PodStatus, withCondition } from './job-shape.ts';
import { pods, timestamp } from './objects.ts';
import { missingEnv, missingVolume } from './pod-dependencies.ts';
import { defaultRun, defaultStop, type Exit, type PodScript } from './pod-script.ts';
import { type ContainerLife, disruption, newLife, podStatus, terminated, waiting } from './pod-status.ts';
import { MortalClock } from './process-clock.ts';
import type { Random } from './random.ts';
import type { Registry } from './registry.ts';

export interface PodRunDeps {
  readonly clock: VirtualClock;
  readonly registry: Registry;
  readonly events: EventRecorder;
  readonly random: Random;
  readonly node: string;
}

const component = 'kubelet';
/** Measured: a Secret that comes 20 to 60 ms after its Job costs nothing. */
const firstMount = 60;
/** Measured: Secrets mounted 1, 3, 8 and 20 s late cost 2.2, 4.3, 16.2 and 32.5 s, which is back-off doubling from here. */
const firstMountRetry = 500;
/** Measured: env from a Secret that was late by 1 to 8 s started after 13 to 15 s. */
const configRetry = 12_300;
/** Taint eviction and the node controller, with their defaults. */
const nodeNotReadyAfter = 40_000;
const taintEvictionAfter = 340_000;

export class PodRun {
  readonly #deps: PodRunDeps;
  readonly #name: string;
  readonly #uid: string;
  readonly #script: PodScript;
  readonly #lives: ContainerLife[];
  readonly #timers = new Set<Timer>();
  #worker: MortalClock | undefined;
  #onStop: (() => void) | undefined;
  #pulls = 0;
  #begun: number | undefined;
  #stopping = false;
  #lost = false;
  #over = false;

  constructor(deps: PodRunDeps, pod: PodObject, script: PodScript) {
    this.#deps = deps;
    this.#name = pod.metadata.name;
    this.#uid = pod.metadata.uid;
    this.#script = script;
    this.#lives = pod.spec.containers.map(newLife);
    this.#after(deps.random.between(5, 20), () => { this.#schedule(); });
  }

  /** The pod has a deletionTimestamp: stop within the grace period, and then remove it. */
  terminate(): void {
    const pod = this.#pod();
    if (!pod || this.#lost || this.#stopping) return;
    this.#stopping = true;
    if (!this.#isRunning()) {
      this.#clearTimers();
      this.#after(this.#deps.random.between(30, 80), () => { this.#endByDeletion(); });
      return;
    }
    const grace = (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000;
    this.#onStop?.();
    if (this.#onStop === undefined || grace <= (this.#script.stopsAfter ?? defaultStop)) this.#stopContainers(grace);
    else this.#after(grace, () => { this.#kill(137); });
  }

  /** Ended by the cluster, not by itself: evicted, preempted. The kubelet's own eviction leaves the object. */
  evict(): void {
    const now = this.#deps.clock.now();
    const message = 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 64Mi.';
    this.#endContainers({ code: 137 });
    this.#over = true;
    this.#write((pod) => ({
      ...podStatus(pod, this.#lives, 'Failed', now),
      reason: 'Evicted',
      message,
      conditions: withCondition(podStatus(pod, this.#lives, 'Failed', now).conditions, disruption('TerminationByKubelet', message, now)),
    }));
    this.#clearTimers();
  }

  /** The object is gone: nothing of this run happens any more. */
  discard(): void {
    this.#over = true;
    this.#clearTimers();
    this.#worker?.kill();
  }

  // Before the start

  #schedule(): void {
    const { unschedulable } = this.#script;
    if (!unschedulable) {
      this.#bind();
      return;
    }
    const message = unschedulable.message ?? '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
    this.#writeCondition({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastProbeTime: null, lastTransitionTime: timestamp(this.#deps.clock.now()) });
    this.#event('Warning', 'FailedScheduling', message, 'default-scheduler');
    this.#after(unschedulable.for, () => { this.#bind(); });
  }

  #bind(): void {
    const { clock, registry, node, random } = this.#deps;
    if (!this.#pod()) return;
    registry.update(pods, this.#name, (object) => ({ ...object, spec: { ...asPod(object).spec, nodeName: node } }));
    this.#writeCondition({ type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: timestamp(clock.now()) });
    this.#begun = clock.now();
    this.#after(random.between(20, 40), () => {
      this.#publish('Pending');
      this.#after(firstMount, () => { this.#mount(0); });
    });
  }

  #mount(retries: number): void {
    const pod = this.#pod();
    const problem = pod && missingVolume(pod, this.#deps.registry.store);
    if (problem === undefined) {
      const startsAfter = this.#script.startsAfter ?? this.#deps.random.between(580, 640);
      this.#after(Math.max(startsAfter - firstMount, 0), () => { this.#pull(); });
      return;
    }
    this.#event('Warning', 'FailedMount', problem);
    this.#after(firstMountRetry * 2 ** Math.min(retries, 8), () => { this.#mount(retries + 1); });
  }

  #pull(): void {
    const { image } = this.#script;
    const { clock } = this.#deps;
    if (!image || clock.now() - (this.#begun ?? 0) >= image.for) {
      this.#configure();
      return;
    }
    const name = this.#lives[0]?.spec.image ?? '';
    if (image.reason === 'InvalidImageName') {
      this.#wait('InvalidImageName', image.message ?? `Failed to apply default image tag "${name}": couldn't parse image name: invalid reference format`);
      return;
    }
    const message = image.message ?? `failed to pull and unpack image "${name}": failed to resolve reference "${name}": not found`;
    this.#wait('ErrImagePull', message);
    this.#event('Warning', 'Failed', `Failed to pull image "${name}": ${message}`);
    this.#event('Warning', 'Failed', 'Error: ErrImagePull');
    this.#pulls += 1;
    const pause = Math.min(10_000 * 2 ** (this.#pulls - 1), 300_000);
    this.#after(1200, () => { this.#wait('ImagePullBackOff', `Back-off pulling image "${name}": ErrImagePull: ${message}`); });
    this.#after(pause + 1000, () => { this.#pull(); });
  }

  #configure(): void {
    const { config } = this.#script;
    const pod = this.#pod();
    const missing = pod && missingEnv(pod, this.#deps.registry.store);
    const scripted = config && this.#deps.clock.now() - (this.#begun ?? 0) < config.for ? (config.message ?? 'secret "credentials" not found') : undefined;
    const problem = missing ?? scripted;
    if (problem === undefined) {
      this.#start();
      return;
    }
    this.#wait(missing === undefined ? (config?.reason ?? 'CreateContainerConfigError') : 'CreateContainerConfigError', problem);
    this.#event('Warning', 'Failed', `Error: ${problem}`);
    this.#after(configRetry + this.#deps.random.between(-1000, 1000), () => { this.#configure(); });
  }

  // Running

  #start(): void {
    for (const life of this.#lives) this.#startContainer(life);
    this.#publish('Running');
    const { evictedAfter, nodeLost } = this.#script;
    if (evictedAfter !== undefined) this.#after(evictedAfter, () => { this.evict(); });
    if (nodeLost !== undefined) this.#after(nodeLost.after, () => { this.#loseNode(nodeLost.removedAfter); });
  }

  #startContainer(life: ContainerLife): void {
    const { clock } = this.#deps;
    life.startedAt = clock.now();
    life.state = { running: { startedAt: timestamp(life.startedAt) } };
    if (this.#script.work && life === this.#lives[0]) {
      this.#startWork(life, this.#script.work);
      return;
    }
    const own = this.#script.containers?.[life.spec.name];
    const exits = this.#script.exits;
    const exit = own?.exit ?? exits?.[Math.min(life.restarts, exits.length - 1)] ?? this.#script.exit ?? { code: 0 };
    this.#after(own?.runs ?? this.#script.runs ?? defaultRun, () => { this.#exit(life, exit); });
  }

  #startWork(life: ContainerLife, work: NonNullable<PodScript['work']>): void {
    const pod = this.#pod();
    if (!pod) return;
    const clock = new MortalClock(this.#deps.clock);
    this.#worker = clock;
    this.#onStop = undefined;
    const exit = (how: Exit): void => { this.#exit(life, how); };
    const onStop = (run: () => void): void => { this.#onStop = run; };
    const random = this.#deps.random.split(`work-${life.restarts}`);
    // By a timer that is not quiet: the work may wait for promises.
    clock.timer(1, () => { work({ pod, clock, random, exit, onStop }); });
  }

  #exit(life: ContainerLife, exit: Exit): void {
    if (this.#over || this.#lost || life.state.running === undefined) return;
    life.state = terminated(life, exit, this.#deps.clock.now());
    life.exit = exit;
    if (life === this.#lives[0]) this.#worker?.kill();
    if (exit.code !== 0 && this.#restarts()) {
      this.#restart(life);
      return;
    }
    this.#publish('Running');
    if (!this.#isRunning()) this.#wrapUp();
  }

  #restarts(): boolean {
    return !this.#stopping && this.#pod()?.spec.restartPolicy === 'OnFailure';
  }

  #wrapUp(): void {
    if (this.#stopping) this.#after(this.#deps.random.between(10, 40), () => { this.#endByDeletion(); });
    else this.#after(this.#script.phaseAfter ?? this.#deps.random.between(1040, 1110), () => { this.#complete(); });
  }

  /** The first restart comes at once, the following after 10 s, 20 s, … up to 5 min. */
  #restart(life: ContainerLife): void {
    const pause = life.restarts === 0 ? 1000 : Math.min(10_000 * 2 ** (life.restarts - 1), 300_000);
    life.lastState = { terminated: life.state.terminated ?? {} };
    this.#publish('Running');
    if (life.restarts > 0) this.#after(1000, () => {
      life.state = waiting('CrashLoopBackOff', `back-off ${pause / 1000}s restarting failed container=${life.spec.name}`);
      this.#publish('Running');
    });
    this.#after(pause, () => {
      life.restarts += 1;
      life.exit = undefined;
      this.#startContainer(life);
      this.#publish('Running');
    });
  }

  #complete(): void {
    this.#over = true;
    this.#publish(this.#lives.every((life) => life.exit?.code === 0) ? 'Succeeded' : 'Failed');
  }

  // Ending from outside

  #stopContainers(grace: number): void {
    const stopsAfter = this.#script.stopsAfter ?? defaultStop;
    this.#after(Math.min(stopsAfter, grace), () => { this.#kill(stopsAfter < grace ? 143 : 137); });
  }

  #kill(code: number): void {
    for (const life of this.#lives) if (life.state.running !== undefined) this.#exit(life, { code });
  }

  /** Measured: the pod ends in a phase first, and the object goes a moment later. */
  #endByDeletion(): void {
    const pod = this.#pod();
    if (!pod) return;
    this.#endContainers({ code: 137, reason: 'ContainerStatusUnknown' });
    this.#over = true;
    if (!isTerminal(pod)) this.#publish(this.#lives.every((life) => life.exit?.code === 0) ? 'Succeeded' : 'Failed');
    this.#after(this.#deps.random.between(20, 60), () => { this.#remove(); });
  }

  #endContainers(exit: Exit): void {
    for (const life of this.#lives) {
      if (life.exit) continue;
      life.state = terminated(life, exit, this.#deps.clock.now());
      life.exit = exit;
    }
    this.#worker?.kill();
  }

  /** From now on nobody knows what its containers do. Only removing the node frees the name. */
  #loseNode(removedAfter: number | undefined): void {
    this.#lost = true;
    this.#clearTimers();
    this.#worker?.kill();
    const at = (time: number): string => timestamp(time);
    this.#after(nodeNotReadyAfter, () => {
      this.#writeCondition({ type: 'Ready', status: 'False', reason: 'NodeNotReady', lastProbeTime: null, lastTransitionTime: at(this.#deps.clock.now()) });
    });
    this.#after(taintEvictionAfter, () => {
      this.#writeCondition(disruption('DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint', this.#deps.clock.now()));
      if (this.#pod()) this.#deps.registry.delete(pods, this.#name, { uid: this.#uid });
    });
    if (removedAfter === undefined) return;
    this.#after(removedAfter, () => {
      this.#write((pod) => ({ ...pod.status, phase: 'Failed', conditions: withCondition(pod.status.conditions, disruption('DeletionByPodGC', 'PodGC: node no longer exists', this.#deps.clock.now())) }));
      this.#remove();
    });
  }

  #remove(): void {
    if (this.#pod()) this.#deps.registry.delete(pods, this.#name, { uid: this.#uid, graceSeconds: 0 });
  }

  // Plumbing

  #pod(): PodObject | undefined {
    const found = this.#deps.registry.store.get(pods, this.#name);
    return found?.metadata.uid === this.#uid ? asPod(found) : undefined;
  }

  #isRunning(): boolean {
    return this.#lives.some((life) => life.state.running !== undefined);
  }

  #wait(reason: string, message: string): void {
    for (const life of this.#lives) life.state = waiting(reason, message);
    this.#publish('Pending');
  }

  #publish(phase: PodStatus['phase']): void {
    this.#write((pod) => podStatus(pod, this.#lives, phase, this.#deps.clock.now()));
  }

  #writeCondition(condition: Condition): void {
    this.#write((pod) => ({ ...pod.status, conditions: withCondition(pod.status.conditions, condition) }));
  }

  #write(status: (pod: PodObject) => PodStatus): void {
    if (this.#pod()) this.#deps.registry.update(pods, this.#name, (object) => ({ ...object, status: status(asPod(object)) }));
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string, by: string = component): void {
    const pod = this.#pod();
    if (pod) this.#deps.events.record(pod, by, { type, reason, message });
  }

  #after(delay: number, run: () => void): void {
    const timer = this.#deps.clock.quietTimer(delay, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
