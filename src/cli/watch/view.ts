/** What a command looks at for longer than one answer: kept in step by a watch that outlives an API server. */
import { isForbidden } from '../../adapters/kubernetes/api-error.ts';
import { Reflector } from '../../adapters/kubernetes/reflector.ts';
import type { Resource } from '../../adapters/kubernetes/resources.ts';
import type { Projection, Stored } from '../../adapters/kubernetes/store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../reconcile/ports.ts';
import { UserError } from '../exit-code.ts';
import type { ApiClient } from '../runs/run-client.ts';
import type { Bell } from './bell.ts';

export interface ViewOptions<T> {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly resource: Resource;
  readonly labelSelector: string;
  readonly metadataOnly?: boolean;
  readonly project: Projection<T>;
  /** Rings whenever there is something new to look at, a failure included. */
  readonly bell: Bell;
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export class View<T extends Stored> {
  readonly #options: ViewOptions<T>;
  readonly #reflector: Reflector<T>;

  /** Begins at once; `stop` it. */
  constructor(options: ViewOptions<T>) {
    this.#options = options;
    const { bell, project, client, clock, resource, labelSelector, metadataOnly = false } = options;
    const ring = (): void => { bell.ring(); };
    this.#reflector = new Reflector<T>({ client, clock, resource, labelSelector, metadataOnly, project, random: () => 0.5, onChange: ring, onState: ring, log: silent });
    this.#reflector.start();
  }

  /** Everything that was there at some moment has been seen. */
  get synced(): boolean {
    return this.#reflector.synced;
  }

  /** What is there; empty until `synced`. Throws a UserError where the right to look is missing. */
  all(): readonly T[] {
    this.#check();
    return [...this.#reflector.values()];
  }

  get(name: string): T | undefined {
    return this.#reflector.get(name);
  }

  /** Why nothing new comes; undefined while all goes well. */
  get trouble(): string | undefined {
    return this.#reflector.failure?.message;
  }

  /** Looks anew, and resolves when all that is there this moment has been seen; never, if it is stopped before. */
  refresh(): Promise<void> {
    return this.#reflector.refresh();
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  #check(): void {
    const { failure } = this.#reflector;
    const { resource, client } = this.#options;
    if (failure && isForbidden(failure)) throw new UserError(`cannot watch ${resource.plural} in namespace ${client.namespace}: ${failure.message}`);
  }
}
