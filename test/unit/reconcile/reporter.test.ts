import { describe, expect, it } from 'vitest';
import type { Plan, State, Status } from '../../../src/plan/action.ts';
import type { Observed } from '../../../src/plan/observed.ts';
import type { Reason } from '../../../src/plan/reason.ts';
import type { Executed } from '../../../src/reconcile/execute.ts';
import { Reporter } from '../../../src/reconcile/reporter.ts';
import { StatusWriter } from '../../../src/reconcile/status-writer.ts';
import { aClaim, aConfigMap, aFile, aJob, anEndedJob, aPod, aQueueSpec, aRunningPod, complete, endingNote, finalNote, noon, observed, ready, seconds, thumbnails } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeEvents, FakeLeadership, FakeLog, FakeMeter, FakeStatusSink } from '../../support/fakes.ts';
import { aMessageNote, FakeMessageMeter } from '../../support/message-fakes.ts';

function aStatus(state: State, reason: Reason, changes: { readonly hash?: string; readonly message?: string } = {}): Status {
  const accepted = state === 'Rejected' ? 'False' : state === 'Checking' ? 'Unknown' : 'True';
  return { state, reason, message: changes.message ?? `it is ${reason}`, health: 'Healthy', observedHash: changes.hash ?? 'hash-1', conditions: [{ type: 'Accepted', status: accepted, reason, message: '' }], lastRun: undefined, liveJobs: 0, oldJobs: 0 };
}
const checking = aStatus('Checking', 'SpecChecking');
const idle = aStatus('Idle', 'QueueEmpty');
const planOf = (...statuses: readonly Status[]): Plan => ({ actions: [], demands: [], statuses: statuses.map((status, claim) => ({ claim, status })), wants: 0, wakeAt: undefined });

function aReporter() {
  const clock = new FakeClock(noon);
  const sink = new FakeStatusSink();
  const events = new FakeEvents();
  const meter = new FakeMeter();
  const log = new FakeLog();
  const leadership = new FakeLeadership();
  const messageMeter = new FakeMessageMeter();
  const reporter = new Reporter({ clock, statuses: new StatusWriter({ clock, sink, busy: () => false, forbidden: () => undefined }), events, meter, messageMeter, log, leadership });
  return { messageMeter, clock, sink, events, meter, log, reporter, show: async (status: Status, view: Observed = observed()) => reporter.report(view, planOf(status), []) };
}

it('what a Queue goes through with each message is no news in the log', async () => {
  const { show, log } = aReporter();
  for (const reason of ['QueueListening', 'MessageReceived', 'MessagesRunning', 'QueueUnreachable', 'QueueListening'] as const) await show(aStatus('Idle', reason));
  const lines = log.lines.filter(({ message }) => message === 'state changed');
  expect(lines.map(({ level }) => level)).toEqual(['info', 'debug', 'debug', 'info', 'info']);
});

describe('events', () => {
  it('tell that a spec is accepted, once', async () => {
    const { show, events } = aReporter();
    for (const status of [checking, idle, idle, aStatus('Running', 'JobRunning'), idle]) await show(status);
    expect(events.emitted).toEqual([{ configMap: aConfigMap(), related: undefined, type: 'Normal', reason: 'SpecAccepted', message: 'Queue "thumbnails" is accepted' }]);
  });

  it('tell each beginning of a trouble, not its going on', async () => {
    const { show, events } = aReporter();
    const trouble = aStatus('Blocked', 'QueueUnreachable');
    for (const status of [idle, trouble, { ...trouble, message: 'another text' }, idle, trouble]) await show(status);
    expect(events.reasons).toEqual(['SpecAccepted', 'QueueUnreachable', 'QueueUnreachable']);
    expect(events.emitted[1]).toMatchObject({ type: 'Warning', message: 'it is QueueUnreachable' });
  });

  it.each(['SpecRejected', 'SpecSuperseded', 'SpecSuspended', 'TemplateRefused', 'BreakerOpen', 'ConnectionUnknown', 'QueueForbidden', 'QueueNotFound', 'QueueUnsupported', 'QueueRefused', 'LeaseTooShort', 'QuotaExceeded', 'CreateRefused', 'Forbidden', 'NoPodCreated'] as const)('tell of %s', async (reason) => {
    const { show, events } = aReporter();
    await show(idle);
    await show(aStatus('Blocked', reason));
    expect(events.reasons).toEqual(['SpecAccepted', reason]);
  });

  it.each(['JobRunning', 'JobStarting', 'WaitAfterFailed', 'QueueEmpty', 'PodsRemain', 'SpecObserved'] as const)('do not tell of %s: the status does', async (reason) => {
    const { show, events } = aReporter();
    await show(aStatus('Idle', reason));
    expect(events.reasons).toEqual(['SpecAccepted']);
  });

  it('tell of a rejection that is mended that the spec is accepted again', async () => {
    const { show, events } = aReporter();
    for (const status of [idle, aStatus('Rejected', 'SpecRejected', { hash: 'hash-2' }), aStatus('Idle', 'QueueEmpty', { hash: 'hash-3' })]) await show(status);
    expect(events.reasons).toEqual(['SpecAccepted', 'SpecRejected', 'SpecAccepted']);
  });

  it('tell of a second refused template that it is refused too', async () => {
    const { show, events } = aReporter();
    for (const hash of ['hash-1', 'hash-2']) {
      await show(aStatus('Checking', 'SpecChecking', { hash }));
      await show(aStatus('Rejected', 'TemplateRefused', { hash }));
    }
    expect(events.reasons).toEqual(['TemplateRefused', 'TemplateRefused']);
  });

  it('begin anew for a claim that was gone', async () => {
    const { show, events, reporter } = aReporter();
    await show(idle);
    reporter.forget(aClaim());
    await show(idle);
    expect(events.reasons).toEqual(['SpecAccepted', 'SpecAccepted']);
  });
});

