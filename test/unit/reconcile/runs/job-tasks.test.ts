import { describe, expect, it } from 'vitest';
import type { CreateStepJob, LookUpJob } from '../../../../src/plan/run/action.ts';
import type { Attempt, RunState, Stopping } from '../../../../src/plan/run/state.ts';
import { CreateGate } from '../../../../src/reconcile/create-gate.ts';
import { runKey } from '../../../../src/reconcile/key.ts';
import { Memory } from '../../../../src/reconcile/memory.ts';
import type { LiveJob, ReadResult, WriteResult } from '../../../../src/reconcile/ports.ts';
import { JobTasks, type TaskNews } from '../../../../src/reconcile/runs/job-tasks.ts';
import { attemptLabel, managedBy, managedByLabel, runLabel, stepLabel } from '../../../../src/spec/keys.ts';
import { aJobManifest, aPod, laxPolicy, noon } from '../../../support/builders.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { done, FakeCache, FakeJobs, FakeLeadership, FakeLog, promised, refusal } from '../../../support/fakes.ts';
import { aState, FakeRecordStore } from '../../../support/record-fakes.ts';
import { aLoadedRun } from '../../../support/run-scene.ts';

const key = runKey('etl-1');
const labels = { [managedByLabel]: managedBy, [runLabel]: 'etl-1', [stepLabel]: 'load', [attemptLabel]: '1' };
const create: CreateStepJob = { kind: 'createStepJob', step: 'load', jobName: 'etl-load-1', reason: 'StepDue', because: 'it is due', manifest: aJobManifest({ name: 'etl-load-1', labels }) };
const lookUp: LookUpJob = { kind: 'lookUp', step: 'load', jobName: 'etl-load-1', reason: 'AnswerUnknown', because: 'it was seen' };
const found = (changes: Partial<LiveJob> = {}): ReadResult<LiveJob> => ({ kind: 'found', value: { name: 'etl-load-1', uid: 'uid-found', resourceVersion: '300', deleting: false, finished: false, labels, ...changes } });
const stopping: Stopping = { mode: 'cancel', reason: 'RunCancelled', message: 'enough', at: noon };
const cancelled: Attempt = { job: 'etl-load-1', at: noon, outcome: 'cancelled', reason: 'RunCancelled' };
const absent: ReadResult<LiveJob> = { kind: 'absent' };
const broken: ReadResult<LiveJob> = { kind: 'failed', message: 'timed out', forbidden: false };

function setting() {
  const clock = new FakeClock();
  const jobs = new FakeJobs();
  const store = new FakeRecordStore();
  const cache = new FakeCache();
  const memory = new Memory({ clock, cache });
  const leadership = new FakeLeadership();
  const log = new FakeLog();
  const news: TaskNews[] = [];
  let rounds = 0;
  const tasks = new JobTasks({ clock, jobs, cache, store, memory, leadership, log, policy: laxPolicy, gate: new CreateGate(clock), told: (_key, one) => news.push(one), changed: () => { rounds += 1; } });
  const run = aLoadedRun();
  const start = async (action: CreateStepJob | LookUpJob = create): Promise<void> => {
    tasks.start(key, run, action);
    await settle();
  };
  return { clock, jobs, cache, store, memory, leadership, log, tasks, run, start, results: () => news.map(({ result }) => result), news, rounds: () => rounds, reserved: () => memory.reservations(key).map(({ state }) => state) };
}

describe('an answer that comes after what it tells of', () => {
  it('brings a round: the Job may be there, or be gone again, and no event will tell that it is not awaited any more', async () => {
    const { cache, jobs, start, rounds } = setting();
    jobs.answers = { create: done('200') };
    cache.seen = 199;
    await start();
    expect(rounds()).toBe(0);
    cache.seen = 200;
    await start();
    expect(rounds()).toBe(1);
  });
});

describe('a Job that is gone', () => {
  it.each<[string, Partial<FakeJobs['answers']>, string[], boolean]>([
    ['is absent', {}, [], true],
    ['is absent beside pods of another', {}, ['etl-other-1-abcde'], true],
    ['whose pods the API server still has, and no watch shows, is not', {}, [`${create.jobName}-abcde`], false],
    ['is not while nobody can say what became of its pods', { live: { kind: 'failed', message: 'timed out', forbidden: false } }, [], false],
  ])('%s', async (_sentence, answers, livePods, absent) => {
    const { jobs, start, run } = setting();
    jobs.answers = answers;
    jobs.view = { highestSequence: 0, liveJobs: [], livePods };
    await start(lookUp);
    expect(run.absent.has(create.jobName)).toBe(absent);
  });

  it('is absent at once where plans see its pods', async () => {
    const { cache, jobs, start, run } = setting();
    cache.hold(key, [], [aPod({ jobName: create.jobName })]);
    await start(lookUp);
    expect([run.absent.has(create.jobName), jobs.requests]).toEqual([true, [`get ${create.jobName}`]]);
  });
});

