import { describe, expect, it } from 'vitest';
import { ClusterClock } from '../../../../src/adapters/kubernetes/cluster-clock.ts';
import type { Transport } from '../../../../src/adapters/kubernetes/transport.ts';
import type { Clock } from '../../../../src/lib/clock.ts';

/** A server whose clock is ahead by `skew`, `trip` milliseconds away each way. */
function world(skew: number, trip = 0): { clock: ClusterClock; ask: () => Promise<void>; server: () => number } {
  let now = Date.UTC(2026, 0, 1) + 400;
  const base: Clock = { now: () => now, monotonic: () => now, timer: () => ({ cancel: () => undefined }) };
  const clock = new ClusterClock(base);
  const server = (): number => now + skew;
  const transport: Transport = {
    request: () => {
      now += trip;
      const headers = { date: new Date(server()).toUTCString() };
      now += trip;
      return Promise.resolve({ status: 200, headers, body: {} });
    },
    stream: () => Promise.reject(new Error('not used')),
  };
  const watched = clock.watching(transport);
  return { clock, server, ask: () => watched.request({ method: 'GET', path: '/' }).then(() => undefined) };
}

describe('time of day as the API server has it', () => {
  it.each([
    ['a server that agrees changes nothing', 0, 20, 0],
    ['less than a second cannot be told from the rounding', 300, 20, 0],
    ['a server two minutes ahead moves the clock forward', 120_000, 5, 1000],
    ['a server two minutes behind moves it back', -120_000, 5, 1000],
    ['a slow answer widens what is possible', 3_000, 4_000, 5_000],
  ])('%s', async (_name, skew, trip, tolerance) => {
    const { clock, server, ask } = world(skew, trip);
    await ask();
    expect(Math.abs(clock.now() - server())).toBeLessThanOrEqual(Math.max(tolerance, 1000));
    if (skew === 0) expect(clock.offset).toBe(0);
  });

  it.each([['ahead', 3_600_000], ['back', -3_600_000]])('goes on as before when this machine\'s time is set %s', async (_word, jump) => {
    let [day, monotonic] = [Date.UTC(2026, 0, 1), 5000.4];
    const clock = new ClusterClock({ now: () => day, monotonic: () => monotonic, timer: () => ({ cancel: () => undefined }) });
    const date = new Date(day + 120_000).toUTCString();
    await clock.watching({ request: () => Promise.resolve({ status: 200, headers: { date }, body: {} }), stream: () => Promise.reject(new Error('not used')) }).request({ method: 'GET', path: '/' });
    monotonic += 1000;
    day += 1000 + jump;
    expect(clock.now()).toBe(Date.UTC(2026, 0, 1) + 121_000);
    expect(clock.offset).toBe(120_000 - jump);
  });

  it('ignores answers without a usable date', async () => {
    const clock = new ClusterClock({ now: () => 5, monotonic: () => 5, timer: () => ({ cancel: () => undefined }) });
    const watched = clock.watching({ request: () => Promise.resolve({ status: 200, headers: { date: 'yesterday' }, body: {} }), stream: () => Promise.reject(new Error('not used')) });
    await watched.request({ method: 'GET', path: '/' });
    expect(clock.offset).toBe(0);
  });
});
