import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { run } from './process.ts';

/** The link between this machine and the node's network namespace. The pods' network exists in the namespace only. */
export interface Link {
  name: string;
  hostAddress: string;
  nodeAddress: string;
}

export const podNetwork = '10.244.0.0/16';
const alias = (id: string): string => `job-chief:${id}`;

/** The kernel hands out the names, so clusters that start together cannot pick the same one. It goes when the namespace goes. */
export function makeLink(id: string, nodePid: number): Link {
  const used = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address));
  for (let n = 0; n < 250; n++) {
    const link = { name: `jobchief${n}`, hostAddress: `10.213.${n}.1`, nodeAddress: `10.213.${n}.2` };
    if (used.some((address) => address.startsWith(`10.213.${n}.`))) continue;
    const add = spawnSync('ip', ['link', 'add', link.name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(nodePid)], { encoding: 'utf8' });
    if (add.status !== 0 && /File exists/.test(add.stderr)) continue;
    if (add.status !== 0) throw new Error(`no link to the node: ${add.stderr.trim()}`);
    run('ip', ['link', 'set', link.name, 'alias', alias(id)]);
    run('ip', ['address', 'add', `${link.hostAddress}/30`, 'dev', link.name]);
    run('ip', ['link', 'set', link.name, 'up']);
    return link;
  }
  throw new Error('no free network 10.213.N.0/30 for the node');
}

/** Normally nothing is there any more: the link dies with the node's namespace. */
export function removeLink(id: string): void {
  const shown = spawnSync('ip', ['-o', 'link', 'show'], { encoding: 'utf8' });
  if (shown.status !== 0) return;
  const line = shown.stdout.split('\n').find((text) => text.endsWith(`alias ${alias(id)}`));
  const name = line === undefined ? undefined : /^\d+: ([^@:]+)/.exec(line)?.[1];
  if (name !== undefined) spawnSync('ip', ['link', 'delete', name]);
}

/** Bridge and addresses of the pods. Traffic that leaves the node carries the node's address. */
export function cniConfig(folder: string): string {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: true,
    hairpinMode: true,
    ipam: { type: 'host-local', ranges: [[{ subnet: podNetwork }]], routes: [{ dst: '0.0.0.0/0' }], dataDir: `${folder}/cni-addresses` },
  };
  return JSON.stringify({ cniVersion: '1.0.0', name: 'job-chief', plugins: [bridge] }, null, 2);
}
