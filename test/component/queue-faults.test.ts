import { describe, expect, it } from 'vitest';
import type { DepthProblem } from '../../src/plan/observed.ts';
import { hour, minute, second, useScenes } from '../support/scene.ts';

const stage = useScenes();
const problems: DepthProblem[] = ['ConnectionUnknown', 'QueueUnreachable', 'QueueForbidden', 'QueueNotFound', 'QueueUnsupported'];

describe('a queue that cannot be read', () => {
  it.each(problems)('%s from the start: nothing is started, the status says why, and it recovers without a restart', async (problem) => {
    const scene = stage({ controller: 'none' });
    scene.world.queues.breakConnection('main', problem);
    scene.start();
    scene.queue.send(2);
    await scene.world.run(hour);
    expect(scene.births).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: problem, message: `connection "main": ${problem}` });
    expect(scene.status().conditions).toContainEqual(expect.objectContaining({ type: 'Accepted', status: 'True' }));
    expect(scene.world.events().filter((text) => text.includes(problem))).toHaveLength(1);
    scene.world.queues.breakConnection('main');
    await scene.world.run(12 * second);
    expect(scene.births).toHaveLength(1);
    expect(await scene.world.runUntil(() => scene.allDone, minute)).toBe(true);
  });

  it.each(problems)('%s later: what runs goes on, nothing new is started', async (problem) => {
    const scene = stage({ worker: { perMessage: 30 * second } });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    scene.world.queues.breakConnection('main', problem);
    scene.queue.send(1, { startAfter: 5 * minute });
    await scene.world.run(10 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome()).toMatchObject({ outcome: 'succeeded' });
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: problem, lastRun: { outcome: 'succeeded' } });
    scene.world.queues.breakConnection('main');
    expect(await scene.world.runUntil(() => scene.allDone, 5 * minute)).toBe(true);
  });

  it('is not hammered', async () => {
    const scene = stage({ controller: 'none' });
    scene.world.queues.breakConnection('main', 'QueueUnreachable');
    scene.start();
    await scene.world.run(hour);
    expect(scene.world.queues.probes).toBeLessThanOrEqual(362);
  });

  it('a query that hangs starts nothing, holds up nobody else, and is over when the answer comes', async () => {
    const scene = stage();
    await scene.world.run(minute);
    scene.world.queues.setHanging(true);
    await scene.world.run(minute);
    scene.apply({ suspend: true });
    await scene.world.run(second);
    expect(scene.status()).toMatchObject({ state: 'Suspended' });
    scene.world.queues.setHanging(false);
    scene.apply();
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.allDone).toBe(true);
  });

  it('a queue that is created later is found', async () => {
    const scene = stage({ spec: { source: { pgBoss: { connection: 'main', queue: 'later' } } }, pod: { runs: hour } });
    await scene.world.run(10 * minute);
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: 'QueueNotFound' });
    scene.world.queue('later').send(1);
    await scene.world.run(12 * second);
    expect(scene.births).toHaveLength(1);
  });

  it('one broken connection leaves the others alone', async () => {
    const scene = stage();
    scene.apply({ source: { pgBoss: { connection: 'broken', queue: 'thumbnails' } } }, 'other');
    scene.world.queues.breakConnection('broken', 'QueueForbidden');
    scene.queue.send(2);
    await scene.world.run(minute);
    expect(scene.allDone).toBe(true);
    expect(scene.status('other')).toMatchObject({ state: 'Blocked', reason: 'QueueForbidden' });
  });
});

describe('readings of the depth', () => {
  it('from before the end of the last Job start no other one', async () => {
    // The worker takes the last messages as it ends; a reading from a moment before would still show them.
    const scene = stage({ spec: { drain: { pods: { max: 4 } } }, worker: { perMessage: 3 * second } });
    for (let round = 0; round < 30; round += 1) {
      scene.queue.send(2);
      expect(await scene.world.runUntil(() => scene.allDone, 10 * minute)).toBe(true);
      await scene.world.run(20 * second);
      expect(scene.births).toHaveLength(round + 1);
    }
  });

  it('that fail are never zero and never more: a live Job is not raised', async () => {
    const scene = stage({ spec: { drain: { pods: { max: 4 } } }, pod: { runs: hour } });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    scene.world.queues.breakConnection('main', 'QueueUnreachable');
    scene.queue.send(10);
    await scene.world.run(5 * minute);
    expect(scene.job?.spec.parallelism).toBe(1);
    scene.world.queues.breakConnection('main');
    await scene.world.run(20 * second);
    expect(scene.job?.spec.parallelism).toBe(4);
  });
});
