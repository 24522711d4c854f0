/**
 * Owns every process of one cluster. Ends all of them when it is told to, when one of them ends by itself, or when its
 * own starter (`--owner`, a test run) is gone. If it is killed itself, the kernel kills its children (process.ts,
 * node-init.sh), and the janitor, a shell that waits for our end, removes the folder.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeTraces } from './sweep.ts';
import { ensureBinaries, type Binaries } from './binaries.ts';
import { connectApi, type Api } from './api.ts';
import { serveControl } from './control.ts';
import * as plane from './control-plane.ts';
import { newToken, writeKubeconfig, writeServiceAccountKeys, writeTokens, type Token } from './credentials.ts';
import { busyboxImage, pauseImage } from './image.ts';
import { importImage, nodeName, releaseNode, startNode, type RealNode } from './node.ts';
import { clusterFolder } from './paths.ts';
import { freePorts } from './ports.ts';
import { isAlive, processRef, startChild, stopChild, type ProcessRef } from './process.ts';
import { messageOf, until } from './progress.ts';
import { readState, writeState, type ClusterState, type PodMode } from './state.ts';

export interface SupervisorOptions {
  name: string;
  id: string;
  pods: PodMode;
  kcm: 'default' | 'tuned';
  durable: boolean;
  tokens: Token[];
  fakeKubelet: string[];
  owner?: ProcessRef;
}

const here = dirname(fileURLToPath(import.meta.url));
const controlPlaneBinaries = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'];
const nodeBinaries = ['kube-scheduler', 'kubelet', 'containerd', 'containerd-shim-runc-v2', 'ctr'];
export const binariesFor = (pods: PodMode): string[] => [...controlPlaneBinaries, ...(pods === 'real' ? nodeBinaries : [])];

/** What runs now, and how to end it. Written through to the state file, which `up`, `down` and `status` read. */
class Running {
  readonly state: ClusterState;
  readonly children = new Map<string, ChildProcess>();
  readonly expected = new Set<ChildProcess>();
  readonly folder: string;
  onFailure: (reason: string) => void = () => undefined;

  constructor(state: ClusterState) {
    this.state = state;
    this.folder = clusterFolder(state.name);
  }

  update(change: Partial<ClusterState>): void {
    Object.assign(this.state, change);
    writeState(this.state);
  }

  start(role: string, command: plane.Command): ChildProcess {
    return this.adopt(role, startChild(command.file, command.args, { log: join(this.folder, 'logs', `${role}.log`) }));
  }

  adopt(role: string, child: ChildProcess): ChildProcess {
    this.children.set(role, child);
    if (child.pid !== undefined) this.update({ children: { ...this.state.children, [role]: processRef(child.pid) } });
    child.once('error', (error) => this.onFailure(`${role}: ${error.message}`));
    child.once('exit', (code, signal) => {
      if (!this.expected.has(child)) this.onFailure(`${role} ended by itself (${signal ?? `exit ${code ?? '?'}`}): ${this.tail(role)}`);
    });
    return child;
  }

  async stop(role: string): Promise<void> {
    const child = this.children.get(role);
    if (child === undefined) return;
    this.expected.add(child);
    await stopChild(child);
    this.children.delete(role);
  }

  /** Clients first, so that nobody logs errors about what is gone. */
  async stopAll(): Promise<void> {
    for (const child of this.children.values()) this.expected.add(child);
    this.children.get('node')?.kill('SIGKILL');
    await Promise.all(['fake-kubelet', 'scheduler', 'controller-manager', 'node'].map((role) => this.stop(role)));
    await this.stop('api-server');
    await this.stop('etcd');
  }

  private tail(role: string): string {
    try {
      return readFileSync(join(this.folder, 'logs', `${role}.log`), 'utf8').trim().split('\n').slice(-3).join('\n');
    } catch {
      return 'no log';
    }
  }
}

/** Starts a shell that outlives us by a moment: when our end of its input closes, it sweeps what we could not. */
function startJanitor(name: string, id: string): ChildProcess {
  const script = 'read -r line; [ "$line" = done ] || exec "$0" "$1" down --name "$2" --id "$3" --quiet';
  const child = spawn('sh', ['-c', script, process.execPath, join(here, 'main.ts'), name, id], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.unref();
  return child;
}

export async function supervise(options: SupervisorOptions): Promise<void> {
  // Our starter writes it when it knows our process id.
  await until('state of the cluster', 5000, () => readState(options.name) !== undefined, 10);
  const state = readState(options.name);
  if (state === undefined) throw new Error(`no state of cluster "${options.name}"`);
  const running = new Running({ ...state, supervisor: processRef(process.pid) });
  mkdirSync(join(running.folder, 'logs'), { recursive: true });
  running.update({});
  const janitor = startJanitor(options.name, options.id);
  let ending = false;
  const end = async (step: string, failed: boolean): Promise<void> => {
    if (ending) return;
    ending = true;
    running.update({ phase: failed ? 'failed' : 'stopping', step });
    await running.stopAll();
    if (options.pods === 'real') await removeTraces(options.id);
    // After a failure the logs stay, for whoever asks why.
    if (!failed) rmSync(running.folder, { recursive: true, force: true, maxRetries: 10 });
    janitor.stdin?.end('done\n', () => process.exit(failed ? 1 : 0));
  };
  running.onFailure = (reason) => void end(reason, true);
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => void end('stopping', false));
  if (options.owner !== undefined) {
    const owner = options.owner;
    setInterval(() => isAlive(owner) || void end('its owner is gone', false), 500).unref();
  }
  try {
    await bringUp(running, options, (reason) => void end(reason, false));
  } catch (error) {
    await end(messageOf(error), true);
  }
}

