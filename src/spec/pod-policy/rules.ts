/** What a value must satisfy, by the constraint that its field names. */
import { isObject, stringAt, type Json, type JsonObject } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import type { FieldPath } from '../field-path.ts';
import type { Constraint } from './fields.ts';
import type { PolicyFinding } from './finding.ts';
import { imageName, isUnder } from './images.ts';
import { isListed, type Names, type PodPolicy } from './policy.ts';

/** What all rules may look at. */
export interface Judging {
  readonly policy: PodPolicy;
  /** The value is not known yet: it is judged when it is. */
  readonly isOpen: (value: Json | undefined) => boolean;
  /** job-chief's own additions, told by identity: nothing that a user writes can be one of these. */
  readonly ours: ReadonlySet<Json | undefined>;
}

type Rule = (value: Json, path: FieldPath, judging: Judging) => readonly PolicyFinding[];

const none: readonly PolicyFinding[] = [];
const never = 'remove it: no policy can allow it';
const askOperator = 'or ask the operator to allow it';

/** All rules. */
export const rules: Readonly<Record<Constraint, Rule>> = {
  serviceAccounts: (value, path, judging) => (value === '' ? none : accountFindings(value, path, judging)),
  serviceAccountTokens: (_, path, { policy }) => (policy.serviceAccountTokens ? none : [no(path, 'serviceAccountTokens', 'a pod may have no token or certificate of its ServiceAccount', 'remove it')]),
  imagePrefixes: imageFindings,
  secrets: secretFindings,
  secretOptions: (value, path, judging) => optionFindings(value, path, judging),
  configMaps: (value, path, { policy }) => listFindings(value, path, { names: policy.configMaps, key: 'configMaps', what: 'ConfigMap' }),
  persistentVolumeClaims: (value, path, { policy }) => listFindings(value, path, { names: policy.persistentVolumeClaims, key: 'persistentVolumeClaims', what: 'PersistentVolumeClaim' }),
  claimSources: claimSourceFindings,
  volumeTypes: (_, path, { policy }) => volumeTypeFindings(String(path.at(-1)), path, policy),
  csiDrivers: (value, path, { policy }) => listFindings(value, path, { names: policy.csiDrivers, key: 'csiDrivers', what: 'CSI driver' }),
  priorityClasses: priorityFindings,
  runtimeClasses: (value, path, { policy }) => listFindings(value, path, { names: policy.runtimeClasses, key: 'runtimeClasses', what: 'RuntimeClass' }),
  nodeNames: (_, path, { policy }) => {
    const key = policy.nodeSelector ? 'nodeSelector' : policy.tolerations ? 'tolerations' : undefined;
    return key === undefined ? none : [no(path, key, 'a pod that names its node goes round the scheduler', 'remove it')];
  },
  tolerations: tolerationFindings,
  annotations: annotationFindings,
  noTrue: (value, path) => (value === false ? none : [no(path, undefined, `"${String(path.at(-1))}" must not be set`, never)]),
  noEntries: (value, path) => (Array.isArray(value) && value.length === 0 ? none : [no(path, undefined, 'capabilities must not be added', 'remove it: for a port below 1024 set the sysctl net.ipv4.ip_unprivileged_port_start')]),
  noHostPort: (value, path) => (value === 0 ? none : [no(path, undefined, 'a port of the node must not be taken', never)]),
  noUnmasking: (value, path) => (value === 'Default' || value === '' ? none : [no(path, undefined, `"procMount" must be "Default", is ${shown(value)}`, never)]),
  noPropagation: (value, path) => (value === 'None' || value === 'HostToContainer' ? none : [no(path, undefined, `mounts must not reach the node: "mountPropagation" is ${shown(value)}`, 'remove it, or use "HostToContainer"')]),
  noUnsafeSysctl: (value, path) => (typeof value === 'string' && safeSysctls.has(value.replaceAll('/', '.')) ? none : [no(path, undefined, `the sysctl ${shown(value)} is not among those that Kubernetes calls safe`, never)]),
};

/** Those that no pod can harm others with, by Kubernetes' own list. */
const safeSysctls: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

/** One finding; `key` of `podPolicy`, undefined where no policy could allow it. */
export function no(path: FieldPath, key: string | undefined, message: string, hint: string): PolicyFinding {
  return { path, key, message: key === undefined ? message : `${message}, says podPolicy.${key}`, hint };
}

/** Of a name that a pod gives, or `default` where it gives none. */
export function accountFindings(value: Json, path: FieldPath, { policy }: Judging): readonly PolicyFinding[] {
  if (policy.ownServiceAccount !== undefined && value === policy.ownServiceAccount) {
    return [no(path, undefined, `the ServiceAccount ${shown(value)} is the one that job-chief runs under`, 'give the pod a ServiceAccount of its own')];
  }
  return listFindings(value, path, { names: policy.serviceAccounts, key: 'serviceAccounts', what: 'ServiceAccount' });
}

