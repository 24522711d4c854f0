/** What a schema cannot say about the configuration, and what it comes to. Called only when the schema has nothing against the value. */
import { dirname, resolve } from 'node:path';
import { digest } from '../lib/digest.ts';
import { parseDuration } from '../lib/duration.ts';
import { isObject, objectAt, stringAt, type Json, type JsonObject } from '../lib/json.ts';
import type { JobDefaults } from '../spec/common.ts';
import { connectionFieldsOf, connectionTypes, type ConnectionDefinition, type ConnectionType } from '../spec/connection.ts';
import { metadataKeyFindings } from '../spec/job-rules.ts';
import { podPolicyFrom } from '../spec/pod-policy/policy.ts';
import { limitFieldsOf, rateFindings } from '../spec/limits-read.ts';
import type { Finding } from '../spec/report.ts';
import { subdomainPattern } from '../spec/schema-fields.ts';
import { frozen, type Config, type LogLevel } from './config.ts';
import { configSchema } from './config-schema.ts';
import { httpApiFindings, httpApiFrom } from './http-api.ts';

/** Fields that contradict each other or are missing beside each other. `inFolder`: the connections found in connectionsFolder. */
export function ruleFindings(value: JsonObject, inFolder: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  const specs = objectAt(value, 'specs');
  if (specs['source'] === 'folder' && specs['folder'] === undefined) {
    findings.push({ code: 'MissingField', message: 'the field "folder" is required with "source: folder"', path: ['specs', 'folder'], hint: 'name the folder that holds the specs' });
  }
  if (specs['source'] !== 'folder' && specs['folder'] !== undefined) {
    findings.push({ code: 'ConflictingFields', message: 'a folder is given, but specs are read from ConfigMaps', path: ['specs', 'folder'], part: 'key', hint: 'write "source: folder" beside it, or remove it' });
  }
  findings.push(...rateFindings(objectAt(value, 'limits'), ['limits']));
  findings.push(...leaseFindings(objectAt(value, 'highAvailability')));
  const port = Number((stringAt(value, 'listen') ?? ':8080').split(':').at(-1));
  if (port > 65_535) findings.push({ code: 'InvalidValue', message: `there is no port ${port}`, path: ['listen'] });
  findings.push(...httpApiFindings(value));
  findings.push(...defaultLabelFindings(objectAt(objectAt(value, 'jobDefaults'), 'labels')));
  for (const [name, connection] of Object.entries(objectAt(value, 'connections'))) findings.push(...connectionFindings(name, connection, value['connectionsFolder'] !== undefined, inFolder));
  return findings;
}

/** They would be put on every Job: the same keys are reserved there as in a spec. */
function defaultLabelFindings(labels: JsonObject): Finding[] {
  return Object.keys(labels).flatMap((key) => metadataKeyFindings(key, ['jobDefaults', 'labels', key]));
}

/** As client-go: a leader must stop before others start, and have time for more than one renewal. */
function leaseFindings(written: JsonObject): Finding[] {
  const times = filled(configSchema.properties.highAvailability, written);
  const [lease, renew, retry] = [milliseconds(times['leaseDuration']), milliseconds(times['renewDeadline']), milliseconds(times['retryPeriod'])];
  const findings: Finding[] = [];
  if (lease <= renew) findings.push({ code: 'ConflictingFields', message: '"renewDeadline" must be shorter than "leaseDuration", or two replicas could act at once', path: ['highAvailability', 'renewDeadline'] });
  if (renew < 2 * retry) findings.push({ code: 'ConflictingFields', message: '"retryPeriod" must be at most half of "renewDeadline", so that one failed renewal is no loss', path: ['highAvailability', 'retryPeriod'] });
  return findings;
}

/** A name that no other instance gets: what a Lease cannot be called is replaced, with a hash of the whole behind it. */
function leaseName(instance: string): string {
  if (instance === 'default') return 'job-chief';
  if (new RegExp(subdomainPattern).test(instance)) return `job-chief-${instance}`;
  return `job-chief-${instance.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${digest(instance, 8)}`;
}

function connectionFindings(name: string, connection: Json | undefined, hasCommonFolder: boolean, inFolder: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  const path = ['connections', name];
  if (stringAt(connection, 'folder') === undefined && !inFolder.includes(name)) {
    const hint = hasCommonFolder ? `connectionsFolder has no sub-folder "${name}" either` : 'name the folder into which the Secret is mounted';
    findings.push({ code: 'MissingField', message: 'the field "folder" is required', path: [...path, 'folder'], hint });
  }
  if (isObject(connection) && connection['injectable'] === true && connection['secretName'] === undefined) {
    findings.push({ code: 'MissingField', message: 'the field "secretName" is required where "injectable" is true', path: [...path, 'secretName'], hint: 'workers get the connection from that Secret' });
  }
  return [...findings, ...keyFindings(connection, path)];
}

/** A key for a setting that connections of the type do not have would be read by nobody. */
function keyFindings(connection: Json | undefined, path: readonly string[]): Finding[] {
  const type = connectionTypeOf(connection);
  const known = connectionFieldsOf(type);
  const unknown = Object.keys(objectAt(connection, 'keys')).filter((key) => !known.some((field) => field === key));
  return unknown.map((key) => ({ code: 'UnknownField', message: `a connection of type ${type} has no setting "${key}"`, path: [...path, 'keys', key], part: 'key', hint: `its settings are ${known.join(', ')}` }));
}