describe('a create', () => {
  const table: readonly (readonly [string, WriteResult, ReadResult<LiveJob>, { readonly result: string; readonly reserved: string[]; readonly next: 'waits' | 'a round' | 'a round after a pause'; readonly refused?: string; readonly looked: boolean }])[] = [
    ['with a clean answer is believed', done('200'), absent, { result: 'done', reserved: ['created'], next: 'waits', looked: false }],
    ['that the API server looked at and did not take is refused', refusal('refused'), absent, { result: 'refused', reserved: [], next: 'a round', refused: 'refused', looked: false }],
    ['that meets a full quota', refusal('quota'), absent, { result: 'quota', reserved: [], next: 'a round', refused: 'quota', looked: true }],
    ['that meets a full quota although the name is ours', refusal('quota'), found(), { result: 'done', reserved: ['created'], next: 'waits', looked: true }],
    ['that is forbidden', refusal('forbidden'), absent, { result: 'forbidden', reserved: [], next: 'a round', refused: 'forbidden', looked: true }],
    ['whose answer was lost, and the Job is there', refusal('unknown'), found(), { result: 'done', reserved: ['created'], next: 'waits', looked: true }],
    ['whose answer was lost, and the Job is there and has finished', refusal('unknown'), found({ finished: true }), { result: 'done', reserved: ['created'], next: 'waits', looked: true }],
    ['whose answer was lost, and there is no Job', refusal('unknown'), absent, { result: 'unknown', reserved: [], next: 'a round after a pause', looked: true }],
    ['whose answer was lost, and nobody knows', refusal('unknown'), broken, { result: 'unknown', reserved: ['unknown'], next: 'a round after a pause', looked: true }],
    ['whose name is taken by our own earlier create', { kind: 'exists' }, found(), { result: 'done', reserved: ['created'], next: 'waits', looked: true }],
    ['whose name is taken by one of ours that is being deleted', { kind: 'exists' }, found({ deleting: true }), { result: 'unknown', reserved: ['unknown'], next: 'a round after a pause', looked: true }],
    ['whose name is taken by a stranger', { kind: 'exists' }, found({ labels: {} }), { result: 'taken', reserved: [], next: 'a round', refused: 'taken', looked: true }],
    ['whose name is taken by another run', { kind: 'exists' }, found({ labels: { ...labels, [runLabel]: 'etl-2' } }), { result: 'taken', reserved: [], next: 'a round', refused: 'taken', looked: true }],
    ['whose name is taken by another attempt', { kind: 'exists' }, found({ labels: { ...labels, [attemptLabel]: '2' } }), { result: 'taken', reserved: [], next: 'a round', refused: 'taken', looked: true }],
  ];
  it.each(table)('%s', async (_sentence, answer, get, { result, reserved, next, refused, looked }) => {
    const { jobs, start, results, rounds, clock, tasks, run, reserved: states } = setting();
    jobs.answers = { create: answer, get };
    await start();
    expect([results(), states(), run.refusals.get('etl-load-1')?.kind]).toEqual([[result], reserved, refused]);
    expect([...run.confirmed]).toEqual(result === 'done' ? ['etl-load-1'] : []);
    expect(jobs.requests).toEqual(['create etl-load-1', ...(looked ? ['get etl-load-1'] : [])]);
    expect([rounds(), tasks.underWay(key).size]).toEqual(next === 'a round after a pause' ? [0, 1] : [next === 'a round' ? 1 : 0, 0]);
    await clock.advance(10);
    expect([rounds(), tasks.underWay(key).size, clock.pending]).toEqual([next === 'waits' ? 0 : 1, 0, []]);
  });

  it('is known as under way until its answer is there, and is not sent twice', async () => {
    const { jobs, start, tasks } = setting();
    const answer = promised<WriteResult>();
    jobs.answers = { create: answer.promise };
    await start();
    await start();
    expect([jobs.requests, [...tasks.underWay(key)]]).toEqual([['create etl-load-1'], ['etl-load-1']]);
    answer.keep(done());
    await settle();
    expect(tasks.underWay(key).size).toBe(0);
  });

  it('that comes to nothing is paused for longer each time, until it comes to something', async () => {
    const { jobs, start, clock, rounds } = setting();
    jobs.answers = { create: refusal('unknown') };
    const pauses: number[] = [];
    for (let time = 0; time < 4; time += 1) {
      await start();
      pauses.push(clock.pending[0] ?? 0);
      await clock.next();
    }
    expect([pauses, rounds()]).toEqual([[10, 20, 40, 80], 4]);
    jobs.answers = {};
    await start();
    jobs.answers = { create: refusal('unknown') };
    await start();
    expect(clock.pending).toEqual([10]);
  });

  it('that is refused again is counted; one that is accepted ends the count', async () => {
    const { jobs, start, run } = setting();
    jobs.answers = { create: refusal('refused', 'no such class') };
    await start();
    await start();
    expect(run.refusals.get('etl-load-1')).toMatchObject({ kind: 'refused', message: 'no such class', count: 2 });
    jobs.answers = {};
    await start();
    expect(run.refusals.size).toBe(0);
  });

  it('a burst while the quota is full asks the API server once, not once for each', async () => {
    const { jobs, tasks, run, start, clock } = setting();
    jobs.answers = { create: refusal('quota') };
    await start();
    for (let index = 0; index < 50; index += 1) tasks.start(key, run, { ...create, jobName: `other-${index}` });
    await clock.advance(5);
    expect(jobs.requests).toEqual(['create etl-load-1', 'get etl-load-1']);
    expect([...run.refusals.values()].filter(({ kind }) => kind === 'quota')).toHaveLength(51);
  });

  it.each([
    ['is there', { kind: 'done', uid: 'u', resourceVersion: '1', warnings: [] }, 'done', ['create map', 'create etl-load-1']],
    ['meets a full quota', refusal('quota'), 'quota', ['create map']],
    ['gets no answer', refusal('unknown'), 'unknown', ['create map']],
    ['is that of before, on its way out', { kind: 'conflict', message: 'it is being deleted' }, 'unknown', ['create map']],
    ["is somebody else's", { kind: 'exists' }, 'taken', ['create map']],
  ] as const)('goes after the map of its items, which %s', async (_what, answer, result, requests) => {
    const { jobs, store, start, results, reserved } = setting();
    store.answers.createMap = [answer];
    await start({ ...create, map: { metadata: { name: 'etl-load-1-items' } } });
    expect([[...store.requests, ...jobs.requests], results()]).toEqual([requests, [result]]);
    expect(reserved()).toEqual(result === 'done' ? ['created'] : []);
  });

  it("says whose ConfigMap is in the way of its items, so that the step tells it", async () => {
    const { store, start, run, rounds } = setting();
    store.answers.createMap = [{ kind: 'exists' }];
    await start({ ...create, map: { metadata: { name: 'etl-load-1-items' } } });
    expect(run.refusals.get('etl-load-1')).toMatchObject({ kind: 'taken', message: 'the ConfigMap "etl-load-1-items", in which its items would be, is somebody else\'s: delete it' });
    expect(rounds()).toBe(1);
  });

  it('that throws is a bug in one task: the name is looked up later', async () => {
    const { jobs, start, log, reserved, rounds, clock } = setting();
    jobs.answers = { create: Promise.reject(new Error('socket hang up')) };
    await start();
    await clock.advance(10);
    expect([reserved(), rounds(), log.lines.map(({ level }) => level)]).toEqual([['pending'], 1, ['error']]);
  });

  it.each<[string, RunState, string[]]>([
    ['a step that is cancelled', aState({ stopping, steps: { load: { outcome: 'cancelled', attempts: [cancelled] } } }), []],
    ['an item that is cancelled', aState({ stopping, steps: { load: { items: [{ attempts: [] }, { attempts: [cancelled] }] } } }), []],
    ['an undo job that is cancelled', aState({ stopping, undo: { load: { outcome: 'cancelled', attempts: [cancelled] } } }), []],
    ['a step that may still start', aState({ stopping, steps: { load: { attempts: [{ job: 'etl-load-1', at: noon }] } } }), ['create etl-load-1']],
    ['a run that only starts nothing more', aState({ stopping: { ...stopping, mode: 'stop' }, steps: { load: { attempts: [{ job: 'etl-load-1', at: noon }] } } }), ['create etl-load-1']],
  ])('that waited for others of its run, of %s', async (_sentence, state, requests) => {
    const { jobs, tasks, run, start, rounds } = setting();
    run.state = state;
    await start();
    expect([jobs.requests, tasks.underWay(key).size, rounds()]).toEqual([requests, 0, requests.length === 0 ? 1 : 0]);
  });

  it('without leadership is not sent', async () => {
    const { jobs, start, leadership, tasks, reserved } = setting();
    leadership.leading = false;
    await start();
    expect([jobs.requests, tasks.underWay(key).size, reserved()]).toEqual([[], 0, []]);
  });
});

