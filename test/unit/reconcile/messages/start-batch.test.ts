import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import type { DropBatch, StartBatch } from '../../../../src/plan/messages/action.ts';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { CreateGate } from '../../../../src/reconcile/create-gate.ts';
import { Memory } from '../../../../src/reconcile/memory.ts';
import { LeaseBook } from '../../../../src/reconcile/messages/lease-book.ts';
import type { MessageNews } from '../../../../src/reconcile/messages/message-task.ts';
import { MessageTasks } from '../../../../src/reconcile/messages/message-tasks.ts';
import type { LiveBatch, ReadResult, WriteResult } from '../../../../src/reconcile/ports.ts';
import { aJobManifest, laxPolicy, noon } from '../../../support/builders.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { done, FakeCache, FakeJobs, FakeLeadership, FakeLog, refusal } from '../../../support/fakes.ts';
import { aDelivery, FakeMessageRuns, FakeMessages, FakePayloads } from '../../../support/message-fakes.ts';
import { pgBossSource } from '../../../support/sources.ts';

const key: SpecKey = { kind: 'queue', name: 'work' };
const work = pgBossSource('work');
const labels = { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'queue', 'job-chief/name': 'work' };
const about = { reason: 'MessageReceived', because: '2 messages were received', source: work, id: 'a' } as const;
const start = (changes: Partial<StartBatch> = {}): StartBatch => ({
  ...about, kind: 'startBatch', messages: [{ id: 'a', token: 'token-a' }, { id: 'b', token: 'token-b' }], hash: 'hash-1', jobName: 'work-m', afterDeletion: false,
  manifest: aJobManifest({ name: 'work-m', labels }), ours: [], payload: { kind: 'Secret', metadata: { name: 'work-m-1' }, data: {} }, ...changes,
});
const drop: DropBatch = { ...about, kind: 'dropBatch', ids: ['a', 'b'], job: { name: 'work-m', uid: 'uid-m', resourceVersion: '7' } };
const own = (changes: Partial<LiveBatch> = {}): LiveBatch => ({ name: 'work-m', uid: 'uid-m', resourceVersion: '7', deleting: false, finished: false, committed: false, resumed: false, kueue: false, secret: 'work-m-1', unsettled: ['a', 'b'], ...changes });
const rival = (name: string, changes: Partial<LiveBatch> = {}): LiveBatch => own({ name, uid: `uid-${name}`, secret: `${name}-1`, unsettled: ['b', 'c'], ...changes });
const listed = (...batches: LiveBatch[]): ReadResult<readonly LiveBatch[]> => ({ kind: 'found', value: batches });

function setting(...lists: ReadResult<readonly LiveBatch[]>[]) {
  const clock = new FakeClock(noon);
  const jobs = new FakeJobs();
  jobs.answers.batches = lists;
  const cache = new FakeCache();
  const memory = new Memory({ clock, cache });
  const leadership = new FakeLeadership();
  const source = new FakeMessages();
  const payloads = new FakePayloads();
  const news: MessageNews[] = [];
  const book = new LeaseBook({ clock, source, leased: (_key, { id }) => { tasks.leased(key, id); }, lost: () => undefined, changed: () => undefined });
  const tasks: MessageTasks = new MessageTasks({
    clock, jobs, cache, memory, leadership, log: new FakeLog(), source, payloads, runs: new FakeMessageRuns(), book, policy: laxPolicy, gate: new CreateGate(clock),
    told: (_key, one) => news.push(one), settled: () => undefined, changed: () => undefined,
  });
  book.wish(key, [{ source: work, free: 100, adopt: [] }]);
  for (const id of ['a', 'b']) source.of(work).events.leased(aDelivery(id));
  const run = async (action: StartBatch | DropBatch = start()): Promise<void> => {
    tasks.start(key, [action], []);
    await settle();
  };
  return { clock, jobs, memory, leadership, source, payloads, news, book, tasks, run, steps: () => news.map(({ step, result }) => `${step} ${result}`), reserved: () => memory.reservations(key).map(({ jobName, state }) => `${jobName} ${state}`) };
}

