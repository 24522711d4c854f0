import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { binFolder, build, kubernetesVersion, moduleOf, whyNoBuild } from './build.ts';
import type { Progress } from './progress.ts';

export type Binaries = (name: string) => string;

/** What `KUBEBUILDER_ASSETS` offers: an official archive holds etcd, kube-apiserver and kubectl, no controller-manager. */
function asset(name: string): string | undefined {
  const folder = process.env['KUBEBUILDER_ASSETS'];
  if (folder === undefined || folder === '') return undefined;
  const path = join(folder, name);
  if (!existsSync(path)) return undefined;
  // A controller-manager newer than its API server is not supported: only the same minor version fits.
  if (name === 'kube-apiserver') {
    const printed = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim();
    const minor = kubernetesVersion().split('.').slice(0, 2).join('.');
    if (!printed.includes(`${minor}.`)) return undefined;
  }
  return path;
}

function cached(name: string): string | undefined {
  const path = join(binFolder(moduleOf(name)), name);
  return existsSync(path) ? path : undefined;
}

/** Finds or makes all of `names`: cache, then KUBEBUILDER_ASSETS, then a build. */
export async function ensureBinaries(names: string[], say: Progress): Promise<Binaries> {
  const found = new Map<string, string>();
  const missing: string[] = [];
  for (const name of names) {
    const path = cached(name) ?? asset(name);
    if (path === undefined) missing.push(name);
    else found.set(name, path);
  }
  if (missing.length > 0) await buildMissing(missing, say);
  for (const name of missing) found.set(name, cached(name) ?? name);
  return (name) => {
    const path = found.get(name);
    if (path === undefined) throw new Error(`${name} was not asked for`);
    return path;
  };
}

async function buildMissing(missing: string[], say: Progress): Promise<void> {
  const no = whyNoBuild();
  if (no !== undefined) {
    throw new Error(
      [
        'no cluster can be started. Any one of these would do:',
        '  - name an existing cluster: hack/cluster up --context CONTEXT (nothing is taken from the current context)',
        '  - kind with a Docker engine that answers',
        `  - ready binaries in the cache or in KUBEBUILDER_ASSETS (missing: ${missing.join(', ')}; minor version of ${kubernetesVersion()})`,
        `  - a build from Go modules: ${no}`,
      ].join('\n'),
    );
  }
  say(`no ready binaries for ${missing.join(', ')}: a first build takes about 10 minutes on two cores`);
  for (const module of new Set(missing.map(moduleOf))) {
    await build(module, missing.filter((name) => name in module.packages), say);
  }
}

/** The kubectl that belongs to our clusters; where it was never built, the user's own. */
export const kubectlPath = (): string => cached('kubectl') ?? asset('kubectl') ?? 'kubectl';
