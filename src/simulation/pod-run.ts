/**
 * One pod acted out by its script: scheduled, prepared, running, ended. The order that outside observers see is the
 * measured one: the container's state first, the phase about a second later, and the Job's condition after that.
 */
import { ContainerOutput } from './container-output.ts';
import { isTerminal, type PodObject, type PodStatus, withCondition } from './job-shape.ts';
import { timestamp } from './objects.ts';
import { type PodDeps, PodHandle } from './pod-handle.ts';
import { defaultRun, defaultStop, type Exit, type PodScript } from './pod-script.ts';
import { PodStart } from './pod-start.ts';
import { type ContainerLife, disruption, newLife, podStatus, terminated, waiting } from './pod-status.ts';
import { MortalClock } from './process-clock.ts';

/** Taint eviction and the node controller, with their defaults. */
const nodeNotReadyAfter = 40_000;
const taintEvictionAfter = 340_000;

export class PodRun {
  readonly #handle: PodHandle;
  readonly #script: PodScript;
  readonly #lives: ContainerLife[];
  #worker: MortalClock | undefined;
  #onStop: (() => void) | undefined;
  #stopping = false;
  #lost = false;
  #over = false;

  constructor(deps: PodDeps, pod: PodObject, script: PodScript) {
    this.#handle = new PodHandle(deps, pod);
    this.#script = script;
    this.#lives = pod.spec.containers.map(newLife);
    new PodStart(this.#handle, script, this.#lives, () => { this.#start(); });
  }

  /** The pod has a deletionTimestamp: stop within the grace period, and then remove it. */
  terminate(): void {
    const pod = this.#handle.pod;
    if (!pod || this.#lost || this.#stopping) return;
    this.#stopping = true;
    if (!this.#isRunning()) {
      this.#handle.clearTimers();
      this.#handle.after(this.#handle.deps.random.between(30, 80), () => { this.#endByDeletion(); });
      return;
    }
    const grace = (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000;
    this.#onStop?.();
    if (this.#onStop === undefined || grace <= (this.#script.stopsAfter ?? defaultStop)) this.#stopContainers(grace);
    else this.#handle.after(grace, () => { this.#kill(137); });
  }

  /** Ended by the kubelet for want of room: the object stays. A pod that has ended or is going anyway is left alone. */
  evict(): void {
    if (this.#over || this.#stopping || this.#lost) return;
    const now = this.#handle.now;
    const message = 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 64Mi.';
    this.#endContainers({ code: 137 });
    this.#over = true;
    this.#handle.write((pod) => ({
      ...podStatus(pod, this.#lives, 'Failed', now),
      reason: 'Evicted',
      message,
      conditions: withCondition(podStatus(pod, this.#lives, 'Failed', now).conditions, disruption('TerminationByKubelet', message, now)),
    }));
    this.#handle.clearTimers();
  }

  /** The object is gone: nothing of this run happens any more. */
  discard(): void {
    this.#over = true;
    this.#handle.clearTimers();
    this.#worker?.kill();
  }

  /** What one of its containers has written; undefined: it has not started, or `previous` life there was none. */
  output(container: string, previous: boolean): ContainerOutput | undefined {
    const life = this.#lives.find(({ spec }) => spec.name === container);
    if (!life) return this.#initOutput(container);
    return previous ? life.previousOutput : life.output;
  }

  #initOutput(container: string): ContainerOutput | undefined {
    const begun = this.#lives.find(({ startedAt }) => startedAt !== undefined);
    if (begun?.startedAt === undefined) return undefined;
    const output = new ContainerOutput();
    for (const { text } of this.#script.containers?.[container]?.log ?? []) output.write(begun.startedAt, text);
    output.end();
    return output;
  }

  // Running

  #start(): void {
    for (const life of this.#lives) this.#startContainer(life);
    this.#publish('Running');
    const { evictedAfter, nodeLost } = this.#script;
    if (evictedAfter !== undefined) this.#handle.after(evictedAfter, () => { this.evict(); });
    if (nodeLost !== undefined) this.#handle.after(nodeLost.after, () => { this.#loseNode(nodeLost.removedAfter); });
  }

  #startContainer(life: ContainerLife): void {
    life.startedAt = this.#handle.now;
    life.state = { running: { startedAt: timestamp(life.startedAt) } };
    this.#open(life);
    if (this.#script.work && life === this.#lives[0]) {
      this.#startWork(life, this.#script.work);
      return;
    }
    const own = this.#script.containers?.[life.spec.name];
    const exits = this.#script.exits;
    const exit = own?.exit ?? exits?.[Math.min(life.restarts, exits.length - 1)] ?? this.#script.exit ?? { code: 0 };
    this.#handle.after(own?.runs ?? this.#script.runs ?? defaultRun, () => { this.#exit(life, exit); });
  }

  #open(life: ContainerLife): void {
    const output = new ContainerOutput();
    life.previousOutput = life.output;
    life.output = output;
    const own = this.#script.containers?.[life.spec.name]?.log;
    const lines = own ?? (life === this.#lives[0] ? this.#script.log : undefined) ?? [];
    for (const { after, text } of lines) this.#handle.after(after, () => { output.write(this.#handle.now, text); });
  }

  #startWork(life: ContainerLife, work: NonNullable<PodScript['work']>): void {
    const pod = this.#handle.pod;
    if (!pod) return;
    const clock = new MortalClock(this.#handle.deps.clock);
    this.#worker = clock;
    this.#onStop = undefined;
    const exit = (how: Exit): void => { this.#exit(life, how); };
    const onStop = (run: () => void): void => { this.#onStop = run; };
    const print = (text: string): void => { life.output?.write(this.#handle.now, text); };
    const random = this.#handle.deps.random.split(`work-${life.restarts}`);
    // By a timer that is not quiet: the work may wait for promises.
    clock.timer(1, () => { work({ pod, clock, random, exit, print, onStop }); });
  }

  #exit(life: ContainerLife, exit: Exit): void {
    if (this.#over || this.#lost || life.state.running === undefined) return;
    life.state = terminated(life, exit, this.#handle.now);
    life.exit = exit;
    life.output?.end();
    if (life === this.#lives[0]) this.#worker?.kill();
    if (exit.code !== 0 && this.#restarts()) {
      this.#restart(life);
      return;
    }
    this.#publish('Running');
    // A container that waits for its restart has no exit yet, and holds the pod unless that is being stopped.
    if (this.#stopping ? !this.#isRunning() : this.#lives.every((other) => other.exit)) this.#wrapUp();
  }

  #restarts(): boolean {
    return !this.#stopping && this.#handle.pod?.spec.restartPolicy === 'OnFailure';
  }

  #wrapUp(): void {
    if (this.#stopping) this.#handle.after(this.#handle.deps.random.between(10, 40), () => { this.#endByDeletion(); });
    else this.#handle.after(this.#script.phaseAfter ?? this.#handle.deps.random.between(1040, 1110), () => { this.#complete(); });
  }

  /** The first restart comes at once, the following after 10 s, 20 s, … up to 5 min. */
  #restart(life: ContainerLife): void {
    const pause = life.restarts === 0 ? 1000 : Math.min(10_000 * 2 ** (life.restarts - 1), 300_000);
    life.lastState = { terminated: life.state.terminated ?? {} };
    life.exit = undefined;
    this.#publish('Running');
    if (life.restarts > 0) this.#handle.after(1000, () => {
      life.state = waiting('CrashLoopBackOff', `back-off ${pause / 1000}s restarting failed container=${life.spec.name}`);
      this.#publish('Running');
    });
    this.#handle.after(pause, () => {
      if (this.#stopping) return;
      life.restarts += 1;
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
    this.#handle.after(Math.min(stopsAfter, grace), () => { this.#kill(stopsAfter < grace ? 143 : 137); });
  }

  #kill(code: number): void {
    for (const life of this.#lives) if (life.state.running !== undefined) this.#exit(life, { code });
  }

  /** Measured: the pod ends in a phase first, and the object goes a moment later. */
  #endByDeletion(): void {
    const pod = this.#handle.pod;
    if (!pod) return;
    this.#endContainers({ code: 137, reason: 'ContainerStatusUnknown' });
    this.#over = true;
    if (!isTerminal(pod)) this.#publish(this.#lives.every((life) => life.exit?.code === 0) ? 'Succeeded' : 'Failed');
    this.#handle.after(this.#handle.deps.random.between(20, 60), () => { this.#handle.delete(0); });
  }

  /** The kubelet knows nothing of those that were never made. */
  #endContainers(how: Exit): void {
    for (const life of this.#lives) {
      if (life.exit) continue;
      const exit = life.startedAt === undefined ? { ...how, reason: 'ContainerStatusUnknown' } : how;
      life.state = terminated(life, exit, this.#handle.now);
      life.exit = exit;
      life.output?.end();
    }
    this.#worker?.kill();
  }

  /** From now on nobody knows what its containers do. Only removing the node frees the name. */
  #loseNode(removedAfter: number | undefined): void {
    if (this.#over) return;
    this.#lost = true;
    this.#handle.clearTimers();
    this.#worker?.kill();
    const at = (time: number): string => timestamp(time);
    this.#handle.after(nodeNotReadyAfter, () => {
      this.#handle.writeCondition({ type: 'Ready', status: 'False', reason: 'NodeNotReady', lastProbeTime: null, lastTransitionTime: at(this.#handle.now) });
    });
    this.#handle.after(taintEvictionAfter, () => {
      this.#handle.writeCondition(disruption('DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint', this.#handle.now));
      this.#handle.delete();
    });
    if (removedAfter === undefined) return;
    this.#handle.after(removedAfter, () => {
      this.#handle.write((pod) => ({ ...pod.status, phase: 'Failed', conditions: withCondition(pod.status.conditions, disruption('DeletionByPodGC', 'PodGC: node no longer exists', this.#handle.now)) }));
      this.#handle.delete(0);
    });
  }

  #isRunning(): boolean {
    return this.#lives.some((life) => life.state.running !== undefined);
  }

  #publish(phase: PodStatus['phase']): void {
    this.#handle.publish(this.#lives, phase);
  }
}
