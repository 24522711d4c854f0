import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { seconds, type Progress } from './progress.ts';

/** A program of the system that the real node needs, and the Debian package that has it. */
interface Tool {
  name: string;
  debian: string;
  found: () => boolean;
}

export function which(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

const program = (name: string, debian: string): Tool => ({ name, debian, found: () => which(name) !== undefined });

/** Debian and Fedora keep the CNI plugins apart from PATH. */
export function cniFolder(): string | undefined {
  return ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'].find((folder) =>
    ['bridge', 'host-local', 'loopback'].every((plugin) => existsSync(join(folder, plugin))));
}

/** busybox goes into an image alone, so it must not need the libraries of this machine. */
function staticBusybox(): boolean {
  const path = which('busybox');
  return path !== undefined && !/=>|ld-/.test(spawnSync('ldd', [path], { encoding: 'utf8' }).stdout);
}

const supervisorTools: Tool[] = [program('setpriv', 'util-linux')];
const nodeTools: Tool[] = [
  ...supervisorTools,
  program('unshare', 'util-linux'),
  program('nsenter', 'util-linux'),
  program('mount', 'mount'),
  program('ip', 'iproute2'),
  program('iptables', 'iptables'),
  program('runc', 'runc'),
  { name: 'CNI plugins bridge, host-local, loopback', debian: 'containernetworking-plugins', found: () => cniFolder() !== undefined },
  { name: 'a static busybox', debian: 'busybox-static', found: staticBusybox },
];

/** Why pods cannot be real on this machine, or undefined when they can (perhaps after an install). */
export function whyNoRealPods(): string | undefined {
  if (process.platform !== 'linux') return `real pods need Linux (this is ${process.platform})`;
  if (process.getuid?.() !== 0) return 'real pods need root (containerd, kubelet, network namespaces)';
  return undefined;
}

/** Installs what is missing where that is possible, else says what is missing. */
export async function ensureTools(realPods: boolean, say: Progress): Promise<void> {
  if (process.platform !== 'linux') return;
  const missing = (realPods ? nodeTools : supervisorTools).filter((tool) => !tool.found());
  if (missing.length === 0) return;
  const names = missing.map((tool) => tool.name).join(', ');
  const packages = [...new Set(missing.map((tool) => tool.debian))];
  if (process.getuid?.() !== 0 || which('apt-get') === undefined) {
    throw new Error(`missing: ${names}. On Debian or Ubuntu: apt-get install ${packages.join(' ')}`);
  }
  say(`installing ${packages.join(' ')} (missing: ${names})`);
  await apt(['update'], say);
  await apt(['install', '-y', '--no-install-recommends', ...packages], say);
  const still = missing.filter((tool) => !tool.found()).map((tool) => tool.name);
  if (still.length > 0) throw new Error(`still missing after apt-get install: ${still.join(', ')}`);
}

async function apt(args: string[], say: Progress): Promise<void> {
  const began = Date.now();
  // The lock may be held by another install: wait for it instead of failing.
  const child = spawn('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ticker = setInterval(() => say(`  apt-get ${args[0] ?? ''}: ${seconds(began)}`), 2000);
  const code = await new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done));
  clearInterval(ticker);
  if (code !== 0) throw new Error(`apt-get ${args.join(' ')} failed: ${errors.trim()}`);
}