describe('a look-up of a Job that had been seen', () => {
  it('that is not found says so to the plan', async () => {
    const { start, run, rounds, reserved } = setting();
    await start(lookUp);
    expect([[...run.absent], rounds(), reserved()]).toEqual([['etl-load-1'], 1, []]);
  });

  it('that finds a namesake of somebody else does too', async () => {
    const { jobs, start, run } = setting();
    jobs.answers = { get: found({ labels: {} }) };
    await start(lookUp);
    expect([...run.absent]).toEqual(['etl-load-1']);
  });

  it('that finds it waits until the cache shows it', async () => {
    const { jobs, start, run, rounds, reserved } = setting();
    jobs.answers = { get: found() };
    await start(lookUp);
    expect([run.absent.size, rounds(), reserved()]).toEqual([0, 0, ['created']]);
  });

  it('that finds it being deleted looks again until it is gone', async () => {
    const { jobs, start, run, rounds, clock } = setting();
    jobs.answers = { get: found({ deleting: true }) };
    await start(lookUp);
    expect(run.absent.size).toBe(0);
    await clock.advance(10);
    expect(rounds()).toBe(1);
    jobs.answers = {};
    await start(lookUp);
    expect([[...run.absent], rounds()]).toEqual([['etl-load-1'], 2]);
  });

  it('that fails concludes nothing', async () => {
    const { jobs, start, run, rounds, clock } = setting();
    jobs.answers = { get: broken };
    await start(lookUp);
    expect([run.absent.size, rounds()]).toEqual([0, 0]);
    await clock.advance(10);
    expect(rounds()).toBe(1);
  });
});