describe('starting a batch', () => {
  it('creates the Job, stores its payload, looks again, and lets it go as it was looked at', async () => {
    const { run, jobs, payloads, steps, reserved, tasks } = setting(listed(), listed(own({ uid: 'uid-new', resourceVersion: '9' })));
    await run();
    expect(jobs.requests).toEqual(['batches work', 'create work-m', 'batches work', 'patch work-m uid-new']);
    expect(jobs.patches).toEqual([{ metadata: { resourceVersion: '9', annotations: { 'job-chief/committed': 'true' } }, spec: { suspend: false } }]);
    expect([payloads.secrets.length, steps(), reserved(), [...tasks.underWay(key)]]).toEqual([1, ['created done'], ['work-m created'], ['a', 'b']]);
  });

  it('leaves it to Kueue when the pods of a Job in its queue begin', async () => {
    const { run, jobs, steps } = setting(listed(), listed(own({ kueue: true })));
    await run();
    expect(jobs.patches).toEqual([{ metadata: { resourceVersion: '7', annotations: { 'job-chief/committed': 'true' } } }]);
    expect(steps()).toEqual(['created done']);
  });

  it('reserves its name at once: plans count Jobs by names', () => {
    const { tasks, reserved } = setting();
    tasks.start(key, [start()], []);
    expect(reserved()).toEqual(['work-m pending']);
  });

  it('creates nothing while another has one of its messages', async () => {
    const { run, jobs, steps, reserved } = setting(listed(rival('work-x')));
    await run();
    expect([jobs.requests, steps(), reserved()]).toEqual([['batches work'], ['failed blocked'], []]);
  });

  it.each([
    ['was let go', { committed: true }],
    ['somebody resumed', { resumed: true }],
  ])('creates nothing while another that %s is being deleted: its pods may live', async (_sentence, changes) => {
    const { run, jobs, steps } = setting(listed(rival('work-x', { deleting: true, ...changes })));
    await run();
    expect([jobs.requests, steps()]).toEqual([['batches work'], ['failed blocked']]);
  });

  it('deletes another that comes before it by name, and is not let go, where Kueue has resumed its own', async () => {
    const { run, jobs } = setting(listed(), listed(own({ kueue: true, resumed: true }), rival('work-a', { kueue: true })), listed(own({ kueue: true, resumed: true })));
    await run();
    expect(jobs.requests.slice(2)).toEqual(['batches work', 'delete work-a uid-work-a 7', 'batches work', 'patch work-m uid-m']);
  });

  it('stores nothing for a Job in a queue of Kueue before it has looked, and before any other is gone: Kueue may resume both', async () => {
    const queued = own({ kueue: true });
    const { run, jobs, payloads } = setting(listed(), listed(queued, rival('work-x', { kueue: true })), listed(queued));
    payloads.stored = (): void => { jobs.requests.push('store'); };
    await run(start({ manifest: aJobManifest({ name: 'work-m', labels: { ...labels, 'kueue.x-k8s.io/queue-name': 'gpu' } }) }));
    expect(jobs.requests).toEqual(['batches work', 'create work-m', 'batches work', 'delete work-x uid-work-x 7', 'batches work', 'store', 'patch work-m uid-m']);
  });

  it('lets go what Kueue has resumed also without all leases: its pods may have begun', async () => {
    const resumed = own({ kueue: true, resumed: true });
    const { run, jobs, source } = setting(listed(resumed));
    source.of(work).events.lost('token-b', 'the connection broke');
    await run();
    expect(jobs.requests).toEqual(['batches work', 'patch work-m uid-m']);
  });

  it('is not held up by one that has settled them, or that is being deleted', async () => {
    const { run, jobs } = setting(listed(rival('work-x', { unsettled: ['c'] }), rival('work-y', { deleting: true })), listed(own()));
    await run();
    expect(jobs.requests).toContain('patch work-m uid-m');
  });

  it.each([
    ['was let go', rival('work-x', { committed: true })],
    ['somebody resumed', rival('work-x', { resumed: true })],
    ['comes before it by name', rival('work-a')],
  ])('gives way to another that came meanwhile and %s', async (_sentence, other) => {
    const { run, jobs, steps, reserved } = setting(listed(), listed(own(), other));
    await run();
    expect(jobs.requests).toEqual(['batches work', 'create work-m', 'batches work', 'delete work-m uid-m 7']);
    expect([jobs.patches, steps(), reserved()]).toEqual([[], ['failed blocked'], []]);
  });

  it('deletes another that comes behind it, as it was looked at, before it lets go', async () => {
    const { run, jobs } = setting(listed(), listed(own(), rival('work-x')), listed(own(), rival('work-x', { deleting: true })));
    await run();
    expect(jobs.requests).toEqual(['batches work', 'create work-m', 'batches work', 'delete work-x uid-work-x 7', 'batches work', 'patch work-m uid-m']);
  });

  it('lets nothing go without all leases, and deletes it again', async () => {
    const { run, jobs, source, payloads } = setting(listed(), listed(own()));
    payloads.answer = done();
    const create = payloads.create.bind(payloads);
    payloads.create = (secret: JsonObject): Promise<WriteResult> => {
      source.of(work).events.lost('token-b', 'the connection broke');
      return create(secret);
    };
    await run();
    expect([jobs.requests.at(-1), jobs.patches]).toEqual(['delete work-m uid-m 7', []]);
  });

  it('creates nothing without all leases', async () => {
    const { run, jobs, source } = setting(listed());
    source.of(work).events.lost('token-b', 'the connection broke');
    await run();
    expect(jobs.requests).toEqual(['batches work']);
  });

  it('keeps its name and its place while it waits for a clean answer', async () => {
    const { run, jobs, clock, reserved, tasks } = setting(listed());
    jobs.answers.create = refusal('unknown');
    jobs.answers.get = { kind: 'failed', message: 'no answer', forbidden: false };
    await run();
    expect([reserved(), [...tasks.namesUnderWay(key)]]).toEqual([['work-m unknown'], ['work-m']]);
    delete jobs.answers.create;
    jobs.answers.batches = [listed(), listed(own())];
    await clock.advance(1000);
    await settle();
    expect([reserved(), [...tasks.namesUnderWay(key)]]).toEqual([['work-m created'], []]);
  });

  it('looks again where somebody else has changed it', async () => {
    const { run, jobs, clock } = setting(listed(), listed(own()), listed(own({ resourceVersion: '8' })));
    jobs.answers.patch = refusal('conflict');
    await run();
    delete jobs.answers.patch;
    jobs.answers.batches = [listed(own({ resourceVersion: '12' }))];
    await clock.advance(1000);
    await settle();
    expect(jobs.patches.at(-1)).toMatchObject({ metadata: { resourceVersion: '12' } });
  });

  it('goes on after an answer that got lost: it was let go', async () => {
    const { run, jobs, clock, steps } = setting(listed(), listed(own()));
    jobs.answers.patch = refusal('unknown');
    await run();
    jobs.answers.batches = [listed(own({ committed: true }))];
    await clock.advance(1000);
    await settle();
    expect([steps(), jobs.patches.length]).toEqual([['failed unknown', 'created done'], 1]);
  });

  it('leaves one alone that another plan made under the same name', async () => {
    const { run, jobs, steps } = setting(listed(own({ secret: 'work-m-0' })));
    await run();
    expect([jobs.requests, steps()]).toEqual([['batches work'], ['failed blocked']]);
  });

  it('deletes it where its Secret is refused, and says so for each message', async () => {
    const { run, jobs, payloads, tasks } = setting(listed());
    payloads.answer = refusal('quota');
    await run();
    expect(jobs.requests).toEqual(['batches work', 'create work-m', 'delete work-m uid-new 200']);
    expect([...(tasks.memory(key)?.refusals ?? [])].map(([id, { kind }]) => `${id} ${kind}`)).toEqual(['a quota', 'b quota']);
  });

  it('starts nothing beside pods that a deleted Job has left', async () => {
    const { run, jobs, steps } = setting(listed());
    jobs.view = { highestSequence: 0, liveJobs: ['work-n'], livePods: ['work-n-0-x1x1x', 'work-gone-0-x2x2x'] };
    await run(start({ afterDeletion: true }));
    expect([jobs.requests, steps()]).toEqual([['batches work', 'live work'], ['failed blocked']]);
  });

  it('does nothing once another process leads', async () => {
    const { run, jobs, leadership } = setting(listed());
    leadership.leading = false;
    await run();
    expect(jobs.requests).toEqual([]);
  });
});

describe('dropping a batch', () => {
  it('deletes it as it was looked at', async () => {
    const { run, jobs, steps } = setting();
    await run(drop);
    expect([jobs.requests, steps()]).toEqual([['delete work-m uid-m 7'], ['dropped done']]);
  });

  it('leaves it where it has changed', async () => {
    const { run, jobs, steps } = setting();
    jobs.answers.delete = refusal('conflict');
    await run(drop);
    expect(steps()).toEqual(['failed conflict']);
  });
});
