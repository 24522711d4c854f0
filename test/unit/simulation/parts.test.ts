import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/simulation/clock.ts';
import { LineQueue } from '../../../src/simulation/line-queue.ts';
import { mergePatch } from '../../../src/simulation/merge-patch.ts';
import { copy, equal, freeze, timestamp } from '../../../src/simulation/objects.ts';
import { MortalClock } from '../../../src/simulation/process-clock.ts';
import { Random } from '../../../src/simulation/random.ts';
import { TimerHeap } from '../../../src/simulation/timer-heap.ts';

describe('seeded randomness', () => {
  const draws = (random: Random): number[] => Array.from({ length: 5 }, () => random.next());

  it('is the same for the same seed and different for others', () => {
    expect(draws(new Random('a'))).toEqual(draws(new Random('a')));
    expect(draws(new Random('a'))).not.toEqual(draws(new Random('b')));
  });

  it('splits by name alone, whatever was drawn before', () => {
    const one = new Random(1);
    const two = new Random(1);
    draws(two);
    expect(draws(one.split('x'))).toEqual(draws(two.split('x')));
    expect(draws(one.split('x'))).not.toEqual(draws(one.split('y')));
  });

  it('is spread evenly', () => {
    const random = new Random(7);
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 60_000; draw += 1) {
      const side = random.int(1, 6);
      counts.set(side, (counts.get(side) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('waits as long on average as was asked for', () => {
    const random = new Random(7);
    const mean = Array.from({ length: 20_000 }, () => random.exponential(100)).reduce((a, b) => a + b, 0) / 20_000;
    expect(Math.abs(mean - 100)).toBeLessThan(3);
  });

  it('makes UUIDs and suffixes in their form', () => {
    const random = new Random(7);
    expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/u);
    expect(random.suffix()).toMatch(/^[a-z0-9]{5}$/u);
  });
});

describe('timer heap', () => {
  it('gives timers back in order, without the cancelled ones', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean())), (wanted) => {
      const heap = new TimerHeap();
      const timers = wanted.map(([due], order) => ({ due, order, quiet: true, run: (): void => undefined }));
      for (const timer of timers) heap.push(timer);
      wanted.forEach(([, cancelled], index) => { if (cancelled) heap.cancel(timers[index]!); });
      const expected = timers.filter((_, index) => wanted[index]?.[1] === false).sort((a, b) => a.due - b.due || a.order - b.order);
      expect(heap.size).toBe(expected.length);
      const taken = [];
      for (let next = heap.pop(); next; next = heap.pop()) taken.push(next.order);
      expect(taken).toEqual(expected.map(({ order }) => order));
    }));
  });
});

describe('merge patch', () => {
  // The table of RFC 7386, appendix A.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [['a', 'b'], ['c', 'd'], ['c', 'd']],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j becomes %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  it('does not change its target', () => {
    const target = freeze({ a: { b: 'c' } });
    expect(mergePatch(target, { a: { b: 'd' } })).toEqual({ a: { b: 'd' } });
    expect(target).toEqual({ a: { b: 'c' } });
  });
});

describe('objects', () => {
  it('are copied without what is undefined', () => {
    expect(Object.keys(copy({ a: 1, b: undefined, c: { d: undefined } }))).toEqual(['a', 'c']);
  });

  it('are equal to their copies, and to nothing else', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(equal(copy(a as never), a as never)).toBe(true);
      expect(equal(a as never, b as never)).toBe(JSON.stringify(a) === JSON.stringify(b) || equal(b as never, a as never));
    }));
  });

  it('have times in whole seconds, cut', () => {
    expect(timestamp(Date.UTC(2026, 0, 1, 0, 0, 1, 999))).toBe('2026-01-01T00:00:01Z');
  });
});

describe('line queue', () => {
  it('gives what was pushed before the end, and then the end', async () => {
    const lines = new LineQueue();
    lines.push(1);
    lines.push(2);
    lines.end();
    lines.push(3);
    const read: unknown[] = [];
    for await (const line of lines) read.push(line);
    expect(read).toEqual([1, 2]);
  });

  it('throws at the end of a broken stream', async () => {
    const lines = new LineQueue();
    lines.push(1);
    const iterator = lines[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ value: 1, done: false });
    const next = iterator.next();
    lines.end(new Error('broken'));
    await expect(next).rejects.toThrow('broken');
  });
});

describe('mortal clock', () => {
  it('forgets all timers at once, and takes no new ones', async () => {
    const clock = new VirtualClock();
    const mortal = new MortalClock(clock, () => 5000);
    let fired = 0;
    for (let count = 0; count < 3; count += 1) mortal.timer(10 * count, () => { fired += 1; });
    expect(mortal.now()).toBe(clock.now() + 5000);
    await clock.runFor(10);
    mortal.kill();
    mortal.timer(1, () => { fired += 1; });
    await clock.runFor(100);
    expect([fired, mortal.pendingTimers, clock.pendingTimers]).toEqual([2, 0, 0]);
  });
});
