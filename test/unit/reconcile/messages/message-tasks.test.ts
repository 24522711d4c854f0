import { describe, expect, it } from 'vitest';
import { readSettledNote } from '../../../../src/adapters/kubernetes/message-notes.ts';
import { objectAt, stringAt } from '../../../../src/lib/json.ts';
import type { MessageAction, PostPayload, SettleMessage, Settling, StartMessage } from '../../../../src/plan/messages/action.ts';
import type { Failure } from '../../../../src/plan/messages/message.ts';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { CreateGate } from '../../../../src/reconcile/create-gate.ts';
import { Memory } from '../../../../src/reconcile/memory.ts';
import { LeaseBook } from '../../../../src/reconcile/messages/lease-book.ts';
import type { MessageNews } from '../../../../src/reconcile/messages/message-task.ts';
import { MessageTasks } from '../../../../src/reconcile/messages/message-tasks.ts';
import type { LiveJob, ReadResult } from '../../../../src/reconcile/ports.ts';
import { aJobManifest, anEndedJob, laxPolicy, noon } from '../../../support/builders.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { done, FakeCache, FakeJobs, FakeLeadership, FakeLog, promised, refusal } from '../../../support/fakes.ts';
import { anEndedMessageJob } from '../../../support/message-builders.ts';
import { aDelivery, FakeMessageRuns, FakeMessages, FakePayloads } from '../../../support/message-fakes.ts';
import { pgBossSource } from '../../../support/sources.ts';

const key: SpecKey = { kind: 'queue', name: 'work' };
const work = pgBossSource('work');
const labels = { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'queue', 'job-chief/name': 'work' };
const about = (id: string) => ({ reason: 'MessageReceived', because: 'it came', source: work, id }) as const;
const start = (id = 'a', changes: Partial<StartMessage> = {}): StartMessage => ({
  ...about(id), kind: 'startMessage', token: `token-${id}`, hash: 'hash-1', jobName: `work-${id}`,
  manifest: aJobManifest({ name: `work-${id}`, labels }), ours: [], payload: { kind: 'Secret', metadata: { name: `work-${id}` }, data: { body: 'e30=' } }, ...changes,
});
const job = { name: 'work-a', uid: 'uid-a', resourceVersion: '10' };
const settling = (how: Settling, changes: Partial<SettleMessage> = {}): SettleMessage => ({ ...about('a'), kind: 'settle', job, token: 'token-a', receipt: { handle: 'handle-a' }, how, ...changes });
const failure: Failure = { reason: 'OOMKilled', message: 'too much', job: 'work-a', attempt: 1 };
const message = { id: 'a', body: Buffer.from('{}'), headers: {}, contentType: undefined, enqueuedAt: undefined };
const complete: Settling = { kind: 'complete', as: 'completed' };
const fail: Settling = { kind: 'fail', failure, delay: 0 };
const dead: Settling = { kind: 'dead', target: { queue: 'dead' }, message, failure };
const found = (changes: Partial<LiveJob> = {}): ReadResult<LiveJob> => ({ kind: 'found', value: { name: 'work-a', uid: 'uid-found', resourceVersion: '300', deleting: false, finished: false, labels, messageId: 'a', ...changes } });

