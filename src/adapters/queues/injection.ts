/**
 * The connection as a worker gets it: for pg-boss the env names of the workers in use today, for the others names of the
 * same pattern; values by secretKeyRef, so that whoever may read Jobs reads no password. Certificates are files, mounted
 * read-only.
 */
import type { JsonObject } from '../../lib/json.ts';
import { defaultPgBossSchema, defaultVhost, type ConnectionDefinition, type ConnectionField, type ConnectionInjection, type ConnectionType } from '../../spec/connection.ts';
import { reservedMountPath } from '../../spec/keys.ts';

const nothing: ConnectionInjection = { env: [], volumes: [], volumeMounts: [] };
const mountPath = `${reservedMountPath}/connection`;
const volumeName = 'job-chief-connection';

type Variable = readonly [variable: string, field: ConnectionField];

const pgBossVariables: readonly Variable[] = [
  ['DB_URL', 'url'],
  ['DB_HOST', 'host'],
  ['DB_PORT', 'port'],
  ['DB_USERNAME', 'user'],
  ['DB_PASSWORD', 'password'],
  ['DB_NAME', 'database'],
];
const amqpVariables: readonly Variable[] = [
  ['AMQP_URL', 'url'],
  ['AMQP_HOST', 'host'],
  ['AMQP_PORT', 'port'],
  ['AMQP_USERNAME', 'user'],
  ['AMQP_PASSWORD', 'password'],
];
const sqsVariables: readonly Variable[] = [
  ['SQS_REGION', 'region'],
  ['SQS_ENDPOINT', 'endpoint'],
  ['AWS_ACCESS_KEY_ID', 'access-key-id'],
  ['AWS_SECRET_ACCESS_KEY', 'secret-access-key'],
  ['AWS_SESSION_TOKEN', 'session-token'],
];
const certificates: Readonly<Record<ConnectionType, readonly Variable[]>> = {
  pgBoss: certificatesOf('DB'),
  amqp: certificatesOf('AMQP'),
  sqs: [],
};

function certificatesOf(prefix: string): readonly Variable[] {
  return [
    [`${prefix}_CA_PATH`, 'ca.crt'],
    [`${prefix}_CERT_PATH`, 'tls.crt'],
    [`${prefix}_KEY_PATH`, 'tls.key'],
  ];
}

/** The Secret behind a connection, as far as it is known. */
interface Secret {
  /** The folder could be read: what it does not have does not exist. Else every value is optional. */
  readonly isKnown: boolean;
  has(field: ConnectionField): boolean;
  /** A variable with the value of a setting; nothing where the Secret does not have it. */
  value(variable: string, field: ConnectionField): JsonObject[];
}

/** Which key of the Secret holds a setting; undefined: the Secret does not have it. */
type KeyOf = (field: ConnectionField) => string | undefined;

/**
 * `files` says which settings the folder has, and under which names; without it (the folder could not be read) every
 * usual variable is offered as optional, and no certificates.
 */
export function injectionFor(definition: ConnectionDefinition, files: ReadonlyMap<ConnectionField, string> | undefined): ConnectionInjection {
  const { type, secretName } = definition;
  if (!definition.injectable || secretName === undefined) return nothing;
  const keyOf: KeyOf = files === undefined ? (field) => guessedKey(definition, field) : (field) => (files.has(field) ? (definition.keys[field] ?? files.get(field)) : undefined);
  const isKnown = files !== undefined;
  const secret: Secret = {
    isKnown,
    has: (field) => files?.has(field) === true,
    value: (name, field) => {
      const key = keyOf(field);
      return key === undefined ? [] : [{ name, valueFrom: { secretKeyRef: { name: secretName, key, ...(!isKnown && { optional: true }) } } }];
    },
  };
  const present = certificates[type].filter(([, field]) => secret.has(field));
  return {
    env: [...settingsFor[type](secret), ...present.map(([name, field]) => ({ name, value: `${mountPath}/${field}` }))],
    ...mounts(secretName, present, keyOf),
  };
}

/** Without a reading: the usual names, but no URL, which would make workers ignore the rest. */
function guessedKey(definition: ConnectionDefinition, field: ConnectionField): string | undefined {
  return definition.keys[field] ?? (field === 'url' ? undefined : field);
}

const settingsFor: Readonly<Record<ConnectionType, (secret: Secret) => JsonObject[]>> = {
  pgBoss: (secret) => [
    ...valuesOf(secret, pgBossVariables),
    // Workers always learn a schema; an optional reference may come out empty, so it is not relied on.
    ...(secret.has('schema') ? secret.value('DB_SCHEMA', 'schema') : [{ name: 'DB_SCHEMA', value: defaultPgBossSchema }]),
    ...(secret.has('tls.crt') ? [{ name: 'DB_ENABLE_SSL_AUTH', value: 'true' }] : []),
  ],
  amqp: (secret) => [
    ...valuesOf(secret, amqpVariables),
    ...amqpVhost(secret),
    ...amqpTls(secret),
  ],
  sqs: (secret) => valuesOf(secret, sqsVariables),
};

function valuesOf(secret: Secret, variables: readonly Variable[]): JsonObject[] {
  return variables.flatMap(([name, field]) => secret.value(name, field));
}

/** A URL names its vhost itself. */
function amqpVhost(secret: Secret): JsonObject[] {
  if (secret.has('vhost')) return secret.value('AMQP_VHOST', 'vhost');
  return secret.has('url') ? [] : [{ name: 'AMQP_VHOST', value: defaultVhost }];
}

function amqpTls(secret: Secret): JsonObject[] {
  if (secret.has('tls') || !secret.isKnown) return secret.value('AMQP_ENABLE_SSL', 'tls');
  return secret.has('ca.crt') || secret.has('tls.crt') ? [{ name: 'AMQP_ENABLE_SSL', value: 'true' }] : [];
}

function mounts(secretName: string, present: readonly Variable[], keyOf: KeyOf): Pick<ConnectionInjection, 'volumes' | 'volumeMounts'> {
  if (present.length === 0) return { volumes: [], volumeMounts: [] };
  const items = present.map(([, field]) => ({ key: keyOf(field) ?? field, path: field }));
  return {
    // 0440: the pod's fsGroup may read, others not.
    volumes: [{ name: volumeName, secret: { secretName, defaultMode: 0o440, items } }],
    volumeMounts: [{ name: volumeName, mountPath, readOnly: true }],
  };
}
