/** Runs whose controller is restarted, is doubled, or has a bad network: no step runs twice, and none is lost. */
import { describe, expect, it } from 'vitest';
import { randomFaults } from '../../../src/simulation/fault-plans.ts';
import { busyPods as pods, busySpec as spec, ending, works } from '../../support/busy-workflow.ts';
import { highAvailability } from '../../support/controller.ts';
import { chain, useWorkflows } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

/** What comes of it when nothing happens. */
async function calm(): Promise<string> {
  const scene = stage({ seed: 3, spec, pods });
  await scene.finished();
  return JSON.stringify([ending(scene), works(scene)]);
}

describe('a restart in mid-run', () => {
  it.each([300, 1500, 3000, 6000])('after %i ms goes on where the run was', async (after) => {
    const scene = stage({ spec, pods });
    await scene.world.run(after);
    await scene.restart(700);
    await scene.finished();
    expect(JSON.stringify([ending(scene), works(scene)])).toBe(await calm());
  });

  it('in order writes down what was decided last, and waits for nothing else', async () => {
    let stop: (() => Promise<void>) | undefined;
    const scene = stage({ controller: { made: (engine) => { stop = () => engine.stop(); } }, steps: chain('a', 'b', 'c'), pods: { c: { runs: 60_000 } } });
    await scene.world.runUntil(() => scene.births.length === 3);
    // The third Job was created a moment ago: its record is not written yet.
    const stopped = stop?.().then(() => 'stopped');
    await scene.world.run(200);
    expect(await Promise.race([stopped, Promise.resolve('still stopping')])).toBe('stopped');
    expect(scene.run.state?.steps['c']?.attempts).toHaveLength(1);
  });
});

describe('two controllers at once, without the Lease', () => {
  it.each([1, 2, 3, 4, 5, 6])('run each step once between them (seed %i)', async (seed) => {
    const scene = stage({ seed, spec, pods });
    scene.start();
    await scene.finished();
    await scene.world.run(10_000);
    expect(JSON.stringify([ending(scene), works(scene)])).toBe(await calm());
  });
});

describe('two replicas with a Lease', () => {
  it.each([500, 2500, 5000])('of which the one that leads is killed after %i ms: the other goes on where the run was', async (after) => {
    const scene = stage({ spec, pods, controller: { engine: { highAvailability } } });
    const first = scene.controller;
    await scene.world.run(20);
    scene.start({ engine: { highAvailability } });
    await scene.world.run(after);
    first?.kill();
    await scene.finished();
    expect(JSON.stringify([ending(scene), works(scene)])).toBe(await calm());
  });

  it('of which one is cut off from the API server and comes back: it takes up what the other has decided', async () => {
    let reachable = true;
    const scene = stage({ spec: { steps: chain('a', 'b', 'c', 'd') }, pods: { a: { runs: 10_000 }, b: { runs: 40_000 }, c: { runs: 40_000 }, d: { runs: 40_000 } }, controller: { engine: { highAvailability }, wrap: (transport) => ({
      request: (request) => (reachable ? transport.request(request) : Promise.reject(new Error('connection refused'))),
      stream: (request) => (reachable ? transport.stream(request) : Promise.reject(new Error('connection refused'))),
    }) } });
    await scene.world.run(5000);
    const other = scene.start({ engine: { highAvailability } });
    reachable = false;
    await scene.world.run(60_000);
    reachable = true;
    await scene.world.run(20_000);
    other.kill();
    await scene.finished();
    expect([scene.started, scene.run.phase]).toEqual([['a', 'b', 'c', 'd'], 'Succeeded']);
  });
});

describe('a bad network', () => {
  it.each(Array.from({ length: 12 }, (_, index) => index + 1))('refused requests, lost answers, late and broken watches: the run comes to the same end (seed %i)', async (seed) => {
    const scene = stage({ seed, controller: 'none', spec, pods });
    const until = scene.world.clock.now() + 120_000;
    scene.startWith(randomFaults({ random: scene.world.random.split('faults'), clock: scene.world.clock, rates: { refused: 0.15, answerLost: 0.1, slow: 0.1, watch: 0.3 }, until }));
    await scene.finished(1_200_000);
    expect(JSON.stringify([ending(scene), works(scene)])).toBe(await calm());
  });
});
