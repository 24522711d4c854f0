import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Binaries } from './binaries.ts';
import { makeCgroup } from './cgroups.ts';
import { containerdConfig, snapshotterFor } from './containerd.ts';
import { kubernetesService, serviceNetwork } from './control-plane.ts';
import { kubeletConfig } from './kubelet.ts';
import { cniConfig, makeLink, type Link } from './network.ts';
import { childrenOf, run, startChild } from './process.ts';
import { until } from './progress.ts';

export const nodeName = 'node-1';
const init = join(dirname(fileURLToPath(import.meta.url)), 'node-init.sh');

export interface RealNode {
  child: ChildProcess;
  /** First process in the node's namespaces, as this machine numbers it. */
  pid: number;
  link: Link;
  snapshotter: string;
}

/** A node in namespaces of its own, as far as it gets without an API server. */
export async function startNode(id: string, folder: string): Promise<RealNode> {
  for (const name of ['cni', 'kubelet', 'pod-logs']) mkdirSync(join(folder, name), { recursive: true });
  const snapshotter = snapshotterFor(folder);
  makeCgroup(id);
  writeFileSync(join(folder, 'containerd.toml'), containerdConfig(folder, snapshotter));
  writeFileSync(join(folder, 'kubelet.json'), kubeletConfig(folder, id));
  writeFileSync(join(folder, 'cni', '10-job-chief.conflist'), cniConfig(folder));
  writeFileSync(join(folder, 'resolv.conf'), '');
  const namespaces = ['--pid', '--mount', '--net', '--uts', '--ipc', '--fork', '--kill-child=KILL', '--mount-proc'];
  const child = startChild('unshare', [...namespaces, '--', 'sh', init, folder], { log: join(folder, 'logs', 'node.log') });
  let pid: number | undefined;
  await until('first process of the node', 5000, () => {
    pid = child.pid === undefined ? undefined : childrenOf(child.pid)[0];
    return pid !== undefined;
  }, 20);
  if (pid === undefined) throw new Error('the node did not start: see node.log');
  return { child, pid, link: makeLink(id, pid), snapshotter };
}

/** Lets the node go on: it starts containerd, and the kubelet when `kubelet.kubeconfig` appears. */
export function releaseNode(node: RealNode, folder: string, apiPort: number, bin: Binaries): void {
  const settings = {
    NODE_NAME: nodeName,
    NODE_ADDRESS: node.link.nodeAddress,
    HOST_ADDRESS: node.link.hostAddress,
    API_PORT: String(apiPort),
    SERVICE_ADDRESS: kubernetesService,
    SERVICE_NETWORK: serviceNetwork,
    CONTAINERD_FOLDER: dirname(bin('containerd')),
    KUBELET: bin('kubelet'),
  };
  const path = join(folder, 'node.env');
  writeFileSync(`${path}.new`, Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`).join(''));
  run('mv', [`${path}.new`, path]);
}

/** Imports an image archive into the node. The archive goes through stdin, so it may lie anywhere. */
export function importImage(nodePid: number, ctr: string, snapshotter: string, tar: string): void {
  run('sh', ['-c', 'exec nsenter -t "$1" -m -- "$2" -n k8s.io images import --local --snapshotter "$3" - < "$4"', 'sh', String(nodePid), ctr, snapshotter, tar]);
}
