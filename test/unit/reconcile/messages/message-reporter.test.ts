import { describe, expect, it } from 'vitest';
import type { MessageAction, SettleMessage } from '../../../../src/plan/messages/action.ts';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { MessageReporter } from '../../../../src/reconcile/messages/message-reporter.ts';
import type { MessageNews } from '../../../../src/reconcile/messages/message-task.ts';
import { noon } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeLog, FakeMeter } from '../../../support/fakes.ts';
import { aDelivery, FakeMessageMeter } from '../../../support/message-fakes.ts';
import { pgBossSource } from '../../../support/sources.ts';

const key: SpecKey = { kind: 'queue', name: 'work' };
const job = { name: 'work-a', uid: 'uid-a', resourceVersion: '1' };
const secret = 'the content of the message';
const about = { because: 'it came', source: pgBossSource('work'), id: 'a' } as const;
const start: MessageAction = { ...about, kind: 'startMessage', reason: 'MessageReceived', token: 't', hash: 'h', jobName: job.name, manifest: {}, ours: [], payload: { data: { body: secret } } };
const settling = (changes: Partial<SettleMessage>): SettleMessage => ({ ...about, kind: 'settle', reason: 'MessageCompleted', job, token: 't', receipt: { handle: secret }, how: { kind: 'complete', as: 'completed', output: { secret } }, ...changes });
const failure = { reason: 'Error', message: '', job: job.name, attempt: 1 };
const dead = { kind: 'dead', target: { queue: 'dead' }, failure, message: { id: 'a', body: Buffer.from(secret), headers: { secret }, contentType: undefined, enqueuedAt: undefined } } as const;

function aReporter() {
  const [clock, meter, messageMeter, log] = [new FakeClock(noon), new FakeMeter(), new FakeMessageMeter(), new FakeLog()];
  return { clock, meter, messageMeter, log, reporter: new MessageReporter({ clock, meter, messageMeter, log }) };
}
const news = (action: MessageAction, step: MessageNews['step'], changes: Partial<MessageNews> = {}): MessageNews => ({ action, step, result: 'done', message: 'it is so', job, took: 250, ...changes });

describe('a Job for a message', () => {
  it('is one line in the log, a counted action, and how long it took', () => {
    const { reporter, log, meter, messageMeter } = aReporter();
    reporter.told(key, news(start, 'created'));
    expect(log.lines).toEqual([{ level: 'info', message: 'a Job was created for a message', fields: { spec: 'spec/queue/work', action: 'startMessage', code: 'MessageReceived', messageId: 'a', job: 'work-a', result: 'done', because: 'it is so' } }]);
    expect([meter.calls, messageMeter.calls]).toEqual([
      [['action', key, 'startMessage', 'MessageReceived', 'done'], ['created', key, 0.25]],
      [['message', key, 'created'], ['stage', 'leased_to_created', 0.25]],
    ]);
  });

  it('has a payload, which is counted and hardly worth a line', () => {
    const { reporter, log, meter, messageMeter } = aReporter();
    reporter.told(key, news(start, 'posted'));
    expect([log.lines.map(({ level }) => level), meter.calls, messageMeter.calls]).toEqual([['debug'], [], [['message', key, 'payload_posted']]]);
  });
});

describe('what became of a message', () => {
  it.each<[string, Partial<SettleMessage>]>([
    ['completed', {}],
    ['taken', { how: { kind: 'complete', as: 'taken' } }],
    ['duplicate', { job: undefined }],
    ['returned', { how: { kind: 'fail', failure, delay: 0 } }],
    ['returned', { how: { kind: 'note', as: 'returned' } }],
    ['kept', { how: { kind: 'note', as: 'kept' } }],
    ['presumed', { how: { kind: 'note', as: 'presumed' } }],
    ['dead', { how: dead }],
    ['released', { how: { kind: 'release' }, job: undefined }],
    ['invalid', { reason: 'MessageInvalid', how: dead, job: undefined }],
    ['invalid', { reason: 'MessageInvalid', how: { kind: 'fail', failure, delay: 0 }, job: undefined }],
  ])('is counted as %s', (result, changes) => {
    const { reporter, log, messageMeter } = aReporter();
    reporter.told(key, news(settling(changes), 'settled'));
    expect([messageMeter.of('message'), messageMeter.of('stage'), log.lines.map(({ level }) => level)]).toEqual([[[key, result]], [['finished_to_settled', 0.25]], ['info']]);
  });

  it('is not counted where it did not come through, and is a warning', () => {
    const { reporter, log, meter, messageMeter } = aReporter();
    reporter.told(key, news(settling({}), 'failed', { result: 'lost', took: undefined }));
    expect([messageMeter.calls, meter.calls, log.lines.map(({ level }) => level)]).toEqual([[], [['action', key, 'settle', 'MessageCompleted', 'lost']], ['warn']]);
  });
});

describe('a lease', () => {
  it('tells how long its message had waited, where its queue tells', () => {
    const { reporter, messageMeter } = aReporter();
    const lease = aDelivery('a');
    for (const enqueuedAt of [noon - 1500, noon + 20, undefined]) reporter.leased({ ...lease, message: lease.message && { ...lease.message, enqueuedAt }, source: '' }, key);
    expect(messageMeter.of('stage')).toEqual([['enqueued_to_leased', 1.5], ['enqueued_to_leased', 0]]);
  });

  it('that is lost is counted, and why is said', () => {
    const { reporter, messageMeter, log } = aReporter();
    reporter.lost({ ...aDelivery('a'), source: '' }, key, 'the connection broke');
    expect([messageMeter.calls, log.lines]).toMatchObject([[['message', key, 'lease_lost']], [{ level: 'warn', fields: { messageId: 'a', because: 'the connection broke' } }]]);
  });
});

it('nothing of what is in a message gets into the log', () => {
  const { reporter, log } = aReporter();
  for (const step of ['created', 'posted', 'failed'] as const) reporter.told(key, news(start, step));
  for (const changes of [{}, { how: dead }]) for (const step of ['settled', 'failed'] as const) reporter.told(key, news(settling(changes), step));
  const lease = { ...aDelivery('a', { receipt: { handle: secret } }), source: '' };
  reporter.leased({ ...lease, message: { id: 'a', body: Buffer.from(secret), headers: { secret }, contentType: undefined, enqueuedAt: 1 } }, key);
  reporter.lost(lease, key, 'it expired');
  expect([log.lines.length, JSON.stringify(log.lines).includes(secret)]).toEqual([9, false]);
});