async function bringUp(running: Running, options: SupervisorOptions, stop: (reason: string) => void): Promise<void> {
  const { folder } = running;
  const realPods = options.pods === 'real';
  const bin = await ensureBinaries(binariesFor(options.pods), (step) => running.update({ step }));
  const node = realPods ? await startNode(options.id, folder) : undefined;
  if (node !== undefined) {
    running.adopt('node', node.child);
    running.update({ nodePid: node.pid, snapshotter: node.snapshotter, hostAddress: node.link.hostAddress });
  }
  const address = node?.link.hostAddress ?? '127.0.0.1';
  const [client, peer] = await freePorts(2);
  const [port] = await freePorts(1, address);
  const admin = newToken('admin', ['system:masters']);
  const kubelet = newToken(`system:node:${nodeName}`, ['system:nodes']);
  writeTokens(join(folder, 'tokens.csv'), [admin, kubelet, ...options.tokens]);
  const controlPlane: plane.ControlPlane = {
    bin, folder, address, realPods,
    etcdPorts: [client ?? 0, peer ?? 0],
    port: port ?? 0,
    tokensFile: join(folder, 'tokens.csv'),
    serviceAccount: writeServiceAccountKeys(folder),
    kubeconfig: join(folder, 'kubeconfig'),
    kcm: options.kcm,
    durable: options.durable,
  };
  const server = `https://${address}:${controlPlane.port}`;
  const caFile = plane.caFileOf(folder);
  running.update({ step: 'starting etcd and the API server' });
  if (node !== undefined) releaseNode(node, folder, controlPlane.port, bin);
  running.start('etcd', plane.etcd(controlPlane));
  running.start('api-server', plane.apiServer(controlPlane));
  await until('certificate of the API server', 30_000, () => readable(caFile), 50);
  writeKubeconfig(controlPlane.kubeconfig, { name: `job-chief-${options.name}`, server, caFile, token: admin.token, user: 'admin' });
  writeKubeconfig(join(folder, 'kubelet.kubeconfig'), { name: 'node', server, caFile, token: kubelet.token, user: 'kubelet' });
  const api = connectApi({ server, token: admin.token, ca: readFileSync(caFile, 'utf8') });
  await until('API server ready', 60_000, () => isReady(api));
  running.start('controller-manager', plane.controllerManager(controlPlane));
  if (options.pods === 'simulated') running.start('fake-kubelet', fakeKubelet(folder, options.fakeKubelet));
  if (realPods) running.start('scheduler', plane.scheduler(controlPlane));
  running.update({ server, token: admin.token, caFile, step: realPods ? 'waiting for the node' : 'waiting for the default ServiceAccount' });
  if (node !== undefined) await loadBasics(node, bin);
  await until('default ServiceAccount', 60_000, () => exists(api, '/api/v1/namespaces/default/serviceaccounts/default'));
  if (options.pods !== 'none') await until('node ready', 90_000, () => isNodeReady(api));
  const version = JSON.parse((await api.request('GET', '/version')).body) as { gitVersion: string };
  await api.close();
  const control = await serveControl({
    stopApiServer: () => running.stop('api-server'),
    startApiServer: async () => {
      running.start('api-server', plane.apiServer(controlPlane));
      const again = connectApi({ server, token: admin.token, ca: readFileSync(caFile, 'utf8') });
      await until('API server ready', 60_000, () => isReady(again), 50).finally(() => again.close());
    },
    stop: () => stop('stopping'),
  });
  running.update({ control, version: version.gitVersion, phase: 'ready', step: 'ready' });
}

function fakeKubelet(folder: string, args: string[]): plane.Command {
  return { file: process.execPath, args: [join(here, 'fake-kubelet.ts'), '--kubeconfig', join(folder, 'kubeconfig'), ...args] };
}

async function loadBasics(node: RealNode, bin: Binaries): Promise<void> {
  await until('containerd', 30_000, () => {
    try {
      importImage(node.pid, bin('ctr'), node.snapshotter, pauseImage());
      return true;
    } catch {
      return false;
    }
  }, 300);
  importImage(node.pid, bin('ctr'), node.snapshotter, busyboxImage());
}

function readable(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').includes('END CERTIFICATE');
  } catch {
    return false;
  }
}

async function isReady(api: Api): Promise<boolean> {
  const answer = await api.request('GET', '/readyz').catch(() => undefined);
  return answer?.status === 200;
}

async function exists(api: Api, path: string): Promise<boolean> {
  return (await api.request('GET', path)).status === 200;
}

async function isNodeReady(api: Api): Promise<boolean> {
  const nodes = JSON.parse((await api.request('GET', '/api/v1/nodes')).body) as {
    items: { spec: { taints?: unknown[] }; status: { conditions?: { type: string; status: string }[] } }[];
  };
  return nodes.items.some((node) => node.spec.taints === undefined && node.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'));
}
