import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestLanes } from '../../../../src/adapters/kubernetes/request-lanes.ts';
import type { Priority } from '../../../../src/adapters/kubernetes/request-lanes.ts';
import { settle } from '../../../support/fake-clock.ts';

/** Lanes whose work goes on until it is told to end. */
function setUp(width: number) {
  const lanes = new RequestLanes(width);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (name: string, priority: Priority = 'normal', signal?: AbortSignal): Promise<string> =>
    lanes.run(priority, signal, () => {
      begun.push(name);
      return new Promise((resolve) => ends.push(() => { resolve(name); }));
    });
  const endOne = async (): Promise<void> => {
    ends.shift()?.();
    await settle();
  };
  return { begun, ask, endOne, underWay: () => ends.length };
}

test('nobody waits while there is room, whatever the priority', async () => {
  const { begun, ask, underWay } = setUp(3);
  void ask('a', 'last');
  void ask('b');
  void ask('c', 'first');
  await settle();
  expect(begun).toEqual(['a', 'b', 'c']);
  expect(underWay()).toBe(3);
});

test('what others wait for goes first, what nobody waits for last, each in the order of asking', async () => {
  const { begun, ask, endOne } = setUp(1);
  void ask('running');
  for (const [name, priority] of [['l1', 'last'], ['n1', 'normal'], ['l2', 'last'], ['f1', 'first'], ['n2', 'normal'], ['f2', 'first']] as const) void ask(name, priority);
  for (let n = 0; n < 6; n += 1) await endOne();
  expect(begun).toEqual(['running', 'f1', 'f2', 'n1', 'n2', 'l1', 'l2']);
});

test('a load that never ends lets one in 65 through to the last lane', async () => {
  const { begun, ask, endOne } = setUp(1);
  void ask('running');
  void ask('event', 'last');
  void ask('another', 'last');
  for (let n = 0; n < 200; n += 1) {
    void ask(String(n));
    await endOne();
  }
  expect(begun.indexOf('event')).toBe(65);
  expect(begun.indexOf('another')).toBe(130);
});

test('a wait that is aborted ends with the reason and takes nobody else\'s place', async () => {
  const { begun, ask, endOne, underWay } = setUp(1);
  void ask('running');
  const stop = new AbortController();
  const waiting = ask('waiting', 'normal', stop.signal);
  void ask('next');
  stop.abort(new Error('too late'));
  await expect(waiting).rejects.toThrow('too late');
  await expect(ask('never', 'normal', stop.signal)).rejects.toThrow('too late');
  await endOne();
  expect(begun).toEqual(['running', 'next']);
  expect(underWay()).toBe(1);
});

test('work that fails gives its place on', async () => {
  const lanes = new RequestLanes(1);
  await expect(lanes.run('normal', undefined, () => Promise.reject(new Error('reset')))).rejects.toThrow('reset');
  expect(await lanes.run('normal', undefined, () => Promise.resolve(1))).toBe(1);
});

test('never more under way than there is room for, and in the end everybody had a turn', async () => {
  const asks = fc.array(fc.record({ priority: fc.constantFrom<Priority>('first', 'normal', 'last'), abort: fc.boolean() }), { maxLength: 30 });
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 4 }), asks, async (width, wanted) => {
    const { begun, ask, endOne, underWay } = setUp(width);
    const stop = new AbortController();
    const ended = wanted.map(({ priority, abort }, n) => ask(String(n), priority, abort ? stop.signal : undefined).catch(() => 'aborted'));
    await settle();
    expect(underWay()).toBe(Math.min(width, wanted.length));
    stop.abort(new Error('stopped'));
    while (underWay() > 0) {
      expect(underWay()).toBeLessThanOrEqual(width);
      await endOne();
    }
    const results = await Promise.all(ended);
    expect(results.filter((result) => result !== 'aborted').length).toBe(begun.length);
    expect(begun.length).toBeGreaterThanOrEqual(wanted.filter(({ abort }) => !abort).length);
  }));
});
