/** A client for caches that are filled once: lists are answered by the API server, watches by nobody. */
import { noAnswer, type ApiFailure } from '../../adapters/kubernetes/api-error.ts';
import type { KubernetesClient, ListQuery, ListResult, WatchQuery, WatchResult } from '../../adapters/kubernetes/client.ts';
import type { Resource } from '../../adapters/kubernetes/resources.ts';

/** Why a list came to nothing. */
export interface ListFailure {
  readonly resource: Resource;
  readonly failure: ApiFailure;
}

export class ListOnlyClient implements Pick<KubernetesClient, 'list' | 'watch'> {
  readonly #client: Pick<KubernetesClient, 'list'>;
  readonly #failed = Promise.withResolvers<ListFailure>();

  constructor(client: Pick<KubernetesClient, 'list'>) {
    this.#client = client;
  }

  /** Resolves with the first list that failed; whoever fills a cache again and again would go on trying. */
  get failed(): Promise<ListFailure> {
    return this.#failed.promise;
  }

  async list(resource: Resource, query: ListQuery): Promise<ListResult> {
    const result = await this.#client.list(resource, query);
    if (result.kind === 'failed') this.#failed.resolve({ resource, failure: result.failure });
    return result;
  }

  /** Stays open until it is aborted, and tells nothing. */
  watch(_resource: Resource, { signal }: WatchQuery): Promise<WatchResult> {
    return new Promise((resolve) => {
      const end = (): void => { resolve({ kind: 'failed', failure: noAnswer('nobody watches') }); };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  }
}
