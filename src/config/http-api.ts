/** The part of the configuration that is about the HTTP API: its schema, what a schema cannot say, and what it comes to. */
import { Type } from 'typebox';
import { isObject, numberAt, objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import type { Finding } from '../spec/report.ts';
import { flag, integer, section } from '../spec/schema-fields.ts';

export interface HttpApiConfig {
  readonly enabled: boolean;
  readonly listen: { readonly host: string; readonly port: number };
  /** A file or a folder; undefined: there are no tokens. */
  readonly tokens: string | undefined;
  /** undefined: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string | undefined; readonly clients: Readonly<Record<string, ApiRole>> } | undefined;
  readonly rateLimit: { readonly perSecond: number; readonly burst: number };
  /** Without a slash at its end; empty: paths are told as they are. */
  readonly publicUrl: string;
}
export type ApiRole = 'read' | 'submit' | 'admin';

/** Where something listens, as HOST:PORT. */
export const addressPattern = '^(\\[[0-9a-fA-F:.]+\\]|[^\\s:/\\[\\]]*):[0-9]{1,5}$';

const text = (description: string, rules: { default?: string; pattern?: string; errorMessage?: string } = {}) => Type.Optional(Type.String({ minLength: 1, description, ...rules }));

/** The section `httpApi`. */
export const httpApiSchema = section(
  {
    enabled: flag('Serve the HTTP API, on a port of its own. Somebody must be able to log in: with `tokens`, or with client certificates.', false),
    listen: text('Address of the HTTP API, as HOST:PORT.', { default: '0.0.0.0:8443', pattern: addressPattern, errorMessage: 'must be HOST:PORT, such as "0.0.0.0:8443" or "[::]:8443"' }),
    tokens: text('Bearer tokens: a folder with a file ROLE.NAME for each, such as a mounted Secret, or one file with lines ROLE NAME TOKEN. ROLE is read, submit or admin. Read again when it changes.'),
    tls: section(
      {
        cert: text('Certificate of the server, with the chain behind it: a file in PEM. Read again when it changes. Without it the API is plain HTTP.'),
        key: text('Its key: a file in PEM.'),
        clientCa: text('Who signs client certificates: a file in PEM. Without it nobody is asked for one.'),
        clients: Type.Optional(
          Type.Unsafe<JsonObject>({
            type: 'object',
            additionalProperties: { type: 'string', enum: ['read', 'submit', 'admin'], description: 'The role.' },
            description: 'Role of each client, by a name in its certificate: its common name, or a DNS, URI or e-mail name.',
            default: {},
          }),
        ),
      },
      'TLS of the HTTP API.',
    ),
    rateLimit: section(
      {
        perSecond: integer({ description: 'Requests of one token or client certificate per second in the long run; 0 for no limit.', default: 50, min: 0, max: 100_000 }),
        burst: integer({ description: 'Requests at once before that limit holds.', default: 100, min: 1, max: 100_000 }),
      },
      'How often one caller may ask.',
    ),
    publicUrl: text('What callers put before the paths of the API, such as `https://jobs.example.com`: for `callbackUrl` and `Location`. Without it they are paths.', { pattern: '^https?://[^\\s?#]+$', errorMessage: 'must be an http or https URL without a query' }),
  },
  'The HTTP API.',
);

/** Fields that contradict each other or are missing beside each other. */
export function httpApiFindings(root: JsonObject): Finding[] {
  const value = objectAt(root, 'httpApi');
  return [...tlsFindings(objectAt(value, 'tls')), ...loginFindings(value), ...portFindings(value, root)];
}

const at = (...path: string[]): readonly string[] => ['httpApi', ...path];

function tlsFindings(tls: JsonObject): Finding[] {
  const has = (field: string): boolean => tls[field] !== undefined;
  const [missing, given] = has('cert') ? ['key', 'cert'] : ['cert', 'key'];
  const findings: Finding[] = [];
  if (has('cert') !== has('key')) findings.push({ code: 'MissingField', message: `the field "${missing}" is required beside "${given}"`, path: at('tls', missing) });
  if (has('clientCa') && !has('cert')) findings.push({ code: 'MissingField', message: 'client certificates need a certificate of the server', path: at('tls', 'cert') });
  if (Object.keys(objectAt(tls, 'clients')).length > 0 && !has('clientCa')) findings.push({ code: 'MissingField', message: 'clients are given, but nobody who signs their certificates', path: at('tls', 'clientCa') });
  return findings;
}

function loginFindings(value: JsonObject): Finding[] {
  if (value['enabled'] !== true || value['tokens'] !== undefined || objectAt(value, 'tls')['clientCa'] !== undefined) return [];
  return [{ code: 'MissingField', message: 'nobody could log in', path: at('tokens'), hint: 'name the folder or file of tokens, or tls.clientCa: there is no access without either' }];
}

function portFindings(value: JsonObject, root: JsonObject): Finding[] {
  const port = portOf(stringAt(value, 'listen') ?? ':8443');
  if (port > 65_535) return [{ code: 'InvalidValue', message: `there is no port ${port}`, path: at('listen') }];
  if (value['enabled'] !== true || port === 0 || port !== portOf(stringAt(root, 'listen') ?? ':8080')) return [];
  return [{ code: 'ConflictingFields', message: `health checks and metrics are on port ${port} already`, path: at('listen'), hint: 'the HTTP API has a port of its own' }];
}

/** The section with its defaults filled in, after the checks. */
export function httpApiFrom(full: JsonObject, path: (text: string) => string, addressOf: (text: string) => HttpApiConfig['listen']): HttpApiConfig {
  const value = objectAt(full, 'httpApi');
  const tls = objectAt(value, 'tls');
  const [cert, key, clientCa, tokens] = [stringAt(tls, 'cert'), stringAt(tls, 'key'), stringAt(tls, 'clientCa'), stringAt(value, 'tokens')];
  const clients = Object.entries(objectAt(tls, 'clients')).filter((entry): entry is [string, ApiRole] => entry[1] === 'read' || entry[1] === 'submit' || entry[1] === 'admin');
  const limit = objectAt(value, 'rateLimit');
  return {
    enabled: isObject(value) && value['enabled'] === true,
    listen: addressOf(stringAt(value, 'listen') ?? ''),
    tokens: tokens === undefined ? undefined : path(tokens),
    tls: cert === undefined || key === undefined ? undefined : { cert: path(cert), key: path(key), clientCa: clientCa === undefined ? undefined : path(clientCa), clients: Object.fromEntries(clients) },
    rateLimit: { perSecond: numberAt(limit, 'perSecond') ?? 0, burst: numberAt(limit, 'burst') ?? 1 },
    publicUrl: (stringAt(value, 'publicUrl') ?? '').replace(/\/+$/, ''),
  };
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}
