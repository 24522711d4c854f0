import { describe, expect, it } from 'vitest';
import { aRunningPod } from '../../../support/builders.ts';
import { aLease, aMessageJob, aMessageQueueSpec, anEndedMessageJob, freeOf, observedMessages, said, settledAs } from '../../../support/message-builders.ts';
import { acts, planAt, standing } from '../../../support/planning.ts';

const spec = aMessageQueueSpec();

describe('a first look', () => {
  it('listens', () => {
    const view = observedMessages(spec);
    expect(standing(view)).toEqual({ state: 'Idle', reason: 'QueueListening', message: 'waits for messages' });
    expect(freeOf(planAt(view))).toBe(10);
  });

  it('starts', () => {
    const view = observedMessages(spec, { leases: [aLease('a'), aLease('b')] });
    expect(said(planAt(view))).toEqual(['startMessage MessageReceived a', 'startMessage MessageReceived b']);
    expect(freeOf(planAt(view))).toBe(8);
  });

  it('settles', () => {
    const view = observedMessages(spec, { leases: [aLease('a'), aLease('b'), aLease('c')] }, { jobs: [anEndedMessageJob('a', 'succeeded'), anEndedMessageJob('b', 'failed'), aMessageJob('c', { pods: [aRunningPod()] })] });
    expect(said(planAt(view))).toEqual(['settle MessageCompleted a complete completed', 'settle MessageReturned b fail']);
    expect(acts(planAt(view))).toEqual([]);
  });

  it('keeps', () => {
    const view = observedMessages(spec, {}, { jobs: [anEndedMessageJob('a', 'succeeded', { settled: settledAs('completed') })] });
    expect(said(planAt(view))).toEqual([]);
  });
});
