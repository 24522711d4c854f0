import { describe, expect, it } from 'vitest';
import { randomFaults } from '../../src/simulation/fault-plans.ts';
import { FaultyTransport } from '../../src/simulation/faults.ts';
import { Random } from '../../src/simulation/random.ts';
import { drainWorker } from '../../src/simulation/worker.ts';
import { hour, isJobCreate, isStatusWrite, minute, second, useScenes } from '../support/scene.ts';

const stage = useScenes();

describe('two controllers of one instance', () => {
  it.each([1, 2, 3, 4, 5, 6])('have one live Job between them at any instant, and everything is done once (seed %i)', async (seed) => {
    const scene = stage({ seed, spec: { drain: { pods: { max: 3 } } }, worker: { perMessage: second } });
    scene.start();
    for (let burst = 0; burst < 12; burst += 1) {
      scene.queue.send(3);
      await scene.world.run(scene.world.random.between(1, 40) * second);
    }
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    await scene.world.run(minute);
    expect(scene.queue.messages.every(({ completions, deliveries }) => completions === 1 && deliveries === 1)).toBe(true);
    expect(scene.status()).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' } });
    const runs = scene.births.map(({ object }) => object.metadata.labels?.['job-chief/run']);
    expect(new Set(runs).size).toBe(runs.length);
  });

  it.each([11, 12, 13, 14])('also with slow and lost requests and late watches (seed %i)', async (seed) => {
    const scene = stage({ seed, controller: 'none', worker: { perMessage: second } });
    const random = new Random(seed);
    const until = scene.world.clock.now() + 20 * minute;
    for (const name of ['one', 'two']) {
      const plan = randomFaults({ random: random.split(name), clock: scene.world.clock, rates: { refused: 0.05, answerLost: 0.1, slow: 0.3, watch: 0.3 }, until });
      scene.start({ wrap: (transport, clock) => new FaultyTransport(transport, clock, plan) });
    }
    for (let burst = 0; burst < 20; burst += 1) {
      scene.queue.send(2);
      await scene.world.run(minute);
    }
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    await scene.world.run(10 * minute);
    expect(scene.queue.messages.every(({ completions }) => completions === 1)).toBe(true);
    expect(scene.world.unfinishedJobs()).toEqual([]);
  });

  it('do not write the status back and forth', async () => {
    const scene = stage({ pod: { runs: 20 * minute } });
    scene.start();
    await scene.world.run(minute);
    scene.queue.send(1);
    await scene.world.run(minute);
    const before = scene.requests(isStatusWrite).length;
    expect(before).toBeLessThan(16);
    await scene.world.run(15 * minute);
    expect(scene.requests(isStatusWrite)).toHaveLength(before);
  });

  it('say the same about a spec that waits, is blocked or is suspended', async () => {
    const scene = stage({ pod: { runs: second, exit: { code: 1 } }, spec: { drain: { waitAfter: { failed: '20m' } } } });
    scene.start();
    scene.queue.send(1);
    await scene.world.run(minute);
    const before = scene.requests(isStatusWrite).length;
    await scene.world.run(15 * minute);
    expect(scene.status()).toMatchObject({ state: 'Waiting' });
    expect(scene.requests(isStatusWrite)).toHaveLength(before);
  });

  it('the loser of a race stays quiet', async () => {
    const scene = stage({ pod: { runs: hour } });
    scene.start();
    await scene.world.run(minute);
    scene.queue.send(1);
    await scene.world.run(10 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.requests(isJobCreate).length).toBeLessThan(5);
  });

  it('of different instances share a namespace without seeing each other', async () => {
    const scene = stage({ pod: (pod) => drainWorker(scene.queueOf(pod), { perMessage: 20 * second }) });
    const other = scene.world.queue('other');
    scene.start({ instance: 'blue' });
    scene.apply({ source: { pgBoss: { connection: 'main', queue: 'other' } } }, 'blue-thumbnails', { 'job-chief/instance': 'blue' });
    scene.queue.send(1);
    other.send(1);
    await scene.world.run(15 * second);
    expect(scene.births.map(({ object }) => object.metadata.labels?.['job-chief/instance']).toSorted()).toEqual(['blue', 'default']);
  });
});

describe('a controller whose clock is wrong', () => {
  it.each([
    ['five minutes fast', 5 * minute],
    ['five minutes slow', -5 * minute],
    ['a second fast', second],
    ['a second slow', -second],
  ])('%s: it works, and never in a hot loop', async (_name, skew) => {
    let fails = true;
    const scene = stage({ controller: { skew }, spec: { timeout: '10m', retention: { succeeded: { count: 1 } } }, pod: (_pod) => (fails ? { runs: second, exit: { code: 1 } } : { work: (container) => {
      const message = scene.queue.fetch();
      container.clock.timer(2 * second, () => {
        if (message) scene.queue.complete(message);
        container.exit({ code: 0 });
      });
    } }) });
    scene.queue.send(3);
    scene.queue.send(1, { startAfter: 8 * minute });
    await scene.world.run(3 * minute);
    fails = false;
    expect(await scene.world.runUntil(() => scene.allDone, hour)).toBe(true);
    await scene.world.run(30 * minute);
    expect(scene.queue.messages.every(({ completions }) => completions === 1)).toBe(true);
    expect(scene.status()).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' } });
    expect(scene.world.requests.length).toBeLessThan(400);
    expect(scene.world.queues.probes).toBeLessThan(500);
    expect(scene.lines.length).toBeLessThan(400);
  });

  it.each([5 * minute, -5 * minute])('pods that never start are given up on, by %i ms', async (skew) => {
    const scene = stage({ controller: { skew }, spec: { startTimeout: '10m' }, pod: { unschedulable: { for: Infinity } } });
    scene.queue.send(1);
    await scene.world.run(2 * hour);
    expect(scene.births.length).toBeGreaterThan(3);
    expect(scene.world.requests.length).toBeLessThan(700);
  });

  // Limits are counted from the API server's timestamps: by an uncorrected clock they would be over before the Job begins.
  it.each([
    ['startTimeout', { startTimeout: '2m' }],
    ['timeout', { timeout: '2m' }],
  ])('five minutes fast with a %s of two minutes: Jobs have their time all the same', async (_name, spec) => {
    const scene = stage({ controller: { skew: 5 * minute }, spec, worker: { perMessage: 10 * second } });
    scene.queue.send(2);
    expect(await scene.world.runUntil(() => scene.allDone, hour)).toBe(true);
    expect(scene.births).toHaveLength(1);
  });
});
