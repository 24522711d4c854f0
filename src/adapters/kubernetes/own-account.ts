/** What this process runs under and with: the ServiceAccount of its token, the Secrets of its pod. */
import { arrayAt, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import type { Credentials } from './access.ts';
import type { KubernetesClient } from './client.ts';
import { pods } from './resources.ts';

export interface OwnAccount {
  readonly namespace: string;
  readonly name: string;
}

/** undefined: these are not the credentials of a ServiceAccount. The token is ours, so nothing about it is verified. */
export function ownAccount({ headers }: Pick<Credentials, 'headers'>): OwnAccount | undefined {
  const [, payload] = (headers['authorization'] ?? '').replace(/^Bearer /, '').split('.');
  const [system, kind, namespace, name, ...rest] = (subjectOf(payload ?? '') ?? '').split(':');
  return system === 'system' && kind === 'serviceaccount' && namespace !== undefined && name !== undefined && rest.length === 0 ? { namespace, name } : undefined;
}

function subjectOf(payload: string): string | undefined {
  try {
    return stringAt(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')), 'sub');
  } catch {
    return undefined;
  }
}

/**
 * Names of the Secrets that the pod of this process has mounted or in its env: connections, tokens, headers. `podName`: its
 * host name. `unknown`: no such pod of this ServiceAccount can be read here. `unanswered`: the same question may have an
 * answer later.
 */
export async function ownSecrets(client: Pick<KubernetesClient, 'get'>, podName: string, account: string): Promise<OwnSecrets> {
  const read = await client.get(pods, podName);
  if (read.kind === 'failed' && !read.forbidden) return { kind: 'unanswered', message: read.message };
  const spec = objectAt(read.kind === 'found' ? read.value : {}, 'spec');
  const isOurs = read.kind === 'found' && (stringAt(spec, 'serviceAccountName') ?? 'default') === account;
  return isOurs ? { kind: 'known', names: secretsIn(spec) } : { kind: 'unknown' };
}

export type OwnSecrets = { readonly kind: 'known'; readonly names: readonly string[] } | { readonly kind: 'unknown' } | { readonly kind: 'unanswered'; readonly message: string };

/** Those for pulling images are everybody's. */
function secretsIn(pod: JsonObject): readonly string[] {
  const containers = [...arrayAt(pod, 'initContainers'), ...arrayAt(pod, 'containers')];
  const volumes = arrayAt(pod, 'volumes');
  const names = [
    ...volumes.map((volume) => stringAt(objectAt(volume, 'secret'), 'secretName')),
    ...volumes.flatMap((volume) => arrayAt(objectAt(volume, 'projected'), 'sources')).map((source) => stringAt(objectAt(source, 'secret'), 'name')),
    ...containers.flatMap((container) => arrayAt(container, 'env')).map((entry) => stringAt(objectAt(objectAt(entry, 'valueFrom'), 'secretKeyRef'), 'name')),
    ...containers.flatMap((container) => arrayAt(container, 'envFrom')).map((entry) => stringAt(objectAt(entry, 'secretRef'), 'name')),
  ];
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}
