/** A whole list, page by page, as one consistent state. */
import { isExpired } from './api-error.ts';
import type { ApiFailure } from './api-error.ts';
import type { KubernetesClient, ListPage } from './client.ts';
import type { Resource } from './resources.ts';
import type { Stored } from './store.ts';

export interface ListAllOptions {
  readonly client: Pick<KubernetesClient, 'list'>;
  readonly resource: Resource;
  readonly labelSelector: string;
  readonly metadataOnly?: boolean;
  readonly pageSize?: number;
}

export type WholeList<T> =
  | { readonly kind: 'complete'; readonly objects: Map<string, T>; readonly resourceVersion: string }
  | { readonly kind: 'failed'; readonly failure: ApiFailure };

const defaultPageSize = 250;

/**
 * Raw objects are let go page by page: ten thousand Jobs at once would be some 50 MB. Any page that fails makes the
 * whole list fail. A continue token that expired (410, after five minutes) starts over without pages, once.
 */
export async function listAll<T extends Stored>(options: ListAllOptions, signal: AbortSignal, keep: (raw: unknown) => T | undefined, progress: () => void): Promise<WholeList<T>> {
  const paged = await listPages(options, signal, keep, progress);
  if (paged.kind === 'complete' || !isExpired(paged.failure)) return paged;
  return listPages({ ...options, pageSize: 0 }, signal, keep, progress);
}

async function listPages<T extends Stored>(options: ListAllOptions, signal: AbortSignal, keep: (raw: unknown) => T | undefined, progress: () => void): Promise<WholeList<T>> {
  const { client, resource, labelSelector, metadataOnly, pageSize = defaultPageSize } = options;
  const objects = new Map<string, T>();
  let page: ListPage | undefined;
  do {
    const result = await client.list(resource, { labelSelector, metadataOnly, signal, continue: page?.continue, ...(pageSize === 0 ? {} : { limit: pageSize }) });
    if (result.kind === 'failed') return result;
    progress();
    page = result.page;
    for (const raw of page.items) {
      const kept = keep(raw);
      if (kept) objects.set(kept.name, kept);
    }
  } while (page.continue !== undefined);
  return { kind: 'complete', objects, resourceVersion: page.resourceVersion };
}
