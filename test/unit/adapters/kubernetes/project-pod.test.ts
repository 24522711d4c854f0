import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { newShared } from '../../../../src/adapters/kubernetes/project-job.ts';
import { isLiving, projectPod } from '../../../../src/adapters/kubernetes/project-pod.ts';
import type { CachedPod } from '../../../../src/adapters/kubernetes/project-pod.ts';
import { identityOf } from '../../../../src/adapters/kubernetes/watch-event.ts';
import { aRawPod, garbled } from './raw-objects.ts';

const project = (raw: JsonObject, before?: CachedPod, now = 1000) => projectPod(raw, before, { now, shared: newShared() });
const pod = (status: JsonObject = {}, metadata: JsonObject = {}): CachedPod => project(aRawPod(status, metadata))!;
const waiting = (reason: string, name = 'main', message = 'm'): JsonObject => ({ name, state: { waiting: { reason, message } } });

test('a running pod', () => {
  expect(pod({ containerStatuses: [{ name: 'main', state: { running: { startedAt: '2026-01-02T03:04:09Z' } } }] })).toEqual({
    key: { kind: 'queue', name: 'thumbnails' },
    place: { group: undefined, holder: 'queue thumbnails' },
    name: 'thumbnails-abc-x1',
    uid: 'pod-uid',
    jobUid: 'job-uid',
    jobName: 'thumbnails-abc',
    phase: 'Running',
    reason: undefined,
    deleting: false,
    node: 'node-1',
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 6),
    started: true,
    startedAt: Date.UTC(2026, 0, 2, 3, 4, 9),
    disrupted: false,
    unscheduled: undefined,
    waiting: undefined,
    failures: [],
  });
});

test('its Job is told by the owner, else by labels', () => {
  expect(pod({}, { ownerReferences: [] })).toMatchObject({ jobUid: 'job-uid', jobName: 'thumbnails-abc' });
  expect(pod({}, { ownerReferences: [{ kind: 'Job', name: 'other', uid: 'other-uid', controller: true }] })).toMatchObject({ jobUid: 'other-uid', jobName: 'other' });
  expect(pod({}, { ownerReferences: [], labels: { 'job-chief/kind': 'queue', 'job-chief/name': 'x' } })).toMatchObject({ jobUid: undefined, jobName: undefined });
});

describe('waiting', () => {
  const fatal = ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'RegistryUnavailable', 'ImageInspectError', 'CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'PreCreateHookError', 'PreStartHookError', 'PostStartHookError', 'ContainerCannotRun', 'StartError', 'CrashLoopBackOff'];
  test.each(fatal)('%s may not heal', (reason) => {
    expect(pod({ phase: 'Pending', containerStatuses: [waiting(reason)] }).waiting).toEqual({ reason, message: 'm', container: 'main', since: 1000 });
  });
  test.each(['ContainerCreating', 'PodInitializing', ''])('%s heals', (reason) => {
    expect(pod({ phase: 'Pending', containerStatuses: [waiting(reason)] }).waiting).toBeUndefined();
  });
  test('is looked for in all containers, init containers too', () => {
    expect(pod({ containerStatuses: [waiting('ContainerCreating'), waiting('ImagePullBackOff', 'second')] }).waiting?.container).toBe('second');
    expect(pod({ initContainerStatuses: [waiting('ErrImagePull', 'init')], containerStatuses: [waiting('PodInitializing')] }).waiting?.container).toBe('init');
  });
  test('the more telling reason wins', () => {
    expect(pod({ containerStatuses: [waiting('CrashLoopBackOff', 'a'), waiting('InvalidImageName', 'b')] }).waiting?.reason).toBe('InvalidImageName');
  });
  test('the time goes on while the kubelet alternates between error and back-off', () => {
    const first = project(aRawPod({ containerStatuses: [waiting('ErrImagePull')] }), undefined, 1000);
    const second = project(aRawPod({ containerStatuses: [waiting('ImagePullBackOff')] }), first, 9000);
    expect(second?.waiting).toMatchObject({ reason: 'ImagePullBackOff', since: 1000 });
    const healed = project(aRawPod({ containerStatuses: [waiting('ContainerCreating')] }), second, 10_000);
    expect(healed?.waiting).toBeUndefined();
    expect(project(aRawPod({ containerStatuses: [waiting('ErrImagePull')] }), healed, 11_000)?.waiting?.since).toBe(11_000);
  });
});

