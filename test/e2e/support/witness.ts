/**
 * Sees every change of Jobs and Pods in a namespace and says afterwards where two Jobs of one queue, or two attempts of one
 * step of a run, lived at once.
 * A Job lives until it has a terminal condition and no pod of it is left that has not ended, deleted or not.
 * Versions count over all objects of the cluster, so the two watches can be put into one order.
 */
import type { Job, Kubernetes, Pod } from './kubernetes.ts';
import { overlapsIn, workOf, type Sight } from './overlaps.ts';

interface Seen extends Sight {
  readonly version: number;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly at: number;
}

export class Witness {
  readonly #seen: Seen[] = [];
  readonly #stop = new AbortController();
  readonly #kubernetes: Kubernetes;
  readonly #namespace: string;
  readonly #watches: Promise<void>[];

  constructor(kubernetes: Kubernetes, namespace: string) {
    this.#kubernetes = kubernetes;
    this.#namespace = namespace;
    this.#watches = [
      this.#follow('jobs'),
      this.#follow('pods'),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#watches);
  }

  /** Names of all Jobs there have been, by the queue that they are for, oldest first. */
  jobsOf(queue: string): string[] {
    const names = this.#ordered().filter(({ object }) => object.kind === 'Job' && workOf(object.metadata) === queue).map(({ object }) => object.metadata.name);
    return [...new Set(names)];
  }

  /** When this process saw that there is such a Job; milliseconds since 1970. */
  madeAt(job: string): number | undefined {
    return this.#seen.find(({ object }) => object.kind === 'Job' && object.metadata.name === job)?.at;
  }

  /** One line for every Job that was made while another for the same work lived. */
  overlaps(): string[] {
    return overlapsIn(this.#ordered());
  }

  #ordered(): Seen[] {
    return this.#seen.toSorted((left, right) => left.version - right.version);
  }

  /** Goes on where it was after an outage of the API server; etcd keeps what happened meanwhile. */
  async #follow(resource: 'jobs' | 'pods'): Promise<void> {
    const at = { version: '' };
    while (!this.#stop.signal.aborted) {
      try {
        await this.#watch(resource, at);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  async #watch(resource: 'jobs' | 'pods', at: { version: string }): Promise<void> {
    if (at.version === '') at.version = (await this.#kubernetes.list(resource, this.#namespace)).resourceVersion;
    for await (const { type, object } of this.#kubernetes.watch(resource, this.#namespace, at.version, this.#stop.signal)) {
      if (type === 'ERROR') throw new Error(`the watch of ${resource} ended: ${JSON.stringify(object)}`);
      at.version = object.metadata.resourceVersion;
      this.#seen.push({ version: Number(at.version), at: Date.now(), gone: type === 'DELETED', object: summary(object) });
    }
  }
}

function summary(object: Job | Pod): Seen['object'] {
  const { metadata } = object;
  if ('phase' in object.status) return { kind: 'Pod', metadata, ended: object.status.phase === 'Succeeded' || object.status.phase === 'Failed' };
  return { kind: 'Job', metadata, ended: hasEnded(object as Job) };
}

export function hasEnded(job: Job): boolean {
  return (job.status.conditions ?? []).some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
}
