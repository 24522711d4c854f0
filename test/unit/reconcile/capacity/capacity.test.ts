import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noLimits, type EffectiveLimits } from '../../../../src/plan/limits/effective.ts';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { Capacity } from '../../../../src/reconcile/capacity/capacity.ts';
import type { Asker } from '../../../../src/reconcile/capacity/line.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';

const run = (name: string): SpecKey => ({ kind: 'run', name });

/** A capacity, whom it woke, and Jobs that come and go. */
class World {
  readonly clock = new FakeClock();
  readonly woken: string[] = [];
  readonly capacity: Capacity;

  constructor(limits: Partial<EffectiveLimits> = {}) {
    this.capacity = new Capacity({ clock: this.clock, wake: ({ name }) => this.woken.push(name), jobs: () => [] });
    this.limit(limits);
  }

  limit(limits: Partial<EffectiveLimits>): void {
    this.capacity.limits = { ...noLimits, ...limits };
  }

  asker(name: string, { group, priority = 0 }: { readonly group?: string | undefined; readonly priority?: number } = {}): Asker {
    return { key: run(name), group, priority, holder: `workflow ${name}` };
  }

  /** A round that would start `wants` Jobs; how many it could. */
  round(name: string, wants: number, changes: Parameters<World['asker']>[1] = {}): number {
    const asker = this.asker(name, changes);
    const count = Math.min(wants, this.capacity.room(asker).jobs);
    const names = Array.from({ length: count }, (_, index) => `${name}-${this.#jobs + index}`);
    this.#jobs += count;
    this.capacity.take(asker, names, wants - count);
    for (const job of names) this.#create(name, job, changes.group);
    return count;
  }

  /** The oldest Job of the run ends, and no pod of it lives. */
  end(name: string): void {
    const job = this.live.find((one) => one.startsWith(`${name}-`));
    if (job === undefined) return;
    this.live.splice(this.live.indexOf(job), 1);
    this.capacity.live(job, undefined);
  }

  readonly live: string[] = [];
  #jobs = 0;

  #create(name: string, job: string, group: string | undefined): void {
    this.capacity.reserved(run(name), job);
    this.capacity.confirmed(job);
    this.capacity.settled(job);
    this.live.push(job);
    this.capacity.live(job, { group, holder: `workflow ${name}` });
    this.capacity.appeared(job, this.clock.now());
  }

  get used(): number {
    return this.capacity.view()[0]?.used ?? 0;
  }
}

const groups = (of: Record<string, number>): ReadonlyMap<string, number> => new Map(Object.entries(of));

describe('places', () => {
  it('are without end where nothing is limited', () => {
    expect(new World().round('a', 1000)).toBe(1000);
  });

  it('are as many as the limit has, and then none', () => {
    const world = new World({ maxJobs: 3 });
    expect([world.round('a', 2), world.round('b', 2), world.round('c', 1)]).toEqual([2, 1, 0]);
  });

  it('are taken by what is asked for, before anybody can see it', () => {
    const { capacity, ...world } = new World({ maxJobs: 1 });
    const [a, b] = [new World().asker('a'), new World().asker('b')];
    capacity.take(a, ['a-1'], 0);
    expect(capacity.room(b).jobs).toBe(0);
    capacity.settled('a-1');
    expect([capacity.room(b).jobs, world.woken]).toEqual([1, []]);
  });

  it('stay taken by a name that is reserved, until it is let go or its Job is shown', () => {
    const world = new World({ maxJobs: 1 });
    const { capacity } = world;
    const free = (): number => capacity.room(world.asker('b')).jobs;
    capacity.take(world.asker('a'), ['a-1'], 0);
    capacity.reserved(run('a'), 'a-1');
    capacity.settled('a-1');
    expect(free()).toBe(0);
    capacity.live('a-1', { group: undefined, holder: 'workflow a' });
    capacity.appeared('a-1', 0);
    capacity.released('a-1');
    expect(free()).toBe(0);
    capacity.live('a-1', undefined);
    expect(free()).toBe(1);
  });

  it('are taken once by a queue whose Job gets its name later', () => {
    const { capacity } = new World({ maxJobs: 2 });
    const key: SpecKey = { kind: 'queue', name: 'q' };
    capacity.take({ key, group: 'g', priority: 0, holder: 'queue q' }, ['spec/queue/q'], 0);
    expect(capacity.view()[0]).toEqual({ group: '', used: 1, limit: 2 });
    capacity.reserved(key, 'q-1');
    expect(capacity.view()[0]?.used).toBe(1);
    capacity.settled('spec/queue/q');
    capacity.released('q-1');
    expect(capacity.view()[0]?.used).toBe(0);
  });

  it('are counted by the group on the Job, with or without its spec', () => {
    const world = new World({ groups: groups({ gpu: 2 }) });
    world.capacity.live('left-over', { group: 'gpu', holder: 'queue gone' });
    expect([world.round('a', 5, { group: 'gpu' }), world.round('b', 5)]).toEqual([1, 5]);
    expect(world.capacity.room(world.asker('c', { group: 'gpu' })).shortage.message).toBe('2 of 2 Jobs of group "gpu" are live: 1 of queue gone, 1 of workflow a');
  });
});

