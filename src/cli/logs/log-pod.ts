/** A pod as somebody who reads logs looks at it. */
import { labelsOf, timeAt } from '../../adapters/kubernetes/labels.ts';
import type { Stored } from '../../adapters/kubernetes/store.ts';
import { identityOf } from '../../adapters/kubernetes/watch-event.ts';
import { arrayAt, numberAt, objectAt, stringAt, type Json, type JsonObject } from '../../lib/json.ts';
import * as keys from '../../spec/keys.ts';

/** `sidecar`: an init container that runs as long as the others. */
export type ContainerRole = 'init' | 'sidecar' | 'regular';

export interface LogContainer {
  readonly name: string;
  readonly role: ContainerRole;
  readonly state: 'waiting' | 'running' | 'ended';
  /** Why it waits: the kubelet's words, or the scheduler's. */
  readonly waits: string;
  /** How it ended; undefined while it has not. */
  readonly exitCode: number | undefined;
  readonly restarts: number;
}

export interface LogPod extends Stored {
  readonly createdAt: number;
  readonly job: string;
  /** Label value of its step; of queues there is none. */
  readonly step: string | undefined;
  readonly attempt: number;
  /** Item of a forEach. */
  readonly index: string | undefined;
  readonly containers: readonly LogContainer[];
}

const untouched = 'no node has taken it up yet';
/** What containers wait for on their way to running. */
export const ordinaryWaits: ReadonlySet<string> = new Set([untouched, 'ContainerCreating', 'PodInitializing']);

/** In the order in which its containers run. */
export function logPod(raw: JsonObject): LogPod | undefined {
  const identity = identityOf(raw);
  if (!identity) return undefined;
  const labels = labelsOf(raw);
  const metadata = objectAt(raw, 'metadata');
  return {
    ...identity,
    createdAt: timeAt(metadata, 'creationTimestamp') ?? 0,
    job: labels['batch.kubernetes.io/job-name'] ?? labels['job-name'] ?? '',
    step: labels[keys.stepLabel],
    attempt: Number(labels[keys.attemptLabel] ?? '1'),
    index: labels[keys.indexLabel] ?? labels['batch.kubernetes.io/job-completion-index'],
    containers: containersOf(raw),
  };
}

function containersOf(raw: JsonObject): LogContainer[] {
  const spec = objectAt(raw, 'spec');
  const status = objectAt(raw, 'status');
  const statuses = [...arrayAt(status, 'initContainerStatuses'), ...arrayAt(status, 'containerStatuses')];
  const otherwise = podWaits(status);
  const container = (role: (each: Json) => ContainerRole) => (each: Json): LogContainer => {
    const name = stringAt(each, 'name') ?? '';
    return { name, role: role(each), ...stateOf(statuses.find((one) => stringAt(one, 'name') === name), otherwise) };
  };
  return [
    ...arrayAt(spec, 'initContainers').map(container((each) => (stringAt(each, 'restartPolicy') === 'Always' ? 'sidecar' : 'init'))),
    ...arrayAt(spec, 'containers').map(container(() => 'regular')),
  ];
}

function stateOf(status: Json | undefined, otherwise: string): Omit<LogContainer, 'name' | 'role'> {
  const state = objectAt(status, 'state');
  const restarts = numberAt(status, 'restartCount') ?? 0;
  if (state['running'] !== undefined) return { state: 'running', waits: '', exitCode: undefined, restarts };
  const terminated = state['terminated'];
  if (terminated !== undefined) return { state: 'ended', waits: '', exitCode: numberAt(terminated, 'exitCode'), restarts };
  const waiting = objectAt(state, 'waiting');
  const words = [stringAt(waiting, 'reason'), stringAt(waiting, 'message')].filter((word) => word !== undefined && word !== '');
  return { state: 'waiting', waits: words.length === 0 ? otherwise : words.join(': '), exitCode: undefined, restarts };
}

/** Before a kubelet has looked at the pod: no node yet, or refused by one. */
function podWaits(status: JsonObject): string {
  const unscheduled = arrayAt(status, 'conditions').find((each) => stringAt(each, 'type') === 'PodScheduled' && stringAt(each, 'status') === 'False');
  if (unscheduled !== undefined) return `${stringAt(unscheduled, 'reason') ?? 'Unschedulable'}: ${stringAt(unscheduled, 'message') ?? 'no node'}`;
  const reason = stringAt(status, 'reason');
  return reason === undefined ? untouched : `${reason}: ${stringAt(status, 'message') ?? ''}`;
}
