import { describe, expect, it } from 'vitest';
import { Starts } from '../../../../src/reconcile/capacity/starts.ts';

const minute = 60_000;

/** Looks back a minute, and knows what the cache shows. */
function startsAt(...times: readonly number[]): Starts {
  const starts = new Starts();
  starts.look(minute, times.map((at, index) => ({ name: `job-${index}`, at })));
  return starts;
}

describe('starts within a time', () => {
  it('are those of the cache, as late as their second may have been', () => {
    const starts = startsAt(1000, 5000, 9000);
    expect([starts.within(5000, 10_000), starts.within(5000, 10_998), starts.within(5000, 10_999)]).toEqual([2, 2, 1]);
  });

  it('count what is being created, until it is confirmed and its time has passed', () => {
    const starts = startsAt();
    starts.begin('a');
    expect(starts.within(1000, 50_000)).toBe(1);
    starts.done('a', 50_000);
    expect([starts.within(1000, 50_999), starts.within(1000, 51_000)]).toEqual([1, 0]);
  });

  it('do not count what was not created', () => {
    const starts = startsAt();
    starts.begin('a');
    starts.drop('a');
    expect(starts.within(minute, 0)).toBe(0);
  });

  it('count a Job once, whoever tells of it first', () => {
    const [confirmed, seen] = [startsAt(), startsAt()];
    for (const starts of [confirmed, seen]) starts.begin('a');
    confirmed.done('a', 5000);
    confirmed.seen('a', 4000, 5100);
    seen.seen('a', 4000, 5000);
    seen.done('a', 5100);
    expect([confirmed.within(minute, 6000), seen.within(minute, 6000)]).toEqual([1, 1]);
  });

  it('are nobody\'s matter where no rate holds', () => {
    const starts = new Starts();
    starts.begin('a');
    starts.done('a', 0);
    starts.seen('b', 0, 0);
    expect(starts.within(minute, 1)).toBe(0);
  });

  it('tell when there is room again', () => {
    const starts = startsAt(1000, 2000, 3000);
    const now = 5000;
    expect([3, 2, 1].map((count) => starts.freeAt(count, minute, now))).toEqual([1999, 2999, 3999].map((at) => at + minute));
  });

  it('are forgotten with their time, however many they were', () => {
    const starts = startsAt();
    for (let index = 0; index < 10_000; index += 1) starts.seen(`job-${index}`, index * 10, index * 10);
    expect(starts.within(minute, 100_000)).toBe(6099);
    expect(starts.within(minute, 1_000_000)).toBe(0);
  });
});
