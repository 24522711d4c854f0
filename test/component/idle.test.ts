import { describe, expect, it } from 'vitest';
import { hour, isWatch, minute, second, type Scene, useScenes } from '../support/scene.ts';

const stage = useScenes();

/** Requests other than watches in the next hour. */
async function requestsInAnHour(scene: Scene): Promise<string[]> {
  const before = scene.world.requests.length;
  await scene.world.run(hour);
  return scene.world.requests.slice(before).filter((request) => !isWatch(request)).map(({ method, path }) => `${method} ${path}`);
}

describe('while nothing happens', () => {
  it.each([
    ['with an empty queue', {}],
    ['with a suspended spec', { suspend: true }],
    ['with a rejected spec', { podz: 3 }],
    ['with an open breaker far from its next probe', { breaker: { failed: 1, probeEvery: '20h' } }],
    ['with a Job that runs for hours', { timeout: '20h' }],
  ] as const)('%s the controller makes no request but watches', async (name, spec) => {
    const exit = name.includes('breaker') ? { code: 1 } : { code: 0 };
    const scene = stage({ spec, pod: { runs: name.includes('hours') ? 10 * hour : second, exit } });
    if (name.includes('breaker') || name.includes('hours')) scene.queue.send(1);
    await scene.world.run(10 * minute);
    expect(await requestsInAnHour(scene)).toEqual([]);
  });

  it('after a whole life of Jobs it is silent again, and its watches are few', async () => {
    const scene = stage({ spec: { retention: { succeeded: { count: 1 } } } });
    for (let burst = 0; burst < 10; burst += 1) {
      scene.queue.send(3);
      await scene.world.run(minute);
    }
    await scene.world.run(10 * minute);
    const before = scene.world.requests.length;
    expect(await requestsInAnHour(scene)).toEqual([]);
    // Specs, Jobs, Pods and records: four watches of five to ten minutes each.
    expect(scene.world.requests.length - before).toBeLessThanOrEqual(48);
    expect(scene.world.cluster.api.openWatches).toBe(4);
  });

  it('one query per queue and checkInterval', async () => {
    const scene = stage({ spec: { drain: { checkInterval: '1m' } } });
    await scene.world.run(10 * minute);
    const before = scene.world.queues.probes;
    await scene.world.run(hour);
    expect(scene.world.queues.probes - before).toBeLessThanOrEqual(60);
  });

  it('timers do not pile up', async () => {
    const scene = stage({ spec: { drain: { pods: { max: 3 } } } });
    await scene.world.run(20 * minute);
    const before = scene.world.clock.pendingTimers;
    for (let burst = 0; burst < 60; burst += 1) {
      scene.queue.send(3);
      await scene.world.run(30 * second);
    }
    await scene.world.run(20 * minute);
    expect(scene.allDone).toBe(true);
    expect(scene.world.clock.pendingTimers).toBeLessThanOrEqual(before + 5);
  });

  it('a deleted spec leaves nothing that asks', async () => {
    const scene = stage();
    scene.queue.send(1);
    await scene.world.run(minute);
    scene.world.deleteConfigMap('thumbnails');
    await scene.world.run(minute);
    const before = scene.world.queues.probes;
    expect(await requestsInAnHour(scene)).toEqual([]);
    expect(scene.world.queues.probes).toBe(before);
  });
});
