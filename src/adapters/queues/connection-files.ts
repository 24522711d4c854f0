/**
 * From the files of a connection's folder to settings. Values are secrets as a whole: no message here quotes one, since
 * a password in the wrong file would be quoted too.
 */
import { digest } from '../../lib/digest.ts';
import type { ConnectionDefinition, ConnectionField } from '../../spec/connection.ts';

/** What is needed to log in to a database. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly schema: string | undefined;
  readonly tls: TlsSettings | undefined;
}
export interface TlsSettings {
  readonly mode: 'require' | 'verify-ca' | 'verify-full';
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** A folder's content, understood or not. */
export type ConnectionReading =
  | {
      readonly kind: 'ready';
      readonly settings: ConnectionSettings;
      /** Changes exactly when a value changes. */
      readonly digest: string;
      /** The file that holds each setting which is there. */
      readonly files: ReadonlyMap<ConnectionField, string>;
      readonly unknownFiles: readonly string[];
    }
  | { readonly kind: 'broken'; readonly message: string };

/** Other names of the same settings, as found in Secrets that operators of databases write. */
const aliases: Readonly<Partial<Record<ConnectionField, readonly string[]>>> = { user: ['username'], database: ['dbname'], url: ['uri'] };
/** Renderings of the same settings for other programs, which such Secrets hold as well. */
const harmless: ReadonlySet<string> = new Set(['jdbc-uri', 'fqdn-uri', 'fqdn-jdbc-uri', 'pgpass']);

const fields: readonly ConnectionField[] = ['url', 'host', 'port', 'user', 'password', 'database', 'schema', 'sslmode', 'ca.crt', 'tls.crt', 'tls.key'];
const modes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof modes)[number];

/** Thrown and caught in this file only. */
class Broken extends Error {}

export function readSettings(files: ReadonlyMap<string, string>, keys: ConnectionDefinition['keys']): ConnectionReading {
  const found = filesByField(files, keys);
  const values = new Map([...found].map(([field, file]) => [field, clean(field, files.get(file) ?? '')] as const));
  try {
    const settings = settingsFrom(values);
    const used = new Set(found.values());
    const known = new Set([...fields, ...Object.values(aliases).flat(), ...harmless]);
    return {
      kind: 'ready',
      settings,
      digest: digest(settings, 26),
      files: found,
      unknownFiles: [...files.keys()].filter((name) => !used.has(name) && !known.has(name)).sort(),
    };
  } catch (error) {
    if (error instanceof Broken) return { kind: 'broken', message: error.message };
    throw error;
  }
}

/** The file of each setting: under the Secret's own key name where the operator gave one, else a usual name. Empty files count as missing. */
function filesByField(files: ReadonlyMap<string, string>, keys: ConnectionDefinition['keys']): ReadonlyMap<ConnectionField, string> {
  const found = new Map<ConnectionField, string>();
  for (const field of fields) {
    const names = [keys[field], field, ...(aliases[field] ?? [])];
    const name = names.find((candidate) => candidate !== undefined && (files.get(candidate) ?? '').trim() !== '');
    if (name !== undefined) found.set(field, name);
  }
  return found;
}

/** Editors and `echo` add a line end. A password may end in blanks, nothing else may. */
function clean(field: ConnectionField, text: string): string {
  return field === 'password' ? text.replace(/\r?\n$/, '') : text.trim();
}

type Values = ReadonlyMap<ConnectionField, string>;

/** Single files win over the parts of a URL. */
function settingsFrom(files: Values): ConnectionSettings {
  const url = files.get('url');
  const values: Values = url === undefined ? files : new Map([...partsOf(url), ...files]);
  const host = required(values, 'host');
  const user = required(values, 'user');
  return {
    host,
    port: portOf(values.get('port')),
    user,
    password: values.get('password'),
    database: values.get('database') ?? user,
    schema: values.get('schema'),
    tls: tlsOf(values),
  };
}

function required(values: Values, field: ConnectionField): string {
  const value = values.get(field);
  if (value === undefined) throw new Broken(`the folder has no file \`${field}\`${field === 'url' ? '' : ' and no `url` that names it'}`);
  return value;
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 5432;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw new Broken('`port` must be a number from 1 to 65535');
  return port;
}

function tlsOf(values: Values): TlsSettings | undefined {
  const [ca, cert, key] = [values.get('ca.crt'), values.get('tls.crt'), values.get('tls.key')];
  if ((cert === undefined) !== (key === undefined)) throw new Broken('`tls.crt` and `tls.key` belong together: one of them is missing');
  const mode = modeOf(values.get('sslmode')) ?? defaultMode(ca, cert);
  if (mode === 'disable') return undefined;
  // As libpq has it: who names an authority wants it checked.
  return { mode: mode === 'require' && ca !== undefined ? 'verify-ca' : mode, ca, cert, key };
}

function modeOf(text: string | undefined): Mode | undefined {
  if (text === undefined) return undefined;
  const mode = modes.find((candidate) => candidate === text);
  if (!mode) throw new Broken(`\`sslmode\` must be one of ${modes.join(', ')}`);
  return mode;
}

/** Certificates in the folder are there to be used. */
function defaultMode(ca: string | undefined, cert: string | undefined): Mode {
  if (ca !== undefined) return 'verify-full';
  return cert === undefined ? 'disable' : 'require';
}

function partsOf(text: string): Map<ConnectionField, string> {
  // The error of `new URL` carries its input, password and all: it must not travel.
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) throw new Broken('`url` must look like postgres://USER:PASSWORD@HOST:PORT/DATABASE');
  const parts = new Map<ConnectionField, string>();
  const add = (field: ConnectionField, value: string | null): void => {
    if (value !== null && value !== '') parts.set(field, value);
  };
  try {
    add('host', url.hostname.replace(/^\[(.*)\]$/, '$1'));
    add('port', url.port);
    add('user', decodeURIComponent(url.username));
    add('password', decodeURIComponent(url.password));
    add('database', decodeURIComponent(url.pathname.slice(1)));
  } catch {
    throw new Broken('`url` has a % that is not followed by two hexadecimal digits');
  }
  add('schema', url.searchParams.get('schema'));
  add('sslmode', url.searchParams.get('sslmode'));
  return parts;
}
