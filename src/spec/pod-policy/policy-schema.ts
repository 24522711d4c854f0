/** How the operator writes the policy: the configuration key `podPolicy`, or a file of its own for lint. */
import { Type, type TOptional, type TUnsafe } from 'typebox';
import { objectAt, type JsonObject } from '../../lib/json.ts';
import { kubernetesDefinitions } from '../generated/kubernetes-job.ts';
import { flag, section, subdomainMessage, subdomainPattern } from '../schema-fields.ts';
import { volumeFields } from './volume-fields.ts';

type TextList = TOptional<TUnsafe<string[]>>;

function list(description: string, items: JsonObject): TextList {
  return Type.Optional(Type.Unsafe<string[]>({ type: 'array', description, items: { type: 'string', minLength: 1, ...items } }));
}

/** Names of objects; `*` at the end stands for anything. */
function names(description: string): TextList {
  return list(description, { pattern: '^([a-z0-9]([-.a-z0-9]*[a-z0-9])?|[-.a-z0-9]*\\*)$', maxLength: 253, errorMessage: 'must be a name, or the beginning of one with * behind it' });
}

const quantity = objectAt(objectAt(kubernetesDefinitions['V1ResourceRequirements'], 'properties'), 'limits');

function ceiling(of: string) {
  return Type.Optional(Type.Unsafe<JsonObject>({ ...quantity, description: `The most that ${of} may use, by resource. A limit that is missing is too much.` }));
}

const volumeTypes = Object.entries(volumeFields['V1Volume'] ?? {}).filter(([name, { kind }]) => name !== 'name' && kind === 'allowed').map(([name]) => name);
const prefix = '^(localhost|[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*:[0-9]+)(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*/?$';

/** The key `podPolicy`. Lists that are left out say nothing; an empty one allows nothing. */
export const podPolicySchema = section(
  {
    restricted: flag('Ask of every pod what the `restricted` profile of the Pod Security Standards asks.', false),
    serviceAccounts: names('ServiceAccounts that pods may run under; one that names none runs under `default`.'),
    serviceAccountTokens: flag('Pods may have a token of their ServiceAccount. With false they must say `automountServiceAccountToken: false`.', true),
    imagePrefixes: list('Where images may come from, registry first: `ghcr.io/acme` allows `ghcr.io/acme/app`, not `ghcr.io/acme-other/app`. Docker Hub is `docker.io`, its official images `docker.io/library`.', { pattern: prefix, errorMessage: 'must begin with a registry, such as "ghcr.io/acme" or "docker.io/library/alpine", without a tag' }),
    secrets: names('Secrets that pods may use, in any way.'),
    deniedSecrets: names('Secrets that no pod may use, also where `secrets` allows them. Those that job-chief itself has mounted, and those of connections whose `secretName` is known, are always among them.'),
    configMaps: names('ConfigMaps that pods may use.'),
    persistentVolumeClaims: names('PersistentVolumeClaims that pods may use.'),
    volumeTypes: list('Types of volumes that pods may have, such as `configMap` and `emptyDir`.', { enum: volumeTypes }),
    csiDrivers: names('Drivers that volumes of type `csi` may have.'),
    priorityClasses: names('PriorityClasses that pods may name.'),
    runtimeClasses: names('RuntimeClasses that pods may name.'),
    nodeSelector: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: { type: 'string' }, description: 'Labels of nodes that each pod must select. `jobDefaults.nodeSelector` can do it for all.' })),
    tolerations: list('Keys of taints that pods may tolerate.', {}),
    maxPerContainer: ceiling('one container'),
    maxPerPod: ceiling('all containers of a pod'),
    ownServiceAccount: Type.Optional(Type.String({ description: 'The ServiceAccount that job-chief runs under, which no pod may use. Default: that of its token.', minLength: 1, pattern: subdomainPattern, maxLength: 253, errorMessage: subdomainMessage })),
  },
  'What pods may be and use: see docs/policy.md. Some things are denied without it.',
);