function connectionTypeOf(connection: Json | undefined): ConnectionType {
  const written = stringAt(connection, 'type');
  return connectionTypes.find((type) => type === written) ?? 'pgBoss';
}

/** The value after the checks, with defaults; what the casts claim the schema has checked. Relative folders count from the file's folder. */
export function configFrom(value: JsonObject, inFolder: readonly string[], file: string | undefined): Config {
  const full = filled(configSchema, value);
  const path = (text: string): string => resolve(file === undefined ? '.' : dirname(file), text);
  const at = (section: string, field: string): Json | undefined => objectAt(full, section)[field];
  const folder = stringAt(full['specs'], 'folder');
  const qps = at('api', 'qps') as number;
  const connections = connectionsFrom(full, inFolder, path);
  return frozen<Config>({
    namespace: stringAt(full, 'namespace'),
    instance: stringAt(full, 'instance') ?? '',
    kubeconfig: optionally(stringAt(full, 'kubeconfig'), path),
    context: stringAt(full, 'context'),
    specs: at('specs', 'source') === 'folder' && folder !== undefined ? { kind: 'folder', folder: path(folder) } : { kind: 'configMaps' },
    connections,
    jobDefaults: full['jobDefaults'] as JobDefaults | undefined,
    podPolicy: podPolicyFrom(objectAt(full, 'podPolicy'), { connectionSecrets: [...connections.values()].flatMap(({ secretName }) => secretName ?? []), ownServiceAccount: undefined }),
    beforeDelete: { urlPrefixes: (at('beforeDelete', 'urlPrefixes') ?? []) as string[], headersFolder: optionally(at('beforeDelete', 'headersFolder') as string | undefined, path) },
    status: { writeBack: at('status', 'writeBack') as boolean },
    // An installation that has no right on ConfigMaps keeps that by default.
    records: { enabled: (at('records', 'enabled') as boolean | undefined) ?? at('specs', 'source') !== 'folder' },
    messageHistory: full['messageHistory'] as boolean,
    events: full['events'] as boolean,
    api: { limits: qps === 0 ? 'off' : { qps, burst: at('api', 'burst') as number }, concurrency: at('api', 'concurrency') as number, timeout: milliseconds(at('api', 'timeout')) },
    reconcile: { concurrency: at('reconcile', 'concurrency') as number },
    limits: limitFieldsOf(objectAt(full, 'limits')),
    highAvailability: {
      enabled: at('highAvailability', 'enabled') as boolean,
      lease: (at('highAvailability', 'lease') as string | undefined) ?? leaseName(stringAt(full, 'instance') ?? 'default'),
      leaseDuration: milliseconds(at('highAvailability', 'leaseDuration')),
      renewDeadline: milliseconds(at('highAvailability', 'renewDeadline')),
      retryPeriod: milliseconds(at('highAvailability', 'retryPeriod')),
    },
    listen: addressOf(stringAt(full, 'listen') ?? ''),
    httpApi: httpApiFrom(full, path, addressOf),
    log: { level: at('log', 'level') as LogLevel, pretty: at('log', 'pretty') as boolean },
    shutdown: { gracePeriod: milliseconds(at('shutdown', 'gracePeriod')) },
  });
}

function connectionsFrom(full: JsonObject, inFolder: readonly string[], path: (text: string) => string): ReadonlyMap<string, ConnectionDefinition> {
  const common = stringAt(full, 'connectionsFolder') ?? '.';
  const written = objectAt(full, 'connections');
  const names = [...new Set([...inFolder, ...Object.keys(written)])].sort();
  return new Map(
    names.map((name): [string, ConnectionDefinition] => {
      const entry = objectAt(written, name);
      return [
        name,
        frozen<ConnectionDefinition>({
          type: connectionTypeOf(entry),
          folder: path(stringAt(entry, 'folder') ?? `${common}/${name}`),
          secretName: stringAt(entry, 'secretName'),
          injectable: entry['injectable'] === true,
          keys: objectAt(entry, 'keys'),
        }),
      ];
    }),
  );
}

interface Node {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Defaults of the schema where the value has nothing. Sections are closed mappings; a default never fills `jobDefaults`. */
function filled(schema: Node, value: JsonObject): JsonObject {
  const entries = Object.entries((schema.properties ?? {}) as Record<string, Node>).map(([name, node]): [string, Json | undefined] => {
    const own = value[name];
    if (name === 'jobDefaults') return [name, own];
    if (node.properties) return [name, filled(node, objectAt(value, name))];
    return [name, own ?? (structuredClone(node.default) as Json | undefined)];
  });
  return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined));
}

function milliseconds(text: Json | undefined): number {
  return (typeof text === 'string' ? parseDuration(text) : undefined) ?? 0;
}

function addressOf(text: string): Config['listen'] {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host: host === '' ? '0.0.0.0' : host, port: Number(text.slice(colon + 1)) };
}

function optionally(text: string | undefined, change: (text: string) => string): string | undefined {
  return text === undefined ? undefined : change(text);
}
