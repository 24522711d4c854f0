/** ConfigMaps that Jobs of runs mount: immutable, owned, and wholly determined by their names. */
import { isDeepStrictEqual } from 'node:util';
import { objectAt, stringAt } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { WriteResult } from '../../reconcile/ports.ts';
import type { KubernetesClient } from './client.ts';
import { controllerOf } from './labels.ts';
import { configMaps } from './resources.ts';
import { identityOf } from './watch-event.ts';

export type MapClient = Pick<KubernetesClient, 'get' | 'create'>;

/** `done` once it is there as it should be, whoever made it; `exists`: something else has its name, `conflict`: not for long any more. */
export async function createOwnedMap(client: MapClient, manifest: JsonObject): Promise<WriteResult> {
  const made = await client.create(configMaps, manifest);
  // A name that exists answers 403 while the quota is full, and no answer leaves everything open: look before concluding.
  if (made.kind === 'done' || made.kind === 'refused') return made;
  const found = await client.get(configMaps, nameIn(manifest));
  if (found.kind === 'found') return asCreated(found.value, manifest);
  // What has the name nobody has seen, or it is gone by now.
  return made.kind === 'exists' ? { kind: 'unknown', message: found.kind === 'failed' ? found.message : 'something of its name was there' } : made;
}

/** The same for one that is most likely there. */
export async function confirmOwnedMap(client: MapClient, manifest: JsonObject): Promise<WriteResult> {
  const found = await client.get(configMaps, nameIn(manifest));
  if (found.kind === 'found') return asCreated(found.value, manifest);
  if (found.kind === 'absent') return createOwnedMap(client, manifest);
  return { kind: found.forbidden ? 'forbidden' : 'unknown', message: found.message };
}

/** As an earlier create of ours left it: same owner, same content, and staying. */
function asCreated(found: JsonObject, manifest: JsonObject): WriteResult {
  const identity = identityOf(found);
  const metadata = objectAt(found, 'metadata');
  if (stringAt(metadata, 'deletionTimestamp') !== undefined) return beingDeleted(stringAt(metadata, 'name'));
  const same = controllerOf(found).uid === controllerOf(manifest).uid && found['immutable'] === manifest['immutable'] && (['data', 'binaryData'] as const).every((field) => isDeepStrictEqual(objectAt(found, field), objectAt(manifest, field)));
  if (!identity || !same) return { kind: 'exists' };
  return { kind: 'done', uid: identity.uid, resourceVersion: stringAt(metadata, 'resourceVersion') ?? '', warnings: [] };
}

/** What has the name is on its way out: whoever wants the name asks again. */
export function beingDeleted(name: string | undefined): WriteResult {
  return { kind: 'conflict', message: `the ConfigMap "${name ?? ''}" of before is being deleted` };
}

function nameIn(manifest: JsonObject): string {
  return stringAt(objectAt(manifest, 'metadata'), 'name') ?? '';
}
