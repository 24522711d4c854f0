import { describe, expect, it } from 'vitest';
import type { SettleMessage } from '../../../../src/plan/messages/action.ts';
import { entryWithoutJob, historyEntry, settledMessages } from '../../../../src/plan/messages/history-entries.ts';
import type { HistoryEntry } from '../../../../src/plan/messages/history.ts';
import { messagesOf } from '../../../../src/plan/messages/view.ts';
import type { ObservedJob, StepJobFacts } from '../../../../src/plan/observed.ts';
import { sourceText } from '../../../../src/spec/queue-source.ts';
import { aJob, failed, finalNote, noon, seconds } from '../../../support/builders.ts';
import { aLease, aMessage, aMessageJob, aMessagesView, anEndedMessageJob, aNote, orders, settledAs } from '../../../support/message-builders.ts';
import { aRecord } from '../../../support/record-fakes.ts';

const indexed: StepJobFacts = { indexed: true, completions: 2, parallelism: 2, restartPolicy: 'Never', awaitsVerdict: false, completedIndexes: '', failedIndexes: '' };
const entriesOf = (...jobs: ObservedJob[]): readonly HistoryEntry[] => settledMessages(messagesOf({ jobs }, aMessagesView({ leases: [aLease('b')] }))).map(historyEntry);

describe('a message of which a Job was settled', () => {
  it('is told of with all that the Job knows but its messages and outputs', () => {
    const job = anEndedMessageJob('a', 'failed', { createdAt: noon - seconds(9), startedAt: noon - seconds(8), finished: failed(noon - seconds(3)), recorded: finalNote('failed', { reason: 'OOMKilled', message: 'the last words of the container', exitCode: 137 }), note: { serial: 2, attempt: 2, enqueuedAt: noon - seconds(30) }, settled: settledAs('dead', noon - seconds(2)) });
    expect(entriesOf(job)).toEqual([{
      id: 'a', source: sourceText(orders), as: 'dead', settledAt: noon - seconds(2), reason: 'OOMKilled', enqueuedAt: noon - seconds(30), leasedAt: noon - seconds(5),
      job: { name: 'orders-a-2', serial: 2, attempt: 2, createdAt: noon - seconds(9), startedAt: noon - seconds(8), finishedAt: noon - seconds(3), outcome: 'failed', exitCode: 137 },
    }]);
  });

  it('has no end where it was settled at its creation and its Job still runs', () => {
    const [entry] = entriesOf(aMessageJob('a', { createdAt: noon - seconds(5), startedAt: undefined, settled: settledAs('taken') }));
    expect([entry?.as, entry?.reason, entry?.job]).toEqual(['taken', undefined, { name: 'orders-a-1', serial: 1, attempt: 1, createdAt: noon - seconds(5) }]);
  });

  it('has no end before its outcome is written down, which comes with all of it', () => {
    const [entry] = entriesOf(aMessageJob('a', { settled: settledAs('taken'), finished: failed() }));
    expect([entry?.job?.finishedAt, entry?.job?.outcome, entry?.reason]).toEqual([undefined, undefined, undefined]);
  });

  it('is known by its last Job that was settled, while another one runs', () => {
    const jobs = [anEndedMessageJob('a', 'failed', { settled: settledAs('returned', noon - seconds(9)) }), anEndedMessageJob('a', 'failed', { note: { serial: 2 }, settled: settledAs('returned', noon - seconds(7)) }), aMessageJob('a', { note: { serial: 3 } })];
    expect(entriesOf(...jobs).map(({ as, settledAt, job }) => [as, settledAt, job?.serial])).toEqual([['returned', noon - seconds(7), 2]]);
  });

  it('was settled when the last of its Jobs was marked: an older one says nothing newer of it', () => {
    const jobs = [anEndedMessageJob('a', 'failed', { settled: settledAs('returned', noon - seconds(1)) }), anEndedMessageJob('a', 'succeeded', { note: { serial: 2 }, settled: settledAs('completed', noon - seconds(7)) })];
    expect(entriesOf(...jobs).map(({ as, settledAt, job }) => [as, settledAt, job?.serial])).toEqual([['completed', noon - seconds(1), 2]]);
  });

  it('is not told of before', () => {
    expect(entriesOf(aMessageJob('a'), anEndedMessageJob('c', 'succeeded'))).toEqual([]);
  });

  it('is kept in plain and short words, whatever somebody wrote on its Job', () => {
    const job = anEndedMessageJob('a', 'failed', { name: 'x'.repeat(200), recorded: finalNote('failed', { reason: `"\\ ${'ü'.repeat(200)}` }), settled: settledAs('returned') });
    const [entry] = entriesOf(job);
    expect([entry?.job?.name, entry?.reason]).toEqual(['x'.repeat(63), `'/ ${'?'.repeat(60)}`]);
  });
});

