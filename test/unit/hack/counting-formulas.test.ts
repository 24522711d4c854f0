/** The formulas beside which the bench shows job-chief, and what comes of them under its four loads. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobsToCreate, type Reading, type Strategy } from '../../../hack/dev/bench/counting-formulas.ts';
import { simulateCounting, type Counted, type Outcome } from '../../../hack/dev/bench/counting-simulation.ts';
import { loads, messagesOf, type Load } from '../../../hack/dev/bench/loads.ts';
import { median } from '../../../hack/dev/bench/numbers.ts';

const reading = (changes: Partial<Reading> = {}): Reading => ({ length: 10, running: 0, pending: 0, max: 100, ...changes });
const strategies = ['default', 'accurate', 'eager', 'custom'] as const;

describe('Jobs to create', () => {
  it.each<readonly [Strategy, string, Partial<Reading>, number]>([
    ['default', 'takes off every unfinished Job', { running: 4, pending: 4 }, 6],
    ['default', 'creates none where there are more Jobs than messages', { running: 14 }, 0],
    ['default', 'asks for no more than the maximum', { length: 500 }, 100],
    ['accurate', 'takes off those that have not started', { running: 6, pending: 4 }, 6],
    ['accurate', 'creates for messages that are being worked on once more', { running: 10 }, 10],
    ['accurate', 'fills up to the maximum', { running: 95 }, 5],
    ['eager', 'takes off those that have not started twice', { running: 45, pending: 45 }, 10],
    ['eager', 'creates up to the maximum', { length: 500, running: 10 }, 90],
    ['custom', 'takes off what somebody chose, and a share of the unfinished Jobs', { running: 5 }, 7],
  ])('by %s: %s', (strategy, _what, changes, created) => {
    expect(jobsToCreate(strategy, reading(changes))).toBe(created);
  });

  it('never number fewer than none, nor more than the maximum', () => {
    const readings = fc.record({ length: fc.nat(2000), running: fc.nat(200), waiting: fc.double({ min: 0, max: 1, noNaN: true }), max: fc.integer({ min: 1, max: 200 }) });
    fc.assert(fc.property(readings, fc.constantFrom(...strategies), ({ length, running, waiting, max }, strategy) => {
      const created = jobsToCreate(strategy, { length, running, pending: Math.floor(running * waiting), max });
      expect(created).toBeGreaterThanOrEqual(0);
      expect(created).toBeLessThanOrEqual(max);
    }));
  });
});

/** Seconds. */
interface Expected {
  readonly jobs: number;
  readonly empty: number;
  readonly medianWait?: number;
  readonly longestWait?: number;
  readonly end?: number;
}

const known: readonly (readonly [string, Counted, Strategy, Expected])[] = [
  ['A', 'all', 'default', { jobs: 40, empty: 0 }],
  ['A', 'all', 'accurate', { jobs: 80, empty: 40 }],
  ['A', 'all', 'eager', { jobs: 100, empty: 60 }],
  ['A', 'ready', 'default', { jobs: 40, empty: 0 }],
  ['A', 'ready', 'accurate', { jobs: 40, empty: 0 }],
  ['A', 'ready', 'eager', { jobs: 60, empty: 20 }],
  ['B', 'all', 'default', { jobs: 60, empty: 0, end: 673 }],
  ['B', 'all', 'accurate', { jobs: 2600, empty: 2540 }],
  ['B', 'all', 'eager', { jobs: 2600, empty: 2540 }],
  ['B', 'ready', 'default', { jobs: 60, empty: 0, longestWait: 548, end: 1213 }],
  ['B', 'ready', 'accurate', { jobs: 60, empty: 0 }],
  ['B', 'ready', 'eager', { jobs: 60, empty: 0 }],
  ['C', 'all', 'default', { jobs: 80, empty: 0 }],
  ['C', 'all', 'accurate', { jobs: 1441, empty: 1361 }],
  ['C', 'all', 'eager', { jobs: 1441, empty: 1361 }],
  ['C', 'ready', 'default', { jobs: 80, empty: 0, medianWait: 258, longestWait: 1178 }],
  ['C', 'ready', 'accurate', { jobs: 80, empty: 0 }],
  ['C', 'ready', 'eager', { jobs: 80, empty: 0 }],
  ['D', 'all', 'default', { jobs: 40, empty: 0 }],
  ['D', 'all', 'accurate', { jobs: 80, empty: 40 }],
  ['D', 'all', 'eager', { jobs: 100, empty: 60 }],
  ['D', 'ready', 'default', { jobs: 40, empty: 0 }],
  ['D', 'ready', 'accurate', { jobs: 40, empty: 0 }],
  ['D', 'ready', 'eager', { jobs: 60, empty: 20 }],
];

const loadOf = (name: string): Load => {
  const load = loads.find((one) => one.name === name);
  if (!load) throw new Error(`there is no load ${name}`);
  return load;
};

/** The same things of an outcome as were expected. */
function comparable({ jobs, empty, waits, end }: Outcome, expected: Expected): Expected {
  const all = { jobs, empty, medianWait: median(waits) / 1000, longestWait: Math.max(...waits) / 1000, end: end / 1000 };
  return { jobs, empty, ...Object.fromEntries(Object.entries(all).filter(([key]) => key in expected)) };
}

describe('a load whose Jobs are made by counting', () => {
  it.each(known)('%s, counting %s, by %s', (name, counted, strategy, expected) => {
    expect(comparable(simulateCounting(loadOf(name), { strategy, counted }), expected)).toEqual(expected);
  });

  it.each(loads.map((load) => [load.name, load] as const))('%s: no Job finds a message that another one has', (_name, load) => {
    for (const strategy of strategies) {
      for (const counted of ['all', 'ready'] as const) {
        const { jobs, empty, left } = simulateCounting(load, { strategy, counted });
        expect(jobs - empty).toBe(messagesOf(load) - left);
      }
    }
  });

  it('leaves the last message to itself for ever, where something is taken off what nobody has taken', () => {
    expect(simulateCounting(loadOf('C'), { strategy: 'custom', counted: 'ready' }).left).toBe(1);
  });
});