function setting(...ids: string[]) {
  const clock = new FakeClock(noon);
  const jobs = new FakeJobs();
  const cache = new FakeCache();
  const memory = new Memory({ clock, cache });
  const leadership = new FakeLeadership();
  const log = new FakeLog();
  const source = new FakeMessages();
  const payloads = new FakePayloads();
  const runs = new FakeMessageRuns();
  const news: MessageNews[] = [];
  const freed: string[] = [];
  const losses: string[] = [];
  let rounds = 0;
  const book = new LeaseBook({ clock, source, leased: (_key, { id }) => { tasks.leased(key, id); }, lost: (_key, { id }) => { losses.push(id); }, changed: () => undefined });
  const tasks: MessageTasks = new MessageTasks({
    clock, jobs, cache, memory, leadership, log, source, payloads, runs, book, policy: laxPolicy, gate: new CreateGate(clock),
    told: (_key, one) => news.push(one), settled: (name) => freed.push(name), changed: () => { rounds += 1; },
  });
  book.wish(key, [{ source: work, free: 100, adopt: [] }]);
  for (const id of ids.length === 0 ? ['a'] : ids) source.of(work).events.leased(aDelivery(id));
  const run = async (...actions: MessageAction[]): Promise<void> => {
    tasks.start(key, actions, [anEndedMessageJob('a', 'succeeded', { uid: 'uid-a', name: 'work-a' })]);
    await settle();
  };
  return { clock, jobs, cache, memory, leadership, log, source, payloads, runs, news, freed, losses, book, tasks, run, rounds: () => rounds, steps: () => news.map(({ step, result }) => `${step} ${result}`), underWay: () => [...tasks.underWay(key)] };
}

