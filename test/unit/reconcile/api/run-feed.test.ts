import { describe, expect, it } from 'vitest';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import type { RunState } from '../../../../src/plan/run/state.ts';
import { RunFeed, stepChanges, type FeedReader, type PlacedEvent } from '../../../../src/reconcile/api/run-feed.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { aRecord } from '../../../support/workflows.ts';

class Records {
  readonly all = new Map<string, ObservedRecord>();
  state: RunState = { startedAt: 0, steps: {}, undo: {} };
  reads = 0;
  #listener: (name: string) => void = () => undefined;
  listeners = 0;

  readonly port = {
    cache: { synced: true, problem: undefined, all: () => [...this.all.values()], of: () => [], ofQueue: () => [], childrenOf: () => [], get: (name: string) => this.all.get(name), hasSeen: () => true },
    read: (name: string) => {
      this.reads += 1;
      const record = this.all.get(name);
      return Promise.resolve(record ? ({ kind: 'found', value: { record, data: {}, parameters: {}, state: this.state } } as const) : ({ kind: 'absent' } as const));
    },
    onChange: (listener: (name: string) => void) => {
      this.#listener = listener;
      this.listeners += 1;
      return () => { this.listeners -= 1; };
    },
  };

  put(record: ObservedRecord): void {
    this.all.set(record.name, record);
    this.#listener(record.name);
  }

  remove(name: string): void {
    this.all.delete(name);
    this.#listener(name);
  }
}

function make(): { clock: FakeClock; records: Records; feed: RunFeed } {
  const [clock, records] = [new FakeClock(), new Records()];
  let drawn = 0;
  return { clock, records, feed: new RunFeed({ clock, runs: records.port, random: () => `epoch${(drawn += 1)}` }) };
}

function told(reader: FeedReader): string[] {
  const events = reader.take();
  return events === 'lost' ? ['lost'] : events.map(({ event }) => (event.kind === 'step' ? `${event.change.step} ${event.change.state}` : `${event.kind} ${event.record.phase}`));
}

describe('the feed', () => {
  it('sleeps while nobody reads, and a minute longer', async () => {
    const { clock, records, feed } = make();
    records.put(aRecord({ name: 'a' }));
    await clock.advance(10);
    expect([records.reads, records.listeners]).toEqual([0, 0]);
    const reader = feed.subscribe(undefined);
    expect(records.listeners).toBe(1);
    reader.close();
    await clock.advance(59_000);
    expect(records.listeners).toBe(1);
    await clock.advance(2_000);
    expect([records.listeners, clock.pending]).toEqual([0, []]);
  });

  it('tells steps before the end of their run, what is asked of it, and that it is gone', async () => {
    const { clock, records, feed } = make();
    records.put(aRecord({ name: 'a', phase: 'Running' }));
    const reader = feed.subscribe(undefined);
    records.put(aRecord({ name: 'a', phase: 'Running', commands: { suspend: true } }));
    await clock.advance(1);
    records.state = { startedAt: 0, steps: { load: { outcome: 'succeeded', at: 5, attempts: [{ job: 'j', at: 1, outcome: 'succeeded' }] } }, undo: {} };
    records.put(aRecord({ name: 'a', phase: 'Succeeded' }));
    await clock.advance(1);
    records.remove('a');
    await settle();
    expect(told(reader)).toEqual(['run Running', 'load Succeeded', 'run Succeeded', 'deleted Succeeded']);
    expect(told(reader)).toEqual([]);
    reader.close();
  });

  it('goes on after an id of this time awake, and not after any other', async () => {
    const { clock, records, feed } = make();
    const first = feed.subscribe(undefined);
    records.put(aRecord({ name: 'a', phase: 'Queued' }));
    await clock.advance(1);
    const [{ id } = { id: '' }] = first.take() as readonly PlacedEvent[];
    records.put(aRecord({ name: 'a', phase: 'Running' }));
    await clock.advance(1);
    const second = feed.subscribe(id);
    expect([second.resumed, told(second)]).toEqual([true, ['run Running']]);
    for (const other of ['epoch1-99', 'epoch0-1', 'x', '']) expect(feed.subscribe(other).resumed).toBe(false);
    feed.close();
    expect(feed.subscribe(id).resumed).toBe(false);
  });

  it('tells a reader that fell behind that it has lost something, and holds no more for it', async () => {
    const { clock, records, feed } = make();
    const reader = feed.subscribe(undefined);
    for (let number = 0; number < 5_000; number += 1) records.put(aRecord({ name: `r${number}`, phase: 'Queued' }));
    await clock.advance(1);
    expect(told(reader)).toEqual(['lost']);
    reader.close();
  });
});

describe('changes of steps', () => {
  const state = (steps: RunState['steps']): RunState => ({ startedAt: 0, steps, undo: {} });

  it('are those that stand otherwise, and all of them where nothing was known', () => {
    const starting = state({ a: { outcome: 'succeeded', at: 1 }, b: { attempts: [{ job: 'b-1', at: 1 }] } });
    const running = state({ a: { outcome: 'succeeded', at: 1 }, b: { attempts: [{ job: 'b-1', at: 1, ranAt: 2 }] } });
    expect(stepChanges(undefined, starting).map(({ step, state: word }) => [step, word])).toEqual([['a', 'Succeeded'], ['b', 'Starting']]);
    expect(stepChanges(starting, running)).toMatchObject([{ step: 'b', part: 'steps', state: 'Running', attempts: 1, outcome: undefined }]);
    expect(stepChanges(running, running)).toEqual([]);
  });

  it('take names of steps as they are, those of programs as well', () => {
    expect(stepChanges(state({}), state({ constructor: { outcome: 'skipped', at: 1 } } as never)).map(({ step }) => step)).toEqual(['constructor']);
  });
});
