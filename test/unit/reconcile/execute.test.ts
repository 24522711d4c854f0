import { describe, expect, it } from 'vitest';
import type { Action, MarkAction, ScaleAction } from '../../../src/plan/action.ts';
import { CreateGate } from '../../../src/reconcile/create-gate.ts';
import { execute } from '../../../src/reconcile/execute.ts';
import { Memory } from '../../../src/reconcile/memory.ts';
import type { WriteResult } from '../../../src/reconcile/ports.ts';
import { endingNote, finalNote, laxPolicy, observed, ready, thumbnails } from '../../support/builders.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { done, FakeCache, FakeJobs, FakeLeadership, promised, refusal } from '../../support/fakes.ts';
import { planAt } from '../../support/planning.ts';

const job = { name: 'thumbnails-1', uid: 'uid-1', resourceVersion: '100' };
const because = 'it is so';
const end: Action = { kind: 'end', reason: 'StartTimeout', because, job, suspended: false, outcome: endingNote('notStarted') };
const scale: ScaleAction = { kind: 'scale', reason: 'QueueGrew', because, job, parallelism: 4 };
const mark: MarkAction = { kind: 'mark', reason: 'JobSucceeded', because, job, outcome: finalNote('succeeded'), ran: 1 };
const reown: Action = { kind: 'reown', reason: 'OwnerChanged', because, job, owner: { name: 'b', uid: 'cm-2' } };
const remove: Action = { kind: 'delete', reason: 'RetentionExceeded', because, job };
const create = planAt(observed({ depth: ready(1) })).actions[0]!;
const resolve: Action = { kind: 'resolve', reason: 'AnswerUnknown', because, jobName: 'thumbnails-2' };
const unclean: readonly WriteResult[] = [refusal('conflict'), refusal('refused'), refusal('quota'), refusal('forbidden'), refusal('unknown'), { kind: 'exists' }];
const changes = [end, scale, mark, reown, remove];

function setting(answers: FakeJobs['answers'] = {}) {
  const clock = new FakeClock();
  const leadership = new FakeLeadership();
  const jobs = new FakeJobs();
  jobs.answers = answers;
  const memory = new Memory({ clock, cache: new FakeCache() });
  return { jobs, memory, leadership, run: (...actions: readonly Action[]) => execute({ jobs, memory, policy: laxPolicy, gate: new CreateGate(clock), leadership }, thumbnails, actions) };
}

it('actions are carried out in their order', async () => {
  const { jobs, run, memory } = setting();
  const executed = await run(...changes);
  expect(jobs.requests).toEqual([...Array<string>(4).fill('patch thumbnails-1 uid-1'), 'delete thumbnails-1 uid-1 100']);
  expect(jobs.patches.map((patch) => Object.keys(patch))).toEqual([['metadata', 'spec'], ['spec'], ['metadata'], ['metadata']]);
  expect(executed).toEqual(changes.map((action) => ({ action, kind: 'done', result: 'done', message: because, job: { name: job.name, uid: job.uid } })));
  expect(memory.caughtUp(thumbnails)).toBe(false);
});

describe.each(changes)('$kind', (action) => {
  it('has nothing to do for a Job that is gone, and the rest goes on', async () => {
    const { run, memory } = setting({ patch: { kind: 'gone' }, delete: { kind: 'gone' } });
    expect((await run(action, action)).map(({ kind, result }) => [kind, result])).toEqual([['done', 'gone'], ['done', 'gone']]);
    expect(memory.caughtUp(thumbnails)).toBe(true);
  });

  it.each(unclean)('that comes to $kind fails, and the rest goes on', async (answer) => {
    const { run, jobs } = setting({ patch: answer, delete: answer });
    expect((await run(action, action)).map(({ kind, result }) => [kind, result])).toEqual([['failed', answer.kind], ['failed', answer.kind]]);
    expect(jobs.requests).toHaveLength(2);
  });
});

describe('a create', () => {
  it('that succeeds names its Job', async () => {
    const { run } = setting();
    expect(await run(create)).toMatchObject([{ kind: 'done', result: 'done', message: create.because, job: { uid: 'uid-new' } }]);
  });

  it.each(['quota', 'forbidden', 'refused'] as const)('that meets %s is remembered and waits', async (kind) => {
    const { run, memory } = setting({ create: refusal(kind, 'no') });
    expect(await run(create, remove)).toMatchObject([{ kind: 'waits', result: kind, message: 'no', job: undefined }]);
    expect(memory.refusal(thumbnails)).toMatchObject({ kind, hash: 'hash-1', message: 'no', count: 1 });
  });

  it.each([
    ['blocked', { live: { kind: 'found', value: { highestSequence: 1, liveJobs: ['x'], livePods: [] } } }],
    ['later', { live: { kind: 'failed', message: 'timed out', forbidden: false } }],
  ] as const)('that is %s backs off and is no refusal', async (result, answers) => {
    const { run, memory } = setting(answers);
    expect(await run(create, remove)).toMatchObject([{ kind: 'failed', result }]);
    expect(memory.refusal(thumbnails)).toBeUndefined();
  });
});

it('a name that is looked up and free is tried again in the next round', async () => {
  const { run, jobs } = setting();
  expect(await run(resolve, create)).toMatchObject([{ kind: 'failed', result: 'later' }]);
  expect(jobs.requests).toEqual(['get thumbnails-2']);
});

it('nothing to do is done at once', async () => {
  expect(await setting().run()).toEqual([]);
});

it('what is done alike to many Jobs is done side by side, and what follows waits for all of them', async () => {
  const { jobs, run } = setting();
  const answers = new Map<string, (answer: WriteResult) => void>();
  const sent: string[] = [];
  jobs.patch = (name) => {
    sent.push(name);
    const answer = promised<WriteResult>();
    answers.set(name, answer.keep);
    return answer.promise;
  };
  const named = (name: string) => ({ job: { ...job, name } });
  const running = run({ ...mark, ...named('a') }, { ...mark, ...named('b') }, { ...scale, ...named('c') });
  await settle();
  expect(sent).toEqual(['a', 'b']);
  answers.get('b')?.(done());
  await settle();
  answers.get('a')?.(refusal('unknown'));
  await settle();
  expect(sent).toEqual(['a', 'b', 'c']);
  answers.get('c')?.(done());
  expect((await running).map(({ result }) => result)).toEqual(['unknown', 'done', 'done']);
});

it('no action is begun once leadership has ended, not even between two of one round', async () => {
  const { jobs, leadership, run } = setting();
  const patch = jobs.patch.bind(jobs);
  jobs.patch = (...args) => {
    leadership.leading = false;
    return patch(...args);
  };
  const executed = await run(mark, scale, create);
  expect(executed.map(({ action, kind, result }) => [action.kind, kind, result])).toEqual([['mark', 'done', 'done'], ['scale', 'failed', 'skipped']]);
  expect(jobs.requests).toEqual(['patch thumbnails-1 uid-1']);
});
