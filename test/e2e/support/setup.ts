/**
 * Once for all files of the suite: a cluster with a real kubelet, a PostgreSQL that pods can reach, and the images.
 * Namespaces and databases keep the tests apart.
 */
import type { TestProject } from 'vitest/node';
import { busyboxImage } from '../../../hack/dev/cluster/image.ts';
import { amqpWorkerImageName, controllerImage, stepImage, workerImage } from '../../../hack/dev/demo/images.ts';
import { startPostgres } from '../../../hack/dev/postgres.ts';
import { noRealPods, startCluster } from '../../support/cluster.ts';
import { exampleImages } from './example-images.ts';

export interface Place {
  readonly cluster: string;
  readonly kubeconfig: string;
  readonly server: string;
  readonly token: string;
  readonly caFile: string;
  /** This machine, as pods see it. */
  readonly hostAddress: string;
  readonly postgres: { readonly host: string; readonly port: number; readonly user: string; readonly password: string };
}

declare module 'vitest' {
  interface ProvidedContext {
    place: Place | undefined;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('place', undefined);
  if (noRealPods !== undefined) return () => Promise.resolve();
  await using started = new AsyncDisposableStack();
  const [cluster, postgres, images] = await Promise.all([
    startCluster({ pods: 'real' }).then((one) => started.use(one)),
    startPostgres({ listenAll: true, settings: { max_connections: '200' } }).then((one) => started.use(one)),
    Promise.all([controllerImage(), workerImage(), workerImage(amqpWorkerImageName, 'amqp-worker.ts'), exampleImages()]),
  ]);
  for (const image of [...images.flat(), busyboxImage(), stepImage()]) cluster.loadImage(image);
  const { hostAddress } = cluster;
  if (hostAddress === undefined) throw new Error('the cluster does not say how its pods reach this machine');
  const { host, port, user, password } = postgres;
  project.provide('place', {
    cluster: cluster.name, kubeconfig: cluster.kubeconfigPath, server: cluster.server, token: cluster.token, caFile: cluster.caFile,
    hostAddress,
    postgres: { host, port, user, password },
  });
  const running = started.move();
  return () => running.disposeAsync();
}