describe('starting', () => {
  it('creates the Job, then its payload, which the Job owns', async () => {
    const { run, jobs, payloads, steps, tasks, memory, freed } = setting();
    await run(start());
    expect([jobs.requests, steps(), freed]).toEqual([['create work-a'], ['created done', 'posted done'], ['work-a']]);
    expect(payloads.secrets).toEqual([{ kind: 'Secret', metadata: { name: 'work-a', ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'work-a', uid: 'uid-new', controller: true }] }, data: { body: 'e30=' } }]);
    expect([[...(tasks.memory(key)?.posted ?? [])], memory.reservations(key)]).toEqual([['uid-new'], [{ jobName: 'work-a', state: 'created' }]]);
  });

  it('creates nothing beside pods that a deleted Job has left, seen or not', async () => {
    const { run, jobs, steps, clock } = setting();
    jobs.view = { ...jobs.view, livePods: ['work-other-x2x2x', 'work-before-x1x1x'] };
    await run(start('a', { after: 'work-before' }));
    expect([jobs.requests, steps()]).toEqual([['live work'], ['failed blocked']]);
    jobs.view = { ...jobs.view, livePods: ['work-other-x2x2x'] };
    await clock.advance(1000);
    await run(start('a', { after: 'work-before' }));
    expect([jobs.requests, steps()]).toEqual([['live work', 'live work', 'create work-a'], ['failed blocked', 'created done', 'posted done']]);
  });

  it('creates nothing after a deleted Job whose pods cannot be listed', async () => {
    const { run, jobs, steps } = setting();
    jobs.answers.live = { kind: 'failed', message: 'connection refused', forbidden: false };
    await run(start('a', { after: 'work-before' }));
    expect([jobs.requests, steps()]).toEqual([['live work'], ['failed blocked']]);
  });

  it('posts nothing where the Job asks for nothing of the message', async () => {
    const { run, payloads, steps } = setting();
    await run(start('a', { payload: undefined }));
    expect([payloads.secrets, steps()]).toEqual([[], ['created done']]);
  });

  it('brings a round where the cache has seen the Job before the answer came', async () => {
    const { run, cache, rounds } = setting();
    await run(start());
    expect(rounds()).toBe(0);
    cache.seen = 200;
    await run(start());
    expect(rounds()).toBe(1);
  });

  it('creates nothing without the lease, also where it was lost while others were created', async () => {
    const { run, jobs, source, memory, freed, clock } = setting('a', 'b');
    const answer = promised<ReturnType<typeof done>>();
    jobs.answers = { create: answer.promise };
    await run(start('b'), start('a'));
    source.of(work).events.lost('token-a', 'expired');
    answer.keep(done());
    await clock.advance(5);
    expect([jobs.requests, memory.reservations(key).map(({ jobName }) => jobName), freed.toSorted()]).toEqual([['create work-b'], ['work-b'], ['work-a', 'work-b']]);
  });

  it('creates nothing where another replica leads', async () => {
    const { run, jobs, leadership, freed, underWay } = setting();
    leadership.leading = false;
    await run(start());
    expect([jobs.requests, freed, underWay()]).toEqual([[], ['work-a'], []]);
  });

  it('takes a Job of that name for its own if it says that it is for this message', async () => {
    const { run, jobs, payloads, steps, tasks } = setting();
    jobs.answers = { create: { kind: 'exists' }, get: found() };
    await run(start());
    expect([steps(), [...(tasks.memory(key)?.posted ?? [])], objectAt(payloads.secrets[0], 'metadata')['ownerReferences']]).toMatchObject([['created done', 'posted done'], ['uid-found'], [{ uid: 'uid-found' }]]);
  });

  it.each<[string, Partial<LiveJob>]>([
    ['another message', { messageId: 'b' }],
    ['no message', {}],
    ['another instance', { labels: { ...labels, 'job-chief/instance': 'other' } }],
  ])('takes a Job of that name that is for %s for somebody else\'s', async (_who, changes) => {
    const { run, jobs, memory, tasks } = setting();
    const { messageId: _id, ...value } = { ...(found() as { value: LiveJob }).value };
    jobs.answers = { create: { kind: 'exists' }, get: { kind: 'found', value: { ...value, ...('labels' in changes ? { messageId: 'a' } : {}), ...changes } } };
    await run(start());
    expect([tasks.memory(key)?.refusals.get('a'), memory.reservations(key)]).toMatchObject([{ kind: 'taken', hash: 'hash-1', count: 1 }, []]);
  });

  it('waits for a Job of that name which is being deleted', async () => {
    const { run, jobs, steps, tasks } = setting();
    jobs.answers = { create: { kind: 'exists' }, get: found({ deleting: true }) };
    await run(start());
    expect([steps(), tasks.memory(key)?.refusals.size]).toEqual([['failed exists'], 0]);
  });

  it.each(['quota', 'refused', 'forbidden'] as const)('remembers for each message how often in a row it was refused: %s', async (kind) => {
    const { run, jobs, tasks, clock, rounds } = setting();
    jobs.answers = { create: refusal(kind) };
    await run(start());
    await clock.advance(40_000);
    await run(start());
    expect(tasks.memory(key)?.refusals.get('a')).toMatchObject({ kind, hash: 'hash-1', count: 2, message: `it is ${kind}` });
    expect(rounds()).toBe(2);
    jobs.answers = {};
    await clock.advance(40_000);
    await run(start());
    expect(tasks.memory(key)?.refusals.size).toBe(0);
  });

  it('says why a payload is not stored, and the Job is there all the same', async () => {
    const { run, payloads, tasks, steps } = setting();
    payloads.answer = refusal('forbidden', 'cannot create secrets');
    await run(start());
    expect([steps(), tasks.memory(key)?.refusals.get('a')]).toMatchObject([['created done', 'failed forbidden'], { kind: 'forbidden', message: 'the Secret of the payload of Job "work-a": cannot create secrets' }]);
  });

  it('keeps a message that came to nothing for a growing pause', async () => {
    const { run, jobs, clock, underWay, rounds } = setting();
    jobs.answers = { create: refusal('unknown'), get: { kind: 'failed', message: 'timed out', forbidden: false } };
    await run(start());
    expect(underWay()).toEqual(['a']);
    await clock.advance(10);
    expect([underWay(), rounds()]).toEqual([[], 1]);
    await run(start());
    await clock.advance(10);
    expect([underWay(), rounds()]).toEqual([['a'], 1]);
    await clock.advance(10);
    expect([underWay(), rounds()]).toEqual([[], 2]);
  });

  it('is one task for each message, and the name of a second is free at once', async () => {
    const { run, jobs, freed } = setting();
    const answer = promised<ReturnType<typeof done>>();
    jobs.answers = { create: answer.promise };
    await run(start());
    await run(start('a', { jobName: 'work-a2' }));
    expect([jobs.requests, freed]).toEqual([['create work-a'], ['work-a2']]);
    answer.keep(done());
    await settle();
    expect(freed).toEqual(['work-a2', 'work-a']);
  });

  it('of many goes on side by side', async () => {
    const ids = Array.from({ length: 100 }, (_each, index) => `m${index}`);
    const { run, jobs, news } = setting(...ids);
    await run(...ids.map((id) => start(id)));
    await settle();
    expect([jobs.requests.length, news.filter(({ step }) => step === 'created').length]).toEqual([100, 100]);
  });

  it('that breaks unexpectedly is logged without the message, and tried again', async () => {
    const { run, jobs, log, clock, rounds } = setting();
    jobs.create = () => Promise.reject(new Error('bug'));
    await run(start());
    await clock.advance(10);
    expect([log.lines.map(({ level }) => level), JSON.stringify(log.lines).includes('e30='), rounds()]).toEqual([['error'], false, 1]);
  });
});

