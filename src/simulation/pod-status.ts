/** The status documents of a pod on its way: conditions and container states as the kubelet writes them. */
import { stringAt, type JsonObject } from '../lib/json.ts';
import type { Condition, Container, ContainerStatus, PodObject, PodStatus } from './job-shape.ts';
import type { ContainerOutput } from './container-output.ts';
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
  /** What it writes, and what it wrote before its last restart. */
  output: ContainerOutput | undefined;
  previousOutput: ContainerOutput | undefined;
}

export function newLife(spec: Container): ContainerLife {
  return { spec, state: { waiting: { reason: 'ContainerCreating' } }, lastState: {}, restarts: 0, startedAt: undefined, exit: undefined, output: undefined, previousOutput: undefined };
}

export function waiting(reason: string, message?: string): ContainerStatus['state'] {
  return { waiting: { reason, ...(message === undefined ? {} : { message }) } };
}

/** Of each termination message the runtime reads the last bytes; those of a pod share what the kubelet keeps, from their beginning. */
const longestMessage = 4096;
const longestMessages = 12 * 1024;

export function terminated(life: ContainerLife, exit: Exit, now: number): ContainerStatus['state'] {
  const state: JsonObject = {
    exitCode: exit.code,
    reason: exit.reason ?? (exit.code === 0 ? 'Completed' : 'Error'),
    // As the kubelet has it for one that it never saw: it ends with its pod without having begun.
    startedAt: life.startedAt === undefined ? null : timestamp(life.startedAt),
    finishedAt: timestamp(now),
    containerID: `containerd://${life.spec.name}-${life.restarts}`,
  };
  if (exit.message !== undefined) state['message'] = Buffer.from(exit.message).subarray(-longestMessage).toString('utf8');
  return { terminated: state };
}

/** `share`: bytes of its termination message. */
export function statusOf(life: ContainerLife, share = longestMessage): ContainerStatus {
  const running = life.state.running !== undefined;
  const image = life.spec.image ?? '';
  return { name: life.spec.name, image, imageID: running ? image : '', ready: running, started: running, restartCount: life.restarts, state: cut(life.state, share), lastState: life.lastState };
}

function cut(state: ContainerStatus['state'], share: number): ContainerStatus['state'] {
  const message = stringAt(state.terminated, 'message');
  if (message === undefined || Buffer.byteLength(message) <= share) return state;
  return { terminated: { ...state.terminated, message: Buffer.from(message).subarray(0, share).toString('utf8') } };
}

/** Init containers of a pod whose regular ones are at `lives`: done before those begin, or sidecars that run as long as they. */
function initStatuses(pod: PodObject, lives: readonly ContainerLife[], ended: boolean, now: number): ContainerStatus[] {
  const begun = lives.find((life) => life.startedAt !== undefined);
  return (pod.spec.initContainers ?? []).map((spec): ContainerStatus => {
    const life = { ...newLife(spec), startedAt: begun?.startedAt };
    if (!begun) return statusOf(life);
    const runs = spec.restartPolicy === 'Always' && !ended;
    return statusOf({ ...life, state: runs ? { running: { startedAt: timestamp(begun.startedAt ?? now) } } : terminated(life, { code: 0 }, ended ? now : (begun.startedAt ?? now)) });
  });
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
  const init = initStatuses(pod, lives, phase === 'Succeeded' || phase === 'Failed', now);
  const share = Math.min(longestMessage, Math.floor(longestMessages / (lives.length + init.length)));
  const containerStatuses = lives.map((life) => statusOf(life, share));
  return { ...pod.status, phase, conditions, startTime: pod.status.startTime ?? time, ...(init.length > 0 ? { initContainerStatuses: init } : {}), containerStatuses };
}

/** The condition by which a podFailurePolicy knows that the pod did not fail by itself. */
export function disruption(reason: string, message: string, now: number): Condition {
  return { type: 'DisruptionTarget', status: 'True', reason, message, lastProbeTime: null, lastTransitionTime: timestamp(now) };
}
