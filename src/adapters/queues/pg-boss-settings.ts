/** Settings of a connection to the PostgreSQL of pg-boss. */
import { bothOrNone, Broken, partsOfUrl, portOf, required, urlOf, type Values } from './folder-values.ts';

/** What is needed to log in to a database. */
export interface PgBossSettings {
  readonly type: 'pgBoss';
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

const modes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof modes)[number];

/** Single files win over the parts of a URL. Throws Broken. */
export function pgBossSettings(files: Values): PgBossSettings {
  const url = files.get('url');
  const values: Values = url === undefined ? files : new Map([...partsOf(url), ...files]);
  const host = required(values, 'host');
  const user = required(values, 'user');
  return {
    type: 'pgBoss',
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: portOf(values.get('port') ?? '5432'),
    user,
    password: values.get('password'),
    database: values.get('database') ?? user,
    schema: values.get('schema'),
    tls: tlsOf(values),
  };
}

function tlsOf(values: Values): TlsSettings | undefined {
  const [ca, cert, key] = [values.get('ca.crt'), values.get('tls.crt'), values.get('tls.key')];
  bothOrNone(values, ['tls.crt', 'tls.key']);
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

function partsOf(text: string): Values {
  const url = urlOf(text, /^postgres(ql)?:$/, 'postgres://USER:PASSWORD@HOST:PORT/DATABASE');
  return partsOfUrl(url, (decoded) => ({
    database: decoded(url.pathname.slice(1)),
    schema: url.searchParams.get('schema'),
    sslmode: url.searchParams.get('sslmode'),
  }));
}
