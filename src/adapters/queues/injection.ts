/**
 * The connection as a worker gets it: the env names of the pg-boss workers in use today, values by secretKeyRef, so that
 * whoever may read Jobs reads no password. Certificates are files, mounted read-only.
 */
import type { JsonObject } from '../../lib/json.ts';
import { defaultPgBossSchema, type ConnectionDefinition, type ConnectionField, type ConnectionInjection } from '../../spec/connection.ts';
import { reservedMountPath } from '../../spec/keys.ts';

const nothing: ConnectionInjection = { env: [], volumes: [], volumeMounts: [] };
const mountPath = `${reservedMountPath}/connection`;
const volumeName = 'job-chief-connection';

const variables: readonly (readonly [variable: string, field: ConnectionField])[] = [
  ['DB_URL', 'url'],
  ['DB_HOST', 'host'],
  ['DB_PORT', 'port'],
  ['DB_USERNAME', 'user'],
  ['DB_PASSWORD', 'password'],
  ['DB_NAME', 'database'],
];
const certificates: readonly (readonly [variable: string, field: ConnectionField])[] = [
  ['DB_CA_PATH', 'ca.crt'],
  ['DB_CERT_PATH', 'tls.crt'],
  ['DB_KEY_PATH', 'tls.key'],
];

/** Which key of the Secret holds a setting; undefined: the Secret does not have it. */
type KeyOf = (field: ConnectionField) => string | undefined;

/**
 * `files` says which settings the folder has, and under which names; without it (the folder could not be read) every
 * usual variable is offered as optional, and no certificates.
 */
export function injectionFor(definition: ConnectionDefinition, files: ReadonlyMap<ConnectionField, string> | undefined): ConnectionInjection {
  const { secretName } = definition;
  if (!definition.injectable || secretName === undefined) return nothing;
  const keyOf: KeyOf = files === undefined ? (field) => guessedKey(definition, field) : (field) => (files.has(field) ? (definition.keys[field] ?? files.get(field)) : undefined);
  const optional = files === undefined;
  const fromSecret = (name: string, field: ConnectionField): JsonObject[] => {
    const key = keyOf(field);
    return key === undefined ? [] : [{ name, valueFrom: { secretKeyRef: { name: secretName, key, ...(optional && { optional }) } } }];
  };
  const present = files === undefined ? [] : certificates.filter(([, field]) => files.has(field));
  return {
    env: [...variables.flatMap(([name, field]) => fromSecret(name, field)), ...schemaVariable(fromSecret('DB_SCHEMA', 'schema'), optional), ...certificateVariables(present)],
    ...mounts(secretName, present, keyOf),
  };
}

/** Without a reading: the usual names, but no URL, which would make workers ignore the rest. */
function guessedKey(definition: ConnectionDefinition, field: ConnectionField): string | undefined {
  return definition.keys[field] ?? (field === 'url' ? undefined : field);
}

/** Workers always learn a schema; an optional reference may come out empty, so it is not relied on. */
function schemaVariable(fromSecret: JsonObject[], optional: boolean): JsonObject[] {
  return fromSecret.length === 0 || optional ? [{ name: 'DB_SCHEMA', value: defaultPgBossSchema }] : fromSecret;
}

function certificateVariables(present: typeof certificates): JsonObject[] {
  if (present.length === 0) return [];
  const clientLogin = present.some(([, field]) => field === 'tls.crt');
  return [...(clientLogin ? [{ name: 'DB_ENABLE_SSL_AUTH', value: 'true' }] : []), ...present.map(([name, field]) => ({ name, value: `${mountPath}/${field}` }))];
}

function mounts(secretName: string, present: typeof certificates, keyOf: KeyOf): Pick<ConnectionInjection, 'volumes' | 'volumeMounts'> {
  if (present.length === 0) return { volumes: [], volumeMounts: [] };
  const items = present.map(([, field]) => ({ key: keyOf(field) ?? field, path: field }));
  return {
    // 0440: the pod's fsGroup may read, others not.
    volumes: [{ name: volumeName, secret: { secretName, defaultMode: 0o440, items } }],
    volumeMounts: [{ name: volumeName, mountPath, readOnly: true }],
  };
}
