/** Tries a connection to a database with pg-boss, from the folder to the right to listen. */
import type { PeerCertificate, TLSSocket } from 'node:tls';
import pg from 'pg';
import { asError } from '../../lib/clock.ts';
import { addressesOf, Failure, reach, readFolder, runSteps, type CheckOptions, type CheckResult, type Outcome, type Steps } from './check-steps.ts';
import { DatabaseError, explain } from './database-error.ts';
import { refusesSettings, type Database, type Row } from './databases.ts';
import { channelsOf } from './notification-line.ts';
import { depthQuery } from './pg-boss.ts';
import { spokenVersion } from './pg-boss-messages/boss-link.ts';
import { missingMessageGrants } from './pg-boss-rights.ts';
import { absence, inspect, readSchema, schemaName, versionOf, type Inspection } from './pg-boss-schema.ts';
import type { PgBossSettings } from './pg-boss-settings.ts';
import { clientConfig } from './session.ts';

/** What a step found, to be handed to the next. */
interface Context {
  settings?: PgBossSettings;
  client?: pg.Client;
  database?: Database;
  inspection?: Inspection;
}

/** Runs the steps in order and yields each result; stops after the first failure. */
export async function* checkPgBoss(options: CheckOptions): AsyncGenerator<CheckResult> {
  const context: Context = {};
  try {
    yield* runSteps(steps, context, options);
  } finally {
    await context.client?.end().catch(() => undefined);
  }
}

const steps: Steps<Context> = Object.entries({
  folder: async (context, { definition }) => {
    const { settings, outcome } = await readFolder(definition, 'pgBoss');
    context.settings = settings;
    return outcome;
  },
  dns: async (context) => {
    try {
      return await addressesOf(settingsOf(context).host);
    } catch (error) {
      throw explain(error, settingsOf(context));
    }
  },
  tcp: async (context, { clock }) => {
    try {
      return await reach(settingsOf(context), clock);
    } catch (error) {
      throw explain(error, settingsOf(context));
    }
  },
  login: async (context) => {
    const settings = settingsOf(context);
    const { client, plain } = await login(settings);
    context.client = client;
    context.database = databaseOf(client, settings);
    const [row = {}] = await context.database.query(`SELECT current_user AS role, current_database() AS database, current_setting('server_version') AS version`);
    const detail = `role ${String(row['role'])} in database ${String(row['database'])}, PostgreSQL ${String(row['version'])}`;
    return plain ? { result: 'warning', detail: `${detail}; behind a pooler that takes no settings: statements cannot be bounded by the server` } : detail;
  },
  tls: (context) => Promise.resolve(tlsOutcome(context)),
  schema: async (context, { schema }) => {
    const { settings, database } = withDatabase(context);
    const found = await inspect(database, schemaName(schema ?? settings.schema));
    context.inspection = found;
    const missing = absence(found, settings.database);
    if (missing) throw missing;
    return `schema ${found.schema} has a table job${found.partitions > 1 ? ` with ${found.partitions} partitions` : ''}`;
  },
  version: async (context) => {
    const { database, inspection } = withDatabase(context);
    if (!inspection.canReadVersion) {
      const remedy = inspection.missingVersionGrants.join(' ');
      return { result: 'warning', detail: 'the version cannot be read; depth does not need it', ...(remedy !== '' && { remedy }) };
    }
    const version = await versionOf(database, inspection);
    return version === undefined ? { result: 'warning', detail: 'the table version is empty' } : `schema version ${version}`;
  },
  depth: async (context) => {
    const { database, inspection } = withDatabase(context);
    if (inspection.missingGrants.length > 0) throw new Failure(`the role may not read ${inspection.schema}.job`, inspection.missingGrants.join(' '));
    const schema = await readSchema(database, inspection.schema);
    await database.query(depthQuery(schema), [['job-chief check'], [1]]);
    return 'the depth of queues can be read';
  },
  lease: async (context) => {
    const { database, inspection } = withDatabase(context);
    const version = await versionOf(database, inspection);
    if (version !== undefined && version !== spokenVersion) return { result: 'skipped', detail: `messages can be counted, not leased: \`perMessage\` needs schema version ${spokenVersion}` };
    const missing = await missingMessageGrants(database, inspection.schema);
    if (missing.length === 0) return 'messages can be leased and settled (`perMessage`)';
    return { result: 'warning', detail: 'messages can be counted (`drain`), not leased and settled (`perMessage`)', remedy: missing.join(' ') };
  },
  listen: async (context, { schema }) => {
    const { settings, database } = withDatabase(context);
    try {
      for (const channel of channelsOf(schema ?? settings.schema)) await database.query(`LISTEN ${channel}`);
      return 'wakes can be listened to; queues made with `notify: true` (pg-boss 12) send them';
    } catch (error) {
      return { result: 'warning', detail: `wakes cannot be listened to: ${asError(error).message}; queues are polled` };
    }
  },
} satisfies Readonly<Record<string, Steps<Context>[number][1]>>);

function settingsOf({ settings }: Context): PgBossSettings {
  if (!settings) throw new Error('the folder was not read');
  return settings;
}

const notInspected: Inspection = { schema: '', found: false, hasJob: false, columns: [], states: [], partitions: 0, canReadJob: false, canReadVersion: false, missingGrants: [], missingVersionGrants: [] };

function withDatabase(context: Context): { settings: PgBossSettings; database: Database; inspection: Inspection } {
  if (!context.database) throw new Error('nobody logged in');
  return { settings: settingsOf(context), database: context.database, inspection: context.inspection ?? notInspected };
}

async function login(settings: PgBossSettings): Promise<{ client: pg.Client; plain: boolean }> {
  for (const plain of [false, true]) {
    const client = new pg.Client(clientConfig(settings, plain));
    client.on('error', () => undefined);
    try {
      await client.connect();
      return { client, plain };
    } catch (error) {
      if (plain || !refusesSettings(error)) throw explain(error, settings);
    }
  }
  throw new DatabaseError('QueueUnreachable', 'no session');
}

function databaseOf(client: pg.Client, settings: PgBossSettings): Database {
  return {
    settings,
    digest: '',
    query: async (text, values) => {
      try {
        return (await client.query<Row>(text, [...(values ?? [])])).rows;
      } catch (error) {
        throw explain(error, settings);
      }
    },
  };
}

/** How the session came about; the log-in has checked what there is to check. */
function tlsOutcome({ client, settings }: Context): Outcome {
  const tls = settings?.tls;
  if (!tls) return { result: 'skipped', detail: 'the connection does not use TLS' };
  const { protocol, validTo } = sessionOf(client);
  const own = tls.cert === undefined ? 'no client certificate' : 'with a client certificate';
  const detail = `${protocol}, ${own}, server certificate valid to ${validTo}`;
  return tls.mode === 'require' ? { result: 'warning', detail: `${detail}; not checked against an authority`, remedy: 'put ca.crt into the folder' } : detail;
}

/** The driver keeps its socket to itself; what cannot be read is left out. */
function sessionOf(client: pg.Client | undefined): { protocol: string; validTo: string } {
  const socket = (client as unknown as { connection?: { stream?: Partial<TLSSocket> } } | undefined)?.connection?.stream;
  const certificate: Partial<PeerCertificate> = socket?.getPeerCertificate?.() ?? {};
  return { protocol: socket?.getProtocol?.() ?? 'TLS', validTo: certificate.valid_to ?? 'an unknown time' };
}
