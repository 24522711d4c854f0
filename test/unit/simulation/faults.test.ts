import { describe, expect, it } from 'vitest';
import type { ApiRequest, ApiResponse, Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { asError, sleep } from '../../../src/lib/clock.ts';
import type { Json } from '../../../src/lib/json.ts';
import { plannedFaults, randomFaults, scheduleOutages } from '../../../src/simulation/fault-plans.ts';
import { type FaultPlan, FaultyTransport, type RequestFault, type WatchFault } from '../../../src/simulation/faults.ts';
import { configMaps } from '../../../src/simulation/objects.ts';
import { Random } from '../../../src/simulation/random.ts';
import { simulate, type Simulation } from '../../support/simulation.ts';
import { pgBossSource } from '../../support/sources.ts';

const path = '/api/v1/namespaces/default/configmaps';
const create = (name: string): ApiRequest => ({ method: 'POST', path, body: { metadata: { name } } });
const watch: ApiRequest = { method: 'GET', path, query: { watch: 'true', allowWatchBookmarks: 'true' } };

/** The answer's status, or the error's code; undefined while there is none. */
function asked(transport: Transport, request: ApiRequest): () => number | string | undefined {
  let outcome: number | string | undefined;
  const failed = (error: unknown): void => { outcome = (error as { code?: string }).code ?? asError(error).message; };
  transport.request(request).then(({ status }: ApiResponse) => { outcome = status; }, failed);
  return () => outcome;
}

function seen(transport: Transport, request: ApiRequest): { types: string[]; end: () => string | undefined; status: () => number | undefined } {
  const types: string[] = [];
  let end: string | undefined;
  let status: number | undefined;
  const read = async (): Promise<void> => {
    const stream = await transport.stream(request);
    status = stream.status;
    for await (const line of stream.lines) types.push((line as { type?: string; code?: number }).type ?? String((line as { code?: number }).code));
  };
  read().then(() => { end = 'ended'; }, (error: unknown) => { end = (error as { code?: string }).code ?? 'broken'; });
  return { types, end: () => end, status: () => status };
}

const exists = (world: Simulation, name: string): boolean => world.cluster.store.get(configMaps, name) !== undefined;
const faulty = (world: Simulation, plan: FaultPlan): FaultyTransport => new FaultyTransport(world.cluster.api, world.clock, plan);
const always = (fault: RequestFault): FaultPlan => plannedFaults([{ when: () => true, fault, times: Infinity }]);
const watching = (fault: WatchFault): FaultPlan => plannedFaults([], [{ when: () => true, fault }]);

describe('requests that go wrong', () => {
  const cases: [string, RequestFault, number | string | undefined, boolean][] = [
    ['refused: an error, no effect', { kind: 'refused' }, 'ECONNREFUSED', false],
    ['429: its status, no effect', { kind: 'status', code: 429, retryAfter: 1 }, 429, false],
    ['500: its status, no effect', { kind: 'status', code: 500 }, 500, false],
    ['answer lost: an error, and the effect', { kind: 'answerLost' }, 'ECONNRESET', true],
    ['hanging: no answer ever, and the effect', { kind: 'hangs' }, undefined, true],
    ['slow: both, late', { kind: 'slow', before: 1000, after: 1000 }, 201, true],
  ];
  it.each(cases)('%s', async (_name, fault, outcome, effect) => {
    const world = simulate();
    const answer = asked(faulty(world, always(fault)), create('one'));
    await world.run(5000);
    expect([answer(), exists(world, 'one')]).toEqual([outcome, effect]);
  });

  it('a slow request that is aborted may take effect later', async () => {
    const world = simulate();
    const controller = new AbortController();
    const answer = asked(faulty(world, always({ kind: 'slow', before: 5000, after: 0 })), { ...create('one'), signal: controller.signal });
    world.clock.timer(1000, () => { controller.abort(new Error('timed out')); });
    await world.run(2000);
    expect([answer(), exists(world, 'one')]).toEqual(['timed out', false]);
    await world.run(5000);
    expect(exists(world, 'one')).toBe(true);
  });

  it('happen to the planned request only', async () => {
    const world = simulate();
    const plan = plannedFaults([{ when: ({ method }) => method === 'POST', fault: { kind: 'refused' }, skip: 1 }]);
    const transport = faulty(world, plan);
    const outcomes: unknown[] = [];
    for (const name of ['a', 'b', 'c']) {
      const answer = asked(transport, create(name));
      await world.run(100);
      outcomes.push(answer());
    }
    expect(outcomes).toEqual([201, 'ECONNREFUSED', 201]);
    expect(transport.injected).toMatchObject([{ kind: 'refused', method: 'POST', path }]);
  });

  it('come back the same for the same seed, and not after the end of the bad time', () => {
    const kinds = (seed: number): (string | undefined)[] => {
      const world = simulate();
      const plan = randomFaults({ random: new Random(seed), clock: world.clock, rates: { refused: 0.2, answerLost: 0.2, slow: 0.2 } });
      return Array.from({ length: 50 }, () => plan.request(create('a'))?.kind);
    };
    expect(kinds(1)).toEqual(kinds(1));
    expect(kinds(1)).not.toEqual(kinds(2));
    const world = simulate();
    const over = randomFaults({ random: new Random(1), clock: world.clock, rates: { refused: 1, watch: 1 }, until: world.clock.now() });
    expect([over.request(create('a')), over.watch(watch)]).toEqual([undefined, undefined]);
  });
});

describe('watches that go wrong', () => {
  const begin = async (fault: WatchFault): Promise<{ world: Simulation; view: ReturnType<typeof seen> }> => {
    const world = simulate();
    const view = seen(faulty(world, watching(fault)), watch);
    await world.run(1000);
    world.cluster.registry.create(configMaps, { metadata: { name: 'one' } });
    return { world, view };
  };

  it('cut: what came before, then an error', async () => {
    const { world, view } = await begin({ kind: 'cut', after: 2000 });
    await world.run(5000);
    expect([view.types, view.end()]).toEqual([['ADDED'], 'ECONNRESET']);
  });

  it('silent: nothing more, not even bookmarks, and no end', async () => {
    const { world, view } = await begin({ kind: 'silent', after: 500 });
    await world.run(600_000);
    expect([view.types, view.end()]).toEqual([[], undefined]);
  });

  it('late: everything, after a while', async () => {
    const { world, view } = await begin({ kind: 'late', by: 10_000 });
    await world.run(9000);
    expect(view.types).toEqual([]);
    await world.run(2000);
    expect(view.types).toEqual(['ADDED']);
  });

  it('expired: 410 inside the stream', async () => {
    const { view } = await begin({ kind: 'expired', as: 'event' });
    expect([view.status(), view.types, view.end()]).toEqual([200, ['ERROR'], 'ended']);
  });

  it('expired: 410 as the status', async () => {
    const { view } = await begin({ kind: 'expired', as: 'status' });
    expect([view.status(), view.types, view.end()]).toEqual([410, ['410'], 'ended']);
  });
});

describe('an outage', () => {
  it('refuses requests and breaks watches until it is over', async () => {
    const world = simulate();
    const view = seen(world.cluster.api, watch);
    await world.run(100);
    world.cluster.api.setAvailable(false);
    const answer = asked(world.cluster.api, create('one'));
    await world.run(100);
    expect([answer(), view.end(), exists(world, 'one')]).toEqual(['ECONNREFUSED', 'ECONNRESET', false]);
    world.cluster.api.setAvailable(true);
    const again = asked(world.cluster.api, create('one'));
    await world.run(100);
    expect(again()).toBe(201);
  });

  it('comes and goes by plan, and leaves the server up', async () => {
    const world = simulate();
    scheduleOutages(world.cluster.api, world.clock, new Random(3), { every: 60_000, lasting: 20_000, until: world.clock.now() + 3_600_000 });
    let refused = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      const answer = asked(world.cluster.api, { method: 'GET', path });
      await world.run(60_000);
      if (answer() !== 200) refused += 1;
    }
    expect(refused).toBeGreaterThan(3);
    const answer = asked(world.cluster.api, { method: 'GET', path });
    await world.run(600_000);
    expect(answer()).toBe(200);
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('a process that is killed', () => {
  /** Creates a, b, c in turn and notes what it has come to know. */
  const writer = (world: Simulation, notes: string[]) => world.process(async ({ transport, clock }) => {
    for (const name of ['a', 'b', 'c']) {
      const { status } = await transport.request(create(name));
      notes.push(`${name} ${status}`);
      await sleep(clock, 1000);
    }
    notes.push('done');
  });

  it.each([
    ['before its second request', { request: 2, when: 'before' as const }, ['a 201'], ['a']],
    ['after its second request took effect', { request: 2, when: 'after' as const }, ['a 201'], ['a', 'b']],
    ['after its third write', { request: 3, when: 'after' as const, writesOnly: true }, ['a 201', 'b 201'], ['a', 'b', 'c']],
  ])('%s knows nothing more', async (_name, point, known, made) => {
    const world = simulate();
    const notes: string[] = [];
    const process = writer(world, notes);
    process.killAt(point);
    await world.run(60_000);
    expect([process.alive, notes, ['a', 'b', 'c'].filter((name) => exists(world, name))]).toEqual([false, known, made]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('at some time stands still there, and its watches are closed', async () => {
    const world = simulate();
    const notes: string[] = [];
    const process = world.process(async ({ transport, clock, depth }) => {
      const stream = await transport.stream(watch);
      notes.push('watching');
      void depth.depth({ source: pgBossSource('q'), upTo: 1 }, new AbortController().signal).then(() => notes.push('depth'));
      clock.timer(5000, () => notes.push('timer'));
      for await (const line of stream.lines) notes.push((line as { [key: string]: Json })['type'] as string);
      notes.push('ended');
    });
    await world.runUntil(() => notes.length > 0);
    expect(world.cluster.api.openWatches).toBe(1);
    process.kill();
    world.cluster.registry.create(configMaps, { metadata: { name: 'one' } });
    await world.run(60_000);
    expect([notes, world.cluster.api.openWatches, world.clock.pendingTimers]).toEqual([['watching'], 0, 0]);
  });

  it('leaves a request behind that takes effect after its death', async () => {
    const world = simulate();
    const process = world.process(async ({ transport }) => { await transport.request(create('late')); }, {
      wrap: (transport, clock) => new FaultyTransport(transport, clock, always({ kind: 'slow', before: 10_000, after: 0 })),
    });
    await world.run(1000);
    process.kill();
    expect(exists(world, 'late')).toBe(false);
    await world.run(20_000);
    expect(exists(world, 'late')).toBe(true);
  });

  it('fails the run when it throws by itself', async () => {
    const world = simulate();
    world.process(() => { throw new Error('broken'); });
    await expect(world.run(1)).rejects.toThrow('broken');
  });

  it('may have a time of day that is off, while its durations are right', async () => {
    const world = simulate();
    const process = world.process(() => undefined, { skew: -120_000 });
    await world.run(1000);
    expect([process.clock.now() - world.clock.now(), process.clock.monotonic()]).toEqual([-120_000, 1000]);
  });
});
