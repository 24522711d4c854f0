/** A raw Pod, cut down to what decisions need. */
import { arrayAt, isObject, numberAt, objectAt, stringAt } from '../../lib/json.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import type { ContainerFailure, ObservedPod, PodPhase, SpecKey } from '../../plan/observed.ts';
import { attemptLabel, runLabel } from '../../spec/keys.ts';
import { controllerOf, keyOf, labelsOf, timeAt } from './labels.ts';
import type { Place } from '../../reconcile/ports.ts';
import { placeOf, type Shared } from './project-job.ts';
import { stepPodFacts } from './project-step.ts';
import { identityOf } from './watch-event.ts';

export type CachedPod = ObservedPod & { readonly key: SpecKey; readonly place: Place };

/** Phases of a pod that has not come to its end; a node that is lost leaves it Unknown, and it may still run. */
export function isLiving(pod: Pick<ObservedPod, 'phase'>): boolean {
  return pod.phase !== 'Succeeded' && pod.phase !== 'Failed';
}

/** `now` by this process's clock. undefined where the labels name no spec. Throws only without a name or UID. */
export function projectPod(raw: JsonObject, before: CachedPod | undefined, context: { readonly now: number; readonly shared: Shared }): CachedPod | undefined {
  const key = keyOf(raw);
  if (!key) return undefined;
  const identity = identityOf(raw);
  if (!identity) throw new Error('Pod without name or uid');
  const metadata = objectAt(raw, 'metadata');
  const status = objectAt(raw, 'status');
  const regular = arrayAt(status, 'containerStatuses');
  const startedAt = firstStart(regular);
  return {
    key: context.shared.keys.get(JSON.stringify(key)),
    place: placeOf(raw, context.shared),
    ...identity,
    ...jobOf(raw),
    phase: phases.find((phase) => phase === stringAt(status, 'phase')) ?? 'Pending',
    reason: stringAt(status, 'reason'),
    deleting: stringAt(metadata, 'deletionTimestamp') !== undefined,
    node: shared(context.shared, stringAt(objectAt(raw, 'spec'), 'nodeName')),
    createdAt: timeAt(metadata, 'creationTimestamp') ?? 0,
    started: regular.some(hasStarted) || (before?.uid === identity.uid && before.started),
    startedAt,
    disrupted: arrayAt(status, 'conditions').some((each) => stringAt(each, 'type') === 'DisruptionTarget' && stringAt(each, 'status') === 'True'),
    unscheduled: unscheduledOf(status),
    waiting: waitingOf(status, before?.waiting, context.now),
    failures: failuresOf(raw),
    ...(tellsMore(key, raw) ? { step: stepPodFacts(raw) } : {}),
  };
}

/** Its outputs matter: it is a pod of a run, or of a Job for a message, which has an attempt and no drain sequence. */
function tellsMore({ kind }: SpecKey, raw: JsonObject): boolean {
  const labels = labelsOf(raw);
  return kind === 'run' || (kind === 'queue' && labels[attemptLabel] !== undefined && labels[runLabel] === undefined);
}

const phases: readonly PodPhase[] = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'];

/** The Job controller sets both the owner and the labels; the labels survive when the owner reference is taken away. */
function jobOf(raw: JsonObject): Pick<ObservedPod, 'jobUid' | 'jobName'> {
  const owner = controllerOf(raw, 'Job');
  const labels = labelsOf(raw);
  return {
    jobUid: owner.uid ?? labels['batch.kubernetes.io/controller-uid'] ?? labels['controller-uid'],
    jobName: owner.name ?? labels['batch.kubernetes.io/job-name'] ?? labels['job-name'],
  };
}

/** A restarted container shows only its last state as terminated. */
function hasStarted(status: Json): boolean {
  const state = objectAt(status, 'state');
  return isObject(state['running']) || (isObject(state['terminated']) && !neverBegan(state['terminated'])) || isObject(objectAt(status, 'lastState')['terminated']);
}

/** A pod that is deleted while its containers wait to be made ends them with this reason, and without a time at which they started. */
function neverBegan(terminated: JsonObject): boolean {
  return stringAt(terminated, 'reason') === 'ContainerStatusUnknown' && timeAt(terminated, 'startedAt') === undefined;
}

