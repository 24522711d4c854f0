import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { newShared, projectJob } from '../../../../src/adapters/kubernetes/project-job.ts';
import { projectPod } from '../../../../src/adapters/kubernetes/project-pod.ts';
import { identityOf } from '../../../../src/adapters/kubernetes/watch-event.ts';
import type { StepJobFacts, StepPodFacts } from '../../../../src/plan/observed.ts';
import { aRawJob, aRawPod, garbled } from './raw-objects.ts';

const labels = { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'workflow', 'job-chief/name': 'nightly', 'job-chief/run': 'nightly-abc', 'job-chief/step': 'load' };
const ofRun = { name: 'nightly-load-1', uid: 'uid-1', labels };

function rawJob(spec: JsonObject = {}, status: JsonObject = {}): JsonObject {
  return aRawJob({ metadata: ofRun, spec: { parallelism: 1, completions: 1, completionMode: 'NonIndexed', template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main' }] } }, ...spec }, status });
}
const jobFacts = (raw: JsonObject): StepJobFacts | undefined => projectJob(raw, newShared())?.step;

const at = Date.UTC(2026, 0, 1, 12);
const ended = (name: string, exitCode = 0, more: JsonObject = {}): JsonObject => ({ name, state: { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: '2026-01-01T11:59:00Z', finishedAt: '2026-01-01T12:00:00Z', ...more } } });
const runs = (name: string): JsonObject => ({ name, state: { running: { startedAt: '2026-01-01T11:59:00Z' } } });

interface Pod {
  readonly statuses?: JsonObject[];
  readonly names?: readonly string[];
  readonly policy?: string;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
  readonly metadata?: JsonObject;
}
function rawPod({ statuses = [ended('main')], names = ['main'], policy = 'Never', spec = {}, status = {}, metadata = {} }: Pod): JsonObject {
  return { ...aRawPod({ phase: 'Running', containerStatuses: statuses, ...status }, { labels, ...metadata }), spec: { restartPolicy: policy, containers: names.map((name) => ({ name })), ...spec } };
}
const podFacts = (pod: Pod): StepPodFacts | undefined => projectPod(rawPod(pod), undefined, { now: 0, shared: newShared() })?.step;

describe('Jobs of runs', () => {
  it('tell what their outcome is read from', () => {
    const spec = { completionMode: 'Indexed', completions: 10, parallelism: 4, template: { spec: { restartPolicy: 'OnFailure' } } };
    expect(jobFacts(rawJob(spec, { completedIndexes: '0-2,5', failedIndexes: '4' }))).toEqual({
      indexed: true, completions: 10, parallelism: 4, restartPolicy: 'OnFailure', awaitsVerdict: false, completedIndexes: '0-2,5', failedIndexes: '4',
    });
  });

  it('are kept small: those of a kind share what they tell', () => {
    const shared = newShared();
    expect(projectJob(rawJob(), shared)?.step).toBe(projectJob(rawJob(), shared)?.step);
    expect(projectJob(aRawJob(), shared)).not.toHaveProperty('step');
  });

  it('without completions are work queues', () => {
    expect(jobFacts(rawJob({ completions: undefined, parallelism: 3 }))?.completions).toBeUndefined();
  });

  const ignore = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] };
  it.each<[string, JsonObject, boolean]>([
    ['an ordinary Job does not', {}, false],
    ['one with our own podFailurePolicy does not', { podFailurePolicy: { rules: [ignore] } }, false],
    ['one with a podFailurePolicy of the user does', { podFailurePolicy: { rules: [ignore, { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] } }, true],
    ['one that ignores other conditions does', { podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }, { type: 'Mine' }] }] } }, true],
    ['one that ignores exit codes does', { podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [3] } }] } }, true],
    ['one with a successPolicy does', { successPolicy: { rules: [{ succeededCount: 1 }] } }, true],
    ['one that the Job controller manages by name does not', { managedBy: 'kubernetes.io/job-controller' }, false],
    ['one that another controller manages does', { managedBy: 'kueue.x-k8s.io/multikueue' }, true],
  ])('whose verdict must be awaited: %s', (_sentence, spec, awaits) => {
    expect(jobFacts(rawJob(spec))?.awaitsVerdict).toBe(awaits);
  });
});

