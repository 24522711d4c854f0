/**
 * An operator's connection as data: what the configuration says about it, and what a Job that asks for
 * `injectConnection: true` is given. Nothing here holds a password; values reach a pod by secretKeyRef only.
 */
import type { JsonObject } from '../lib/json.ts';
import type { QueueSource } from './queue-source.ts';

/** The settings of a connection, by the name of the file (and the Secret's key) that holds each. */
export const connectionFields = ['url', 'host', 'port', 'user', 'password', 'database', 'schema', 'sslmode', 'ca.crt', 'tls.crt', 'tls.key'] as const;
export type ConnectionField = (typeof connectionFields)[number];

/** One entry of the configuration key `connections`. */
export interface ConnectionDefinition {
  readonly type: 'pgBoss';
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
  readonly type: 'pgBoss';
  readonly injectable: boolean;
  /** The schema that the connection names; a spec's own wins, `pgboss` is used when neither names one. */
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

/** What a worker gets, with the schema of its spec in place of the connection's; undefined where it may not have it. */
export function injectionOf(facts: ConnectionFacts | undefined, source: QueueSource): ConnectionInjection | undefined {
  if (!facts?.injectable) return undefined;
  const specSchema = source.type === 'pgBoss' ? source.schema : undefined;
  if (specSchema === undefined) return facts.injection;
  const others = facts.injection.env.filter((entry) => entry['name'] !== 'DB_SCHEMA');
  return { ...facts.injection, env: [...others, { name: 'DB_SCHEMA', value: specSchema }] };
}
