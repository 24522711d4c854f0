import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { objectAt } from '../../../../src/lib/json.ts';
import { projectRecord } from '../../../../src/adapters/kubernetes/project-record.ts';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import { garbled } from './raw-objects.ts';
import { aRawRecord } from './raw-records.ts';

const labels = objectAt(objectAt(aRawRecord(), 'metadata'), 'labels');
const annotated = (annotations: JsonObject, state?: string): ObservedRecord | undefined =>
  projectRecord(aRawRecord({ annotations, labels: { ...labels, 'job-chief/state': state } }), 'blue');

test('a record is cut down to what other rounds need, from metadata alone', () => {
  const { data: _data, ...metadataOnly } = aRawRecord();
  const record = projectRecord(metadataOnly, 'blue');
  expect(record).toEqual({
    name: 'nightly-abc',
    uid: 'record-uid',
    resourceVersion: '123',
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    deleting: false,
    ownerUid: 'spec-uid',
    target: { kind: 'workflow', name: 'nightly' },
    request: {
      workflow: 'nightly', trigger: 'step', priority: 3,
      parent: { run: 'weekly-x', uid: 'u', step: 's', attempt: 1, depth: 1 },
      retention: { succeeded: { count: 3 }, failed: { age: 604_800_000 } },
    },
    phase: 'Failed',
    result: { outcome: 'failed', reason: 'StepFailed', message: 'load failed', startedAt: 1, finishedAt: 2, failedSteps: ['load'], outputs: { rows: 7 } },
    commands: { cancel: 'wrong day', suspend: true, approvals: new Map([['deploy', 'approved'], ['load', 'rejected']]) },
  });
  expect(projectRecord(aRawRecord(), 'blue')).toEqual(record);
});

test.each<[string, JsonObject]>([
  ['without the label of a record', { labels: { ...labels, 'job-chief-record': null } }],
  ['that holds files', { labels: { ...labels, 'job-chief-record': 'files' } }],
  ['of another instance', { labels: { ...labels, 'job-chief/instance': 'green' } }],
  ['without a UID', { uid: null }],
])('no record: a ConfigMap %s', (_name, metadata) => {
  expect(projectRecord(aRawRecord(metadata), 'blue')).toBeUndefined();
});

test('a run that its Run suspended is told from one that a person did', () => {
  const commandsOf = (text: string) => annotated({ 'job-chief/suspend': text })?.commands;
  expect([commandsOf('true'), commandsOf('run'), commandsOf('yes')].map((commands) => [commands?.suspend, commands?.suspendedByRun])).toEqual([[true, undefined], [true, true], [false, undefined]]);
});

test('what nobody wrote is absent', () => {
  expect(annotated({}, 'Queued')).toMatchObject({ phase: 'Queued', request: undefined, result: undefined, commands: { cancel: undefined, suspend: false, approvals: new Map() } });
  expect(projectRecord(aRawRecord({ ownerReferences: null, deletionTimestamp: '2026-01-01T00:00:00Z' }), 'blue')).toMatchObject({ ownerUid: undefined, deleting: true });
});

test.each<[string, string]>([
  ['no JSON', '{'],
  ['a list', '[]'],
  ['no workflow', '{"trigger":"change"}'],
  ['an empty workflow', '{"workflow":"","trigger":"change"}'],
  ['a workflow and a template', '{"workflow":"a","template":"a","trigger":"request"}'],
  ['an unknown trigger', '{"workflow":"a","trigger":"moon"}'],
  ['a text as time', '{"workflow":"a","trigger":"schedule","scheduledAt":"noon"}'],
  ['half a parent', '{"workflow":"a","trigger":"step","parent":{"run":"b"}}'],
  ['a bound that is no number', '{"workflow":"a","trigger":"change","retention":{"succeeded":{"count":"3"},"failed":{}}}'],
])('a request is unreadable as a whole with %s', (_name, text) => {
  expect(annotated({ 'job-chief/request': text })?.request).toBeUndefined();
});

test('a run of a template is known by its labels, and by its request', () => {
  const record = projectRecord(aRawRecord({ labels: { ...labels, 'job-chief/kind': 'template', 'job-chief/name': 'resize' }, annotations: { 'job-chief/request': '{"template":"resize","trigger":"request"}' } }), 'blue');
  expect(record).toMatchObject({ target: { kind: 'template', name: 'resize' }, request: { template: 'resize', trigger: 'request' } });
});

test('a field that a later version wrote does not make a request unreadable', () => {
  expect(annotated({ 'job-chief/request': '{"workflow":"a","trigger":"change","reasonForIt":"b"}' })?.request?.workflow).toBe('a');
});

const over = '{"outcome":"cancelled","reason":"r","message":"","startedAt":1,"finishedAt":2,"failedSteps":[]}';

test.each<[string, string | undefined, string | undefined, ObservedRecord['phase'], ObservedRecord['labelled']?]>([
  ['the label says it', 'Suspended', undefined, 'Suspended'],
  ['a result says more than a label that was edited', 'Running', over, 'Cancelled'],
  ['a result that cannot be read says nothing', 'Queued', '{}', 'Queued'],
  ['over by its label alone it is not: there is no result', 'Succeeded', undefined, 'Running', 'Succeeded'],
  ['over by its label with a result that cannot be read', 'Failed', '{}', 'Running', 'Failed'],
  ['of an unknown label it may be running', 'Sleeping', undefined, 'Running'],
  ['without a label it may be running', undefined, undefined, 'Running'],
])('phase: %s', (_name, label, result, phase, labelled) => {
  const record = annotated({ 'job-chief/result': result }, label);
  expect([record?.phase, record?.labelled]).toEqual([phase, labelled]);
});

test.each<[string, JsonObject, Partial<ObservedRecord['commands']>]>([
  ['cancel without a reason is a cancel', { 'job-chief/cancel': '' }, { cancel: 'no reason given' }],
  ['suspend is the word true and no other', { 'job-chief/suspend': 'yes' }, { suspend: false }],
  ['approvals: names alone approve, blanks do not matter', { 'job-chief/approvals': ' a , b=approved ,c = rejected,' }, { approvals: new Map([['a', 'approved'], ['b', 'approved'], ['c', 'rejected']]) }],
  ['approvals: a misspelt verdict counts for nothing', { 'job-chief/approvals': 'a=reject,b=, =approved ,c=approved=x,,d' }, { approvals: new Map([['d', 'approved']]), misread: ['a=reject', 'b=', '=approved', 'c=approved=x'] }],
  ['approvals: of two verdicts the rejection counts', { 'job-chief/approvals': 'a=rejected,a,b,b=rejected' }, { approvals: new Map([['a', 'rejected'], ['b', 'rejected']]) }],
])('%s', (_name, annotations, expected) => {
  expect(annotated(annotations)?.commands).toMatchObject(expected);
});

const kinds = { name: 'string', uid: 'string', resourceVersion: 'string', createdAt: 'number', deleting: 'boolean', target: 'object', phase: 'string' };

test('garbage anywhere never throws, and leaves every field of its type', () => {
  fc.assert(
    fc.property(garbled(aRawRecord()), (raw) => {
      const record = projectRecord(raw, 'blue');
      if (!record) return;
      expect(Object.fromEntries(Object.keys(kinds).map((key) => [key, typeof record[key as keyof ObservedRecord]]))).toEqual(kinds);
      expect(record.request === undefined || typeof (record.request.workflow ?? record.request.template) === 'string').toBe(true);
      expect(record.commands.approvals).toBeInstanceOf(Map);
    }),
    { numRuns: 1000 },
  );
});
