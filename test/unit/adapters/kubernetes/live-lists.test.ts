import { expect, test } from 'vitest';
import { LiveLists } from '../../../../src/adapters/kubernetes/live-lists.ts';
import type { ListQuery, ListResult } from '../../../../src/adapters/kubernetes/client.ts';
import type { Resource } from '../../../../src/adapters/kubernetes/resources.ts';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { settle } from '../../../support/fake-clock.ts';
import { aRawJob, aRawPod } from './raw-objects.ts';

interface Sent {
  readonly resource: string;
  readonly query: ListQuery;
  readonly answer: (items: readonly unknown[] | 'fail') => void;
}

function setUp() {
  const sent: Sent[] = [];
  const list = (resource: Resource, query: ListQuery = {}) =>
    new Promise<ListResult>((resolve) => {
      sent.push({
        resource: resource.plural,
        query,
        answer: (items) => {
          if (items === 'fail') resolve({ kind: 'failed', failure: { status: 500, reason: '', message: 'oops', retryAfter: undefined } });
          else resolve({ kind: 'page', page: { items, resourceVersion: '1', continue: undefined } });
        },
      });
    });
  return { sent, lists: new LiveLists({ client: { list }, instance: 'blue' }) };
}

const key = (name: string): SpecKey => ({ kind: 'queue', name });
const jobOf = (name: string, run: string, more: object = {}) => {
  const raw = aRawJob();
  return { ...raw, metadata: { ...(raw['metadata'] as object), name: `${name}-${run}`, labels: { 'job-chief/kind': 'queue', 'job-chief/name': name, 'job-chief/run': run } }, ...more };
};
const finished = { status: { conditions: [{ type: 'SuccessCriteriaMet', status: 'True' }, { type: 'Complete', status: 'True' }] } };

test('one look asks for Jobs, and for metadata of living pods, at the same time', async () => {
  const { sent, lists } = setUp();
  const answer = lists.ask(key('a'));
  await settle();
  expect(sent.map((each) => [each.resource, each.query])).toEqual([
    ['jobs', { labelSelector: 'app.kubernetes.io/managed-by=job-chief,job-chief/instance=blue,job-chief/kind=queue,job-chief/name in (a)', priority: 'first' }],
    ['pods', { labelSelector: sent[0]?.query.labelSelector, fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed', metadataOnly: true, priority: 'first' }],
  ]);
  sent[0]?.answer([jobOf('a', '3', finished), jobOf('a', '12'), jobOf('b', '99')]);
  sent[1]?.answer([aRawPod({}, { labels: { 'job-chief/kind': 'queue', 'job-chief/name': 'a' } })]);
  expect(await answer).toEqual({ kind: 'found', value: { highestSequence: 12, liveJobs: ['a-12'], livePods: ['thumbnails-abc-x1'] } });
});

test('Jobs of runs are asked for by the record that made them, in requests of their own', async () => {
  const { sent, lists } = setUp();
  const run: SpecKey = { kind: 'run', name: 'nightly-abc' };
  const answers = [lists.ask(run), lists.ask(key('nightly-abc'))];
  await settle();
  const common = 'app.kubernetes.io/managed-by=job-chief,job-chief/instance=blue';
  expect(sent.filter(({ resource }) => resource === 'jobs').map(({ query }) => query.labelSelector)).toEqual([
    `${common},job-chief/kind in (workflow,template),job-chief/run in (nightly-abc)`,
    `${common},job-chief/kind=queue,job-chief/name in (nightly-abc)`,
  ]);
  const stepJob = { metadata: { name: 'nightly-extract-1', uid: 'u', labels: { 'job-chief/kind': 'workflow', 'job-chief/name': 'nightly', 'job-chief/run': 'nightly-abc' } } };
  for (const { resource, query, answer } of sent) answer(resource === 'jobs' && query.labelSelector?.includes('workflow') === true ? [stepJob] : []);
  expect(await Promise.all(answers)).toMatchObject([{ value: { liveJobs: ['nightly-extract-1'] } }, { value: { liveJobs: [] } }]);
});

test('a finished Job that is being deleted is live', async () => {
  const { sent, lists } = setUp();
  const answer = lists.ask(key('a'));
  await settle();
  const job = jobOf('a', '3', finished);
  sent[0]?.answer([{ ...job, metadata: { ...job.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }]);
  sent[1]?.answer([]);
  expect(await answer).toMatchObject({ value: { liveJobs: ['a-3'], highestSequence: 3 } });
});

test('who asks together shares a look; who asks during it shares the next', async () => {
  const { sent, lists } = setUp();
  const first = [lists.ask(key('a')), lists.ask(key('b')), lists.ask(key('a'))];
  await settle();
  expect(sent.length).toBe(2);
  const later = [lists.ask(key('a')), lists.ask(key('c'))];
  await settle();
  expect(sent.length).toBe(2);
  for (const each of sent.splice(0)) each.answer([]);
  expect((await Promise.all(first)).map((each) => each.kind)).toEqual(['found', 'found', 'found']);
  await settle();
  expect(sent.length).toBe(2);
  expect(sent[0]?.query.labelSelector).toContain('in (a,c)');
  for (const each of sent.splice(0)) each.answer([jobOf('c', '4')]);
  expect(await Promise.all(later)).toMatchObject([{ value: { liveJobs: [] } }, { value: { liveJobs: ['c-4'] } }]);
});

test.each(['jobs', 'pods'])('when the list of %s fails, nobody gets an answer', async (which) => {
  const { sent, lists } = setUp();
  const answers = [lists.ask(key('a')), lists.ask(key('b'))];
  await settle();
  for (const each of sent) each.answer(each.resource === which ? 'fail' : []);
  expect((await Promise.all(answers)).map((each) => each.kind)).toEqual(['failed', 'failed']);
});

test('many names go in requests of fifty', async () => {
  const { sent, lists } = setUp();
  const answers = Array.from({ length: 120 }, (_, n) => lists.ask(key(`q${n}`)));
  await settle();
  expect(sent.filter((each) => each.resource === 'jobs').map((each) => each.query.labelSelector?.split(' in ')[1]?.split(',').length)).toEqual([50, 50, 20]);
  for (const each of sent) each.answer(each.resource === 'jobs' && each.query.labelSelector?.includes('q60,') === true ? 'fail' : []);
  const kinds = (await Promise.all(answers)).map((each) => each.kind);
  expect(kinds.filter((kind) => kind === 'failed').length).toBe(50);
});
