import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';

/** The commands of the control plane; who starts them is supervisor.ts. */
export interface Command {
  file: string;
  args: string[];
}

export interface ControlPlane {
  bin: Binaries;
  folder: string;
  etcdPorts: [number, number];
  /** Where the API server listens: loopback, or this end of the link to the node. */
  address: string;
  port: number;
  tokensFile: string;
  serviceAccount: { key: string; pub: string };
  /** Kubeconfig of the components of the control plane. */
  kubeconfig: string;
  realPods: boolean;
  kcm: 'default' | 'tuned';
  durable: boolean;
}

export const serviceNetwork = '10.96.0.0/16';
export const kubernetesService = '10.96.0.1';

export const caFileOf = (folder: string): string => join(folder, 'pki', 'apiserver.crt');

/** Without fsync unless asked: right for tests and demos, wrong for figures that claim durability. */
export function etcd(c: ControlPlane): Command {
  const [client, peer] = c.etcdPorts.map((port) => `http://127.0.0.1:${port}`);
  const args = [
    '--name=etcd',
    `--data-dir=${join(c.folder, 'etcd')}`,
    `--listen-client-urls=${client ?? ''}`,
    `--advertise-client-urls=${client ?? ''}`,
    `--listen-peer-urls=${peer ?? ''}`,
    `--initial-advertise-peer-urls=${peer ?? ''}`,
    `--initial-cluster=etcd=${peer ?? ''}`,
    '--log-level=warn',
    '--quota-backend-bytes=8589934592',
  ];
  return { file: c.bin('etcd'), args: c.durable ? args : [...args, '--unsafe-no-fsync'] };
}

export function apiServer(c: ControlPlane): Command {
  mkdirSync(join(c.folder, 'pki'), { recursive: true, mode: 0o700 });
  return {
    file: c.bin('kube-apiserver'),
    args: [
      `--etcd-servers=http://127.0.0.1:${c.etcdPorts[0]}`,
      `--bind-address=${c.address}`,
      `--secure-port=${c.port}`,
      // The kubernetes Service refuses a loopback endpoint; nobody follows this one where pods are simulated.
      `--advertise-address=${c.realPods ? c.address : '192.0.2.1'}`,
      // Signs its own certificate here, with the ClusterIP of the kubernetes Service among its names,
      // and finds it again after a restart. The file also serves as the CA of all clients.
      `--cert-dir=${join(c.folder, 'pki')}`,
      `--token-auth-file=${c.tokensFile}`,
      '--authorization-mode=Node,RBAC',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${c.serviceAccount.pub}`,
      `--service-account-signing-key-file=${c.serviceAccount.key}`,
      `--service-cluster-ip-range=${serviceNetwork}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--allow-privileged=true',
      '--profiling=false',
      '--shutdown-delay-duration=0s',
    ],
  };
}

/**
 * `tuned` lifts the client limits that hold the default at about 3.4 single-pod Jobs a second.
 * Simulated nodes send no heartbeats, so nothing may judge them or collect their pods.
 */
export function controllerManager(c: ControlPlane): Command {
  const simulated = ['--controllers=*,-pod-garbage-collector-controller,-node-lifecycle-controller,-taint-eviction-controller'];
  const tuned = ['--kube-api-qps=1000', '--kube-api-burst=2000', '--concurrent-job-syncs=50'];
  return {
    file: c.bin('kube-controller-manager'),
    args: [
      `--kubeconfig=${c.kubeconfig}`,
      `--root-ca-file=${caFileOf(c.folder)}`,
      `--service-account-private-key-file=${c.serviceAccount.key}`,
      '--use-service-account-credentials=true',
      '--leader-elect=false',
      '--secure-port=0',
      '--profiling=false',
      ...(c.realPods ? [] : simulated),
      ...(c.kcm === 'tuned' ? tuned : []),
    ],
  };
}

export function scheduler(c: ControlPlane): Command {
  return {
    file: c.bin('kube-scheduler'),
    args: [`--kubeconfig=${c.kubeconfig}`, '--leader-elect=false', '--secure-port=0', '--profiling=false'],
  };
}
