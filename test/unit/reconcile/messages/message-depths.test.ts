import { expect, it } from 'vitest';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import type { CountsAnswer, QueueStats } from '../../../../src/reconcile/api-ports.ts';
import { MessageDepths } from '../../../../src/reconcile/messages/message-depths.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeMeter, FakeProbe, known, notKnown } from '../../../support/fakes.ts';
import { FakeMessageMeter } from '../../../support/message-fakes.ts';
import { pgBossSource } from '../../../support/sources.ts';

const key: SpecKey = { kind: 'queue', name: 'work' };

function someDepths(queueStats?: QueueStats) {
  const clock = new FakeClock();
  const probe = new FakeProbe();
  const meter = new FakeMeter();
  const messageMeter = new FakeMessageMeter();
  return { clock, probe, meter, messageMeter, depths: new MessageDepths({ clock, probe, meter, messageMeter, ...(queueStats && { queueStats }) }) };
}

it('counts at once and then every 30 seconds, however often plans are made', async () => {
  const { clock, probe, meter, depths } = someDepths();
  probe.always = known(7);
  depths.watch(key, pgBossSource('work'));
  await clock.advance(29_999);
  depths.watch(key, pgBossSource('work'));
  expect(meter.of('depth')).toEqual([[key, 7, 0]]);
  probe.always = notKnown();
  await clock.advance(1);
  expect(meter.of('depth').map(([, ready]) => ready)).toEqual([7, undefined]);
});

it('counts another queue from now on, and none in the end', async () => {
  const { clock, probe, meter, depths } = someDepths();
  depths.watch(key, pgBossSource('work'));
  depths.watch(key, pgBossSource('other'));
  probe.asked[0]?.answer(known(1));
  await settle();
  expect([probe.asked.map(({ queue }) => queue), probe.asked.map(({ signal }) => signal.aborted), meter.of('depth')]).toEqual([['work', 'other'], [true, false], []]);
  probe.answer(known(2));
  await settle();
  depths.watch(key, undefined);
  depths.close();
  expect([meter.of('depth').length, clock.pending]).toEqual([1, []]);
});

it('says no more how long the oldest has waited where nobody leases it any more', async () => {
  const { probe, messageMeter, depths } = someDepths({ counts: () => Promise.resolve(counted(1500)) });
  probe.always = known(1);
  depths.watch(key, pgBossSource('work'));
  await settle();
  depths.watch(key, undefined);
  expect(messageMeter.of('oldest')).toEqual([[key, 1.5], [key, undefined]]);
});

const counted = (oldestAge: number | undefined): CountsAnswer => ({ kind: 'known', counts: { ready: 1, deferred: 0, active: 0, retrying: 0, dead: 0, oldestAge }, upTo: 10, at: 0 });

it.each<[string, CountsAnswer | undefined, number | undefined]>([
  ['how long the oldest has waited', counted(1500), 1.5],
  ['that none waits', counted(undefined), 0],
  ['nothing where the queue does not tell', { kind: 'unknown', reason: 'QueueUnsupported', message: 'none of pg-boss' }, undefined],
  ['nothing where nobody can be asked', undefined, undefined],
])('tells %s', async (_what, answer, expected) => {
  const { probe, messageMeter, depths } = someDepths(answer && { counts: () => Promise.resolve(answer) });
  probe.always = known(1);
  depths.watch(key, pgBossSource('work'));
  await settle();
  depths.close();
  expect(messageMeter.of('oldest')).toEqual([[key, expected]]);
});
