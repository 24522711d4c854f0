import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/simulation/clock.ts';
import { isFinished } from '../../../src/simulation/job-shape.ts';
import { jobs } from '../../../src/simulation/objects.ts';
import { SimulatedQueue, SimulatedQueues } from '../../../src/simulation/queue.ts';
import { drainWorker, type WorkerOptions } from '../../../src/simulation/worker.ts';
import { simulate, type Simulation } from '../../support/simulation.ts';
import { pgBossSource } from '../../support/sources.ts';

const query = { source: pgBossSource('q'), upTo: 100 };

describe('queue', () => {
  it('shows deferred messages only when they are due', async () => {
    const clock = new VirtualClock();
    const queue = new SimulatedQueue('q', clock);
    queue.send(2);
    queue.send(3, { startAfter: 60_000 });
    expect([queue.ready, queue.nextReadyAt]).toEqual([2, clock.now() + 60_000]);
    await clock.runFor(60_000);
    expect([queue.ready, queue.nextReadyAt]).toEqual([5, undefined]);
  });

  it('takes a message back when its worker says nothing until the expiry', async () => {
    const clock = new VirtualClock();
    const queue = new SimulatedQueue('q', clock, { expiry: 10_000 });
    queue.send();
    const message = queue.fetch();
    expect([queue.ready, queue.active]).toEqual([0, 1]);
    await clock.runFor(10_000);
    expect([queue.ready, queue.active, message?.deliveries]).toEqual([1, 0, 1]);
  });

  it('gives a message up after its retries', () => {
    const queue = new SimulatedQueue('q', new VirtualClock(), { retryLimit: 1 });
    queue.send();
    for (let delivery = 0; delivery < 2; delivery += 1) {
      const message = queue.fetch();
      if (message) queue.fail(message);
    }
    expect([queue.messages[0]?.state, queue.unfinished]).toEqual(['dead', 0]);
  });

  it('counts work that was done twice', async () => {
    const clock = new VirtualClock();
    const queue = new SimulatedQueue('q', clock, { expiry: 1000 });
    queue.send();
    const slow = queue.fetch();
    await clock.runFor(1000);
    const again = queue.fetch();
    for (const message of [slow, again]) if (message) queue.complete(message);
    expect(queue.messages[0]).toMatchObject({ deliveries: 2, completions: 2, state: 'completed' });
  });
});

describe('depth probe', () => {
  const ask = async (queues: SimulatedQueues, clock: VirtualClock, signal = new AbortController().signal): Promise<unknown> => {
    const answer: { value?: unknown } = {};
    void queues.depth(query, signal).then((value) => { answer.value = value; });
    await clock.runFor(100);
    return answer.value;
  };

  it('counts up to what was asked for', async () => {
    const clock = new VirtualClock();
    const queues = new SimulatedQueues({ clock });
    queues.queue('q').send(150);
    expect(await ask(queues, clock)).toEqual({ kind: 'known', ready: 100, nextReadyAt: undefined });
  });

  it('says what it cannot know', async () => {
    const clock = new VirtualClock();
    const queues = new SimulatedQueues({ clock });
    expect(await ask(queues, clock)).toMatchObject({ kind: 'unknown', reason: 'QueueNotFound' });
    queues.queue('q');
    queues.breakConnection('main', 'QueueForbidden');
    expect(await ask(queues, clock)).toMatchObject({ kind: 'unknown', reason: 'QueueForbidden' });
    queues.breakConnection('main');
    expect(await ask(queues, clock)).toMatchObject({ kind: 'known' });
  });

  it('hangs until it is aborted, and never rejects', async () => {
    const clock = new VirtualClock();
    const queues = new SimulatedQueues({ clock });
    queues.queue('q');
    queues.setHanging(true);
    const controller = new AbortController();
    clock.timer(50, () => { controller.abort(); });
    expect(await ask(queues, clock, controller.signal)).toMatchObject({ kind: 'unknown', reason: 'QueueUnreachable' });
  });
});

describe('drain worker', () => {
  const drain = (options: WorkerOptions, parallelism = 1): Simulation => {
    const world = simulate();
    const queue = world.queue('q', { expiry: 30_000 });
    world.cluster.script = () => drainWorker(queue, options);
    queue.send(20);
    world.cluster.registry.create(jobs, { metadata: { name: 'one' }, spec: { parallelism, backoffLimit: 50, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] } } } });
    return world;
  };
  const over = (world: Simulation) => (): boolean => world.jobs().every(isFinished);

  it('takes messages while there are any, and ends well', async () => {
    const world = drain({ perMessage: 100 }, 2);
    expect(await world.runUntil(over(world))).toBe(true);
    expect(world.queue('q').messages.every(({ state, completions }) => state === 'completed' && completions === 1)).toBe(true);
    expect(world.jobs()[0]?.status).toMatchObject({ succeeded: 2 });
  });

  it('loses nothing when it crashes', async () => {
    const world = drain({ perMessage: 100, crashChance: 0.2, linger: 40_000 });
    expect(await world.runUntil(over(world))).toBe(true);
    expect(world.queue('q').unfinished).toBe(0);
    expect(world.jobs()[0]?.status.failed).toBeGreaterThan(0);
  });

  it('gives its message back when it is stopped', async () => {
    const world = drain({ perMessage: 5000 });
    await world.run(3000);
    expect(world.queue('q').active).toBe(1);
    world.cluster.registry.update(jobs, 'one', (job) => ({ ...job, spec: { ...(job['spec'] as object), suspend: true } }));
    await world.run(2000);
    expect([world.queue('q').active, world.queue('q').ready, world.pods()]).toEqual([0, 20, []]);
  });
});
