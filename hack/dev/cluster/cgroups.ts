import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Each cluster has its own root cgroup: a kubelet removes pod cgroups that it does not know, so two must not share one.
 * Works on hosts with version 1 (one tree per controller), version 2, and both.
 */
function hierarchies(): { path: string; version: 1 | 2 }[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, path, type]) => path !== undefined && (type === 'cgroup' || type === 'cgroup2'))
    .map(([, path, type]) => ({ path: path ?? '', version: type === 'cgroup' ? 1 : 2 }));
}

export function makeCgroup(id: string): void {
  for (const { path, version } of hierarchies()) {
    const group = join(path, id);
    mkdirSync(group, { recursive: true });
    if (version === 1) inheritCpuset(path, group);
    else delegate(path, group);
  }
}

/** Version 1: a new cpuset is empty and refuses every process. */
function inheritCpuset(parent: string, group: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (existsSync(join(group, file))) writeFileSync(join(group, file), readFileSync(join(parent, file)));
  }
}

/** Version 2: a controller counts in a group only when its parent hands it down. */
function delegate(parent: string, group: string): void {
  const controllers = readFileSync(join(parent, 'cgroup.controllers'), 'utf8').trim().split(' ').filter(Boolean);
  for (const folder of [parent, group]) {
    for (const controller of controllers) {
      try {
        writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`);
      } catch {
        // some cannot be handed down here; the kubelet says so if it needs one of them
      }
    }
  }
}

/** False while processes are still in it. */
export function removeCgroup(id: string): boolean {
  if (process.platform !== 'linux') return true;
  return hierarchies().map(({ path }) => removeTree(join(path, id))).every(Boolean);
}

function removeTree(group: string): boolean {
  if (!existsSync(group)) return true;
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(group, entry.name));
    }
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}
