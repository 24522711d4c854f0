/** Pods of a run and their logs, for whoever looks at one run: asked for live, since caches hold no containers that wait. */
import type { Clock } from '../../lib/clock.ts';
import { arrayAt, isObject, numberAt, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import type { ContainerLog, ContainerView, RunLogs, RunPod } from '../../reconcile/api-ports.ts';
import type { ReadResult } from '../../reconcile/ports.ts';
import { attemptLabel, indexLabel, instanceLabel, managedBy, managedByLabel, runLabel, stepAnnotation, stepLabel } from '../../spec/keys.ts';
import { isForbidden } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { annotationsOf, labelsOf, timeAt } from './labels.ts';
import { PodLog } from './pod-logs.ts';
import { pods } from './resources.ts';
import { identityOf } from './watch-event.ts';

export interface RunLogsOptions {
  readonly client: Pick<KubernetesClient, 'list' | 'podLog'>;
  readonly clock: Clock;
  readonly instance: string;
}

/** A run of ten thousand items has as many pods: nobody reads more at once. */
const mostPods = 2_000;

export class KubernetesRunLogs implements RunLogs {
  readonly #options: RunLogsOptions;

  constructor(options: RunLogsOptions) {
    this.#options = options;
  }

  /** Only what carries our labels: a name from outside reaches nothing else. */
  async pods(run: string): Promise<ReadResult<readonly RunPod[]>> {
    const { client, instance } = this.#options;
    const labelSelector = `${managedByLabel}=${managedBy},${instanceLabel}=${instance},${runLabel}=${run}`;
    const list = await client.list(pods, { labelSelector, limit: mostPods });
    if (list.kind === 'failed') return { kind: 'failed', message: list.failure.message, forbidden: isForbidden(list.failure) };
    const found = list.page.items.filter(isObject).flatMap((raw) => podView(raw) ?? []);
    return { kind: 'found', value: found.sort((left, right) => left.createdAt - right.createdAt || (left.name < right.name ? -1 : 1)) };
  }

  open(pod: string, container: string): ContainerLog {
    const { client, clock } = this.#options;
    return new PodLog({ client, clock, pod, container });
  }
}

function podView(raw: JsonObject): RunPod | undefined {
  const identity = identityOf(raw);
  if (!identity) return undefined;
  const labels = labelsOf(raw);
  const index = labels[indexLabel];
  const status = objectAt(raw, 'status');
  const scheduled = arrayAt(status, 'conditions').find((condition) => stringAt(condition, 'type') === 'PodScheduled');
  return {
    ...identity,
    step: annotationsOf(raw)[stepAnnotation] ?? labels[stepLabel] ?? '',
    attempt: Number(labels[attemptLabel] ?? 1),
    index: index === undefined ? undefined : Number(index),
    createdAt: timeAt(objectAt(raw, 'metadata'), 'creationTimestamp') ?? 0,
    phase: stringAt(status, 'phase') ?? 'Unknown',
    reason: stringAt(scheduled, 'status') === 'False' ? reasonText(scheduled) : reasonText(status),
    containers: [...containersOf(raw, 'initContainers', 'initContainerStatuses'), ...containersOf(raw, 'containers', 'containerStatuses')],
  };
}

function containersOf(raw: JsonObject, field: 'initContainers' | 'containers', statuses: string): ContainerView[] {
  const known = arrayAt(objectAt(raw, 'status'), statuses);
  return arrayAt(objectAt(raw, 'spec'), field).flatMap((container) => {
    const name = stringAt(container, 'name');
    return name === undefined ? [] : [{ name, init: field === 'initContainers', ...standing(known.find((one) => stringAt(one, 'name') === name)) }];
  });
}

function standing(status: unknown): Pick<ContainerView, 'state' | 'reason'> {
  const state = objectAt(status, 'state');
  if (isObject(state['running'])) return { state: 'running', reason: '' };
  const ended = objectAt(state, 'terminated');
  if (isObject(state['terminated'])) return { state: 'terminated', reason: `exit code ${numberAt(ended, 'exitCode') ?? '?'}${stringAt(ended, 'reason') === undefined ? '' : ` (${stringAt(ended, 'reason') ?? ''})`}` };
  return { state: 'waiting', reason: reasonText(objectAt(state, 'waiting')) };
}

function reasonText(value: unknown): string {
  return [stringAt(value, 'reason'), stringAt(value, 'message')].filter((part) => part !== undefined && part !== '').join(': ');
}