describe('failures', () => {
  const terminated = (name: string, exitCode: number, more: JsonObject = {}): JsonObject => ({ name, state: { terminated: { exitCode, reason: 'Error', ...more } } });
  test('of regular and init containers, by exit code', () => {
    const status = { initContainerStatuses: [terminated('init', 0), terminated('init-2', 5)], containerStatuses: [terminated('main', 3, { message: 'boom' }), terminated('side', 0)] };
    expect(pod(status).failures).toEqual([
      { container: 'init-2', exitCode: 5, reason: 'Error', message: '' },
      { container: 'main', exitCode: 3, reason: 'Error', message: 'boom' },
    ]);
  });
  test('messages keep their last KiB, in whole characters', () => {
    const message = pod({ containerStatuses: [terminated('main', 1, { message: `${'ä'.repeat(3000)}!` })] }).failures[0]!.message;
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
    expect(message).toMatch(/^…ä+!$/);
  });
});

test.each<[string, JsonObject, boolean, number | undefined]>([
  ['nothing known', {}, false, undefined],
  ['waiting', { containerStatuses: [waiting('ContainerCreating')] }, false, undefined],
  ['only an init container ran', { initContainerStatuses: [{ name: 'i', state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }] }, false, undefined],
  ['terminated', { containerStatuses: [{ state: { terminated: { startedAt: '2026-01-01T00:00:00Z', exitCode: 0 } } }] }, true, Date.UTC(2026, 0, 1)],
  ['waiting to restart', { containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { startedAt: '2026-01-01T00:00:00Z' } } }] }, true, Date.UTC(2026, 0, 1)],
  ['the first of two', { containerStatuses: [{ state: { running: { startedAt: '2026-01-01T00:00:05Z' } } }, { state: { running: { startedAt: '2026-01-01T00:00:01Z' } } }] }, true, Date.UTC(2026, 0, 1, 0, 0, 1)],
  ['deleted with its pod before it was made', { containerStatuses: [{ state: { terminated: { reason: 'ContainerStatusUnknown', startedAt: null, exitCode: 137 } } }] }, false, undefined],
  ['terminated without ever having run', { containerStatuses: [{ state: { terminated: { startedAt: '1970-01-01T00:00:00Z', exitCode: 128 } } }] }, true, undefined],
])('started: %s', (_name, status, started, startedAt) => {
  expect(pod(status)).toMatchObject({ started, startedAt });
});

test('scheduling and disruption are conditions', () => {
  expect(pod({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }] }).unscheduled).toEqual({ reason: 'Unschedulable', message: '0/3 nodes' });
  expect(pod({ conditions: [{ type: 'PodScheduled', status: 'True' }] }).unscheduled).toBeUndefined();
  expect(pod({ conditions: [{ type: 'DisruptionTarget', status: 'True' }] }).disrupted).toBe(true);
});

test('a pod lives until its phase says that it ended, also while it is deleted or its node is lost', () => {
  expect(['Pending', 'Running', 'Unknown', 'odd', undefined].map((phase) => isLiving(pod(phase === undefined ? { phase: null } : { phase })))).toEqual([true, true, true, true, true]);
  expect(['Succeeded', 'Failed'].map((phase) => isLiving(pod({ phase })))).toEqual([false, false]);
});

test('whatever form an object has, only the want of name or UID throws', () => {
  const rich = aRawPod({
    reason: 'Evicted',
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'r', message: 'm' }, { type: 'DisruptionTarget', status: 'True' }],
    initContainerStatuses: [{ name: 'i', state: { terminated: { exitCode: 1, message: 'x', startedAt: '2026-01-01T00:00:00Z' } } }],
    containerStatuses: [waiting('ErrImagePull'), { name: 'b', state: { running: { startedAt: '2026-01-01T00:00:00Z' } }, lastState: { terminated: { exitCode: 1 } } }],
  });
  fc.assert(fc.property(garbled(rich), (raw) => {
    const projected = identityOf(raw) ? project(raw) : undefined;
    if (projected === undefined) return;
    expect(projected.startedAt === undefined || Number.isFinite(projected.startedAt)).toBe(true);
    expect(projected.failures.every((failure) => Number.isFinite(failure.exitCode))).toBe(true);
  }), { numRuns: 2000 });
});
