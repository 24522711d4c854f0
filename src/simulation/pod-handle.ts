/** One pod as the kubelet holds it: reading and writing the object, timers that end with it. */
import type { Timer } from '../lib/clock.ts';
import type { VirtualClock } from './clock.ts';
import type { EventRecorder } from './cluster-events.ts';
import { asPod, type Condition, type PodObject, type PodStatus, withCondition } from './job-shape.ts';
import { pods } from './objects.ts';
import { type ContainerLife, podStatus, waiting } from './pod-status.ts';
import type { Random } from './random.ts';
import type { Registry } from './registry.ts';

export interface PodDeps {
  readonly clock: VirtualClock;
  readonly registry: Registry;
  readonly events: EventRecorder;
  readonly random: Random;
  readonly node: string;
}

/** Everything here does nothing once the object is gone or another one has its name. */
export class PodHandle {
  readonly deps: PodDeps;
  readonly name: string;
  readonly #uid: string;
  readonly #timers = new Set<Timer>();

  constructor(deps: PodDeps, pod: PodObject) {
    this.deps = deps;
    this.name = pod.metadata.name;
    this.#uid = pod.metadata.uid;
  }

  get now(): number {
    return this.deps.clock.now();
  }

  get pod(): PodObject | undefined {
    const found = this.deps.registry.store.get(pods, this.name);
    return found?.metadata.uid === this.#uid ? asPod(found) : undefined;
  }

  write(status: (pod: PodObject) => PodStatus): void {
    if (this.pod) this.deps.registry.update(pods, this.name, (object) => ({ ...object, status: status(asPod(object)) }));
  }

  /** Writes where the containers stand. */
  publish(lives: readonly ContainerLife[], phase: PodStatus['phase']): void {
    this.write((pod) => podStatus(pod, lives, phase, this.now));
  }

  /** No container runs, all for the same reason. */
  wait(lives: readonly ContainerLife[], reason: string, message: string): void {
    for (const life of lives) life.state = waiting(reason, message);
    this.publish(lives, 'Pending');
  }

  writeCondition(condition: Condition): void {
    this.write((pod) => ({ ...pod.status, conditions: withCondition(pod.status.conditions, condition) }));
  }

  warn(reason: string, message: string, component = 'kubelet'): void {
    const pod = this.pod;
    if (pod) this.deps.events.record(pod, component, { type: 'Warning', reason, message });
  }

  /** With no grace the object goes at once; otherwise it is marked, and the kubelet hears of it. */
  delete(graceSeconds?: number): void {
    if (this.pod) this.deps.registry.delete(pods, this.name, { uid: this.#uid, ...(graceSeconds === undefined ? {} : { graceSeconds }) });
  }

  after(delay: number, run: () => void): void {
    const timer = this.deps.clock.quietTimer(delay, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  clearTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
