import { describe, expect, it } from 'vitest';
import type { DepthDemand } from '../../../src/plan/action.ts';
import { DepthReader } from '../../../src/reconcile/depth-reader.ts';
import { hours, noon, seconds, thumbnails } from '../../support/builders.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeMeter, FakeProbe, known, notKnown } from '../../support/fakes.ts';
import { pgBossSource } from '../../support/sources.ts';
import { sourceText, type QueueSource } from '../../../src/spec/queue-source.ts';

function aDemand(changes: Partial<DepthDemand> = {}): DepthDemand {
  return { kind: 'depth', question: 'after nothing', source: pgBossSource('thumbnails'), upTo: 10, every: seconds(10), ...changes };
}

function aReader() {
  const clock = new FakeClock(noon);
  const probe = new FakeProbe();
  const meter = new FakeMeter();
  const changed: string[] = [];
  const listening: string[] = [];
  const wakes = {
    interest: (source: QueueSource) => {
      const text = sourceText(source);
      listening.push(text);
      return () => void listening.splice(listening.indexOf(text), 1);
    },
  };
  const reader = new DepthReader({ clock, probe, wakes, meter, changed: ({ name }) => changed.push(name) });
  return { clock, probe, meter, changed, listening, reader, ask: (changes?: Partial<DepthDemand>) => { reader.ask(thumbnails, aDemand(changes)); }, answer: async (answer = known(3)) => {
    probe.answer(answer);
    await settle();
  }, queries: () => probe.asked.length };
}

describe('a question', () => {
  it('is read at once, and the answer starts a round', async () => {
    const { ask, answer, reader, changed, probe, meter } = aReader();
    ask();
    expect(probe.asked).toMatchObject([{ queue: 'thumbnails', upTo: 10 }]);
    expect(reader.reading(thumbnails)).toBeUndefined();
    await answer(known(3, noon + 5));
    expect(reader.reading(thumbnails)).toEqual({ question: 'after nothing', at: noon, result: { kind: 'known', ready: 3, nextReadyAt: noon + 5 } });
    expect(changed).toEqual(['thumbnails']);
    expect(meter.of('depth')).toEqual([[thumbnails, 3, 0]]);
  });

  it('that is asked again is the same question', async () => {
    const { ask, answer, queries, reader } = aReader();
    ask();
    await answer();
    ask();
    expect(queries()).toBe(1);
    expect(reader.reading(thumbnails)).toBeDefined();
  });

  it.each([
    ['question', { question: 'after Job thumbnails-1' }],
    ['connection', { source: pgBossSource('thumbnails', { connection: 'other' }) }],
    ['schema', { source: pgBossSource('thumbnails', { schema: 'jobs' }) }],
    ['queue', { source: pgBossSource('other') }],
    ['bound', { upTo: 20 }],
    ['pace', { every: seconds(1) }],
  ])('with another %s drops what was read and reads anew', async (_what, changes) => {
    const { ask, answer, queries, reader, probe } = aReader();
    ask();
    await answer();
    ask(changes);
    expect(reader.reading(thumbnails)).toBeUndefined();
    expect(queries()).toBe(2);
    expect(probe.asked[0]?.signal.aborted).toBe(true);
  });

  it('that nobody asks any more is not read any more', async () => {
    const { ask, answer, reader, clock, queries } = aReader();
    ask();
    await answer();
    reader.ask(thumbnails, undefined);
    await clock.advance(hours(1));
    expect(queries()).toBe(1);
    expect(reader.reading(thumbnails)).toBeUndefined();
    expect(clock.pending).toEqual([]);
  });

  it('that is dropped while it is read is aborted, and its answer is nobody’s', async () => {
    const { ask, answer, reader, probe, changed, meter, clock } = aReader();
    ask();
    reader.ask(thumbnails, undefined);
    expect(probe.asked[0]?.signal.aborted).toBe(true);
    await answer();
    expect([reader.reading(thumbnails), changed, meter.of('depth'), clock.pending]).toEqual([undefined, [], [], []]);
  });
});

