/** From where this process runs to a Transport: a kubeconfig that was named, the pod's own account, or the user's default. */
import type { Clock } from '../../lib/clock.ts';
import type { ClusterAccess } from './access.ts';
import { inClusterAccess } from './in-cluster.ts';
import { kubeconfigAccess } from './kubeconfig.ts';
import { ownAccount, type OwnAccount } from './own-account.ts';
import type { Transport } from './transport.ts';
import { UndiciTransport } from './undici-transport.ts';

export interface OpenClusterOptions {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A file and a context that the user named; with either the pod's own account is not used. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Connections to the API server at once. */
  readonly connections: number;
  readonly version: string;
}

export interface Cluster {
  readonly transport: Transport;
  /** `host:port`, for metrics and logs. */
  readonly host: string;
  readonly namespace: string | undefined;
  /** undefined: these are not the credentials of a ServiceAccount. */
  readonly account: OwnAccount | undefined;
  close(): Promise<void>;
}

/** Rejects with a sentence for the user where there is no way to a cluster. */
export async function openCluster(options: OpenClusterOptions): Promise<Cluster> {
  const access = await accessFor(options);
  const transport = new UndiciTransport({ access, userAgent: `job-chief/${options.version}`, connections: options.connections });
  return { transport, host: new URL(access.server).host, namespace: access.namespace, account: ownAccount(await access.credentials()), close: () => transport.close() };
}

async function accessFor({ clock, env, kubeconfig, context }: OpenClusterOptions): Promise<ClusterAccess> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const named = kubeconfig !== undefined || context !== undefined;
  if (!named && host !== undefined && host !== '') return inClusterAccess({ host, port: env['KUBERNETES_SERVICE_PORT'] ?? '443', clock });
  return kubeconfigAccess({ clock, file: kubeconfig, context });
}
