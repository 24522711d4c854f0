/** What the operator lets pods be and use: the configuration key `podPolicy`, and what job-chief itself never lets them. */
import { arrayAt, isObject, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';

/** Every list is an allow-list; undefined: nothing is said about it. */
export interface PodPolicy {
  /** The `restricted` profile of the Pod Security Standards. */
  readonly restricted: boolean;
  readonly serviceAccounts: Names;
  /** Whether pods may have a token of their ServiceAccount. */
  readonly serviceAccountTokens: boolean;
  /** Registry first, without a slash at the end; lower-case registry, `docker.io` in full. */
  readonly imagePrefixes: Names;
  readonly secrets: Names;
  readonly configMaps: Names;
  readonly persistentVolumeClaims: Names;
  readonly volumeTypes: Names;
  readonly csiDrivers: Names;
  readonly priorityClasses: Names;
  readonly runtimeClasses: Names;
  /** Each pod must select its node by these. */
  readonly nodeSelector: Readonly<Record<string, string>> | undefined;
  /** Keys of taints. */
  readonly tolerations: Names;
  /** Quantity by resource. */
  readonly maxPerContainer: Ceiling | undefined;
  readonly maxPerPod: Ceiling | undefined;
  /** Those of connections too: no pod may use them, whatever `secrets` says. */
  readonly deniedSecrets: readonly string[];
  /** The one that job-chief runs under, where that is known. */
  readonly ownServiceAccount: string | undefined;
}

/** A name that ends in `*` stands for all that begin so. */
export type Names = readonly string[] | undefined;
export type Ceiling = Readonly<Record<string, string>>;

/** What the policy's own text does not say. */
export interface PolicyFacts {
  /** Names of the Secrets behind connections. */
  readonly connectionSecrets: readonly string[];
  readonly ownServiceAccount: string | undefined;
}

/** From a value that the schema has nothing against; undefined: only what is never allowed is denied. */
export function podPolicyFrom(value: JsonObject | undefined, facts: PolicyFacts): PodPolicy {
  const names = (key: string): Names => (value?.[key] === undefined ? undefined : texts(value, key));
  return {
    restricted: value?.['restricted'] === true,
    serviceAccounts: names('serviceAccounts'),
    serviceAccountTokens: value?.['serviceAccountTokens'] !== false,
    imagePrefixes: names('imagePrefixes'),
    secrets: names('secrets'),
    configMaps: names('configMaps'),
    persistentVolumeClaims: names('persistentVolumeClaims'),
    volumeTypes: names('volumeTypes'),
    csiDrivers: names('csiDrivers'),
    priorityClasses: names('priorityClasses'),
    runtimeClasses: names('runtimeClasses'),
    nodeSelector: textByName(value, 'nodeSelector'),
    tolerations: names('tolerations'),
    maxPerContainer: textByName(value, 'maxPerContainer'),
    maxPerPod: textByName(value, 'maxPerPod'),
    deniedSecrets: [...new Set([...facts.connectionSecrets, ...texts(value, 'deniedSecrets')])],
    ownServiceAccount: stringAt(value, 'ownServiceAccount') ?? facts.ownServiceAccount,
  };
}

/** Whether an allow-list has the name. */
export function isListed(name: string, names: readonly string[]): boolean {
  return names.some((entry) => (entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry));
}

function texts(value: JsonObject | undefined, key: string): string[] {
  return arrayAt(value, key).filter((entry) => typeof entry === 'string');
}

function textByName(value: JsonObject | undefined, key: string): Ceiling | undefined {
  if (!isObject(value?.[key])) return undefined;
  return Object.fromEntries(Object.entries(objectAt(value, key)).flatMap(([name, entry]) => (typeof entry === 'string' || typeof entry === 'number' ? [[name, String(entry)]] : [])));
}
