import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder, repository } from './paths.ts';
import { isAlive, processRef, type ProcessRef } from './process.ts';
import { seconds, sleep, type Progress } from './progress.ts';

/** A committed Go module whose pinned sums decide which binaries we get. */
interface GoModule {
  folder: string;
  /** Binary name → package. */
  packages: Record<string, string>;
  flags: (goMod: string) => string[];
}

function versionOf(goMod: string, module: string): string {
  const version = new RegExp(`^\\s*${module.replaceAll('.', '\\.')} (v\\S+)`, 'm').exec(goMod)?.[1];
  if (version === undefined) throw new Error(`no version of ${module} in its go.mod`);
  return version;
}

const kubernetes: GoModule = {
  folder: join(repository, 'hack', 'go', 'kubernetes'),
  packages: {
    etcd: 'go.etcd.io/etcd/server/v3',
    kubectl: 'k8s.io/kubernetes/cmd/kubectl',
    'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
    'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
    'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
    kubelet: 'k8s.io/kubernetes/cmd/kubelet',
  },
  flags: (goMod) => {
    const version = versionOf(goMod, 'k8s.io/kubernetes');
    const [major, minor] = version.slice(1).split('.');
    const set = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`;
    // Without these a binary calls itself v0.0.0-master, and version skew checks misjudge it.
    return ['-ldflags', ['-s -w', set('gitVersion', version), set('gitMajor', major ?? ''), set('gitMinor', minor ?? '')].join(' ')];
  },
};

const containerd: GoModule = {
  folder: join(repository, 'hack', 'go', 'containerd'),
  packages: {
    containerd: 'github.com/containerd/containerd/v2/cmd/containerd',
    'containerd-shim-runc-v2': 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
    ctr: 'github.com/containerd/containerd/v2/cmd/ctr',
  },
  flags: (goMod) => [
    '-tags',
    'no_btrfs no_zfs no_devmapper no_tracing',
    '-ldflags',
    `-s -w -X github.com/containerd/containerd/v2/version.Version=${versionOf(goMod, 'github.com/containerd/containerd/v2')}`,
  ],
};

export function moduleOf(binary: string): GoModule {
  const found = [kubernetes, containerd].find((module) => binary in module.packages);
  if (found === undefined) throw new Error(`no Go module builds ${binary}`);
  return found;
}

export function kubernetesVersion(): string {
  return versionOf(readFileSync(join(kubernetes.folder, 'go.mod'), 'utf8'), 'k8s.io/kubernetes');
}

/** The cache folder of a module's binaries: another go.sum or other flags make another folder. */
export function binFolder(module: GoModule): string {
  const goMod = readFileSync(join(module.folder, 'go.mod'), 'utf8');
  const hash = createHash('sha256')
    .update(readFileSync(join(module.folder, 'go.sum')))
    .update(JSON.stringify([module.flags(goMod), process.platform, process.arch]))
    .digest('hex');
  return join(cacheFolder, `bin-${basename(module.folder)}-${hash.slice(0, 16)}`);
}

/** Why no build is possible, or undefined when it is. */
export function whyNoBuild(): string | undefined {
  const go = spawnSync('go', ['version'], { encoding: 'utf8' });
  return go.status === 0 ? undefined : 'no Go toolchain on PATH (install Go 1.26)';
}

/** Builds what is missing of `binaries` (all of one module). Others that want the same wait for us. */
export async function build(module: GoModule, binaries: string[], say: Progress): Promise<void> {
  const target = binFolder(module);
  mkdirSync(target, { recursive: true });
  const unlock = await lock(`${target}.lock`, say);
  try {
    for (const binary of binaries.filter((name) => !existsSync(join(target, name)))) {
      await buildOne(module, binary, target, say);
    }
  } finally {
    unlock();
  }
}

async function lock(path: string, say: Progress): Promise<() => void> {
  for (let round = 0; ; round++) {
    try {
      writeFileSync(path, JSON.stringify(processRef(process.pid)), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch {
      if (!isAlive(holder(path))) rmSync(path, { force: true });
      else if (round % 10 === 0) say('  another process builds the same binaries: waiting for it');
    }
    await sleep(1000);
  }
}

function holder(path: string): ProcessRef | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessRef;
  } catch {
    return undefined;
  }
}

async function buildOne(module: GoModule, binary: string, target: string, say: Progress): Promise<void> {
  const began = Date.now();
  const temporary = mkdtempSync(join(target, '.build-'));
  const goMod = readFileSync(join(module.folder, 'go.mod'), 'utf8');
  const args = ['build', '-v', '-mod=readonly', '-buildvcs=false', '-trimpath', ...module.flags(goMod)];
  say(`building ${binary} from Go modules (kept in ${target})`);
  const child = spawn('go', [...args, '-o', join(temporary, binary), module.packages[binary] ?? ''], {
    cwd: module.folder,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  process.once('exit', stop);
  const lines: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trim().split('\n')));
  const ticker = setInterval(() => say(`  ${binary}: ${seconds(began)}, ${lines.length} packages, ${lines.at(-1) ?? 'reading modules, linking'}`), 2000);
  try {
    const code = await new Promise<number | null>((done, fail) => child.once('error', fail).once('close', done));
    if (code !== 0) throw new Error(`go build of ${binary} failed:\n${lines.slice(-15).join('\n')}`);
    renameSync(join(temporary, binary), join(target, binary));
    say(`  ${binary}: built in ${seconds(began)}`);
  } finally {
    clearInterval(ticker);
    process.off('exit', stop);
    rmSync(temporary, { recursive: true, force: true });
  }
}