describe('an open breaker', () => {
  const open = (probes: number, hash = 'hash-1'): Status => aStatus('Blocked', 'BreakerOpen', { hash, message: `${probes} Jobs failed` });
  const probing = aStatus('Running', 'JobRunning');
  const succeeded: Executed = { action: { kind: 'mark', reason: 'JobSucceeded', because: '', job: { name: 'a', uid: 'a', resourceVersion: '1' }, outcome: finalNote('succeeded'), ran: seconds(1) }, kind: 'done', result: 'done', message: '', job: { name: 'a', uid: 'a' } };
  const breakers = (events: FakeEvents): number => events.reasons.filter((reason) => reason === 'BreakerOpen').length;

  it('is told of once, however many probes fail', async () => {
    const { show, events } = aReporter();
    for (const status of [probing, open(3), probing, open(4), probing, open(5)]) await show(status);
    expect(breakers(events)).toBe(1);
  });

  it.each<[string, number, (parts: ReturnType<typeof aReporter>) => Promise<unknown>]>([
    ['after a Job succeeded', 2, ({ reporter }) => reporter.report(observed(), planOf(probing), [succeeded])],
    ['after nothing waited any more', 2, ({ show }) => show(idle)],
    ['after a probe that failed', 1, ({ show }) => show(probing)],
    ['after its status was forgotten', 2, async ({ reporter }) => { reporter.startAnew(); return Promise.resolve(); }],
  ])('is told of anew %s: %i', async (_when, times, meanwhile) => {
    const parts = aReporter();
    await parts.show(open(3));
    await meanwhile(parts);
    await parts.show(open(4));
    expect(breakers(parts.events)).toBe(times);
  });

  it('is told of anew for another revision', async () => {
    const { show, events } = aReporter();
    for (const status of [open(3), aStatus('Running', 'JobRunning', { hash: 'hash-2' }), open(3, 'hash-2')]) await show(status);
    expect(breakers(events)).toBe(2);
  });

  it('that was told of before a restart is not, when a probe fails after it', async () => {
    const { show, events } = aReporter();
    const left = observed({ claims: [aClaim(aQueueSpec(), aConfigMap({ writtenStatus: JSON.stringify(open(3)), writtenState: 'Blocked' }))] });
    for (const status of [open(3), probing, open(4)]) await show(status, left);
    expect(breakers(events)).toBe(0);
  });
});

