/** A pod on its way to running: a node, its volumes, its image, its containers' configuration. */
import { asPod } from './job-shape.ts';
import { pods, timestamp } from './objects.ts';
import { missingEnv, missingVolume } from './pod-dependencies.ts';
import type { PodHandle } from './pod-handle.ts';
import type { PodScript } from './pod-script.ts';
import type { ContainerLife } from './pod-status.ts';

/** Measured: a Secret that comes 20 to 60 ms after its Job costs nothing. */
const firstMount = 60;
/** Measured: Secrets mounted 1, 3, 8 and 20 s late cost 2.2, 4.3, 16.2 and 32.5 s, which is back-off doubling from here. */
const firstMountRetry = 500;
/** Measured: env from a Secret that was late by 1 to 8 s started after 13 to 15 s. */
const configRetry = 12_300;
const firstPullRetry = 10_000;
const longestPullRetry = 300_000;
const noNode = '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';

export class PodStart {
  readonly #handle: PodHandle;
  readonly #script: PodScript;
  readonly #lives: readonly ContainerLife[];
  readonly #run: () => void;
  #pulls = 0;
  #boundAt = 0;

  /** `run` is called when nothing is in the way of the containers any more. */
  constructor(handle: PodHandle, script: PodScript, lives: readonly ContainerLife[], run: () => void) {
    this.#handle = handle;
    this.#script = script;
    this.#lives = lives;
    this.#run = run;
    handle.after(handle.deps.random.between(5, 20), () => { this.#schedule(); });
  }

  #schedule(): void {
    const { unschedulable } = this.#script;
    if (!unschedulable) {
      this.#bind();
      return;
    }
    const message = unschedulable.message ?? noNode;
    this.#handle.writeCondition({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastProbeTime: null, lastTransitionTime: timestamp(this.#handle.now) });
    this.#handle.warn('FailedScheduling', message, 'default-scheduler');
    this.#handle.after(unschedulable.for, () => { this.#bind(); });
  }

  #bind(): void {
    const { registry, node, random } = this.#handle.deps;
    if (!this.#handle.pod) return;
    registry.update(pods, this.#handle.name, (object) => ({ ...object, spec: { ...asPod(object).spec, nodeName: node } }));
    this.#handle.writeCondition({ type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: timestamp(this.#handle.now) });
    this.#boundAt = this.#handle.now;
    this.#handle.after(random.between(20, 40), () => {
      this.#handle.publish(this.#lives, 'Pending');
      this.#handle.after(firstMount, () => { this.#mount(0); });
    });
  }

  #mount(retries: number): void {
    const { registry, random } = this.#handle.deps;
    const pod = this.#handle.pod;
    const problem = pod && missingVolume(pod, registry.store);
    if (problem === undefined) {
      const startsAfter = this.#script.startsAfter ?? random.between(580, 640);
      this.#handle.after(Math.max(startsAfter - firstMount, 0), () => { this.#pull(); });
      return;
    }
    this.#handle.warn('FailedMount', problem);
    this.#handle.after(firstMountRetry * 2 ** Math.min(retries, 8), () => { this.#mount(retries + 1); });
  }

  #pull(): void {
    const { image } = this.#script;
    if (!image || this.#handle.now - this.#boundAt >= image.for) {
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
    this.#handle.warn('Failed', `Failed to pull image "${name}": ${message}`);
    this.#handle.warn('Failed', 'Error: ErrImagePull');
    const pause = Math.min(firstPullRetry * 2 ** this.#pulls, longestPullRetry);
    this.#pulls += 1;
    this.#handle.after(1200, () => { this.#wait('ImagePullBackOff', `Back-off pulling image "${name}": ErrImagePull: ${message}`); });
    this.#handle.after(pause + 1000, () => { this.#pull(); });
  }

  #configure(): void {
    const { registry, random } = this.#handle.deps;
    const { config } = this.#script;
    const pod = this.#handle.pod;
    const missing = pod && missingEnv(pod, registry.store);
    const scripted = config && this.#handle.now - this.#boundAt < config.for ? (config.message ?? 'secret "credentials" not found') : undefined;
    const problem = missing ?? scripted;
    if (problem === undefined) {
      this.#run();
      return;
    }
    this.#wait(missing === undefined ? (config?.reason ?? 'CreateContainerConfigError') : 'CreateContainerConfigError', problem);
    this.#handle.warn('Failed', `Error: ${problem}`);
    this.#handle.after(configRetry + random.between(-1000, 1000), () => { this.#configure(); });
  }

  #wait(reason: string, message: string): void {
    this.#handle.wait(this.#lives, reason, message);
  }
}