describe('many at once', () => {
  it('are sent beside each other, but not more of one run than it may have', async () => {
    const { jobs, tasks, run, clock } = setting();
    await warm(jobs, tasks, run);
    const answer = promised<WriteResult>();
    jobs.answers = { create: answer.promise };
    jobs.requests.splice(0);
    for (let index = 0; index < 200; index += 1) tasks.start(key, run, { ...create, jobName: `job-${index}`, manifest: aJobManifest({ name: `job-${index}`, labels }) });
    tasks.start(runKey('etl-2'), aLoadedRun(), { ...create, jobName: 'of-another-run', manifest: aJobManifest({ name: 'of-another-run' }) });
    await clock.advance(1);
    expect(jobs.requests).toHaveLength(65);
    expect(jobs.requests).toContain('create of-another-run');
    answer.keep(done());
    await clock.advance(1);
    expect(jobs.requests).toHaveLength(201);
  });

  /** The gate opens with each create that succeeds. */
  async function warm(jobs: FakeJobs, tasks: JobTasks, run: ReturnType<typeof aLoadedRun>): Promise<void> {
    for (let index = 0; index < 12; index += 1) {
      tasks.start(key, run, { ...create, jobName: `warm-${index}` });
      await settle();
    }
    expect(jobs.requests).toHaveLength(12);
  }
});

it('stopping ends pauses, sends nothing more, and waits for what is under way', async () => {
  const { jobs, tasks, start, clock, rounds } = setting();
  jobs.answers = { create: refusal('unknown') };
  await start();
  expect(clock.pending).toHaveLength(1);
  const answer = promised<WriteResult>();
  jobs.answers = { create: answer.promise };
  tasks.start(key, aLoadedRun(), { ...create, jobName: 'slow' });
  await settle();
  let stopped = false;
  void tasks.stop().then(() => { stopped = true; });
  await settle();
  expect([stopped, clock.pending]).toEqual([false, []]);
  answer.keep(done());
  await settle();
  tasks.start(key, aLoadedRun(), { ...create, jobName: 'late' });
  await settle();
  expect([stopped, rounds(), jobs.requests.filter((request) => request.includes('late'))]).toEqual([true, 0, []]);
});
