import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBinaries } from './binaries.ts';
import type { Token } from './credentials.ts';
import { clusterFolder } from './paths.ts';
import { isAlive, processRef, type ProcessRef } from './process.ts';
import { messageOf, seconds, sleep, type Progress } from './progress.ts';
import { isRunning, readState, writeState, type ClusterState, type PodMode } from './state.ts';
import { binariesFor, type SupervisorOptions } from './supervisor.ts';
import { sweep } from './sweep.ts';
import { ensureTools, whyNoRealPods } from './tools.ts';

export interface UpOptions {
  name: string;
  /** Absent: real where this machine allows it. */
  pods?: PodMode;
  kcm?: 'default' | 'tuned';
  /** etcd with fsync, for figures that claim durability. */
  durable?: boolean;
  /** Further static bearer tokens. */
  tokens?: Token[];
  /** Arguments of fake-kubelet.ts. */
  fakeKubelet?: string[];
  /** The cluster ends with this process. */
  owner?: ProcessRef;
}

const main = join(dirname(fileURLToPath(import.meta.url)), 'main.ts');

/** Starts a cluster and waits until it is ready; joins one of that name that runs already. */
export async function up(options: UpOptions, say: Progress): Promise<ClusterState> {
  const present = readState(options.name);
  if (present !== undefined && isRunning(present) && present.phase !== 'failed') {
    say(`cluster "${options.name}" runs already`);
    return await waitUntilReady(options.name, say);
  }
  const pods = choosePods(options.pods, say);
  await ensureTools(pods === 'real', say);
  await ensureBinaries(binariesFor(pods), say);
  const release = claim(options.name);
  try {
    await sweep(options.name);
    launch(options, pods);
  } finally {
    release();
  }
  return await waitUntilReady(options.name, say);
}

function choosePods(wanted: PodMode | undefined, say: Progress): PodMode {
  const no = whyNoRealPods();
  if (wanted === 'real' && no !== undefined) throw new Error(`${no}; --pods simulated works here`);
  if (wanted !== undefined) return wanted;
  if (no !== undefined) say(`pods are simulated: ${no}`);
  return no === undefined ? 'real' : 'simulated';
}

/** Two `up` of one name at the same moment: the second is told, instead of sweeping the first away. */
function claim(name: string): () => void {
  const path = `${clusterFolder(name)}.lock`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const content = JSON.stringify(processRef(process.pid));
  try {
    writeFileSync(path, content, { flag: 'wx' });
  } catch {
    throw new Error(`another "up" of cluster "${name}" is just starting (if not, remove ${path})`);
  }
  const release = (): void => rmSync(path, { force: true });
  process.once('exit', release);
  return release;
}

function launch(options: UpOptions, pods: PodMode): void {
  const { name, kcm = 'default' } = options;
  const id = `job-chief-${name}-${randomBytes(3).toString('hex')}`;
  const folder = clusterFolder(name);
  const arguments_: SupervisorOptions = {
    name, id, pods, kcm,
    durable: options.durable ?? false,
    tokens: options.tokens ?? [],
    fakeKubelet: options.fakeKubelet ?? [],
    ...(options.owner ? { owner: options.owner } : {}),
  };
  mkdirSync(join(folder, 'logs'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'options.json'), JSON.stringify(arguments_), { mode: 0o600 });
  const log = openSync(join(folder, 'logs', 'supervisor.log'), 'a');
  const child = spawn(process.execPath, [main, 'supervise', '--name', name], { detached: true, stdio: ['ignore', log, log] });
  child.unref();
  if (child.pid === undefined) throw new Error('the supervisor did not start');
  writeState({
    name, id, provider: 'own', pods, kcm,
    phase: 'starting',
    step: 'starting',
    startedAt: new Date().toISOString(),
    supervisor: processRef(child.pid),
    children: {},
    kubeconfig: join(folder, 'kubeconfig'),
  });
}

async function waitUntilReady(name: string, say: Progress): Promise<ClusterState> {
  const began = Date.now();
  let [shown, shownAt] = ['', began];
  for (;;) {
    const state = readState(name);
    if (state === undefined || state.phase === 'stopping') throw new Error(`cluster "${name}" was taken down while it started`);
    if (state.phase === 'ready') return state;
    if (state.phase !== 'starting' || !isAlive(state.supervisor)) {
      throw new Error(`cluster "${name}" did not start: ${state.step}\n(logs: ${join(clusterFolder(name), 'logs')}; remove with hack/cluster down --name ${name})`);
    }
    if (state.step !== shown || Date.now() - shownAt > 2000) {
      [shown, shownAt] = [state.step, Date.now()];
      say(`  ${seconds(began)}: ${state.step}`);
    }
    await sleep(50);
  }
}

export async function down(name: string, say: Progress, onlyId?: string): Promise<void> {
  const state = readState(name);
  const began = Date.now();
  const ticker = setInterval(() => say(`  stopping "${name}": ${seconds(began)}`), 2000);
  try {
    await sweep(name, onlyId);
    if (state !== undefined) say(`cluster "${name}" is gone (${seconds(began)})`);
  } catch (error) {
    throw new Error(`cluster "${name}": ${messageOf(error)}`, { cause: error });
  } finally {
    clearInterval(ticker);
  }
}
