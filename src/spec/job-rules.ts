/** What a Job may not contain because job-chief or the Job controller sets it, beyond what a schema can say. */
import { stringAt, type JsonObject } from '../lib/json.ts';
import type { ConnectionType } from './connection.ts';
import type { Finding } from './report.ts';
import { jobParts, listed, part, type JobPart, type JobParts } from './job-parts.ts';
import { reservedEnv, reservedEnvPrefix, reservedMountPath } from './keys.ts';
import { valueAt, type FieldPath } from './field-path.ts';

/** Environment variables that `injectConnection` of a Queue sets, by the type of the connection. */
export const injectedEnv: Readonly<Record<ConnectionType, readonly string[]>> = {
  pgBoss: ['DB_HOST', 'DB_PORT', 'DB_USERNAME', 'DB_PASSWORD', 'DB_NAME', 'DB_SCHEMA', 'DB_ENABLE_SSL_AUTH', 'DB_CA_PATH', 'DB_CERT_PATH', 'DB_KEY_PATH'],
  amqp: ['AMQP_HOST', 'AMQP_PORT', 'AMQP_USERNAME', 'AMQP_PASSWORD', 'AMQP_VHOST', 'AMQP_ENABLE_SSL', 'AMQP_CA_PATH', 'AMQP_CERT_PATH', 'AMQP_KEY_PATH'],
  sqs: ['SQS_REGION', 'SQS_ENDPOINT', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
};

/** Environment variables whose value in the spec is never seen: by whom they are set, and what to do about it. */
export type OverriddenEnv = ReadonlyMap<string, { readonly by: string; readonly hint: string }>;

/** What may differ between the places where Jobs are described. */
interface JobRuleOptions {
  readonly overridden?: OverriddenEnv;
  /** The Job is used as it stands, without job-chief's defaults. */
  readonly verbatim?: boolean;
}

/**
 * Reserved environment variables, mounts and metadata, and combinations that the API server refuses, in the `job` or
 * `jobTemplate` that `holder` has. Paths count from the holder.
 */
export function jobFindings(holder: JsonObject, { overridden = new Map<string, never>(), verbatim = false }: JobRuleOptions = {}): Finding[] {
  const parts = jobParts(holder);
  return [
    ...parts.containers.flatMap((container) => [...envFindings(holder, container, overridden), ...mountFindings(holder, container)]),
    ...failurePolicyFindings(parts, verbatim),
    ...metadataFindings(holder, [['jobTemplate', 'metadata'], ['jobTemplate', 'spec', 'template', 'metadata']]),
  ];
}

/** Reserved keys in jobMetadata and podMetadata of a spec. */
export function extraMetadataFindings(spec: JsonObject): Finding[] {
  return metadataFindings(spec, [['jobMetadata'], ['podMetadata']]);
}

function envFindings(holder: JsonObject, container: JobPart, overridden: OverriddenEnv): Finding[] {
  return listed(holder, [...container.path, 'env']).flatMap(({ path, value }): Finding[] => {
    const name = stringAt(value, 'name') ?? '';
    const at = [...path, 'name'];
    if (name.startsWith(reservedEnvPrefix) || reservedEnv.includes(name)) {
      return [{ code: 'ReservedName', message: `the environment variable "${name}" is set by job-chief or Kubernetes and must not be set here`, path: at, hint: 'use another name' }];
    }
    const other = overridden.get(name);
    return other ? [{ code: 'EnvOverridden', message: `"${name}" is set by ${other.by}, this value is never seen`, path: at, hint: other.hint }] : [];
  });
}

function mountFindings(holder: JsonObject, container: JobPart): Finding[] {
  const fields: readonly [list: string, field: string][] = [
    ['volumeMounts', 'mountPath'],
    ['volumeDevices', 'devicePath'],
  ];
  return fields.flatMap(([list, field]) =>
    listed(holder, [...container.path, list]).flatMap(({ path, value }): Finding[] => {
      const target = stringAt(value, field);
      if (target === undefined || !isReservedPath(target)) return [];
      return [{ code: 'ReservedName', message: `"${target}" is at or under ${reservedMountPath}, where job-chief mounts its own files`, path: [...path, field], hint: 'mount it somewhere else' }];
    }),
  );
}

/** At or under job-chief's own folder, also behind detours such as `/x/../job-chief/`. */
export function isReservedPath(target: string): boolean {
  const parts: string[] = [];
  for (const name of target.split('/')) {
    if (name === '..') parts.pop();
    else if (name !== '' && name !== '.') parts.push(name);
  }
  return `/${parts.join('/')}/`.startsWith(`${reservedMountPath}/`);
}

function failurePolicyFindings({ pod, job }: JobParts, verbatim: boolean): Finding[] {
  if (!pod || !job) return [];
  const restartPolicy = pod.value['restartPolicy'] ?? 'Never';
  if (job.value['podFailurePolicy'] !== undefined && restartPolicy !== 'Never') {
    return [{ code: 'ConflictingFields', message: 'podFailurePolicy needs restartPolicy Never', path: [...job.path, 'podFailurePolicy'], part: 'key', hint: 'remove one of the two' }];
  }
  const hasPolicy = !verbatim || job.value['podFailurePolicy'] !== undefined;
  if (hasPolicy && job.value['podReplacementPolicy'] === 'TerminatingOrFailed' && restartPolicy === 'Never') {
    return [
      {
        code: 'ConflictingFields',
        message: 'podReplacementPolicy must be "Failed" in a Job with a podFailurePolicy, and job-chief gives it one',
        path: [...job.path, 'podReplacementPolicy'],
        hint: 'remove it: a pod is then replaced when it is really gone',
      },
    ];
  }
  return [];
}

function metadataFindings(spec: JsonObject, paths: readonly FieldPath[]): Finding[] {
  return paths.flatMap((path) =>
    ['labels', 'annotations'].flatMap((field) =>
      Object.keys(part(valueAt(spec, []) ?? null, [...path, field])?.value ?? {}).flatMap((key) => metadataKeyFindings(key, [...path, field, key])),
    ),
  );
}

/** A label or annotation for Jobs or pods that somebody else owns; `path` is where it stands. */
export function metadataKeyFindings(key: string, path: FieldPath): Finding[] {
  const owner = reservedMetadataOwner(key);
  if (owner === undefined) return [];
  return [{ code: 'ReservedName', message: `the key "${key}" belongs to ${owner} and must not be set on Jobs or pods`, path, part: 'key', hint: 'remove it' }];
}

/** Who owns a label or annotation key that specs may not set; undefined: nobody. */
export function reservedMetadataOwner(key: string): string | undefined {
  if (/^job-chief($|\/|-record$)/.test(key) || key === 'app.kubernetes.io/managed-by') return 'job-chief';
  // Argo CD would take the Job for one of its own, and delete it as not in git.
  if (key === 'app.kubernetes.io/instance') return 'Argo CD';
  if (key.startsWith('argocd.argoproj.io/')) return key === 'argocd.argoproj.io/ignore-resource-updates' ? undefined : 'Argo CD';
  if (key.startsWith('kustomize.toolkit.fluxcd.io/')) return 'Flux';
  return /^(batch\.kubernetes\.io\/|(job-name|controller-uid)$)/.test(key) ? 'the Job controller' : undefined;
}