/** Of a volume's type, the name of its field. */
export function volumeTypeFindings(type: string, path: FieldPath, { volumeTypes, restricted }: PodPolicy): readonly PolicyFinding[] {
  if (volumeTypes && !volumeTypes.includes(type)) return [no(path, 'volumeTypes', `volumes of type "${type}" are not allowed`, `use one of ${volumeTypes.join(', ')}, ${askOperator}`)];
  return restricted && !restrictedVolumes.has(type) ? [no(path, 'restricted', `volumes of type "${type}" are not in the restricted profile`, `use one of ${[...restrictedVolumes].join(', ')}`)] : none;
}
const restrictedVolumes: ReadonlySet<string> = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret']);

interface AllowList {
  readonly names: Names;
  readonly key: string;
  /** Kubernetes' word for what is named. */
  readonly what: string;
}

function listFindings(value: Json, path: FieldPath, { names, key, what }: AllowList): readonly PolicyFinding[] {
  if (!names || (typeof value === 'string' && isListed(value, names))) return none;
  const hint = names.length === 0 ? `remove it, ${askOperator}` : `use one of ${names.join(', ')}, ${askOperator}`;
  return [no(path, key, `the ${what} ${shown(value)} is not allowed`, hint)];
}

function imageFindings(value: Json, path: FieldPath, { policy }: Judging): readonly PolicyFinding[] {
  const { imagePrefixes } = policy;
  if (!imagePrefixes) return none;
  const name = typeof value === 'string' ? imageName(value) : undefined;
  if (name !== undefined && isUnder(name, imagePrefixes)) return none;
  const message = name === undefined ? `${shown(value)} is no name of an image` : `the image ${shown(name)} is not allowed`;
  return [no(path, 'imagePrefixes', message, `use an image under ${imagePrefixes.join(', ') || 'a prefix that is allowed'}, ${askOperator}`)];
}

function secretFindings(value: Json, path: FieldPath, { policy }: Judging): readonly PolicyFinding[] {
  if (typeof value === 'string' && isListed(value, policy.deniedSecrets)) {
    return [no(path, undefined, `the Secret ${shown(value)} belongs to the operator`, 'remove it: for the connection of a queue write injectConnection: true, where the operator allows that')];
  }
  return listFindings(value, path, { names: policy.secrets, key: 'secrets', what: 'Secret' });
}

/** Settings of a driver are anybody's guess: one that is the name of a denied Secret is taken for it, and what is called a Secret's name for one. */
function optionFindings(value: Json, path: FieldPath, judging: Judging): readonly PolicyFinding[] {
  if (!isObject(value)) return [no(path, 'secrets', 'settings of a driver must be a mapping', 'write names and values')];
  return Object.entries(value).flatMap(([name, setting]) => {
    if (typeof setting !== 'string' || judging.isOpen(setting)) return [];
    const isName = /secret/i.test(name) && !/namespace/i.test(name);
    return isName || isListed(setting, judging.policy.deniedSecrets) ? secretFindings(setting, [...path, name], judging) : [];
  });
}

/** A claim that is made from another one shows what is in that. */
function claimSourceFindings(value: Json, path: FieldPath, { policy, isOpen }: Judging): readonly PolicyFinding[] {
  const { persistentVolumeClaims: names } = policy;
  if (!names) return none;
  const claim = isObject(value) && value['kind'] === 'PersistentVolumeClaim' && value['namespace'] === undefined ? stringAt(value, 'name') : undefined;
  if (claim !== undefined && (isOpen(claim) || isListed(claim, names))) return none;
  return [no(path, 'persistentVolumeClaims', 'a claim may be made from nothing but a PersistentVolumeClaim that is allowed', 'remove it')];
}

function priorityFindings(value: Json, path: FieldPath, { policy }: Judging): readonly PolicyFinding[] {
  if (path.at(-1) === 'priorityClassName') return value === '' ? none : listFindings(value, path, { names: policy.priorityClasses, key: 'priorityClasses', what: 'PriorityClass' });
  return policy.priorityClasses ? [no(path, 'priorityClasses', 'the priority must come from a PriorityClass', 'use priorityClassName')] : none;
}

function tolerationFindings(value: Json, path: FieldPath, { policy, isOpen }: Judging): readonly PolicyFinding[] {
  const { tolerations: keys } = policy;
  if (!keys || isOpen(value) || (isObject(value) && isOpen(value['key']))) return none;
  const key = stringAt(value, 'key') ?? '';
  if (key !== '' && isListed(key, keys)) return none;
  const message = key === '' ? 'a toleration without a key tolerates every taint' : `the taint ${shown(key)} must not be tolerated`;
  return [no(path, 'tolerations', message, keys.length === 0 ? 'remove it' : `tolerate one of ${keys.join(', ')}, ${askOperator}`)];
}

const appArmor = 'container.apparmor.security.beta.kubernetes.io/';

function annotationFindings(value: Json, path: FieldPath, { policy, isOpen }: Judging): readonly PolicyFinding[] {
  if (!policy.restricted) return none;
  const annotations: JsonObject = isObject(value) ? value : {};
  const wrong = Object.entries(annotations).filter(([name, text]) => name.startsWith(appArmor) && !isOpen(text) && !(text === 'runtime/default' || (typeof text === 'string' && text.startsWith('localhost/'))));
  return wrong.map(([name, text]) => no([...path, name], 'restricted', `the AppArmor profile ${shown(text)} is not in the restricted profile`, 'use "runtime/default"'));
}
