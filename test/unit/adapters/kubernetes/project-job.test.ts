import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { finishedOf, newShared, projectJob, sequenceOf } from '../../../../src/adapters/kubernetes/project-job.ts';
import { readOutcome, readUpkeep } from '../../../../src/adapters/kubernetes/notes.ts';
import { identityOf } from '../../../../src/adapters/kubernetes/watch-event.ts';
import { aRawJob, garbled } from './raw-objects.ts';

const project = (raw: JsonObject) => projectJob(raw, newShared());

test('a Job is cut down to what decisions need', () => {
  expect(project(aRawJob())).toEqual({
    key: { kind: 'queue', name: 'thumbnails' },
    name: 'thumbnails-abc',
    uid: 'job-uid',
    place: { group: undefined, holder: 'queue thumbnails' },
    resourceVersion: '123',
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    deleting: false,
    ownerUid: 'owner-uid',
    specHash: 'hash',
    specSource: 'configMap',
    onSpecDelete: 'finish',
    sequence: 7,
    suspended: false,
    parallelism: 3,
    activeDeadlineSeconds: 60,
    startedAt: Date.UTC(2026, 0, 2, 3, 4, 6),
    finished: undefined,
    succeededPods: 1,
    failedPods: 2,
    recorded: { outcome: 'failed', reason: 'Error', message: 'exit 3', exitCode: 3, phase: 'final' },
    upkeep: { startTimeout: 900000, timeout: 1000, succeeded: { count: 3 }, failed: { count: 10, age: 604800000 } },
  });
});

test('the projection holds nothing of the raw object, and little at all', () => {
  const raw = aRawJob();
  const before = JSON.stringify(project(raw));
  expect(before.length).toBeLessThan(900);
  expect(before).not.toContain('managedFields');
});

test.each<[string, JsonObject[], string | undefined]>([
  ['none', [], undefined],
  ['Complete', [{ type: 'Complete', status: 'True' }], 'Complete'],
  ['Failed', [{ type: 'Failed', status: 'True' }], 'Failed'],
  ['SuccessCriteriaMet only', [{ type: 'SuccessCriteriaMet', status: 'True' }], undefined],
  ['FailureTarget only', [{ type: 'FailureTarget', status: 'True' }], undefined],
  ['FailureTarget before Failed', [{ type: 'FailureTarget', status: 'True' }, { type: 'Failed', status: 'True' }], 'Failed'],
  ['Suspended before Complete', [{ type: 'Suspended', status: 'False' }, { type: 'SuccessCriteriaMet', status: 'True' }, { type: 'Complete', status: 'True' }], 'Complete'],
  ['Failed that is not True', [{ type: 'Failed', status: 'False' }], undefined],
])('conditions: %s', (_name, conditions, expected) => {
  expect(finishedOf({ conditions })?.condition).toBe(expected);
});

test('the end of a Job: reason, message and time', () => {
  expect(finishedOf({ conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'm', lastTransitionTime: '2026-01-01T00:00:00Z' }] })).toEqual({
    condition: 'Failed', reason: 'BackoffLimitExceeded', message: 'm', at: Date.UTC(2026, 0, 1),
  });
});

test.each<[string, string | undefined, number | undefined]>([
  ['a number', '12', 12], ['zero', '0', 0], ['missing', undefined, undefined], ['text', 'x', undefined], ['negative', '-1', undefined], ['a fraction', '1.5', undefined], ['empty', '', undefined], ['beyond what a number holds', '99999999999999999999', undefined],
])('sequence from label: %s', (_name, label, expected) => {
  expect(sequenceOf({ metadata: { labels: label === undefined ? {} : { 'job-chief/run': label } } })).toBe(expected);
});

test('a Job whose labels name no spec is left out', () => {
  expect(project(aRawJob({ metadata: { name: 'x', uid: 'y', labels: { 'job-chief/kind': 'other', 'job-chief/name': 'z' } } }))).toBeUndefined();
  expect(project({})).toBeUndefined();
});

test.each(['', '{', 'null', '[]', '"x"', '{}', '{"outcome":"odd","phase":"final"}', '{"outcome":"failed"}', '{"outcome":"failed","phase":"x"}'])('garbage as outcome reads as nothing: %s', (text) => {
  expect(readOutcome(text)).toBeUndefined();
});

test.each(['', 'null', '[]', '{}', '{"startTimeout":-1,"succeeded":{},"failed":{}}', '{"startTimeout":1,"succeeded":3,"failed":{}}', '{"succeeded":{},"failed":{}}'])('garbage as upkeep reads as nothing: %s', (text) => {
  expect(readUpkeep(text)).toBeUndefined();
});

test('whatever form an object has, only the want of name or UID throws, and what is given is well formed', () => {
  fc.assert(fc.property(garbled(aRawJob()), (raw) => {
    const job = identityOf(raw) ? project(raw) : undefined;
    if (job === undefined) return;
    expect(Number.isFinite(job.createdAt)).toBe(true);
    expect(Number.isInteger(job.parallelism) && job.parallelism >= 0).toBe(true);
    expect(job.startedAt === undefined || Number.isFinite(job.startedAt)).toBe(true);
    expect(typeof job.name === 'string' && typeof job.uid === 'string').toBe(true);
  }), { numRuns: 2000 });
});
