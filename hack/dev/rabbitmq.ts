/**
 * A real RabbitMQ without installation, for tests: its own node name, folders, ports and users, no leftovers.
 *
 * Erlang nodes find each other by a daemon, epmd, which the first of them starts and nobody stops. Each server here has
 * one of its own, on its own port, that ends with it; so any number of them run beside each other and beside the system's.
 *
 * Modes: running ⇄ stopped (same data, same ports), then disposed (the folder is deleted). When this process ends in any
 * way the server ends with it (server-process.ts), and the folder is deleted.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './cluster/ports.ts';
import { until } from './cluster/progress.ts';
import { makeCertificates, type Certificates } from './postgres-tls.ts';
import { ensureRabbitMq, type RabbitMqBinaries } from './rabbitmq-install.ts';
import { endChild, endedWithUs, Janitor, ServerProcess } from './server-process.ts';

export interface RabbitMqOptions {
  /** Listen on all addresses, so that pods can reach it; passwords are required everywhere. */
  readonly listenAll?: boolean;
  /** A second port for TLS, with certificates made on the spot; clients must show one as well. */
  readonly tls?: boolean;
  /** Every line the server logs. */
  readonly onLog?: (line: string) => void;
}

export interface RabbitMq {
  readonly host: string;
  readonly port: number;
  readonly tlsPort: number | undefined;
  /** An administrator with all rights on `/`. */
  readonly user: string;
  readonly password: string;
  readonly certificates: Certificates | undefined;
  /** The process of the server; undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Evaluates Erlang on the node (`rabbit_misc:version()`) and gives the result as Erlang prints it; rejects where it fails. */
  evaluate(expression: string): Promise<string>;
  addVhost(name: string): Promise<void>;
  /** Gives the user's password. */
  addUser(name: string): Promise<string>;
  /** Regular expressions of names, as in `rabbitmqctl set_permissions`. */
  permit(user: string, vhost: string, rights: { configure: string; write: string; read: string }): Promise<void>;
  forbid(user: string, vhost: string): Promise<void>;
  /** The server closes every connection of clients, and says why. */
  closeConnections(reason: string): Promise<void>;
  /** No new connections until `resume`, and none of the old. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** How long a delivery may stay unacknowledged on channels that are opened from now on; looked at every `every` milliseconds. */
  setConsumerTimeout(milliseconds: number, every: number): Promise<void>;
  /** Messages that wait in a durable queue of `/`. Exact, where the count that AMQP gives lags behind for quorum queues. */
  ready(queue: string): Promise<number>;
  /** Messages of a durable queue of `/` that nobody has acknowledged: those that wait and those in somebody's hand. */
  kept(queue: string): Promise<number>;
  stop(): Promise<void>;
  start(): Promise<void>;
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Ports {
  readonly amqp: number;
  readonly tls: number;
  readonly distribution: number;
  readonly epmd: number;
}

export async function startRabbitMq(options: RabbitMqOptions = {}): Promise<RabbitMq> {
  const binaries = ensureRabbitMq();
  for (let attempt = 1; ; attempt++) {
    const [amqp = 0, tls = 0, distribution = 0, epmd = 0] = await freePorts(4, options.listenAll === true ? '0.0.0.0' : '127.0.0.1');
    const server = new Server(binaries, { amqp, tls, distribution, epmd }, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      // Between our looking and the server's binding somebody else may take a port.
      if (attempt === 3 || !String(error).includes('eaddrinuse')) throw error;
    }
  }
}

class Server implements RabbitMq {
  readonly host = '127.0.0.1';
  readonly user = 'job-chief-test';
  readonly password = randomBytes(12).toString('hex');
  readonly certificates: Certificates | undefined;
  readonly #binaries: RabbitMqBinaries;
  readonly #ports: Ports;
  readonly #options: RabbitMqOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'job-chief-rabbitmq-'));
  readonly #cookie = randomBytes(12).toString('hex').toUpperCase();
  readonly #node = `job-chief-${randomBytes(4).toString('hex')}@localhost`;
  readonly #janitor: Janitor;
  readonly #process: ServerProcess;
  #epmd: ChildProcess | undefined;

