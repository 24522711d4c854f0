import { expect, it } from 'vitest';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { MessageDepths } from '../../../../src/reconcile/messages/message-depths.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeMeter, FakeProbe, known, notKnown } from '../../../support/fakes.ts';
import { pgBossSource } from '../../../support/sources.ts';

const key: SpecKey = { kind: 'queue', name: 'work' };

function someDepths() {
  const clock = new FakeClock();
  const probe = new FakeProbe();
  const meter = new FakeMeter();
  return { clock, probe, meter, depths: new MessageDepths({ clock, probe, meter }) };
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