describe('after a restart', () => {
  const left = (status: Status): Observed => observed({ claims: [aClaim(aQueueSpec(), aConfigMap({ writtenStatus: JSON.stringify(status), writtenState: status.state }))] });
  it.each([
    ['an accepted spec', idle],
    ['an unreachable queue', aStatus('Blocked', 'QueueUnreachable')],
    ['an open breaker', aStatus('Blocked', 'BreakerOpen')],
    ['a refused template', aStatus('Rejected', 'TemplateRefused')],
    ['a rejected spec', aStatus('Rejected', 'SpecRejected')],
  ])('%s is not told of again, also when it has to be checked first', async (_what, status) => {
    const { show, events } = aReporter();
    await show(checking, left(status));
    await show(status, left(status));
    expect(events.reasons).toEqual([]);
  });

  it('what is new is told', async () => {
    const { show, events } = aReporter();
    await show(aStatus('Blocked', 'BreakerOpen'), left(idle));
    expect(events.reasons).toEqual(['BreakerOpen']);
  });

  it('without a written status it is told again', async () => {
    const { show, events } = aReporter();
    await show(aStatus('Blocked', 'BreakerOpen'));
    expect(events.reasons).toEqual(['SpecAccepted', 'BreakerOpen']);
  });
});

describe('what was done', () => {
  const job = { name: 'thumbnails-1', uid: 'uid-thumbnails-1' };
  const ref = { ...job, resourceVersion: '100' };
  const end: Executed['action'] = { kind: 'end', reason: 'StartTimeout', because: 'too late', job: ref, suspended: false, outcome: endingNote('notStarted') };
  const mark: Executed['action'] = { kind: 'mark', reason: 'JobSucceeded', because: 'Completed', job: ref, outcome: finalNote('succeeded'), ran: seconds(60) };
  const create: Executed['action'] = { kind: 'create', reason: 'QueueReady', because: '1 ready message', blueprint: { identity: [], key: thumbnails, name: 'thumbnails', manifest: {} } };
  const reown: Executed['action'] = { kind: 'reown', reason: 'OwnerChanged', because: 'moved', job: ref, owner: { name: 'b', uid: 'cm-2' } };
  const did = (action: Executed['action'], changes: Partial<Executed> = {}): Executed => ({ action, kind: 'done', result: 'done', message: action.because, job, ...changes });

  it.each([
    ['a created Job', did(create), 'Normal', 'JobCreated', 'Job "thumbnails-1": 1 ready message'],
    ['an ended Job', did(end), 'Warning', 'StartTimeout', 'Job "thumbnails-1": too late'],
    ['an outcome', did(mark), 'Normal', 'JobSucceeded', 'Job "thumbnails-1": Completed'],
  ])('%s is an event that names the Job', async (_what, executed, type, reason, message) => {
    const { reporter, events } = aReporter();
    await reporter.report(observed(), planOf(), [executed]);
    expect(events.emitted).toEqual([]);
    await reporter.report(observed(), planOf(idle), [executed]);
    expect(events.emitted[0]).toEqual({ configMap: aConfigMap(), related: job, type, reason, message });
  });

  it.each([
    ['a change of owners is no event', did(reown)],
    ['what was gone already is no event', did(end, { result: 'gone' })],
    ['what did not come through is no event', did(end, { kind: 'failed', result: 'conflict' })],
  ])('%s', async (_sentence, executed) => {
    const { reporter, events } = aReporter();
    await reporter.report(observed(), planOf(idle), [executed]);
    expect(events.reasons).toEqual(['SpecAccepted']);
  });

  it('is counted with its result, and logged', async () => {
    const { reporter, meter, log } = aReporter();
    await reporter.report(observed(), planOf(idle), [did(end), did(end, { kind: 'failed', result: 'conflict', message: 'stale' })]);
    expect(meter.of('action')).toEqual([
      [thumbnails, 'end', 'StartTimeout', 'done'],
      [thumbnails, 'end', 'StartTimeout', 'conflict'],
    ]);
    expect(log.lines.slice(0, 2)).toEqual([
      { level: 'info', message: 'changed the cluster', fields: { spec: 'spec/queue/thumbnails', hash: 'hash-1', action: 'end', code: 'StartTimeout', job: 'thumbnails-1', result: 'done', because: 'too late' } },
      { level: 'warn', message: 'a change did not come through', fields: { spec: 'spec/queue/thumbnails', hash: 'hash-1', action: 'end', code: 'StartTimeout', job: 'thumbnails-1', result: 'conflict', because: 'stale' } },
    ]);
  });

  it('none for the Jobs of messages, of which there are too many: how long they took is measured', async () => {
    const { reporter, events, messageMeter } = aReporter();
    const pod = aPod({ started: true, startedAt: noon - seconds(31) });
    const job = anEndedJob('succeeded', { name: ref.name, uid: ref.uid, pods: [pod], message: { note: aMessageNote(), settled: undefined } });
    await reporter.report(observed({ jobs: [job] }), planOf(idle), [did(mark)]);
    await reporter.report(observed({ jobs: [{ ...job, pods: [] }] }), planOf(idle), [did(mark)]);
    expect([events.reasons, messageMeter.calls]).toEqual([['SpecAccepted'], [['stage', 'created_to_started', 30], ['stage', 'started_to_finished', 30]]]);
  });

  it('how long a Job took to start and to run is measured when it is marked', async () => {
    const { reporter, meter } = aReporter();
    const ran = aJob({ createdAt: noon - seconds(70), finished: complete(), pods: [aRunningPod({ startedAt: noon - seconds(66) }), aRunningPod({ startedAt: noon - seconds(68) })] });
    await reporter.report(observed({ jobs: [ran] }), planOf(idle), [did(mark)]);
    await reporter.report(observed({ jobs: [anEndedJob('succeeded')] }), planOf(idle), [did({ ...mark, ran: undefined })]);
    expect(meter.of('finished')).toEqual([
      [thumbnails, 'succeeded', 'Completed', { ran: 60, startup: 2 }],
      [thumbnails, 'succeeded', 'Completed', { ran: undefined, startup: undefined }],
    ]);
  });

  it('how long a Job took from the reading to its creation is measured', async () => {
    const { reporter, meter } = aReporter();
    await reporter.report(observed({ depth: ready(1) }), planOf(idle), [did(create)]);
    expect(meter.of('created')).toEqual([[thumbnails, 1]]);
  });

  it('a round that was refused on the way reports no state: the next one knows better', async () => {
    const { reporter, sink, events, meter } = aReporter();
    expect(await reporter.report(observed(), planOf(idle), [did(create, { kind: 'waits', result: 'quota', job: undefined })])).toBeUndefined();
    expect([sink.written, events.emitted, meter.of('spec')]).toEqual([[], [], []]);
  });
});

