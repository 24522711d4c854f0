import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cniFolder, which } from './tools.ts';

export const sandboxImage = 'job-chief.local/pause:1';

/** Copying whole images works everywhere; overlays are faster where the kernel lets us mount one on this disk. */
export function snapshotterFor(folder: string): 'overlayfs' | 'native' {
  const trial = mkdtempSync(join(folder, 'overlay-'));
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => join(trial, name)) as [string, string, string, string];
  for (const path of [lower, upper, work, merged]) mkdirSync(path);
  // In a mount namespace of its own: nothing to unmount.
  const mounted = spawnSync('unshare', ['--mount', 'mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, merged]);
  rmSync(trial, { recursive: true, force: true });
  return mounted.status === 0 ? 'overlayfs' : 'native';
}

/** Paths under /run are those of the node's own mount namespace. */
export function containerdConfig(folder: string, snapshotter: string): string {
  return `version = 3
root = '${folder}/containerd'
state = '/run/containerd'
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.snapshotter.v1.blockfile', 'io.containerd.snapshotter.v1.erofs', 'io.containerd.differ.v1.erofs']

[grpc]
  address = '/run/containerd/containerd.sock'

[plugins.'io.containerd.internal.v1.opt']
  path = '${folder}/containerd-opt'

[plugins.'io.containerd.cri.v1.images']
  snapshotter = '${snapshotter}'
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = '${sandboxImage}'

[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['${cniFolder() ?? ''}']
    conf_dir = '${folder}/cni'
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = 'runc'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = 'io.containerd.runc.v2'
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = '${which('runc') ?? 'runc'}'
        SystemdCgroup = false
`;
}
