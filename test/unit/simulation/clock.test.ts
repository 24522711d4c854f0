import { describe, expect, it } from 'vitest';
import { sleep } from '../../../src/lib/clock.ts';
import { defaultStart, VirtualClock } from '../../../src/simulation/clock.ts';

describe('virtual clock', () => {
  it('stands still until it is run', async () => {
    const clock = new VirtualClock();
    let fired = false;
    clock.timer(10, () => { fired = true; });
    await clock.settle();
    expect([fired, clock.now(), clock.monotonic()]).toEqual([false, defaultStart, 0]);
  });

  it('fires timers by time, and those of one instant in the order in which they were set', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    for (const [name, delay] of [['c', 20], ['a', 10], ['b', 10], ['d', 30]] as const) clock.timer(delay, () => fired.push(`${name}@${clock.monotonic()}`));
    await clock.runFor(25);
    expect([fired, clock.monotonic(), clock.pendingTimers]).toEqual([['a@10', 'b@10', 'c@20'], 25, 1]);
  });

  it('lets all promise work happen between two timers', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.timer(10, () => {
      void (async () => {
        for (let step = 0; step < 50; step += 1) await Promise.resolve();
        seen.push('chain');
      })();
    });
    clock.timer(10, () => seen.push('second timer'));
    await clock.runFor(10);
    expect(seen).toEqual(['chain', 'second timer']);
  });

  it('drains code that yields with setImmediate', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.timer(10, () => { setImmediate(() => seen.push('yielded')); });
    clock.timer(10, () => seen.push('second timer'));
    await clock.runFor(10);
    expect(seen).toEqual(['yielded', 'second timer']);
  });

  it('stops where a condition came true', async () => {
    const clock = new VirtualClock();
    let woke = false;
    void sleep(clock, 90_000).then(() => { woke = true; });
    expect([await clock.runUntil(() => woke), clock.monotonic()]).toEqual([true, 90_000]);
  });

  it('gives up on a condition at the limit, and at once when no timer is left', async () => {
    const clock = new VirtualClock();
    expect([await clock.runUntil(() => false, 1000), clock.monotonic()]).toEqual([false, 0]);
    clock.timer(5000, () => undefined);
    expect([await clock.runUntil(() => false, 1000), clock.monotonic()]).toEqual([false, 1000]);
  });

  it('counts what still waits, however much of it was cancelled, and whenever', async () => {
    const clock = new VirtualClock();
    const timers = Array.from({ length: 1000 }, (_, index) => clock.timer(index, () => undefined));
    for (const timer of timers.slice(100)) timer.cancel();
    for (const timer of timers.slice(500)) timer.cancel();
    expect(clock.pendingTimers).toBe(100);
    await clock.runFor(50);
    for (const timer of timers) timer.cancel();
    expect(clock.pendingTimers).toBe(0);
  });

  it('moves on even when somebody waits for nothing again and again', async () => {
    const clock = new VirtualClock();
    const spin = (): void => { clock.timer(0, spin); };
    spin();
    await clock.runFor(20);
    expect(clock.monotonic()).toBe(20);
  });

  it('refuses to be run twice at once', async () => {
    const clock = new VirtualClock();
    clock.timer(1, () => undefined);
    const first = clock.runFor(10);
    await expect(clock.runFor(10)).rejects.toThrow('already running');
    await first;
  });

  it('passes on what a timer throws', async () => {
    const clock = new VirtualClock();
    clock.timer(1, () => { throw new Error('broken'); });
    await expect(clock.runFor(10)).rejects.toThrow('broken');
  });
});
