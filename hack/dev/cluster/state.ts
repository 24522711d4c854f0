import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterFolder, clustersFolder } from './paths.ts';
import { isAlive, type ProcessRef } from './process.ts';

/** `none`: the control plane alone, where a test plays the kubelet itself. */
export type PodMode = 'real' | 'simulated' | 'none';

export interface ClusterState {
  name: string;
  /** Unique over all clusters of this machine, also those of other users: names cgroups. */
  id: string;
  provider: 'own' | 'kind' | 'context';
  /** The context inside `kubeconfig`, for a cluster that is not ours. */
  context?: string;
  pods: PodMode;
  kcm: 'default' | 'tuned';
  phase: 'starting' | 'ready' | 'stopping' | 'failed';
  /** What happens now, or what went wrong. */
  step: string;
  startedAt: string;
  supervisor?: ProcessRef;
  children: Record<string, ProcessRef>;
  kubeconfig: string;
  caFile?: string;
  server?: string;
  token?: string;
  version?: string;
  /** First process of the real node, and how its containerd keeps images. */
  nodePid?: number;
  snapshotter?: string;
  /** Of this machine, as pods see it. */
  hostAddress?: string;
  control?: { port: number; token: string };
}

const file = (name: string): string => join(clusterFolder(name), 'state.json');

export function readState(name: string): ClusterState | undefined {
  if (!existsSync(file(name))) return undefined;
  try {
    // Only this program writes it, whole and by rename.
    return JSON.parse(readFileSync(file(name), 'utf8')) as ClusterState;
  } catch {
    return undefined;
  }
}

export function writeState(state: ClusterState): void {
  mkdirSync(clusterFolder(state.name), { recursive: true, mode: 0o700 });
  const temporary = `${file(state.name)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(temporary, file(state.name));
}

export function clusterNames(): string[] {
  if (!existsSync(clustersFolder)) return [];
  return readdirSync(clustersFolder).filter((name) => !name.includes('.')).sort();
}

/** Runs by itself: a cluster of ours whose supervisor lives, or one of somebody else's. */
export function isRunning(state: ClusterState): boolean {
  return state.provider !== 'own' || isAlive(state.supervisor);
}
