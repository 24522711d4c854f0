import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WorkQueue, type RoundResult } from '../../../src/reconcile/work-queue.ts';
import { minutes, seconds } from '../../support/builders.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeMeter, promised } from '../../support/fakes.ts';

const over: RoundResult = { kind: 'done', again: undefined };
const failed: RoundResult = { kind: 'failed' };

/** A queue whose rounds wait until the test ends them; `began` lists keys in the order in which their rounds began. */
function aQueue(options: { concurrency?: number; started?: boolean; result?: (key: string) => RoundResult } = {}) {
  const clock = new FakeClock();
  const meter = new FakeMeter();
  const began: string[] = [];
  const rounds = new Map<string, { keep: (result: RoundResult) => void; fail: (error: Error) => void }>();
  const queue = new WorkQueue({
    clock,
    meter,
    concurrency: options.concurrency ?? 10,
    run: (key) => {
      expect(rounds.has(key), `two rounds of ${key} at once`).toBe(false);
      began.push(key);
      if (options.result) return Promise.resolve(options.result(key));
      const round = promised<RoundResult>();
      rounds.set(key, round);
      return round.promise;
    },
  });
  if (options.started !== false) queue.start();
  const end = async (key: string, result: RoundResult = over): Promise<void> => {
    const round = rounds.get(key);
    rounds.delete(key);
    round?.keep(result);
    await settle();
  };
  return { queue, clock, meter, began, end, rounds };
}

describe('a key that rests', () => {
  it('has one round when its rest is over, however often it is added meanwhile; others go on', async () => {
    const { queue, clock, began, end } = aQueue();
    queue.add('a');
    await settle();
    queue.add('a');
    await end('a', { kind: 'done', again: undefined, rest: 30 });
    queue.add('a');
    queue.add('b');
    await clock.advance(29);
    expect(began).toEqual(['a', 'b']);
    await clock.advance(1);
    expect(began).toEqual(['a', 'b', 'a']);
    await end('a');
    queue.add('a');
    await settle();
    expect([began, clock.pending]).toEqual([['a', 'b', 'a', 'a'], []]);
  });

  it('wants no other round by itself, and its own wish is no sooner', async () => {
    const { queue, clock, began, end } = aQueue();
    queue.add('a');
    await settle();
    await end('a', { kind: 'done', again: undefined, rest: 30 });
    expect(clock.pending).toEqual([]);
    await clock.advance(40);
    queue.add('a');
    await settle();
    await end('a', { kind: 'done', again: 5, rest: 30 });
    await clock.advance(29);
    expect(began).toEqual(['a', 'a']);
    await clock.advance(1);
    expect(began).toEqual(['a', 'a', 'a']);
  });

  it('rests no longer where its queue was paused', async () => {
    const { queue, began, end } = aQueue();
    queue.add('a');
    await settle();
    await end('a', { kind: 'done', again: undefined, rest: 30 });
    queue.pause();
    queue.resume();
    queue.start();
    queue.add('a');
    await settle();
    expect(began).toEqual(['a', 'a']);
  });
});

describe('keys that want a round', () => {
  it('a key that waits is not added twice', async () => {
    const { queue, began } = aQueue({ started: false });
    for (const key of ['a', 'b', 'a']) queue.add(key);
    expect(queue.size).toBe(2);
    queue.start();
    await settle();
    expect(began).toEqual(['a', 'b']);
  });

  it('nothing runs before the start', async () => {
    const { queue, began } = aQueue({ started: false });
    queue.add('a');
    await settle();
    expect(began).toEqual([]);
  });

  it('a round begins only when whoever added its key has finished what they are at', async () => {
    const { queue, began } = aQueue();
    queue.add('a');
    expect(began).toEqual([]);
    queue.add('a');
    await settle();
    expect(began).toEqual(['a']);
  });

  it('a key added during its round runs exactly once more, however often it was added', async () => {
    const { queue, began, end } = aQueue();
    queue.add('a');
    await settle();
    for (let times = 0; times < 3; times += 1) queue.add('a');
    await settle();
    expect(began).toEqual(['a']);
    await end('a');
    expect(began).toEqual(['a', 'a']);
    await end('a');
    expect(began).toEqual(['a', 'a']);
    expect(queue.size).toBe(0);
  });

  it('no more rounds run at once than are allowed, and the first come first', async () => {
    const { queue, began, end } = aQueue({ concurrency: 2 });
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await settle();
    expect(began).toEqual(['a', 'b']);
    await end('b');
    expect(began).toEqual(['a', 'b', 'c']);
  });

  it('a round that throws counts as failed', async () => {
    const { queue, clock, began, rounds } = aQueue();
    queue.add('a');
    await settle();
    const round = rounds.get('a');
    rounds.delete('a');
    round?.fail(new Error('oops'));
    await clock.advance(5);
    expect(began).toEqual(['a', 'a']);
  });

  it('a round that throws before it returns a promise counts as failed too', async () => {
    const clock = new FakeClock();
    let rounds = 0;
    const queue = new WorkQueue({
      clock,
      meter: new FakeMeter(),
      concurrency: 1,
      run: () => {
        rounds += 1;
        if (rounds === 1) throw new Error('oops');
        return Promise.resolve(over);
      },
    });
    queue.start();
    queue.add('a');
    await clock.advance(5);
    expect(rounds).toBe(2);
    expect(queue.size).toBe(0);
  });
});