function firstStart(statuses: readonly Json[]): number | undefined {
  const times = statuses.flatMap((status) => {
    const state = objectAt(status, 'state');
    return [objectAt(state, 'running'), objectAt(state, 'terminated'), objectAt(objectAt(status, 'lastState'), 'terminated')].map((each) => timeAt(each, 'startedAt'));
  });
  // A container that never ran is terminated with the zero time (1970), for example after StartError.
  const real = times.filter((time) => time !== undefined && time > 0);
  return real.length === 0 ? undefined : Math.min(...(real as number[]));
}

function unscheduledOf(status: JsonObject): ObservedPod['unscheduled'] {
  const condition = arrayAt(status, 'conditions').find((each) => stringAt(each, 'type') === 'PodScheduled' && stringAt(each, 'status') === 'False');
  return condition === undefined ? undefined : { reason: stringAt(condition, 'reason') ?? '', message: head(stringAt(condition, 'message') ?? '') };
}

/**
 * Waiting reasons that may never heal, the most telling first. The kubelet alternates between an error and its
 * back-off, so the clock runs on while one of them stands, whichever it is.
 */
const fatalWaiting: readonly string[] = [
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'ContainerCannotRun',
  'StartError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
  'ErrImagePull',
  'ImagePullBackOff',
  'RegistryUnavailable',
  'ImageInspectError',
  'CrashLoopBackOff',
];

function waitingOf(status: JsonObject, before: ObservedPod['waiting'], now: number): ObservedPod['waiting'] {
  let worst: { rank: number; reason: string; message: string; container: string } | undefined;
  for (const container of [...arrayAt(status, 'initContainerStatuses'), ...arrayAt(status, 'containerStatuses')]) {
    const waiting = objectAt(objectAt(container, 'state'), 'waiting');
    const reason = stringAt(waiting, 'reason') ?? '';
    const rank = fatalWaiting.indexOf(reason);
    if (rank === -1 || (worst && worst.rank <= rank)) continue;
    worst = { rank, reason, message: head(stringAt(waiting, 'message') ?? ''), container: stringAt(container, 'name') ?? '' };
  }
  if (!worst) return undefined;
  const { reason, message, container } = worst;
  return { reason, message, container, since: before?.since ?? now };
}

/** Init containers count only by failing; what a restarted container did before shows while it is not terminated now. */
function failuresOf(raw: JsonObject): readonly ContainerFailure[] {
  const failures: ContainerFailure[] = [];
  for (const container of containersOf(raw)) {
    const state = objectAt(objectAt(container, 'state'), 'terminated');
    const exitCode = numberAt(state, 'exitCode');
    if (exitCode === undefined || exitCode === 0) continue;
    failures.push({ container: stringAt(container, 'name') ?? '', exitCode, reason: stringAt(state, 'reason') ?? '', message: tail(stringAt(state, 'message') ?? '') });
  }
  return failures.length === 0 ? none : failures;
}

/** Without sidecars, which are stopped when the work has ended: how they take it says nothing about the work. */
function containersOf(raw: JsonObject): Json[] {
  const status = objectAt(raw, 'status');
  const init = arrayAt(status, 'initContainerStatuses');
  if (init.length === 0) return arrayAt(status, 'containerStatuses');
  const sidecars = new Set(arrayAt(objectAt(raw, 'spec'), 'initContainers').flatMap((each) => (stringAt(each, 'restartPolicy') === 'Always' ? [stringAt(each, 'name')] : [])));
  return [...init.filter((each) => !sidecars.has(stringAt(each, 'name'))), ...arrayAt(status, 'containerStatuses')];
}

const none: readonly ContainerFailure[] = [];

const longestMessage = 1024;

function head(text: string): string {
  if (Buffer.byteLength(text) <= longestMessage) return text;
  return `${Buffer.from(text).subarray(0, longestMessage - 3).toString('utf8').replace(/\uFFFD+$/, '')}…`;
}

/** The kubelet allows a termination message of 4 KiB, often the last lines of the log: what matters stands at its end. */
function tail(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= longestMessage) return text;
  return `…${Buffer.from(text).subarray(bytes - longestMessage + 3).toString('utf8').replace(/^\uFFFD+/, '')}`;
}

function shared(texts: Shared, text: string | undefined): string | undefined {
  return text === undefined ? undefined : texts.texts.get(text);
}
