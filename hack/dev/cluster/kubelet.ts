import { kubernetesService } from './control-plane.ts';

/** Never matches a Service that exists: names fail at once instead of after a resolver's timeout (node-init.sh rejects it). */
const noDns = kubernetesService.replace(/\.1$/, '.10');

/** Defaults where possible: tests rely on the kubelet's real timing. The rest is what a confined machine needs. */
export function kubeletConfig(folder: string, cgroup: string): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    healthzPort: 0,
    readOnlyPort: 0,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    maxPods: 250,
    evictionHard: { 'memory.available': '10Mi', 'nodefs.available': '1%', 'nodefs.inodesFree': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    serializeImagePulls: false,
    clusterDNS: [noDns],
    clusterDomain: 'cluster.local',
    resolvConf: `${folder}/resolv.conf`,
    podLogsDir: `${folder}/pod-logs`,
    volumePluginDir: `${folder}/volume-plugins`,
  }, null, 2);
}
