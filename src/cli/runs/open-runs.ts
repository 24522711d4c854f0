/** From what names a cluster to a client for its runs. */
import { ClusterClock } from '../../adapters/kubernetes/cluster-clock.ts';
import { KubernetesClient } from '../../adapters/kubernetes/client.ts';
import { openCluster } from '../../adapters/kubernetes/open-cluster.ts';
import { asError, systemClock, type Clock } from '../../lib/clock.ts';
import { version } from '../../version.ts';
import { UserError } from '../exit-code.ts';
import { RunClient } from './run-client.ts';

/** Which cluster, which namespace; what is left out is found as kubectl finds it. */
export interface ClusterOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly instance: string;
}

/** A client, until it is closed. */
export interface OpenRuns {
  readonly runs: RunClient;
  /** Time as the API server has it: ages and time limits are not this machine's to judge. */
  readonly clock: Clock;
  readonly close: () => Promise<void>;
}

/** `fieldManager`: who wrote what, in managedFields. Rejects with a UserError where there is no way to a cluster. */
export async function openRuns({ namespace, context, kubeconfig, instance }: ClusterOptions, fieldManager: string): Promise<OpenRuns> {
  const clock = new ClusterClock(systemClock);
  const cluster = await openCluster({ clock: systemClock, env: process.env, kubeconfig, context, connections: 4, version }).catch((error: unknown) => {
    throw new UserError('no way to a cluster', { cause: asError(error) });
  });
  const client = new KubernetesClient({ transport: clock.watching(cluster.transport), clock, namespace: namespace ?? cluster.namespace ?? 'default', fieldManager });
  return { runs: new RunClient({ client, instance }), clock, close: () => cluster.close() };
}
