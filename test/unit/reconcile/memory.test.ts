import { describe, expect, it } from 'vitest';
import type { SpecKey } from '../../../src/plan/observed.ts';
import { Memory } from '../../../src/reconcile/memory.ts';
import { minutes, thumbnails } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeCache } from '../../support/fakes.ts';

const other: SpecKey = { kind: 'queue', name: 'other' };
function aMemory() {
  const clock = new FakeClock();
  const cache = new FakeCache();
  return { clock, cache, memory: new Memory({ clock, cache }) };
}

describe('reserved names', () => {
  it('go from pending to created to nothing, once the cache has seen them', () => {
    const { memory, cache } = aMemory();
    memory.reserve(thumbnails, 'a');
    expect(memory.reservations(thumbnails)).toEqual([{ jobName: 'a', state: 'pending' }]);
    memory.confirm(thumbnails, 'a', '7');
    cache.seen = 6;
    expect(memory.reservations(thumbnails)).toEqual([{ jobName: 'a', state: 'created' }]);
    cache.seen = 7;
    expect(memory.reservations(thumbnails)).toEqual([]);
  });

  it('without a clean answer stay, whatever the cache shows', () => {
    const { memory, cache } = aMemory();
    memory.reserve(thumbnails, 'a');
    memory.doubt(thumbnails, 'a');
    cache.seen = 1e9;
    expect(memory.reservations(thumbnails)).toEqual([{ jobName: 'a', state: 'unknown' }]);
  });

  it('go when they are released', () => {
    const { memory } = aMemory();
    memory.reserve(thumbnails, 'a');
    memory.reserve(thumbnails, 'b');
    memory.release(thumbnails, 'a');
    expect(memory.reservations(thumbnails)).toEqual([{ jobName: 'b', state: 'pending' }]);
  });

  it('are nothing to other keys, and names that nobody reserved are nothing at all', () => {
    const { memory } = aMemory();
    memory.reserve(thumbnails, 'a');
    for (const key of [other, thumbnails]) {
      memory.confirm(key, 'x', '1');
      memory.doubt(key, 'x');
      memory.release(key, 'x');
    }
    expect(memory.reservations(other)).toEqual([]);
    expect(memory.reservations(thumbnails)).toEqual([{ jobName: 'a', state: 'pending' }]);
  });

  it('that the cache does not show after five minutes are looked up', async () => {
    const { memory, clock } = aMemory();
    memory.reserve(thumbnails, 'a');
    memory.confirm(thumbnails, 'a', '7');
    await clock.advance(minutes(5) - 1);
    expect(memory.reservations(thumbnails)).toEqual([{ jobName: 'a', state: 'created' }]);
    await clock.advance(1);
    expect(memory.reservations(thumbnails)).toEqual([{ jobName: 'a', state: 'unknown' }]);
  });

  it('stay when the key is forgotten', () => {
    const { memory } = aMemory();
    memory.reserve(thumbnails, 'a');
    memory.forget(thumbnails);
    expect(memory.reservations(thumbnails)).toHaveLength(1);
  });
});

describe('a key whose cache is behind its last write', () => {
  it('waits until the cache has caught up', () => {
    const { memory, cache } = aMemory();
    expect(memory.caughtUp(thumbnails)).toBe(true);
    memory.wrote(thumbnails, '7');
    expect([memory.caughtUp(thumbnails), memory.caughtUp(other)]).toEqual([false, true]);
    cache.seen = 7;
    expect(memory.caughtUp(thumbnails)).toBe(true);
  });

  it('counts the last of several writes', () => {
    const { memory, cache } = aMemory();
    memory.wrote(thumbnails, '7');
    memory.wrote(thumbnails, '9');
    cache.seen = 8;
    expect(memory.caughtUp(thumbnails)).toBe(false);
  });

  it('is not waited for longer than five minutes', async () => {
    const { memory, clock } = aMemory();
    memory.wrote(thumbnails, '7');
    await clock.advance(minutes(5) - 1);
    expect(memory.caughtUp(thumbnails)).toBe(false);
    await clock.advance(1);
    expect(memory.caughtUp(thumbnails)).toBe(true);
  });

  it('is not made by a write that has no resourceVersion', () => {
    const { memory } = aMemory();
    memory.wrote(thumbnails, '');
    expect(memory.caughtUp(thumbnails)).toBe(true);
  });

  it('is forgotten with the key', () => {
    const { memory } = aMemory();
    memory.wrote(thumbnails, '7');
    memory.forget(thumbnails);
    expect(memory.caughtUp(thumbnails)).toBe(true);
  });
});

describe('refusals', () => {
  const refused = { kind: 'quota', hash: 'hash-1', message: 'full' } as const;
  it.each([
    ['the same again is counted', refused, 2],
    ['another kind begins anew', { ...refused, kind: 'forbidden' as const }, 1],
    ['another revision begins anew', { ...refused, hash: 'hash-2' }, 1],
  ])('%s', (_sentence, second, count) => {
    const { memory, clock } = aMemory();
    memory.refused(thumbnails, refused);
    memory.refused(thumbnails, second);
    expect(memory.refusal(thumbnails)).toEqual({ ...second, at: clock.now(), count });
  });

  it.each(['accepted', 'forget'] as const)('are over when the key is %s', (method) => {
    const { memory } = aMemory();
    memory.refused(thumbnails, refused);
    memory[method](thumbnails);
    expect(memory.refusal(thumbnails)).toBeUndefined();
  });
});

describe('Jobs that somebody deleted', () => {
  it('are counted until one comes to its end', async () => {
    const { memory, clock } = aMemory();
    memory.jobVanished(thumbnails);
    await clock.advance(minutes(1));
    memory.jobVanished(thumbnails);
    expect(memory.vanished(thumbnails)).toEqual({ at: clock.now(), count: 2 });
    expect(memory.vanished(other)).toBeUndefined();
    memory.jobFinished(thumbnails);
    expect(memory.vanished(thumbnails)).toBeUndefined();
  });

  it('are forgotten with the key', () => {
    const { memory } = aMemory();
    memory.jobVanished(thumbnails);
    memory.forget(thumbnails);
    expect(memory.vanished(thumbnails)).toBeUndefined();
  });
});
