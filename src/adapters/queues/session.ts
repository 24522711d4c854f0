/** How every session with a PostgreSQL is opened. Only here are settings turned into what the driver takes. */
import type { ConnectionOptions } from 'node:tls';
import pg, { type ClientConfig } from 'pg';
import type { PgBossSettings, TlsSettings } from './pg-boss-settings.ts';

/** Milliseconds. The client waits a little longer than the server, whose error says more. */
export const statementTimeout = 5_000;
const connectTimeout = 5_000;
const queryTimeout = 8_000;

/** `write`: what is read of JSON comes as the text that the server has, since a number may be longer than JavaScript can hold. */
export type Access = 'read' | 'write';

/** The driver's own parsers, but for jsonb. */
function textOfJson(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.JSONB, String);
  return types;
}

/** `plain`: without settings at log-in, for poolers that refuse them. */
export function clientConfig(settings: PgBossSettings, plain: boolean, access: Access = 'read'): ClientConfig {
  return {
    host: settings.host,
    port: settings.port,
    user: settings.user,
    database: settings.database,
    // As a function, so that the driver never falls back to PGPASSWORD or a password file of ours.
    password: () => settings.password ?? '',
    ssl: settings.tls ? tlsOptions(settings.tls) : false,
    application_name: 'job-chief',
    connectionTimeoutMillis: connectTimeout,
    query_timeout: queryTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(access === 'write' && { types: textOfJson() }),
    ...(!plain && { options: `${access === 'read' ? '-c default_transaction_read_only=on ' : ''}-c statement_timeout=${statementTimeout} -c idle_in_transaction_session_timeout=${statementTimeout}` }),
  };
}

function tlsOptions(tls: TlsSettings): ConnectionOptions {
  return {
    rejectUnauthorized: tls.mode !== 'require',
    ...(tls.mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
    ...(tls.ca !== undefined && { ca: tls.ca }),
    ...(tls.cert !== undefined && { cert: tls.cert }),
    ...(tls.key !== undefined && { key: tls.key }),
  };
}
