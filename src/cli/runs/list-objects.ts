/** All objects of a sort, as the API server has them now. */
import { isForbidden } from '../../adapters/kubernetes/api-error.ts';
import type { KubernetesClient } from '../../adapters/kubernetes/client.ts';
import { listAll } from '../../adapters/kubernetes/list-all.ts';
import type { Resource } from '../../adapters/kubernetes/resources.ts';
import { identityOf } from '../../adapters/kubernetes/watch-event.ts';
import { isObject, type JsonObject } from '../../lib/json.ts';
import { NoAnswer, UserError } from '../exit-code.ts';

export interface Listing {
  readonly resource: Resource;
  readonly labelSelector: string;
  readonly metadataOnly?: boolean;
}

/** Rejects with a UserError where the API server says no, with NoAnswer where asking again may help. */
export async function listObjects(client: Pick<KubernetesClient, 'namespace' | 'list'>, listing: Listing): Promise<readonly JsonObject[]> {
  const list = await listAll({ client, ...listing }, new AbortController().signal, named, () => undefined);
  if (list.kind === 'failed') throw failed(`cannot list ${listing.resource.plural} in namespace ${client.namespace}: ${list.failure.message}`, isForbidden(list.failure));
  return [...list.objects.values()].map(({ raw }) => raw);
}

/** What a question that was not answered comes to. */
export function failed(message: string, forbidden: boolean): UserError {
  return forbidden ? new UserError(message) : new NoAnswer(message);
}

interface Named {
  readonly name: string;
  readonly uid: string;
  readonly raw: JsonObject;
}

function named(raw: unknown): Named | undefined {
  const identity = identityOf(raw);
  return identity && isObject(raw) ? { ...identity, raw } : undefined;
}
