/**
 * Where RabbitMQ and its Erlang are: installed on this machine, else unpacked from Debian's packages into the cache.
 * Unpacked, not installed: an installed rabbitmq-server starts a service at once, and Erlang leaves one for epmd.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from './cluster/paths.ts';
import { seconds, toStderr, type Progress } from './cluster/progress.ts';

export interface RabbitMqBinaries {
  /** Erlang's ROOTDIR. */
  readonly erlang: string;
  /** The folder of `erlexec` and `epmd`. */
  readonly runtime: string;
  /** `erl_call`, which asks a running node. */
  readonly erlCall: string;
  /** RabbitMQ's applications: ERL_LIBS. */
  readonly plugins: string;
}

/** rabbitmq-server and what of Erlang it will not start without. All else of Erlang's 50 packages is left out. */
const packages = [
  'rabbitmq-server',
  ...['asn1', 'base', 'crypto', 'eldap', 'inets', 'mnesia', 'os-mon', 'parsetools', 'public-key', 'runtime-tools', 'ssl', 'syntax-tools', 'tools', 'xmerl'].map((name) => `erlang-${name}`),
];

/** Throws where RabbitMQ is not there and cannot be fetched, and says what would help. */
export function ensureRabbitMq(say: Progress = toStderr): RabbitMqBinaries {
  const cached = join(cacheFolder, `rabbitmq-${createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 16)}`);
  const found = binariesUnder('/') ?? binariesUnder(cached);
  if (found) return found;
  fetchInto(cached, say);
  const fetched = binariesUnder(cached);
  if (!fetched) throw new Error(`the packages of RabbitMQ were unpacked into ${cached}, and no server is in them`);
  return fetched;
}

function binariesUnder(root: string): RabbitMqBinaries | undefined {
  const erlang = join(root, 'usr/lib/erlang');
  const erts = newest(erlang, 'erts-');
  const server = newest(join(root, 'usr/lib/rabbitmq/lib'), 'rabbitmq_server-');
  const tools = newest(join(erlang, 'lib'), 'erl_interface-');
  if (erts === undefined || server === undefined || tools === undefined || !existsSync(join(erlang, 'bin/start_sasl.boot'))) return undefined;
  return { erlang, runtime: join(erts, 'bin'), erlCall: join(tools, 'bin/erl_call'), plugins: join(server, 'plugins') };
}

function newest(folder: string, prefix: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const name = readdirSync(folder).filter((entry) => entry.startsWith(prefix)).toSorted().at(-1);
  return name === undefined ? undefined : join(folder, name);
}

function fetchInto(target: string, say: Progress): void {
  const no = whyNoPackages();
  if (no !== undefined) throw new Error(`RabbitMQ is needed: ${no}. Any one of these would do:\n  - rabbitmq-server installed by the system's package manager\n  - Debian 12 or Ubuntu, with apt-get and dpkg`);
  const began = Date.now();
  say('fetching RabbitMQ and Erlang from the Debian mirror (35 MB, once)');
  const debs = mkdtempSync(join(tmpdir(), 'job-chief-rabbitmq-'));
  mkdirSync(cacheFolder, { recursive: true });
  const unfinished = mkdtempSync(`${target}.`);
  try {
    download(debs, say);
    for (const deb of readdirSync(debs).filter((name) => name.endsWith('.deb'))) run('dpkg', ['-x', join(debs, deb), unfinished], debs);
    try {
      renameSync(unfinished, target);
    } catch (error) {
      // Somebody else was faster.
      if (!existsSync(target)) throw error;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    rmSync(debs, { recursive: true, force: true });
  }
  say(`  RabbitMQ: ${seconds(began)}`);
}

function whyNoPackages(): string | undefined {
  if (process.platform !== 'linux') return `packages of Debian run on Linux only (this is ${process.platform})`;
  const missing = ['apt-get', 'dpkg'].filter((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status !== 0);
  return missing.length === 0 ? undefined : `there is no ${missing.join(' and no ')} to fetch its packages with`;
}

/** A fresh machine, or an old one, has no list of packages, or one whose versions are gone. */
function download(folder: string, say: Progress): void {
  const args = ['-qq', 'download', ...packages];
  try {
    run('apt-get', args, folder);
  } catch (error) {
    if (process.getuid?.() !== 0) throw new Error('the packages of RabbitMQ cannot be fetched; run `apt-get update` as root, then try again', { cause: error });
    say('  apt-get update');
    run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', 'update'], folder);
    run('apt-get', args, folder);
  }
}

function run(program: string, args: string[], cwd: string): void {
  const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  if (status !== 0) throw new Error(`${program} ${args.slice(0, 3).join(' ')} failed: ${stderr.trim()}`);
}
