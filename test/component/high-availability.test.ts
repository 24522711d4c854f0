import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { stringAt } from '../../src/lib/json.ts';
import { randomFaults, plannedFaults } from '../../src/simulation/fault-plans.ts';
import { FaultyTransport } from '../../src/simulation/faults.ts';
import { leases } from '../../src/simulation/objects.ts';
import type { SimulatedProcess } from '../../src/simulation/process.ts';
import { Random } from '../../src/simulation/random.ts';
import { highAvailability, type ControllerOptions, type LogLine } from '../support/controller.ts';
import { hour, isJobCreate, isJobDryRun, isStatusWrite, isWatch, minute, second, type Scene, type SceneOptions, useScenes } from '../support/scene.ts';

const stage = useScenes();

interface Replica {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly lines: LogLine[];
  /** By its own word, in the order of its changes. */
  readonly shown: boolean[];
  readonly engine: () => Engine;
}

/** Starts a replica whose Lease times are the defaults. */
function replica(scene: Scene, name: string, options: ControllerOptions = {}): Replica {
  const lines: LogLine[] = [];
  const shown: boolean[] = [];
  let engine: Engine | undefined;
  const process = scene.start({ lines, made: (made) => { engine = made; }, engine: { identity: name, highAvailability: { ...highAvailability, meter: (leading) => shown.push(leading) } }, ...options });
  return { name, process, lines, shown, engine: () => engine ?? fail(name) };
}

function fail(name: string): never {
  throw new Error(`${name} was not made`);
}

function holder(scene: Scene): string {
  return (stringAt(scene.world.cluster.store.get(leases, 'job-chief')?.['spec'], 'holderIdentity') ?? '').split('_')[0] ?? '';
}

async function two(options: SceneOptions = {}): Promise<{ scene: Scene; one: Replica; two: Replica }> {
  const scene = stage({ controller: 'none', ...options });
  const first = replica(scene, 'one');
  await scene.world.run(5 * second);
  expect(holder(scene)).toBe('one');
  const other = replica(scene, 'two');
  await scene.world.run(5 * second);
  expect([holder(scene), other.shown]).toEqual(['one', [false]]);
  return { scene, one: first, two: other };
}

