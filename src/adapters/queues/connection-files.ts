/**
 * From the files of a connection's folder to settings. Values are secrets as a whole: no message here quotes one, since
 * a password in the wrong file would be quoted too.
 */
import { digest } from '../../lib/digest.ts';
import { connectionFieldsOf, type ConnectionDefinition, type ConnectionField, type ConnectionType } from '../../spec/connection.ts';
import { amqpSettings, type AmqpSettings } from './amqp-settings.ts';
import { Broken, type Values } from './folder-values.ts';
import { pgBossSettings, type PgBossSettings } from './pg-boss-settings.ts';
import { sqsSettings, type SqsSettings } from './sqs-settings.ts';

/** What is needed to reach queues of one of the kinds. */
export type ConnectionSettings = PgBossSettings | AmqpSettings | SqsSettings;

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

interface KindOfFolder {
  /** Other names of the same settings, as found in Secrets that operators of servers write, or in the environment. */
  readonly aliases: Readonly<Partial<Record<ConnectionField, readonly string[]>>>;
  /** Renderings of the same settings for other programs, which such Secrets hold as well. */
  readonly harmless: readonly string[];
  readonly read: (values: Values) => ConnectionSettings;
}

const kinds: Readonly<Record<ConnectionType, KindOfFolder>> = {
  pgBoss: {
    aliases: { user: ['username'], database: ['dbname'], url: ['uri'] },
    harmless: ['jdbc-uri', 'fqdn-uri', 'fqdn-jdbc-uri', 'pgpass'],
    read: pgBossSettings,
  },
  // The operator of RabbitMQ clusters writes `connection_string`, and the rest for its own use.
  amqp: { aliases: { user: ['username'], url: ['uri', 'connection_string'] }, harmless: ['provider', 'type', 'default_user.conf'], read: amqpSettings },
  sqs: {
    aliases: {
      region: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
      endpoint: ['AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL'],
      'access-key-id': ['AWS_ACCESS_KEY_ID'],
      'secret-access-key': ['AWS_SECRET_ACCESS_KEY'],
      'session-token': ['AWS_SESSION_TOKEN'],
    },
    harmless: [],
    read: sqsSettings,
  },
};

/** Reads a folder as one of a type; `keys` as in the definition. */
export function readSettings(files: ReadonlyMap<string, string>, { type, keys }: Pick<ConnectionDefinition, 'type' | 'keys'>): ConnectionReading {
  const { aliases, harmless, read } = kinds[type];
  const fields = connectionFieldsOf(type);
  const found = filesByField(files, fields, (field) => [keys[field] ?? field, field, ...(aliases[field] ?? [])]);
  const values = new Map([...found].map(([field, file]) => [field, clean(field, files.get(file) ?? '')] as const));
  try {
    const settings = read(values);
    const known = new Set<string>([...found.values(), ...fields, ...Object.values(aliases).flat(), ...harmless]);
    return { kind: 'ready', settings, digest: digest(settings, 26), files: found, unknownFiles: [...files.keys()].filter((name) => !known.has(name)).sort() };
  } catch (error) {
    if (error instanceof Broken) return { kind: 'broken', message: error.message };
    throw error;
  }
}

/** The file of each setting: under the Secret's own key name where the operator gave one, else a usual name. Empty files count as missing. */
function filesByField(files: ReadonlyMap<string, string>, fields: readonly ConnectionField[], namesOf: (field: ConnectionField) => readonly string[]): ReadonlyMap<ConnectionField, string> {
  const found = new Map<ConnectionField, string>();
  for (const field of fields) {
    const name = namesOf(field).find((candidate) => (files.get(candidate) ?? '').trim() !== '');
    if (name !== undefined) found.set(field, name);
  }
  return found;
}

/** Editors and `echo` add a line end. A password may end in blanks, nothing else may. */
function clean(field: ConnectionField, text: string): string {
  return field === 'password' ? text.replace(/\r?\n$/, '') : text.trim();
}