describe('a message that had no Job for itself', () => {
  it('is told of by the run that it started', () => {
    const run = aRecord({ name: 'resize-1', createdAt: noon - seconds(9), request: { template: 'resize', trigger: 'message', queue: 'orders', specHash: 'hash-1' }, phase: 'Failed', result: { outcome: 'failed', reason: 'StepsFailed', message: 'of step "a"', startedAt: noon - seconds(8), finishedAt: noon - seconds(3), failedSteps: ['a'] }, message: { note: aNote('a'), settled: settledAs('dead', noon - seconds(2)) } });
    expect(settledMessages(messagesOf({ jobs: [] }, aMessagesView({ runs: [run] }))).map(historyEntry)).toEqual([expect.objectContaining({
      id: 'a', as: 'dead', reason: 'StepsFailed', settledAt: noon - seconds(2),
      job: { name: 'resize-1', carrier: { kind: 'Run' }, serial: 1, attempt: 1, createdAt: noon - seconds(9), startedAt: noon - seconds(8), finishedAt: noon - seconds(3), outcome: 'failed' },
    })]);
  });

  it('is told of by its index in the Job of its batch, once that is settled', () => {
    const batch = aJob({ name: 'orders-batch', step: { ...indexed, completedIndexes: '1' }, batch: { notes: [aNote('a'), aNote('b')], settled: new Map([[1, settledAs('completed')]]), committed: true } });
    expect(entriesOf(batch).map(({ id, as, job }) => [id, as, job?.name, job?.carrier, job?.outcome])).toEqual([['b', 'completed', 'orders-batch', { kind: 'index', index: 1 }, 'succeeded']]);
  });
});

describe('a message that was settled without a Job', () => {
  const failure = { reason: 'MessageInvalid', message: 'the body is no JSON', job: undefined, attempt: 1 };
  const fail: SettleMessage['how'] = { kind: 'fail', failure, delay: 0 };
  const dead: SettleMessage['how'] = { kind: 'dead', target: { queue: 'dead' }, failure, message: aMessage('a', { body: 'secret' }) };
  const settling = (changes: Partial<SettleMessage> = {}): SettleMessage => ({ kind: 'settle', reason: 'MessageInvalid', because: 'the body is no JSON', source: orders, id: 'a', job: undefined, token: 't', receipt: {}, how: fail, ...changes });

  it.each([['returned', fail], ['dead', dead]] as const)('is told of as %s, with why it got none', (as, how) => {
    expect(entryWithoutJob(settling({ how }), noon)).toEqual({ id: 'a', source: sourceText(orders), as, settledAt: noon, reason: 'MessageInvalid', detail: 'the body is no JSON' });
  });

  it.each<[string, Partial<SettleMessage>]>([
    ['a Job says it', { job: { name: 'orders-a-1', uid: 'uid', resourceVersion: '1' } }],
    ['it was acknowledged once more', { reason: 'MessageCompleted', how: { kind: 'complete', as: 'completed' } }],
    ['it was given back', { reason: 'MessageReleased', how: { kind: 'release' } }],
    ['its id is longer than an id may be', { id: 'x'.repeat(1025) }],
  ])('is not told of where %s', (_name, changes) => {
    expect(entryWithoutJob(settling(changes), noon)).toBeUndefined();
  });
});