describe('keys that failed', () => {
  it('come back after 5 ms, 10 ms, 20 ms …, at most 5 minutes', async () => {
    const { queue, clock, began } = aQueue({ result: () => failed });
    queue.add('a');
    await settle();
    const delays: number[] = [];
    for (let times = 0; times < 20; times += 1) {
      delays.push(...clock.pending);
      await clock.next();
    }
    expect(delays.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(delays.slice(-3)).toEqual([minutes(5), minutes(5), minutes(5)]);
    expect(began).toHaveLength(21);
  });

  it('begin anew after a success', async () => {
    const results = [failed, failed, over, failed];
    const { queue, clock } = aQueue({ result: () => results.shift() ?? over });
    queue.add('a');
    await clock.advance(100);
    queue.add('a');
    await settle();
    expect(clock.pending).toEqual([5]);
  });

  it('come back at once when something else asks for them', async () => {
    const { queue, clock, began, end } = aQueue();
    queue.add('a');
    await settle();
    await end('a', failed);
    queue.add('a');
    await settle();
    expect(began).toEqual(['a', 'a']);
    expect(clock.pending).toEqual([]);
  });

  it('do not hold back others', async () => {
    const { queue, began } = aQueue({ result: (key) => (key === 'bad' ? failed : over) });
    queue.add('bad');
    queue.add('good');
    await settle();
    expect(began).toEqual(['bad', 'good']);
  });
});

describe('keys for later', () => {
  it('run when their time has come', async () => {
    const { queue, clock, began } = aQueue();
    queue.addAfter('a', seconds(5));
    await clock.advance(seconds(5) - 1);
    expect(began).toEqual([]);
    await clock.advance(1);
    expect(began).toEqual(['a']);
  });

  it.each([
    ['a later time changes nothing', [3, 5], [3]],
    ['an earlier time wins', [5, 3], [3]],
    ['the same time is one time', [5, 5], [5]],
  ])('%s', async (_sentence, delays, pending) => {
    const { queue, clock, began } = aQueue();
    for (const delay of delays) queue.addAfter('a', delay);
    expect(clock.pending).toEqual(pending);
    await clock.advance(10);
    expect(began).toEqual(['a']);
  });

  it('run at once when no time is left', async () => {
    const { queue, began } = aQueue();
    queue.addAfter('a', 0);
    queue.addAfter('b', -1);
    await settle();
    expect(began).toEqual(['a', 'b']);
  });

  it('do not run again when they ran for another reason', async () => {
    const { queue, clock, began, end } = aQueue();
    queue.addAfter('a', 5);
    queue.add('a');
    await settle();
    await end('a');
    await clock.advance(100);
    expect(began).toEqual(['a']);
  });

  it('a round can ask for the next', async () => {
    const { queue, clock, began, end } = aQueue();
    queue.add('a');
    await settle();
    await end('a', { kind: 'done', again: seconds(7) });
    expect(clock.pending).toEqual([seconds(7)]);
    await clock.advance(seconds(7));
    expect(began).toEqual(['a', 'a']);
  });

  it('a round that always wants another at once leaves room for everything else', async () => {
    const { queue, clock } = aQueue({ result: () => ({ kind: 'done', again: 0 }) });
    queue.add('a');
    await settle();
    expect(queue.size).toBe(0);
    expect(clock.pending).toEqual([1]);
  });
});

describe('closing', () => {
  it('waits for the rounds under way and starts no others', async () => {
    const { queue, clock, began, end } = aQueue({ concurrency: 1 });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 5);
    await settle();
    queue.add('a');
    let closed = false;
    const closing = queue.close().then(() => (closed = true));
    queue.add('d');
    queue.addAfter('e', 1);
    await clock.advance(minutes(1));
    expect(closed).toBe(false);
    await end('a', failed);
    await closing;
    await clock.advance(minutes(10));
    expect(began).toEqual(['a']);
    expect(clock.pending).toEqual([]);
    expect(queue.size).toBe(0);
  });

  it('is over at once when nothing runs', async () => {
    const { queue } = aQueue();
    await queue.close();
    expect(queue.size).toBe(0);
  });
});