describe('posting a payload again', () => {
  const post: PostPayload = { ...about('a'), kind: 'postPayload', job, payload: { metadata: { name: 'work-a' } } };

  it.each([done(), { kind: 'exists' } as const])('is done when the Secret is there: $kind', async (answer) => {
    const { run, payloads, tasks, rounds } = setting();
    payloads.answer = answer;
    await run(post);
    expect([[...(tasks.memory(key)?.posted ?? [])], rounds(), payloads.secrets]).toMatchObject([['uid-a'], 1, [{ metadata: { ownerReferences: [{ uid: 'uid-a' }] } }]]);
  });

  it('that got no clean answer is not known to be done', async () => {
    const { run, payloads, tasks } = setting();
    payloads.answer = refusal('unknown');
    await run(post);
    expect(tasks.memory(key)?.posted.size).toBe(0);
  });
});

/** What was asked of queue and API server, in order. */
function orders(parts: ReturnType<typeof setting>): string[] {
  const order: string[] = [];
  const { source, jobs } = parts;
  const [tell, publish, patch] = [source.settle.bind(source), source.deadLetter.bind(source), jobs.patch.bind(jobs)];
  source.settle = (...asked) => { order.push(asked[2].kind); return tell(...asked); };
  source.deadLetter = (...asked) => { order.push('publish'); return publish(...asked); };
  jobs.patch = (...asked) => { order.push(noteOf(asked[2])); return patch(...asked); };
  return order;
}
const noteOf = (patch: Parameters<FakeJobs['patch']>[2]): string => `mark ${readSettledNote(stringAt(objectAt(objectAt(patch, 'metadata'), 'annotations'), 'job-chief/settled'))?.as ?? 'nothing'}`;