  constructor(binaries: RabbitMqBinaries, ports: Ports, options: RabbitMqOptions) {
    this.#binaries = binaries;
    this.#ports = ports;
    this.#options = options;
    this.#janitor = new Janitor(leftovers, this.#folder);
    this.#process = new ServerProcess({ name: 'RabbitMQ', launch: () => this.#launch(), readyLine: 'Server startup complete', startWithin: 120_000, onLog: options.onLog });
    if (options.tls === true) this.certificates = makeCertificates(join(this.#folder, 'tls'), {});
    writeFileSync(join(this.#folder, '.erlang.cookie'), this.#cookie, { mode: 0o400 });
    writeFileSync(join(this.#folder, 'enabled_plugins'), '[].\n');
    writeFileSync(join(this.#folder, 'rabbitmq.conf'), this.#configuration());
  }

  get port(): number {
    return this.#ports.amqp;
  }

  get tlsPort(): number | undefined {
    return this.certificates && this.#ports.tls;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    await this.#startEpmd();
    await this.#process.start();
  }

  async stop(): Promise<void> {
    await this.#process.stop(30_000);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async evaluate(expression: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = execFile(this.#binaries.erlCall, ['-n', this.#node, '-c', this.#cookie, '-e'], { env: this.#env(), timeout: 30_000 }, (error, stdout) => {
      const result = /^\{ok, ([^]*)\}$/.exec(stdout.trim())?.[1];
      if (error || result === undefined) reject(new Error(`${expression}: ${error?.message ?? ''} ${stdout}`, { cause: error }));
      else resolve(result);
    });
    // One that ended before it has read this says so above.
    child.stdin?.on('error', () => undefined).end(`${expression}.\n`);
    return promise;
  }

  async addVhost(name: string): Promise<void> {
    await this.#done(`rabbit_vhost:add(${binary(name)}, <<"test">>)`);
    await this.permit(this.user, name, { configure: '.*', write: '.*', read: '.*' });
  }

  async addUser(name: string): Promise<string> {
    const password = randomBytes(8).toString('hex');
    await this.#done(`rabbit_auth_backend_internal:add_user(${binary(name)}, ${binary(password)}, <<"test">>)`);
    return password;
  }

  async permit(user: string, vhost: string, { configure, write, read }: { configure: string; write: string; read: string }): Promise<void> {
    await this.#done(`rabbit_auth_backend_internal:set_permissions(${[user, vhost, configure, write, read].map(binary).join(', ')}, <<"test">>)`);
  }

  async forbid(user: string, vhost: string): Promise<void> {
    await this.#done(`rabbit_auth_backend_internal:clear_permissions(${binary(user)}, ${binary(vhost)}, <<"test">>)`);
  }

  async closeConnections(reason: string): Promise<void> {
    await this.#done(`rabbit_networking:close_connections(rabbit_networking:connections(), ${JSON.stringify(reason)})`);
  }

  async suspend(): Promise<void> {
    await this.#done('rabbit_maintenance:suspend_all_client_listeners()');
    await this.closeConnections('the node is under maintenance');
  }

  async resume(): Promise<void> {
    await this.#done('rabbit_maintenance:resume_all_client_listeners()');
  }

  async setConsumerTimeout(milliseconds: number, every: number): Promise<void> {
    await this.#done(`application:set_env(rabbit, consumer_timeout, ${milliseconds})`);
    await this.#done(`application:set_env(rabbit, channel_tick_interval, ${every})`);
  }

  ready(queue: string): Promise<number> {
    return this.#count(queue, { quorum: 'query_messages_ready', classic: 'messages_ready' });
  }

  kept(queue: string): Promise<number> {
    return this.#count(queue, { quorum: 'query_messages_total', classic: 'messages' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing of it is needed any more.
    await this.#process.stop(0);
    await endChild(this.#epmd, 1_000);
    await this.#janitor.release();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Evaluates what answers `ok`, a tuple of it, or a list of them. */
  async #done(expression: string): Promise<void> {
    const result = await this.evaluate(expression);
    if (!/^(ok|\{ok,|\[)/.test(result)) throw new Error(`${expression}: ${result}`);
  }

  async #count(queue: string, what: { readonly quorum: string; readonly classic: string }): Promise<number> {
    return Number(await this.evaluate(`
      begin
        {ok, Queue} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, ${binary(queue)})),
        case amqqueue:get_pid(Queue) of
          {_, _} = Server -> {ok, Count, _} = ra:consistent_query(Server, fun rabbit_fifo:${what.quorum}/1), Count;
          _ -> [{_, Count}] = rabbit_amqqueue:info(Queue, [${what.classic}]), Count
        end
      end`));
  }

  async #startEpmd(): Promise<void> {
    if (this.#epmd?.exitCode === null) return;
    this.#epmd = this.#spawn(join(this.#binaries.runtime, 'epmd'), []);
    const epmd = this.#epmd;
    await until('epmd', 30_000, async () => {
      if (epmd.exitCode !== null) throw new Error('epmd ended: eaddrinuse, or it cannot run here');
      return accepts(this.#ports.epmd);
    }, 20);
  }

  #configuration(): string {
    const tls = this.certificates;
    const lines = [
      `listeners.tcp.1 = ${this.#options.listenAll === true ? '0.0.0.0' : '127.0.0.1'}:${this.#ports.amqp}`,
      ...(tls ? [`listeners.ssl.1 = 127.0.0.1:${this.#ports.tls}`, `ssl_options.cacertfile = ${tls.caFile}`, `ssl_options.certfile = ${tls.serverCertFile}`, `ssl_options.keyfile = ${tls.serverKeyFile}`, 'ssl_options.verify = verify_peer', 'ssl_options.fail_if_no_peer_cert = true'] : []),
      `default_user = ${this.user}`,
      `default_pass = ${this.password}`,
      'loopback_users = none',
      'log.console = true',
      'log.console.level = info',
      // A busy machine has little of either, and tests need less.
      'disk_free_limit.absolute = 1MB',
      'vm_memory_high_watermark.absolute = 2GiB',
    ];
    return `${lines.join('\n')}\n`;
  }

  /** Everything that Erlang or RabbitMQ would take from the system otherwise. */
  #env(): NodeJS.ProcessEnv {
    const { erlang, runtime, plugins } = this.#binaries;
    const at = (name: string): string => join(this.#folder, name);
    return {
      PATH: `${runtime}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
      HOME: this.#folder,
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      ROOTDIR: erlang,
      BINDIR: runtime,
      EMU: 'beam',
      PROGNAME: 'erl',
      ERL_LIBS: plugins,
      ERL_EPMD_PORT: String(this.#ports.epmd),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: this.#node,
      RABBITMQ_DIST_PORT: String(this.#ports.distribution),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_CONFIG_FILE: at('rabbitmq.conf'),
      RABBITMQ_ADVANCED_CONFIG_FILE: at('advanced.config'),
      RABBITMQ_GENERATED_CONFIG_DIR: at('generated'),
      RABBITMQ_ENABLED_PLUGINS_FILE: at('enabled_plugins'),
      RABBITMQ_PLUGINS_DIR: plugins,
      RABBITMQ_MNESIA_BASE: at('data'),
      RABBITMQ_LOG_BASE: at('log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_PID_FILE: at('server.pid'),
    };
  }

  #launch(): ChildProcess {
    const { erlang, runtime } = this.#binaries;
    // Busy waiting is good for one server alone, and takes a whole core from everybody else.
    const emulator = ['+W', 'w', '+B', 'i', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'];
    const logging = ['-syslog', 'logger', '[]', '-syslog', 'syslog_error_logger', 'false', '-kernel', 'prevent_overlapping_partitions', 'false'];
    const child = this.#spawn(join(runtime, 'erlexec'), ['-noinput', '-s', 'rabbit', 'boot', '-boot', join(erlang, 'bin/start_sasl'), ...emulator, ...logging]);
    writeFileSync(join(this.#folder, 'pids'), `${child.pid ?? ''} ${this.#epmd?.pid ?? ''}`);
    return child;
  }

  /**
   * In a process group of its own, ended by the kernel when we die. With a limit on open files that Erlang can live with:
   * it makes tables of that size, and with the billion that some containers have it takes minutes and gigabytes.
   */
  #spawn(program: string, args: string[]): ChildProcess {
    const limited = ['-c', 'ulimit -n 16384 2>/dev/null || :; exec "$@"', 'sh', program, ...args];
    const [file, argv] = endedWithUs('TERM', 'sh', limited);
    return spawn(file, argv, { cwd: this.#folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: this.#env() });
  }
}

/** An Erlang binary of UTF-8. */
function binary(text: string): string {
  return `<<${[...Buffer.from(text)].join(',')}>>`;
}

/** What is left of $1 when we have died: its processes, where they are ours still, and the folder. */
const leftovers = `
  for pid in $(cat "$1/pids" 2>/dev/null); do
    case $(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in *erlexec*|*beam*|*epmd*) kill -KILL "$pid" 2>/dev/null ;; esac
  done
  rm -rf -- "$1"`;

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
