/** `job-chief/client`: asks for runs, waits for them, ends them. */
import { openRuns } from '../cli/runs/open-runs.ts';
import { systemClock } from '../lib/clock.ts';
import { defaultInstance } from '../spec/keys.ts';
import { clientError } from './client-error.ts';
import { HttpExchange, type HttpOptions } from './http-exchange.ts';
import { HttpRuns } from './http-runs.ts';
import type { Client } from './client-types.ts';
import { KubernetesRuns } from './kubernetes-runs.ts';

export { ClientError, type ClientErrorCode } from './client-error.ts';
export type { HttpOptions } from './http-exchange.ts';
export type { Client, ListOptions, Run, RunEnd, SubmitRequest, Submitted, Target, WaitOptions } from './client-types.ts';

/** Which cluster, which namespace: as kubectl has them. */
export interface KubernetesOptions {
  /** A file; default: $KUBECONFIG, else ~/.kube/config; inside a pod its own ServiceAccount. */
  readonly kubeconfig?: string;
  /** Default: the current one. */
  readonly context?: string;
  /** Default: that of the context. */
  readonly namespace?: string;
  /** Where a namespace has several instances of job-chief. */
  readonly instance?: string;
}

/** Who wrote what, in managedFields. */
const fieldManager = 'job-chief-client';

/**
 * A client that goes to the Kubernetes API with the caller's rights: get, list, watch and create on ConfigMaps, and patch to
 * cancel. Rejects with a ClientError where there is no way to a cluster; asks it nothing yet.
 */
export async function kubernetesClient(options: KubernetesOptions = {}): Promise<Client> {
  try {
    const { runs, close } = await openRuns({ instance: defaultInstance, ...options }, fieldManager);
    return new KubernetesRuns({ runs, close, clock: systemClock });
  } catch (error) {
    throw clientError(error);
  }
}

/** A client that goes through the HTTP API of job-chief. Asks it nothing yet. `submit` takes the role submit, `cancel` admin. */
export function httpClient(options: HttpOptions): Client {
  return new HttpRuns({ http: new HttpExchange(options), clock: systemClock });
}