describe('settling', () => {
  it.each<[string, Settling, string[]]>([
    ['success is acknowledged, then marked', complete, ['complete', 'mark completed']],
    ['a message that the Job alone keeps is acknowledged, then marked', { kind: 'complete', as: 'taken' }, ['complete', 'mark taken']],
    ['failure is marked, then told', fail, ['mark returned', 'fail']],
    ['a dead letter is published, marked, and then acknowledged', dead, ['publish', 'mark dead', 'complete']],
    ['another attempt is only marked', { kind: 'note', as: 'returned' }, ['mark returned']],
    ['what was never tried is only marked', { kind: 'note', as: 'kept' }, ['mark kept']],
    ['what nobody can do anything with is given back', { kind: 'release' }, ['release']],
  ])('%s', async (_sentence, how, expected) => {
    const parts = setting();
    const order = orders(parts);
    await parts.run(settling(how));
    expect([order, parts.steps()]).toEqual([expected, ['settled done']]);
  });

  it('takes what the queue was told of out of hand, and what was only noted not', async () => {
    for (const [how, left] of [[complete, 0], [fail, 0], [dead, 0], [{ kind: 'release' }, 0], [{ kind: 'note', as: 'returned' }, 1]] as const) {
      const { run, book, losses } = setting();
      await run(settling(how));
      expect([how.kind, book.count(key), losses]).toEqual([how.kind, left, []]);
    }
  });

  it('hands on the outputs, and tells how long it took since the Job ended', async () => {
    const { run, source, news, clock } = setting();
    clock.setWallClock((anEndedJob('succeeded').finished?.at ?? 0) + 250);
    await run(settling({ ...complete, output: { rows: 3 } }));
    expect([source.verdicts, news[0]?.took]).toEqual([[{ kind: 'complete', output: { rows: 3 } }], 250]);
  });

  it('decides nothing about the message until the cache shows the mark', async () => {
    const { run, cache, underWay, rounds } = setting();
    await run(settling(complete));
    expect([underWay(), rounds()]).toEqual([['a'], 1]);
    cache.seen = 200;
    expect(underWay()).toEqual([]);
  });

  it('acknowledges once, however often the mark fails', async () => {
    const parts = setting();
    const order = orders(parts);
    parts.jobs.answers = { patch: refusal('unknown') };
    await parts.run(settling(complete));
    await parts.clock.advance(35);
    expect(parts.underWay()).toEqual(['a']);
    parts.jobs.answers = {};
    await parts.clock.advance(60);
    expect([order.filter((step) => step === 'complete'), order.at(-1), parts.steps().at(-1)]).toEqual([['complete'], 'mark completed', 'settled done']);
  });

  it.each<[string, Settling]>([['success', complete], ['release', { kind: 'release' }]])('of which the queue does not answer is decided anew: %s', async (_what, how) => {
    const parts = setting();
    parts.source.answers = { settle: { kind: 'failed', message: 'timed out' } };
    await parts.run(settling(how));
    await parts.clock.advance(10);
    expect([parts.underWay(), parts.rounds(), parts.book.count(key), parts.jobs.requests]).toEqual([[], 1, 1, []]);
  });

  it('goes on telling of a failure that is marked, so that nobody tries it once more under this lease', async () => {
    const parts = setting();
    const order = orders(parts);
    parts.source.answers = { settle: { kind: 'failed', message: 'timed out' } };
    await parts.run(settling(fail));
    await parts.clock.advance(35);
    expect([order, parts.underWay()]).toEqual([['mark returned', 'fail', 'fail', 'fail'], ['a']]);
    parts.source.answers = {};
    await parts.clock.advance(40);
    expect([order.at(-1), parts.book.count(key)]).toEqual(['fail', 0]);
  });

  it('acknowledges no dead letter that was not published, and publishes none twice', async () => {
    const parts = setting();
    const order = orders(parts);
    parts.source.answers = { deadLetter: { kind: 'failed', message: 'there is no such queue' } };
    await parts.run(settling(dead));
    await parts.clock.advance(10);
    expect([order, parts.rounds(), parts.book.count(key)]).toEqual([['publish'], 1, 1]);
    parts.source.answers = { settle: { kind: 'failed', message: 'timed out' } };
    await parts.run(settling(dead));
    await parts.clock.advance(20);
    parts.source.answers = {};
    await parts.clock.advance(60);
    expect([order, parts.book.count(key)]).toEqual([['publish', 'publish', 'mark dead', 'complete', 'complete', 'complete'], 0]);
  });

  it('needs no Job: an invalid message goes where dead ones go', async () => {
    const parts = setting();
    const order = orders(parts);
    await parts.run(settling(dead, { job: undefined, reason: 'MessageInvalid' }));
    expect([order, parts.book.count(key), parts.rounds()]).toEqual([['publish', 'complete'], 0, 1]);
  });

  it('with a lease that is lost leaves the message to the next delivery', async () => {
    const { run, source, tasks, losses, jobs, steps } = setting();
    source.answers = { settle: { kind: 'lost', message: 'somebody else has it' } };
    await run(settling(complete));
    expect([[...(tasks.memory(key)?.lost ?? [])], losses, jobs.requests, steps()]).toEqual([['uid-a'], ['a'], [], ['failed lost', 'failed lost']]);
    source.of(work).events.leased(aDelivery('a', { token: 'token-a2' }));
    expect(tasks.memory(key)?.lost.size).toBe(0);
  });

  it('with a lease that is lost acknowledges by its receipt, as long as that is good for it', async () => {
    const { run, source, tasks, losses, steps } = setting();
    source.answers = { settle: { kind: 'lost', message: 'it is not in hand any more' }, byReceipt: { kind: 'done' } };
    await run(settling(complete));
    expect(source.deliveries.map(({ token, receipt }) => [token, receipt])).toEqual([['token-a', { handle: 'handle-a' }], [undefined, { handle: 'handle-a' }]]);
    expect([[...(tasks.memory(key)?.lost ?? [])], losses, steps()]).toEqual([[], ['a'], ['failed lost', 'settled done']]);
  });

  it.each([['that has no receipt', { receipt: {} }, []], ['beside which another is in hand', {}, ['a2']]] as const)('with a lease that is lost %s asks nothing more', async (_which, changes, others) => {
    const { run, source } = setting();
    for (const token of others) source.of(work).events.leased(aDelivery('a', { token }));
    source.answers = { settle: { kind: 'lost', message: 'it is not in hand any more' } };
    await run(settling(complete, changes));
    expect(source.requests).toEqual(['complete a']);
  });

  it('with a receipt that is worth nothing any more says nothing about a delivery in hand', async () => {
    const { run, source, tasks } = setting();
    source.answers = { settle: { kind: 'lost', message: 'somebody else has it' } };
    await run(settling(complete, { token: undefined }));
    expect(tasks.memory(key)?.lost.size).toBe(0);
  });

  it('needs no mark on a Job that is gone, or whose name another has', async () => {
    for (const answers of [{ patch: { kind: 'gone' } as const }, { patch: refusal('conflict'), get: found({ uid: 'uid-other' }) }, { patch: refusal('conflict') }]) {
      const { run, jobs, steps } = setting();
      jobs.answers = answers;
      await run(settling(complete));
      expect(steps()).toEqual(['settled done']);
    }
  });

  it('tries the mark again where the Job is there and was only being written', async () => {
    const { run, jobs, steps, clock } = setting();
    jobs.answers = { patch: refusal('conflict'), get: found({ uid: 'uid-a' }) };
    await run(settling(complete));
    jobs.answers = {};
    await clock.advance(10);
    expect(steps()).toEqual(['failed conflict', 'settled done']);
  });

  it('stops between two steps when another replica leads', async () => {
    const parts = setting();
    const order = orders(parts);
    const answer = promised<{ kind: 'done' }>();
    parts.source.answers = { settle: answer.promise };
    await parts.run(settling(complete));
    parts.leadership.leading = false;
    answer.keep({ kind: 'done' });
    await parts.clock.advance(60_000);
    expect([order, parts.underWay()]).toEqual([['complete'], []]);
  });
});

describe('the end', () => {
  it('waits for what is under way, and sends nothing more', async () => {
    const { tasks, run, jobs, clock } = setting('a', 'b');
    const answer = promised<ReturnType<typeof done>>();
    jobs.answers = { create: answer.promise };
    await run(start('a'));
    let stopped = false;
    const stopping = tasks.stop().then(() => { stopped = true; });
    await run(start('b'));
    expect(stopped).toBe(false);
    answer.keep(done());
    await stopping;
    expect([jobs.requests, clock.pending]).toEqual([['create work-a'], []]);
  });

  it('ends pauses as well', async () => {
    const { tasks, run, jobs, clock } = setting();
    jobs.answers = { create: refusal('unknown') };
    await run(start());
    await tasks.stop();
    expect(clock.pending).toEqual([]);
  });
});
