/** What Jobs and Pods of runs tell beyond the rest: how their containers ended, and what they wrote. */
import { arrayAt, isObject, numberAt, objectAt, stringAt, type Json, type JsonObject } from '../../lib/json.ts';
import type { StepJobFacts, StepPodFacts } from '../../plan/observed.ts';
import { annotationsOf, countAt, labelsOf, timeAt } from './labels.ts';

const indexKey = 'batch.kubernetes.io/job-completion-index';

/** `raw` is a Job. */
export function stepJobFacts(raw: JsonObject): StepJobFacts {
  const spec = objectAt(raw, 'spec');
  const status = objectAt(raw, 'status');
  return {
    indexed: stringAt(spec, 'completionMode') === 'Indexed',
    completions: numberAt(spec, 'completions') === undefined ? undefined : countAt(spec, 'completions', 1),
    parallelism: countAt(spec, 'parallelism', 1),
    restartPolicy: stringAt(objectAt(objectAt(spec, 'template'), 'spec'), 'restartPolicy') ?? 'Never',
    awaitsVerdict: awaitsVerdict(spec),
    completedIndexes: stringAt(status, 'completedIndexes') ?? '',
    failedIndexes: stringAt(status, 'failedIndexes') ?? '',
  };
}

const jobController = 'kubernetes.io/job-controller';

/** Rules of the user, or somebody else's controller, decide what counts as success. */
function awaitsVerdict(spec: JsonObject): boolean {
  const manager = stringAt(spec, 'managedBy');
  if (isObject(spec['successPolicy']) || (manager !== undefined && manager !== jobController)) return true;
  return isObject(spec['podFailurePolicy']) && !arrayAt(spec['podFailurePolicy'], 'rules').every(ignoresDisruption);
}

/** The rule that job-chief adds: evicted pods are replaced, and count for nothing. */
function ignoresDisruption(rule: Json): boolean {
  const conditions = arrayAt(rule, 'onPodConditions');
  return stringAt(rule, 'action') === 'Ignore' && conditions.length > 0 && conditions.every((each) => stringAt(each, 'type') === 'DisruptionTarget');
}

/** `raw` is a Pod. */
export function stepPodFacts(raw: JsonObject): StepPodFacts {
  const spec = objectAt(raw, 'spec');
  const status = objectAt(raw, 'status');
  const ends = endsOf(raw);
  const done = doneOf(status, ends);
  const times = (ends ?? []).map((end) => timeAt(end, 'finishedAt')).filter((time) => time !== undefined && time > 0) as number[];
  return {
    index: indexOf(raw),
    done,
    doneAt: done === undefined || times.length === 0 ? undefined : Math.max(...times),
    messages: done === 'succeeded' ? messagesOf(status) : none,
    containers: ['initContainers', 'containers', 'ephemeralContainers'].reduce((sum, key) => sum + arrayAt(spec, key).length, 0),
  };
}

/** The phase where it tells; it comes a second after the containers, and is the only word about an evicted pod. */
function doneOf(status: JsonObject, ends: readonly JsonObject[] | undefined): StepPodFacts['done'] {
  const phase = stringAt(status, 'phase');
  if (phase === 'Succeeded') return 'succeeded';
  if (phase === 'Failed') return 'failed';
  if (!ends) return undefined;
  return ends.every((end) => end['exitCode'] === 0) ? 'succeeded' : 'failed';
}

/** How each regular container ended for good; undefined while one of them has not. Init containers and sidecars among them do not count. */
function endsOf(raw: JsonObject): readonly JsonObject[] | undefined {
  const spec = objectAt(raw, 'spec');
  const statuses = arrayAt(objectAt(raw, 'status'), 'containerStatuses');
  const stopping = stringAt(objectAt(raw, 'metadata'), 'deletionTimestamp') !== undefined;
  const ends: JsonObject[] = [];
  for (const container of arrayAt(spec, 'containers')) {
    const known = statuses.find((each) => stringAt(each, 'name') === stringAt(container, 'name'));
    const end = objectAt(objectAt(known, 'state'), 'terminated');
    const exitCode = numberAt(end, 'exitCode');
    if (exitCode === undefined || (!stopping && mayRestart(container, stringAt(spec, 'restartPolicy'), exitCode))) return undefined;
    ends.push(end);
  }
  return ends.length === 0 ? undefined : ends;
}

/** A container may have a policy of its own, and rules by exit code that only the kubelet should judge. */
function mayRestart(container: Json, ofPod: string | undefined, exitCode: number): boolean {
  if (arrayAt(container, 'restartPolicyRules').length > 0) return true;
  const policy = stringAt(container, 'restartPolicy') ?? ofPod;
  return policy === 'OnFailure' ? exitCode !== 0 : policy !== 'Never';
}

/** Whole: they are the outputs. */
function messagesOf(status: JsonObject): StepPodFacts['messages'] {
  const messages = arrayAt(status, 'containerStatuses').flatMap((each) => {
    const end = objectAt(objectAt(each, 'state'), 'terminated');
    const text = stringAt(end, 'message') ?? '';
    return text === '' || end['exitCode'] !== 0 ? [] : [{ container: stringAt(each, 'name') ?? '', text }];
  });
  return messages.length === 0 ? none : messages;
}

/** Thousands of pods have none. */
const none: StepPodFacts['messages'] = [];

function indexOf(raw: JsonObject): number | undefined {
  const text = annotationsOf(raw)[indexKey] ?? labelsOf(raw)[indexKey];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
