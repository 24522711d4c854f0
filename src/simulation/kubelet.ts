/** Scheduler and kubelet in one: acts out a script for every pod. */
import type { VirtualClock } from './clock.ts';
import type { EventRecorder } from './cluster-events.ts';
import type { ContainerOutput } from './container-output.ts';
import { asPod, withCondition } from './job-shape.ts';
import { pods } from './objects.ts';
import { PodRun } from './pod-run.ts';
import type { Scriptwriter } from './pod-script.ts';
import { disruption } from './pod-status.ts';
import type { Random } from './random.ts';
import type { Registry } from './registry.ts';
import type { Change } from './store.ts';

export interface KubeletDeps {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly registry: Registry;
  readonly events: EventRecorder;
  /** Asked once for each new pod. */
  readonly script: Scriptwriter;
}

export class Kubelet {
  readonly #deps: KubeletDeps;
  readonly #random: Random;
  readonly #runs = new Map<string, PodRun>();
  #pods = 0;

  constructor(deps: KubeletDeps) {
    this.#deps = deps;
    this.#random = deps.random.split('kubelet');
    deps.registry.store.subscribe((change) => {
      if (change.resource === pods) this.#notice(change);
    });
  }

  /** Ends a pod by draining its node: DisruptionTarget first, then the ordinary deletion with its grace period. */
  drain(name: string): void {
    const { registry, clock } = this.#deps;
    const condition = disruption('EvictionByEvictionAPI', 'Eviction API: evicting', clock.now());
    registry.update(pods, name, (object) => {
      const pod = asPod(object);
      return { ...pod, status: { ...pod.status, conditions: withCondition(pod.status.conditions, condition) } };
    });
    registry.delete(pods, name);
  }

  /** Ends a pod because its node runs short: Failed and Evicted, the object stays. */
  evict(name: string): void {
    const pod = this.#deps.registry.store.get(pods, name);
    if (pod) this.#runs.get(pod.metadata.uid)?.evict();
  }

  /** What a container of the pod with this UID has written. */
  output(uid: string, container: string, previous: boolean): ContainerOutput | undefined {
    return this.#runs.get(uid)?.output(container, previous);
  }

  #notice({ type, object, previous }: Change): void {
    const { uid, deletionTimestamp } = object.metadata;
    if (type === 'ADDED') this.#begin(uid, object);
    else if (type === 'DELETED') this.#end(uid);
    else if (deletionTimestamp !== undefined && previous?.metadata.deletionTimestamp === undefined) this.#terminate(uid);
  }

  #begin(uid: string, object: Change['object']): void {
    this.#pods += 1;
    const random = this.#random.split(String(this.#pods));
    const pod = asPod(object);
    const { clock, registry, events, script } = this.#deps;
    this.#runs.set(uid, new PodRun({ clock, registry, events, random, node: 'node-1' }, pod, script(pod, random)));
  }

  #end(uid: string): void {
    this.#runs.get(uid)?.discard();
    this.#runs.delete(uid);
  }

  /** The kubelet learns of a deletion a few milliseconds later, as everybody else. */
  #terminate(uid: string): void {
    this.#deps.clock.quietTimer(this.#random.between(5, 20), () => { this.#runs.get(uid)?.terminate(); });
  }
}