describe('two replicas', () => {
  it('one acts; the other holds its watches open, is ready and changes nothing', async () => {
    const { scene, one, two: other } = await two({ worker: { perMessage: second } });
    const writes = other.process.writes;
    scene.queue.send(3);
    expect(await scene.world.runUntil(() => scene.allDone, hour)).toBe(true);
    expect(scene.births).toHaveLength(1);
    expect([one.engine().synced, other.engine().synced]).toEqual([true, true]);
    expect(other.process.writes).toBe(writes);
    expect(scene.requests(isWatch).length).toBeGreaterThanOrEqual(6);
    expect(other.lines.filter(({ message }) => message === 'changed the cluster')).toEqual([]);
  });

  it('one that is killed is replaced within leaseDuration + retryPeriod, with everything it knew', async () => {
    for (const after of [0, 700, 1400, 2100, 2800]) {
      const { scene, one, two: other } = await two({ worker: { perMessage: second } });
      await scene.world.run(after);
      one.process.kill();
      scene.queue.send(2);
      const killed = scene.now;
      expect(await scene.world.runUntil(() => other.shown.at(-1) === true, minute)).toBe(true);
      expect(scene.now - killed).toBeLessThanOrEqual(17);
      expect(scene.now - killed).toBeGreaterThan(12);
      expect(await scene.world.runUntil(() => scene.births.length === 1, 2 * second)).toBe(true);
      expect(await scene.world.runUntil(() => scene.allDone, hour)).toBe(true);
    }
  });

  it('one that is told to stop finishes its rounds and hands over within a second', async () => {
    const { scene, one, two: other } = await two({ worker: { perMessage: 20 * second } });
    scene.queue.send(1);
    await scene.world.runUntil(() => scene.births.length === 1);
    let stopped = false;
    void one.engine().stop().then(() => { stopped = true; });
    await scene.world.runUntil(() => stopped, minute);
    const at = scene.now;
    expect(one.shown.at(-1)).toBe(false);
    expect(await scene.world.runUntil(() => other.shown.at(-1) === true, minute)).toBe(true);
    expect(scene.now - at).toBeLessThanOrEqual(1);
    one.process.kill();
    expect(await scene.world.runUntil(() => scene.allDone, hour)).toBe(true);
    await scene.world.run(minute);
    expect(scene.status()).toMatchObject({ state: 'Idle', lastRun: { outcome: 'succeeded' } });
    expect(scene.births).toHaveLength(1);
  });

  it('the lease is given back only when the last round has ended', async () => {
    const scene = stage({ controller: 'none' });
    const slow = plannedFaults([{ when: isJobCreate, fault: { kind: 'slow', before: 3 * second, after: 3 * second } }]);
    const one = replica(scene, 'one', { wrap: (transport, clock) => new FaultyTransport(transport, clock, slow) });
    await scene.world.run(5 * second);
    scene.queue.send(1);
    await scene.world.runUntil(() => one.process.writes > 0 && scene.requests(isJobDryRun).length > 0);
    await scene.world.run(second);
    const before = scene.births.length;
    void one.engine().stop();
    expect(await scene.world.runUntil(() => holder(scene) === '', minute)).toBe(true);
    expect([before, scene.births.length]).toEqual([0, 1]);
  });

  it('one that cannot reach the API server stops acting, and stands by when it can again', async () => {
    let down = false;
    const scene = stage({ controller: 'none', worker: { perMessage: second } });
    const cut = { request: () => (down ? ({ kind: 'refused' } as const) : undefined), watch: () => (down ? ({ kind: 'refused' } as const) : undefined) };
    const one = replica(scene, 'one', { wrap: (transport, clock) => new FaultyTransport(transport, clock, cut) });
    await scene.world.run(5 * second);
    const other = replica(scene, 'two');
    await scene.world.run(5 * second);
    down = true;
    await scene.world.run(10 * second);
    expect([one.shown, other.shown]).toEqual([[false, true, false], [false]]);
    await scene.world.run(10 * second);
    expect(other.shown).toEqual([false, true]);
    down = false;
    scene.queue.send(2);
    expect(await scene.world.runUntil(() => scene.allDone, hour)).toBe(true);
    await scene.world.run(hour);
    expect([one.shown, other.shown, scene.births.length]).toEqual([[false, true, false], [false, true], 1]);
    other.process.kill();
    scene.queue.send(1);
    await scene.world.run(minute);
    expect([one.shown.at(-1), scene.births.length]).toEqual([true, 2]);
  });

  it('the one that takes over knows what was deleted while it stood by', async () => {
    const { scene, one, two: other } = await two({ worker: { perMessage: 20 * second } });
    await scene.world.run(minute);
    one.process.kill();
    await scene.world.run(minute);
    const third = replica(scene, 'three');
    await scene.world.run(minute);
    void other.engine().stop();
    await scene.world.run(minute);
    scene.world.deleteConfigMap('thumbnails');
    scene.queue.send(1);
    await scene.world.run(minute);
    expect([third.shown.at(-1), scene.births.length]).toEqual([true, 0]);
  });

  it('nobody acts while the right on Leases is missing, and the reason is in the log', async () => {
    const scene = stage({ controller: 'none', allows: ({ resource }) => resource !== 'leases' });
    const one = replica(scene, 'one');
    scene.queue.send(1);
    await scene.world.run(10 * minute);
    expect(scene.births).toEqual([]);
    expect(one.lines.filter(({ message }) => message === 'leader election').map(({ fields }) => fields['because'])).toEqual([expect.stringMatching(/^the Lease cannot be read: .*cannot get resource "leases"/u)]);
    expect(scene.requests(isStatusWrite)).toEqual([]);
  });

  it.each([1, 2, 3, 4])('never have two live Jobs between them, however requests and watches fare (seed %i)', async (seed) => {
    const scene = stage({ seed, controller: 'none', worker: { perMessage: second } });
    const random = new Random(seed);
    const until = scene.world.clock.now() + 30 * minute;
    const shown = ['one', 'two'].map((name) => {
      const plan = randomFaults({ random: random.split(name), clock: scene.world.clock, rates: { refused: 0.2, answerLost: 0.2, slow: 0.2, watch: 0.3 }, until });
      return replica(scene, name, { wrap: (transport, clock) => new FaultyTransport(transport, clock, plan) }).shown;
    });
    for (let burst = 0; burst < 30; burst += 1) {
      scene.queue.send(2);
      await scene.world.run(minute);
      expect(shown.filter((each) => each.at(-1) === true).length).toBeLessThan(2);
    }
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    await scene.world.run(10 * minute);
    expect(scene.queue.messages.every(({ completions }) => completions === 1)).toBe(true);
    expect(scene.world.unfinishedJobs()).toEqual([]);
  });
});
