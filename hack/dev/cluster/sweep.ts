import { existsSync, rmSync } from 'node:fs';
import { removeCgroup } from './cgroups.ts';
import { removeLink } from './network.ts';
import { clusterFolder } from './paths.ts';
import { isAlive, signal, waitForEnd } from './process.ts';
import { sleep } from './progress.ts';
import { readState } from './state.ts';

/** Ends what still runs of a cluster and removes what it left: processes, cgroups, link, folder. */
export async function sweep(name: string, onlyId?: string): Promise<void> {
  const state = readState(name);
  if (onlyId !== undefined && state?.id !== onlyId) return;
  if (state?.supervisor !== undefined && isAlive(state.supervisor)) {
    signal(state.supervisor, 'SIGTERM');
    if (!(await waitForEnd(state.supervisor, 20_000))) signal(state.supervisor, 'SIGKILL');
    await waitForEnd(state.supervisor, 5000);
  }
  // Read again: it may have started more before it ended.
  const last = readState(name) ?? state;
  for (const child of Object.values(last?.children ?? {})) {
    signal(child, 'SIGKILL');
    await waitForEnd(child, 5000);
  }
  if (last?.provider === 'own' && last.pods === 'real') await removeTraces(last.id);
  // A child that is just being killed may still write.
  for (let round = 0; existsSync(clusterFolder(name)); round++) {
    try {
      rmSync(clusterFolder(name), { recursive: true, force: true });
    } catch (error) {
      if (round === 20) throw error;
      await sleep(100);
    }
  }
}

/** What a real node leaves on this machine after its processes: cgroups, and for a moment its link. */
export async function removeTraces(id: string): Promise<void> {
  removeLink(id);
  // The kernel takes a moment to end the node's processes.
  for (let round = 0; round < 50 && !removeCgroup(id); round++) await sleep(100);
}
