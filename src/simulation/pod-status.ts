/** The status documents of a pod on its way: conditions and container states as the kubelet writes them. */
import type { JsonObject } from '../lib/json.ts';
import type { Condition, Container, ContainerStatus, PodObject, PodStatus } from './job-shape.ts';
import { timestamp } from './objects.ts';
import type { Exit } from './pod-script.ts';

/** Where one container stands. */
export interface ContainerLife {
  readonly spec: Container;
  state: ContainerStatus['state'];
  lastState: ContainerStatus['lastState'];
  restarts: number;
  startedAt: number | undefined;
  exit: Exit | undefined;
}

export function newLife(spec: Container): ContainerLife {
  return { spec, state: { waiting: { reason: 'ContainerCreating' } }, lastState: {}, restarts: 0, startedAt: undefined, exit: undefined };
}

export function waiting(reason: string, message?: string): ContainerStatus['state'] {
  return { waiting: { reason, ...(message === undefined ? {} : { message }) } };
}

/** A termination message is cut at 4096 bytes. */
export function terminated(life: ContainerLife, exit: Exit, now: number): ContainerStatus['state'] {
  const state: JsonObject = {
    exitCode: exit.code,
    reason: exit.reason ?? (exit.code === 0 ? 'Completed' : 'Error'),
    startedAt: timestamp(life.startedAt ?? now),
    finishedAt: timestamp(now),
    containerID: `containerd://${life.spec.name}-${life.restarts}`,
  };
  if (exit.message !== undefined) state['message'] = exit.message.slice(0, 4096);
  return { terminated: state };
}

export function statusOf(life: ContainerLife): ContainerStatus {
  const running = life.state.running !== undefined;
  const image = life.spec.image ?? '';
  return { name: life.spec.name, image, imageID: running ? image : '', ready: running, started: running, restartCount: life.restarts, state: life.state, lastState: life.lastState };
}

/** The pod's status with the containers as they are now. */
export function podStatus(pod: PodObject, lives: readonly ContainerLife[], phase: PodStatus['phase'], now: number): PodStatus {
  const ready = phase === 'Running' && lives.every((life) => life.state.running !== undefined);
  const time = timestamp(now);
  const set = (conditions: Condition[], type: string, value: boolean): Condition[] => {
    const known = conditions.find((condition) => condition.type === type);
    const status = value ? 'True' : 'False';
    if (known?.status === status) return conditions;
    return [...conditions.filter((condition) => condition !== known), { type, status, lastProbeTime: null, lastTransitionTime: time }];
  };
  let conditions = pod.status.conditions ?? [];
  conditions = set(conditions, 'Initialized', true);
  conditions = set(conditions, 'Ready', ready);
  conditions = set(conditions, 'ContainersReady', ready);
  return { ...pod.status, phase, conditions, startTime: pod.status.startTime ?? time, containerStatuses: lives.map(statusOf) };
}

/** The condition by which a podFailurePolicy knows that the pod did not fail by itself. */
export function disruption(reason: string, message: string, now: number): Condition {
  return { type: 'DisruptionTarget', status: 'True', reason, message, lastProbeTime: null, lastTransitionTime: timestamp(now) };
}