it('what operators know from client-go is counted', async () => {
  const { queue, clock, meter, end } = aQueue({ concurrency: 1 });
  queue.add('a');
  queue.add('b');
  await clock.advance(seconds(2));
  const read = meter.of('unfinished')[0]?.[0] as () => number[];
  expect(read()).toEqual([2]);
  await end('a', failed);
  await end('b');
  expect(meter.of('added')).toHaveLength(2);
  expect(meter.of('retried')).toHaveLength(1);
  expect(meter.of('waited')).toEqual([[0], [2]]);
  expect(meter.of('worked')).toEqual([[2], [0]]);
  expect(meter.of('depth').at(-1)).toEqual([0]);
  expect(read()).toEqual([]);
});

it('behaves as client-go: one round of a key at once, none lost, none too many', async () => {
  type Step = { readonly do: 'add' | 'end' | 'fail'; readonly key: string } | { readonly do: 'later'; readonly key: string; readonly delay: number } | { readonly do: 'wait'; readonly delay: number };
  const key = fc.constantFrom('a', 'b', 'c');
  const delay = fc.integer({ min: 1, max: 20 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constantFrom('add', 'end', 'fail'), key }) as fc.Arbitrary<Step>,
    fc.record({ do: fc.constant('later' as const), key, delay }),
    fc.record({ do: fc.constant('wait' as const), delay }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { queue, clock, began, end, rounds } = aQueue({ concurrency: 3 });
      const model = new Map(['a', 'b', 'c'].map((name) => [name, { running: false, dirty: false, at: Infinity, failures: 0, rounds: 0 }]));
      let now = 0;
      const add = (name: string): void => {
        const one = model.get(name)!;
        one.at = Infinity;
        if (one.running) one.dirty = true;
        else Object.assign(one, { running: true, rounds: one.rounds + 1 });
      };
      const finish = (name: string, ok: boolean): void => {
        const one = model.get(name)!;
        if (!one.running) return;
        Object.assign(one, { running: false, failures: ok ? 0 : one.failures + 1 });
        if (!ok) one.at = Math.min(one.at, now + 5 * 2 ** (one.failures - 1));
        if (!one.dirty) return;
        one.dirty = false;
        add(name);
      };
      const wait = (milliseconds: number): void => {
        const until = now + milliseconds;
        for (;;) {
          const [name, next] = [...model].reduce((left, right) => (right[1].at < left[1].at ? right : left));
          if (next.at > until) break;
          now = next.at;
          add(name);
        }
        now = until;
      };
      for (const one of steps) {
        if (one.do === 'wait') {
          wait(one.delay);
          await clock.advance(one.delay);
        } else if (one.do === 'add') {
          add(one.key);
          queue.add(one.key);
        } else if (one.do === 'later') {
          model.get(one.key)!.at = Math.min(model.get(one.key)!.at, now + one.delay);
          queue.addAfter(one.key, one.delay);
        } else {
          finish(one.key, one.do === 'end');
          await end(one.key, one.do === 'end' ? over : failed);
        }
        await Promise.resolve();
      }
      await settle();
      for (const [name, { rounds: expected, running }] of model) {
        expect([name, began.filter((each) => each === name).length, rounds.has(name)]).toEqual([name, expected, running]);
      }
    }),
    { numRuns: 60 },
  );
});

describe('a pause', () => {
  it('forgets what waits, lets what is under way end, and takes nothing until it is over', async () => {
    const { queue, clock, began, end, meter } = aQueue({ concurrency: 1 });
    for (const key of ['a', 'b', 'a']) queue.add(key);
    queue.addAfter('c', seconds(1));
    await settle();
    queue.add('a');
    queue.pause();
    expect([began, queue.size, clock.pending, meter.of('depth').at(-1)]).toEqual([['a'], 1, [], [0]]);
    queue.add('d');
    queue.addAfter('e', seconds(1));
    await end('a', { kind: 'failed' });
    await clock.advance(minutes(10));
    expect([began, clock.pending]).toEqual([['a'], []]);
    queue.resume();
    queue.add('f');
    await settle();
    expect(began).toEqual(['a']);
    queue.start();
    await settle();
    expect(began).toEqual(['a', 'f']);
  });
});
