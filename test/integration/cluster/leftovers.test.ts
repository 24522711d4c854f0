import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clusterFolder } from '../../../hack/dev/cluster/paths.ts';
import { readState } from '../../../hack/dev/cluster/state.ts';
import { noRealPods, startCluster } from '../../support/cluster.ts';
import { job } from './jobs.ts';

/** Processes whose command line names the cluster's folder. */
function processesOf(name: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => { try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '); } catch { return ''; } })
    .filter((line) => line.includes(clusterFolder(name)) || line.includes(`--name ${name}`));
}

describe('what a cluster leaves', () => {
  it('is nothing after a kill -9 of its supervisor', async () => {
    const cluster = await startCluster({ pods: noRealPods === undefined ? 'real' : 'simulated' });
    const { name } = cluster;
    const id = readState(name)?.id ?? '';
    cluster.apply(job('sleeper', { container: { command: ['sleep', '12345'] }, annotations: { 'fake-kubelet/run-for': '1h' } }));
    await expect.poll(() => cluster.adminKubectl('get', 'pods', '-o', 'jsonpath={.items[*].status.phase}'), { timeout: 60_000 }).toBe('Running');
    process.kill(cluster.supervisorPid, 'SIGKILL');
    await expect.poll(() => existsSync(clusterFolder(name)), { timeout: 20_000 }).toBe(false);
    await expect.poll(() => processesOf(name), { timeout: 10_000 }).toEqual([]);
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(name);
    expect(spawnSync('ip', ['-o', 'link', 'show'], { encoding: 'utf8' }).stdout).not.toContain(id);
    for (const tree of ['/sys/fs/cgroup', '/sys/fs/cgroup/memory']) expect(existsSync(`${tree}/${id}`)).toBe(false);
  });

  it('is nothing of one cluster and everything of its neighbour after a stop', async () => {
    await using kept = await startCluster({ pods: 'none' });
    const gone = await startCluster({ pods: 'none' });
    expect(gone.server).not.toBe(kept.server);
    await gone.stop();
    expect(existsSync(clusterFolder(gone.name))).toBe(false);
    expect(processesOf(gone.name)).toEqual([]);
    expect(kept.adminKubectl('get', '--raw', '/readyz')).toBe('ok');
  });
});
