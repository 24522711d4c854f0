import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubectlPath } from './binaries.ts';
import { clusterFolder } from './paths.ts';
import { run } from './process.ts';
import type { Progress } from './progress.ts';
import { writeState, type ClusterState } from './state.ts';
import { which } from './tools.ts';

/** Clusters that are not made of our processes: one the user names, and kind. Neither touches the user's kubeconfig. */
function remember(name: string, more: Pick<ClusterState, 'provider'> & Partial<ClusterState>): ClusterState {
  const state: ClusterState = {
    name, id: `job-chief-${name}`,
    pods: 'real', kcm: 'default', phase: 'ready', step: 'ready',
    startedAt: new Date().toISOString(),
    children: {},
    kubeconfig: join(clusterFolder(name), 'kubeconfig'),
    ...more,
  };
  writeState(state);
  return state;
}

function kubectl(kubeconfig: string, args: string[]): string {
  return run(kubectlPath(), ['--kubeconfig', kubeconfig, '--request-timeout=15s', ...args]);
}

function serverVersion(kubeconfig: string): string {
  return (JSON.parse(kubectl(kubeconfig, ['get', '--raw', '/version'])) as { gitVersion: string }).gitVersion;
}

/** Copies one context, with its certificates inlined, into a file of its own, and checks that the cluster answers. */
export function useContext(name: string, context: string, kubeconfig?: string): ClusterState {
  if (kubectlPath() === 'kubectl' && which('kubectl') === undefined) throw new Error('kubectl is missing on PATH: it is needed to use an existing cluster');
  const from = kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig];
  const shown = run(kubectlPath(), [...from, 'config', 'view', '--context', context, '--minify', '--flatten', '--raw', '-o', 'json']);
  mkdirSync(clusterFolder(name), { recursive: true, mode: 0o700 });
  const path = join(clusterFolder(name), 'kubeconfig');
  // The current context counts in --minify only through --context; in the copy it is the only one.
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(shown) as object), 'current-context': context }), { mode: 0o600 });
  const server = (JSON.parse(shown) as { clusters: { cluster: { server: string } }[] }).clusters[0]?.cluster.server;
  return remember(name, { provider: 'context', context, version: serverVersion(path), ...(server ? { server } : {}) });
}

export function kindAnswers(): boolean {
  return which('kind') !== undefined && which('docker') !== undefined && spawnSync('docker', ['version'], { stdio: 'ignore', timeout: 5000 }).status === 0;
}

export function upKind(name: string, say: Progress): ClusterState {
  const path = join(clusterFolder(name), 'kubeconfig');
  mkdirSync(clusterFolder(name), { recursive: true, mode: 0o700 });
  say(`kind create cluster --name job-chief-${name}`);
  const made = spawnSync('kind', ['create', 'cluster', '--name', `job-chief-${name}`, '--kubeconfig', path, '--wait', '120s'], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (made.status !== 0) throw new Error('kind could not create the cluster: see the lines above, or choose --provider own');
  return remember(name, { provider: 'kind', context: `kind-job-chief-${name}`, version: serverVersion(path) });
}

export function downKind(name: string): void {
  run('kind', ['delete', 'cluster', '--name', `job-chief-${name}`, '--kubeconfig', join(clusterFolder(name), 'kubeconfig')]);
}
