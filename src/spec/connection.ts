/**
 * An operator's connection as data: what the configuration says about it, and what a Job that asks for
 * `injectConnection: true` is given. Nothing here holds a password; values reach a pod by secretKeyRef only.
 */
import type { JsonObject } from '../lib/json.ts';
import type { QueueSource } from './queue-source.ts';

/** Kinds of queues that a connection can lead to: the key of `source` that a spec uses it with. */
export const connectionTypes = ['pgBoss', 'amqp', 'sqs'] as const;
export type ConnectionType = (typeof connectionTypes)[number];

const fieldsByType = {
  pgBoss: ['url', 'host', 'port', 'user', 'password', 'database', 'schema', 'sslmode', 'ca.crt', 'tls.crt', 'tls.key'],
  amqp: ['url', 'host', 'port', 'user', 'password', 'vhost', 'tls', 'servername', 'ca.crt', 'tls.crt', 'tls.key', 'heartbeat', 'consumer-timeout'],
  sqs: ['region', 'endpoint', 'access-key-id', 'secret-access-key', 'session-token'],
} as const satisfies Readonly<Record<ConnectionType, readonly string[]>>;
export type ConnectionField = (typeof fieldsByType)[ConnectionType][number];

/** The settings of a connection of a type, by the name of the file (and the Secret's key) that holds each. */
export function connectionFieldsOf(type: ConnectionType): readonly ConnectionField[] {
  return fieldsByType[type];
}

/** Those of all types. */
export const connectionFields: readonly ConnectionField[] = [...new Set(connectionTypes.flatMap(connectionFieldsOf))];

/** One entry of the configuration key `connections`. */
export interface ConnectionDefinition {
  readonly type: ConnectionType;
  /** A folder with one file for each setting: a mounted Secret. */
  readonly folder: string;
  /** The Secret behind the folder; needed to hand the connection to workers. */
  readonly secretName: string | undefined;
  /** Whether specs may ask for `injectConnection: true`. */
  readonly injectable: boolean;
  /** Names of the Secret's keys where they differ from the usual ones. */
  readonly keys: Readonly<Partial<Record<ConnectionField, string>>>;
}

/** What plan and lint may know about a connection. */
export interface ConnectionFacts {
  readonly type: ConnectionType;
  readonly injectable: boolean;
  /** The schema that a connection of pg-boss names; a spec's own wins, `pgboss` is used when neither names one. */
  readonly schema?: string;
  /** For a Job with `injectConnection: true`; empty where the connection is not injectable. */
  readonly injection: ConnectionInjection;
}

/** Additions to the pod of a worker. */
export interface ConnectionInjection {
  readonly env: readonly JsonObject[];
  readonly volumes: readonly JsonObject[];
  readonly volumeMounts: readonly JsonObject[];
}

export type ConnectionsByName = ReadonlyMap<string, ConnectionFacts>;

/** The schema that pg-boss uses unless it is told otherwise. */
export const defaultPgBossSchema = 'pgboss';

/** The vhost that RabbitMQ makes when it is set up. */
export const defaultVhost = '/';

/** What a worker gets, with the schema or vhost of its spec in place of the connection's; undefined where it may not have it. */
export function injectionOf(facts: ConnectionFacts | undefined, source: QueueSource): ConnectionInjection | undefined {
  if (!facts?.injectable) return undefined;
  const own = ownSetting(source);
  if (own === undefined) return facts.injection;
  const others = facts.injection.env.filter((entry) => entry['name'] !== own.name);
  return { ...facts.injection, env: [...others, own] };
}

/** What a spec may say in place of its connection. */
function ownSetting(source: QueueSource): { readonly name: string; readonly value: string } | undefined {
  if (source.type === 'pgBoss' && source.schema !== undefined) return { name: 'DB_SCHEMA', value: source.schema };
  if (source.type === 'amqp' && source.vhost !== undefined) return { name: 'AMQP_VHOST', value: source.vhost };
  return undefined;
}
