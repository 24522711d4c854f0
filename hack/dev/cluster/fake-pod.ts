/**
 * What a pod of a simulated node does, from its annotations, and the status it shows then. No I/O.
 *
 *   fake-kubelet/run-for: 5s              how long the containers run (default: they end at once)
 *   fake-kubelet/exit-code: "3"           of every regular container (default 0)
 *   fake-kubelet/reason: OOMKilled        of the terminated state (default Completed or Error)
 *   fake-kubelet/message: "rows=3"        the termination message
 *   fake-kubelet/start-after: 2s          ContainerCreating until then
 *   fake-kubelet/never-schedule: "true"   stays Pending, PodScheduled=False, Unschedulable
 *   fake-kubelet/waiting: ImagePullBackOff   stays Pending with this reason
 *   fake-kubelet/init: "true"             ... on the first init container instead
 *   fake-kubelet/evict-after: 1s          Failed, reason Evicted, DisruptionTarget
 *   fake-kubelet/grace: 12s               how long it takes to go when it is deleted (default: at once)
 */
export interface Container {
  name: string;
  image?: string;
  restartPolicy?: string;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface Pod {
  metadata: { name: string; namespace: string; uid: string; annotations?: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName?: string; schedulingGates?: unknown[]; initContainers?: Container[]; containers: Container[] };
  status?: { phase?: string; conditions?: Condition[] };
}

export interface Script {
  runForMs: number;
  startAfterMs: number;
  evictAfterMs: number | undefined;
  graceMs: number;
  exitCode: number;
  reason: string | undefined;
  message: string | undefined;
  neverSchedule: boolean;
  waiting: string | undefined;
  waitingInit: boolean;
}

/** `250ms`, `5s`, `2m`; a bare number is seconds. */
export function milliseconds(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text ?? '');
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's'] ?? 1000;
  return match === null ? undefined : Number(match[1]) * unit;
}

export function scriptOf(pod: Pod): Script {
  const said = (name: string): string | undefined => pod.metadata.annotations?.[`fake-kubelet/${name}`];
  return {
    runForMs: milliseconds(said('run-for')) ?? 0,
    startAfterMs: milliseconds(said('start-after')) ?? 0,
    evictAfterMs: milliseconds(said('evict-after')),
    graceMs: milliseconds(said('grace')) ?? 0,
    exitCode: Number(said('exit-code') ?? 0),
    reason: said('reason'),
    message: said('message'),
    neverSchedule: said('never-schedule') === 'true',
    waiting: said('waiting'),
    waitingInit: said('init') === 'true',
  };
}

/** Where a pod is in its life; `ended` is the moment between the containers' end and the phase's. */
export type Stage = 'creating' | 'waiting' | 'running' | 'ended' | 'finished' | 'evicted' | 'killed';

export interface Moments {
  scheduled: string;
  started: string;
  ended: string;
}

type Json = Record<string, unknown>;

export function unschedulable(now: string): Json {
  return {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available: fake-kubelet/never-schedule.', lastTransitionTime: now }],
  };
}

export function statusOf(pod: Pod, script: Script, stage: Stage, at: Moments): Json {
  const over = stage === 'finished' || stage === 'evicted' || stage === 'killed';
  const failed = script.exitCode !== 0 || stage === 'evicted' || stage === 'killed';
  const phase = stage === 'creating' || stage === 'waiting' ? 'Pending' : over ? (failed ? 'Failed' : 'Succeeded') : 'Running';
  return {
    phase,
    startTime: at.scheduled,
    hostIP: '192.0.2.10',
    conditions: conditionsOf(pod, stage, at),
    ...(stage === 'evicted' ? { reason: 'Evicted', message: 'The node was low on resource: memory.' } : {}),
    ...(pod.spec.initContainers?.length ? { initContainerStatuses: pod.spec.initContainers.map((c, i) => initStatus(c, i, script, stage, at)) } : {}),
    containerStatuses: pod.spec.containers.map((container) => ({
      ...common(container, stage === 'running'),
      state: stateOf(script, stage === 'waiting' && script.waitingInit ? 'creating' : stage, at),
    })),
  };
}

function conditionsOf(pod: Pod, stage: Stage, at: Moments): Condition[] {
  const ready = stage === 'running' ? 'True' : 'False';
  const initialized = stage === 'creating' || (stage === 'waiting' && waitsInInit(pod)) ? 'False' : 'True';
  const condition = (type: string, status: string): Condition => ({ type, status, lastTransitionTime: at.scheduled });
  // Others' conditions (DisruptionTarget by a taint or an eviction request) stay.
  const ours = new Set(['PodScheduled', 'Initialized', 'ContainersReady', 'Ready', 'DisruptionTarget']);
  const kept = (pod.status?.conditions ?? []).filter((c) => !ours.has(c.type) || (c.type === 'DisruptionTarget' && stage !== 'evicted'));
  const disruption: Condition[] = stage === 'evicted'
    ? [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: 'The node was low on resource: memory.', lastTransitionTime: at.ended }]
    : [];
  return [condition('PodScheduled', 'True'), condition('Initialized', initialized), condition('ContainersReady', ready), condition('Ready', ready), ...kept, ...disruption];
}

const waitsInInit = (pod: Pod): boolean => scriptOf(pod).waitingInit && (pod.spec.initContainers?.length ?? 0) > 0;

const common = (container: Container, running: boolean): Json => ({
  name: container.name,
  image: container.image ?? '',
  imageID: '',
  ready: running,
  started: running,
  restartCount: 0,
});

function stateOf(script: Script, stage: Stage, at: Moments): Json {
  switch (stage) {
    case 'creating':
      return { waiting: { reason: 'ContainerCreating' } };
    case 'waiting':
      return { waiting: { reason: script.waiting, message: `fake-kubelet/waiting: ${script.waiting ?? ''}` } };
    case 'running':
      return { running: { startedAt: at.started } };
    case 'evicted':
    case 'killed':
      return terminated(stage === 'evicted' ? 137 : 143, 'Error', undefined, at);
    case 'ended':
    case 'finished':
      return terminated(script.exitCode, script.reason ?? (script.exitCode === 0 ? 'Completed' : 'Error'), script.message, at);
  }
}

function terminated(exitCode: number, reason: string, message: string | undefined, at: Moments): Json {
  return { terminated: { exitCode, reason, startedAt: at.started, finishedAt: at.ended, ...(message === undefined ? {} : { message }) } };
}

/** Ordinary init containers are over before the others start; a native sidecar lives as long as they do, and a little longer. */
function initStatus(container: Container, index: number, script: Script, stage: Stage, at: Moments): Json {
  const sidecar = container.restartPolicy === 'Always';
  const waitsHere = stage === 'waiting' && script.waitingInit && index === 0;
  if (waitsHere) return { ...common(container, false), state: stateOf(script, 'waiting', at) };
  if (stage === 'creating' || (stage === 'waiting' && script.waitingInit)) return { ...common(container, false), state: { waiting: { reason: 'PodInitializing' } } };
  if (!sidecar) return { ...common(container, false), ready: true, state: terminated(0, 'Completed', undefined, { ...at, ended: at.started }) };
  const alive = stage === 'running' || stage === 'ended' || stage === 'waiting';
  return { ...common(container, alive), state: alive ? { running: { startedAt: at.started } } : terminated(143, 'Error', undefined, at) };
}