describe('who waits', () => {
  it('is woken one at a time, by priority, then by turn', async () => {
    const world = new World({ maxJobs: 1 });
    world.round('busy', 1);
    for (const [name, priority] of [['low', -1], ['first', 0], ['second', 0], ['high', 7]] as const) world.round(name, 1, { priority });
    for (const name of ['busy', 'high', 'first', 'second']) {
      world.end(name);
      await settle();
      const next = world.woken.at(-1) ?? '';
      expect(world.round(next, 1)).toBe(1);
    }
    expect(world.woken).toEqual(['high', 'first', 'second', 'low']);
  });

  it('keeps what it was given, whoever asks in between', async () => {
    const world = new World({ maxJobs: 1 });
    world.round('busy', 1);
    world.round('waits', 1);
    world.end('busy');
    await settle();
    expect([world.round('new', 1), world.round('waits', 1)]).toEqual([0, 1]);
  });

  it('gives back what it does not need, and the next one gets it', async () => {
    const world = new World({ maxJobs: 1 });
    world.round('busy', 1);
    world.round('a', 1);
    world.round('b', 1);
    world.end('busy');
    await settle();
    world.round('a', 0);
    await settle();
    expect([world.woken, world.round('b', 1), world.used]).toEqual([['a', 'b'], 1, 1]);
  });

  it('gives back everything when nothing is left of it', async () => {
    const world = new World({ maxJobs: 1 });
    world.round('busy', 1);
    world.round('a', 1);
    world.round('b', 1);
    world.end('busy');
    await settle();
    world.capacity.forget(run('a'));
    await settle();
    expect([world.woken, world.capacity.waiting]).toEqual([['a', 'b'], 0]);
  });

  it('shares with others of its priority, however much it wants', async () => {
    const world = new World({ maxJobs: 10 });
    world.round('big', 1000);
    world.round('small', 3);
    for (let count = 0; count < 6; count += 1) {
      world.end('big');
      await settle();
      for (const name of world.woken.splice(0)) world.round(name, name === 'big' ? 1000 : 3 - world.live.filter((job) => job.startsWith('small')).length);
    }
    expect(world.live.filter((job) => job.startsWith('small')).length).toBe(3);
  });

  it('is not woken for a group that is full', async () => {
    const world = new World({ maxJobs: 10, groups: groups({ gpu: 1 }) });
    world.round('a', 1, { group: 'gpu' });
    world.round('b', 1, { group: 'gpu', priority: 9 });
    world.round('c', 9);
    world.round('d', 1);
    world.end('c');
    await settle();
    expect(world.woken).toEqual(['d']);
  });

  it('looks again when the limits change, whatever they are now', () => {
    const world = new World({ maxJobs: 0 });
    world.round('a', 1);
    world.limit({ suspendedBy: ['night'] });
    expect(world.woken).toEqual(['a']);
    expect(world.capacity.room(world.asker('a'))).toMatchObject({ jobs: 0, halted: true, shortage: { reason: 'InstanceSuspended' } });
  });

  it('is woken when a start rate allows the next', async () => {
    const world = new World({ rates: [{ starts: 2, within: 10_000 }] });
    expect(world.round('a', 3)).toBe(2);
    await world.clock.advance(9_999);
    expect(world.woken).toEqual([]);
    await world.clock.advance(1);
    expect([world.woken, world.round('a', 1)]).toEqual([['a'], 1]);
  });

  it('leaves no timer behind', async () => {
    const world = new World({ rates: [{ starts: 1, within: 10_000 }] });
    world.round('a', 2);
    await settle();
    expect(world.clock.pending).not.toEqual([]);
    world.capacity.stop();
    expect(world.clock.pending).toEqual([]);
  });

  it('looks again after a while at a name that nobody showed', async () => {
    const world = new World({ maxJobs: 1 });
    world.capacity.take(world.asker('a'), ['a-1'], 0);
    world.capacity.reserved(run('a'), 'a-1');
    world.capacity.settled('a-1');
    world.round('b', 1);
    await world.clock.advance(11_000);
    expect(world.woken).toContain('a');
  });

  it('asks anew when another process led meanwhile', async () => {
    const world = new World({ maxJobs: 1 });
    world.round('busy', 1);
    world.round('a', 1);
    world.capacity.startAnew();
    world.end('busy');
    await settle();
    expect([world.woken, world.used]).toEqual([[], 0]);
  });
});

describe('whatever comes in whatever order', () => {
  const step = fc.record({ who: fc.integer({ min: 0, max: 5 }), what: fc.constantFrom('round', 'end', 'wake', 'forget'), wants: fc.integer({ min: 0, max: 6 }) });

  it('no limit is ever exceeded, and in the end everybody gets what it wants', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const world = new World({ maxJobs: 5, groups: groups({ x: 2, y: 4 }) });
      const changes = (who: number): Parameters<World['asker']>[1] => ({ group: [undefined, 'x', 'y'][who % 3], priority: who % 2 });
      const wanted = new Map<string, number>();
      const round = (name: string): void => {
        const wants = wanted.get(name) ?? 0;
        wanted.set(name, wants - world.round(name, wants, changes(Number(name.slice(1)))));
        const [all, ...rest] = world.capacity.view();
        expect(all?.used).toBeLessThanOrEqual(5);
        for (const { used, limit } of rest) expect(used).toBeLessThanOrEqual(limit ?? 0);
      };
      for (const { who, what, wants } of steps) {
        const name = `r${who}`;
        if (what === 'end') world.end(name);
        else if (what === 'wake') for (const one of world.woken.splice(0)) round(one);
        else if (what === 'forget') {
          wanted.set(name, 0);
          world.capacity.forget(run(name));
        } else {
          wanted.set(name, wants);
          round(name);
        }
        if (wants % 2 === 0) await settle();
      }
      for (let count = 0; count < 200 && [...wanted.values()].some((left) => left > 0); count += 1) {
        for (const name of wanted.keys()) world.end(name);
        await settle();
        for (const one of world.woken.splice(0)) round(one);
      }
      expect([...wanted.values()].filter((left) => left > 0)).toEqual([]);
      expect(world.capacity.waiting).toBe(0);
    }), { numRuns: 200 });
  });
});