describe('reading again', () => {
  it('goes at its own pace, and the same answer starts no round', async () => {
    const { ask, answer, changed, clock, queries } = aReader();
    ask();
    await answer();
    await clock.advance(seconds(10));
    expect(queries()).toBe(2);
    await answer();
    expect(changed).toEqual(['thumbnails']);
    await clock.advance(seconds(10));
    await answer(known(4));
    expect(changed).toEqual(['thumbnails', 'thumbnails']);
  });

  it('counts its pace from the beginning of a query', async () => {
    const { ask, answer, clock } = aReader();
    ask();
    await clock.advance(seconds(4));
    await answer();
    expect(clock.pending).toEqual([seconds(6)]);
  });

  it('keeps its pace when the wall clock is set back meanwhile', async () => {
    const { ask, answer, clock } = aReader();
    ask();
    clock.setWallClock(noon - hours(3));
    await answer();
    expect(clock.pending).toEqual([seconds(10)]);
  });

  it.each([
    ['when the next deferred message becomes ready', noon + seconds(3), seconds(3)],
    ['not later than at its own pace', noon + hours(1), seconds(10)],
    ['never in a tight loop, however soon that is', noon + 1, 20],
  ])('comes %s', async (_sentence, nextReadyAt, delay) => {
    const { ask, answer, clock } = aReader();
    ask();
    await answer(known(0, nextReadyAt));
    expect(clock.pending).toEqual([delay]);
  });

  it('slows down to its own pace while the queue announces messages for times that are over: one of the clocks is wrong', async () => {
    const { ask, answer, clock } = aReader();
    ask();
    const pauses: number[] = [];
    for (let times = 0; times < 12; times += 1) {
      await answer(known(0, noon - hours(1)));
      pauses.push(clock.pending[0] ?? 0);
      await clock.next();
    }
    expect(pauses.every((pause, index) => index === 0 || pause >= (pauses[index - 1] ?? 0))).toBe(true);
    expect(pauses[0]).toBeGreaterThanOrEqual(20);
    expect(pauses.at(-1)).toBe(seconds(10));
  });

  it('keeps answering the question that it was asked', async () => {
    const { ask, answer, clock, reader } = aReader();
    ask();
    await answer();
    await clock.advance(seconds(10));
    await answer(known(9));
    expect(reader.reading(thumbnails)).toEqual({ question: 'after nothing', at: noon + seconds(10), result: known(9) });
  });
});

describe('a wake', () => {
  it('reads at once and only once', async () => {
    const { ask, answer, reader, clock, queries } = aReader();
    ask();
    await answer();
    await clock.advance(seconds(1));
    reader.wake(pgBossSource('thumbnails'));
    expect(queries()).toBe(2);
    expect(clock.pending).toEqual([]);
    await answer();
    expect(clock.pending).toEqual([seconds(10)]);
  });

  it('that come one after the other share a reading', async () => {
    const { ask, answer, reader, clock, queries } = aReader();
    ask();
    await answer();
    for (let times = 0; times < 20; times += 1) reader.wake(pgBossSource('thumbnails'));
    expect(queries()).toBe(1);
    await clock.advance(50);
    expect(queries()).toBe(2);
  });

  it('during a query reads once more: the message may have come too late for it', async () => {
    const { ask, answer, reader, queries } = aReader();
    ask();
    for (let times = 0; times < 3; times += 1) reader.wake(pgBossSource('thumbnails'));
    expect(queries()).toBe(1);
    await answer(known(0));
    expect(queries()).toBe(2);
    await answer(known(1));
    expect(queries()).toBe(2);
  });

  it.each([
    ['another connection', pgBossSource('thumbnails', { connection: 'other' })],
    ['another schema', pgBossSource('thumbnails', { schema: 'jobs' })],
    ['another queue', pgBossSource('other')],
  ] as const)('of %s reads nothing', async (_what, source) => {
    const { ask, answer, reader, queries } = aReader();
    ask();
    await answer();
    reader.wake(source);
    expect(queries()).toBe(1);
  });

  it('is listened for from the first question until the key is forgotten', () => {
    const { ask, reader, listening } = aReader();
    ask();
    ask({ question: 'after Job thumbnails-1' });
    reader.ask(thumbnails, undefined);
    expect(listening).toEqual([sourceText(pgBossSource('thumbnails'))]);
    ask({ source: pgBossSource('other') });
    expect(listening).toEqual([sourceText(pgBossSource('other'))]);
    reader.forget(thumbnails);
    expect(listening).toEqual([]);
  });
});

describe('a depth that is not known', () => {
  it('is never zero, and remembers since when', async () => {
    const { ask, answer, reader, clock, meter, changed } = aReader();
    ask();
    await answer(notKnown());
    await clock.advance(seconds(10));
    await answer(notKnown());
    expect(reader.reading(thumbnails)).toEqual({ question: 'after nothing', at: noon + seconds(10), result: { ...notKnown(), since: noon } });
    expect(changed).toEqual(['thumbnails']);
    expect(meter.of('depth').map(([, count]) => count)).toEqual([undefined, undefined]);
  });

  it('that changes its reason starts a round and stays unknown since the same time', async () => {
    const { ask, answer, reader, clock, changed } = aReader();
    ask();
    await answer(notKnown('refused'));
    await clock.advance(seconds(10));
    await answer(notKnown('no route'));
    expect(reader.reading(thumbnails)?.result).toMatchObject({ message: 'no route', since: noon });
    expect(changed).toHaveLength(2);
  });

  it('begins anew after it was known', async () => {
    const { ask, answer, reader, clock } = aReader();
    ask();
    for (const one of [notKnown(), known(1), notKnown()]) {
      await answer(one);
      await clock.advance(seconds(10));
    }
    expect(reader.reading(thumbnails)?.result).toMatchObject({ kind: 'unknown', since: noon + seconds(20) });
  });
});

it('closing aborts everything and listens to nothing', async () => {
  const { ask, reader, probe, clock, listening, answer } = aReader();
  ask();
  reader.ask({ kind: 'queue', name: 'other' }, aDemand({ source: pgBossSource('other') }));
  await answer();
  reader.close();
  expect(probe.asked.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  expect([clock.pending, listening]).toEqual([[], []]);
});