describe('a pod of a run is done', () => {
  it.each<[string, Pod, StepPodFacts['done']]>([
    ['with its container terminated with 0, though its phase is still Running', {}, 'succeeded'],
    ['and failed with another exit code', { statuses: [ended('main', 3)] }, 'failed'],
    ['not while its container runs', { statuses: [runs('main')] }, undefined],
    ['not before its containers have a status', { statuses: [] }, undefined],
    ['not while one of several containers runs, a plain sidecar too', { names: ['main', 'side'], statuses: [ended('main'), runs('side')] }, undefined],
    ['not while the status of one of several containers is missing', { names: ['main', 'side'], statuses: [ended('main')] }, undefined],
    ['when all of several containers have', { names: ['main', 'side'], statuses: [ended('main'), ended('side')] }, 'succeeded'],
    ['and failed when one of several did', { names: ['main', 'side'], statuses: [ended('main'), ended('side', 1)] }, 'failed'],
    ['while a native sidecar still runs', { spec: { initContainers: [{ name: 'proxy', restartPolicy: 'Always' }] }, status: { initContainerStatuses: [runs('proxy')] } }, 'succeeded'],
    ['not when its container will be restarted', { policy: 'OnFailure', statuses: [ended('main', 1)] }, undefined],
    ['with OnFailure as soon as it ended with 0', { policy: 'OnFailure' }, 'succeeded'],
    ['with OnFailure and failed when it is stopped', { policy: 'OnFailure', statuses: [ended('main', 143)], metadata: { deletionTimestamp: '2026-01-01T12:00:00Z' } }, 'failed'],
    ['with OnFailure and failed when its phase says so', { policy: 'OnFailure', statuses: [ended('main', 1)], status: { phase: 'Failed' } }, 'failed'],
    ["by a container's own restartPolicy", { spec: { containers: [{ name: 'main', restartPolicy: 'OnFailure' }] }, statuses: [ended('main', 1)] }, undefined],
    ['not where rules by exit code might start it again', { spec: { containers: [{ name: 'main', restartPolicyRules: [{ action: 'Restart' }] }] } }, undefined],
    ['not where containers always start again', { policy: 'Always' }, undefined],
    ['by its phase where the status of the containers is gone', { statuses: [], status: { phase: 'Succeeded' } }, 'succeeded'],
    ['and failed when it was evicted, even if its container took the signal well', { status: { phase: 'Failed', reason: 'Evicted' } }, 'failed'],
  ])('%s', (_sentence, pod, done) => {
    expect(podFacts(pod)?.done).toBe(done);
  });

  it('since the last of its containers ended', () => {
    const pod = { names: ['main', 'side'], statuses: [ended('main'), ended('side', 0, { finishedAt: '2026-01-01T11:59:30Z' })] };
    expect(podFacts(pod)?.doneAt).toBe(at);
    expect(podFacts({ ...pod, statuses: [ended('main')] })?.doneAt).toBeUndefined();
  });

  it('at an unknown time when the container never ran', () => {
    expect(podFacts({ statuses: [ended('main', 128, { finishedAt: '1970-01-01T00:00:00Z' })] })).toMatchObject({ done: 'failed', doneAt: undefined });
  });
});

describe('messages of a pod of a run', () => {
  it('are kept whole, up to the four KiB that Kubernetes keeps', () => {
    const message = 'x'.repeat(4096);
    expect(podFacts({ statuses: [ended('main', 0, { message })] })?.messages).toEqual([{ container: 'main', text: message }]);
  });

  it.each<[string, Pod]>([
    ['of a pod that has not ended', { names: ['main', 'side'], statuses: [ended('main', 0, { message: 'a=1' }), runs('side')] }],
    ['of a pod that failed', { names: ['main', 'side'], statuses: [ended('main', 0, { message: 'a=1' }), ended('side', 1, { message: 'b=2' })] }],
    ['where there are none', {}],
  ])('are not kept %s', (_sentence, pod) => {
    const facts = podFacts(pod);
    expect(facts?.messages).toEqual([]);
    expect(facts?.messages).toBe(podFacts({})?.messages);
  });

  it('share their room with all containers of the pod', () => {
    expect(podFacts({ names: ['a', 'b'], spec: { containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'c' }], ephemeralContainers: [{ name: 'd' }] } })?.containers).toBe(4);
  });
});

it.each<[string, JsonObject, number | undefined]>([
  ['the annotation', { annotations: { 'batch.kubernetes.io/job-completion-index': '12' } }, 12],
  ['the label', { labels: { ...labels, 'batch.kubernetes.io/job-completion-index': '3' } }, 3],
  ['neither', {}, undefined],
  ['garbage', { annotations: { 'batch.kubernetes.io/job-completion-index': '-1' } }, undefined],
])('the completion index is told by %s', (_sentence, metadata, index) => {
  expect(podFacts({ metadata })?.index).toBe(index);
});

it('how a native sidecar took its end is no failure of the pod', () => {
  const pod = rawPod({
    statuses: [ended('main', 3)],
    spec: { initContainers: [{ name: 'setup' }, { name: 'proxy', restartPolicy: 'Always' }] },
    status: { initContainerStatuses: [ended('setup'), ended('proxy', 143)] },
  });
  expect(projectPod(pod, undefined, { now: 0, shared: newShared() })?.failures.map(({ container }) => container)).toEqual(['main']);
});

it('pods of queues are not asked', () => {
  expect(projectPod(aRawPod({ containerStatuses: [ended('main')] }), undefined, { now: 0, shared: newShared() })).not.toHaveProperty('step');
});

it('whatever form an object has, only the want of name or UID throws', () => {
  const job = rawJob({ successPolicy: { rules: [] }, podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] } }, { completedIndexes: '0-2' });
  const pod = rawPod({ names: ['main', 'side'], statuses: [ended('main', 0, { message: 'a=1' }), ended('side')], spec: { initContainers: [{ name: 'proxy', restartPolicy: 'Always' }] }, status: { initContainerStatuses: [runs('proxy')] } });
  fc.assert(fc.property(garbled(job), garbled(pod), (rawOne, rawOther) => {
    const one = identityOf(rawOne) && jobFacts(rawOne);
    const other = identityOf(rawOther) && projectPod(rawOther, undefined, { now: 0, shared: newShared() })?.step;
    if (one) expect(one.completions === undefined || Number.isInteger(one.completions)).toBe(true);
    if (other) expect(other.doneAt === undefined || Number.isFinite(other.doneAt)).toBe(true);
  }), { numRuns: 1000 });
});
