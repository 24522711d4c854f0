import { describe, expect, it } from 'vitest';
import { drainWorker } from '../../src/simulation/worker.ts';
import { queueSpec, startController } from '../support/controller.ts';
import { simulate } from '../support/simulation.ts';

describe('a queue that is drained', () => {
  it('starts one Job when messages are ready, and none for an empty queue', async () => {
    const world = simulate({ seed: 1 });
    const queue = world.queue('thumbnails');
    world.cluster.script = () => drainWorker(queue);
    world.applyConfigMap('thumbnails', queueSpec('thumbnails'));
    startController(world);
    await world.run(60_000);
    expect(world.jobs()).toEqual([]);
    expect(world.status('thumbnails')).toMatchObject({ state: 'Idle', reason: 'QueueEmpty' });
    queue.send(3);
    expect(await world.runUntil(() => queue.messages.every((message) => message.state === 'completed'))).toBe(true);
    await world.run(30_000);
    expect(world.jobs()).toHaveLength(1);
    expect(world.status('thumbnails')).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' } });
  });
});