describe('the state', () => {
  it('is written for every claim and measured for the winner', async () => {
    const { reporter, sink, meter } = aReporter();
    const view = observed({ claims: [aClaim(), aClaim(aQueueSpec(), aConfigMap({ name: 'loser', uid: 'cm-2' }))] });
    await reporter.report(view, planOf(idle, aStatus('Superseded', 'SpecSuperseded')), []);
    expect(sink.written.map(({ name, state }) => [name, state])).toEqual([
      ['thumbnails', 'Idle'],
      ['loser', 'Superseded'],
    ]);
    expect(meter.of('spec')).toEqual([[thumbnails, { state: 'Idle', accepted: true, liveJobs: 0, claims: 2 }]]);
  });

  it('that must wait tells the earliest time to come back', async () => {
    const { show, clock } = aReporter();
    await show(idle);
    await clock.advance(seconds(4));
    expect(await show(aStatus('Running', 'JobRunning'))).toBe(seconds(6));
  });

  it('of a file goes to the log instead of events and annotations', async () => {
    const { reporter, sink, events, log } = aReporter();
    await reporter.report(observed({ claims: [aClaim(aQueueSpec(), aFile())] }), planOf(idle), []);
    expect([sink.written, events.emitted]).toEqual([[], []]);
    expect(log.lines[0]).toEqual({ level: 'info', message: 'spec file', fields: { spec: 'spec/queue/thumbnails', file: 'specs/thumbnails.yaml', code: 'SpecAccepted', because: 'Queue "thumbnails" is accepted' } });
  });
});

describe('a Job that vanished before its end', () => {
  it('is a warning on its ConfigMap', () => {
    const { reporter, events, log } = aReporter();
    reporter.jobVanished(thumbnails, { name: 'thumbnails-1', uid: 'u' }, [aClaim()]);
    expect(events.emitted).toEqual([{ configMap: aConfigMap(), related: { name: 'thumbnails-1', uid: 'u' }, type: 'Warning', reason: 'JobDeleted', message: 'Job "thumbnails-1" was deleted before it had finished' }]);
    expect(log.lines).toHaveLength(1);
  });

  it('of a file is in the log only', () => {
    const { reporter, events, log } = aReporter();
    reporter.jobVanished(thumbnails, { name: 'thumbnails-1', uid: 'u' }, [aClaim(aQueueSpec(), aFile())]);
    expect([events.emitted, log.lines.length]).toEqual([[], 1]);
  });
});
