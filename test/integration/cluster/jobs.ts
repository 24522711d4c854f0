import { type Cluster } from '../../support/cluster.ts';

interface ContainerSpec {
  name: string;
  image: string;
  command?: string[];
  restartPolicy?: string;
}

interface ContainerState {
  waiting?: { reason: string };
  terminated?: { exitCode: number; reason: string; message?: string };
}

interface Pod {
  status: {
    phase: string;
    reason?: string;
    conditions?: { type: string; status: string; reason?: string }[];
    initContainerStatuses?: { state?: ContainerState }[];
    containerStatuses?: { state?: ContainerState }[];
  };
}

export const image = 'job-chief.local/busybox:1';

export function job(name: string, pod: { annotations?: Record<string, string>; init?: ContainerSpec[]; container?: Partial<ContainerSpec> } = {}): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      backoffLimit: 0,
      template: {
        metadata: { annotations: pod.annotations ?? {} },
        spec: { restartPolicy: 'Never', initContainers: pod.init ?? [], containers: [{ name: 'main', image, ...pod.container }] },
      },
    },
  };
}

/** The newest pod of a Job; one without status while there is none. */
export function podOf(cluster: Cluster, name: string): Pod {
  const list = JSON.parse(cluster.adminKubectl('get', 'pods', '-l', `job-name=${name}`, '-o', 'json')) as { items: Pod[] };
  return list.items.at(-1) ?? { status: { phase: '' } };
}
