/** Limits on days on which everything goes wrong: never more live Jobs than they say, and all work is done in the end. */
import { describe, expect, it } from 'vitest';
import { randomFaults } from '../../src/simulation/fault-plans.ts';
import type { KillPoint } from '../../src/simulation/process.ts';
import { highAvailability } from '../support/controller.ts';
import { applyLimits, Peak } from '../support/limits.ts';
import { specText as queueText } from '../support/scene.ts';
import { step, useWorkflows, type WorkflowScene } from '../support/workflow-scene.ts';

const stage = useWorkflows();
const minute = 60_000;

interface Shared {
  readonly scene: WorkflowScene;
  readonly peak: Peak;
}

/** Two workflows and three queues that share three places, two of them in a group. No controller yet. */
function shared(seed: number): Shared {
  const scene = stage({ seed, spec: 'none', controller: 'none' });
  const { world } = scene;
  const peak = new Peak(world);
  applyLimits(world, { maxJobs: 3, groups: { gpu: 2 } });
  scene.apply({ trigger: { onChange: true }, concurrency: { group: 'gpu', priority: 1 }, onFailure: 'continue', steps: [step('train', { forEach: { count: 8 }, retry: { attempts: 5, delay: '1s' }, job: { image: 'x', env: [{ name: 'ITEM', value: '$(item)' }] } })] }, 'train');
  scene.apply({ trigger: { onChange: true }, onFailure: 'continue', steps: [step('a'), step('b'), step('c', { dependsOn: ['a', 'b'] }), step('d', { forEach: { count: 5 } })] }, 'etl');
  for (const name of ['one', 'two', 'three']) {
    world.queue(name).send(2);
    world.applyConfigMap(name, queueText({ source: { pgBoss: { connection: 'main', queue: name } }, ...(name === 'one' ? { concurrency: { group: 'gpu' } } : {}) }));
  }
  scene.pods['train'] = { runs: 1500 };
  return { scene, peak };
}

const most = ({ peak }: Shared): number[] => [peak.of(), peak.of('gpu')];
const withinLimits = (day: Shared): void => {
  const [all = 0, gpu = 0] = most(day);
  expect([all <= 3, gpu <= 2, all, gpu]).toEqual([true, true, all, gpu]);
};

/** Both workflows have ended, and each queue has had a Job. */
async function done({ scene, peak }: Shared, limit = 60 * minute): Promise<void> {
  const queues = (): boolean => ['one', 'two', 'three'].every((name) => peak.births.some(({ holder }) => holder === name));
  const held = await scene.world.runUntil(() => queues() && scene.runs.length >= 2 && scene.runs.every(({ isOver }) => isOver), limit);
  if (!held) throw new Error(`no end: ${scene.explain()}`);
}

describe('while requests fail and watches are cut, silent or late', () => {
  it.each(Array.from({ length: 12 }, (_, index) => index + 1))('day %i', async (seed) => {
    const day = shared(seed);
    const { world } = day.scene;
    const until = world.clock.now() + 4 * minute;
    day.scene.startWith(randomFaults({ random: world.random.split('faults'), clock: world.clock, rates: { refused: 0.15, answerLost: 0.1, slow: 0.1, watch: 0.4 }, until }));
    await done(day);
    withinLimits(day);
  });
});

describe('kill -9', () => {
  it('at any write, before it is sent and after it took effect', { timeout: 120_000 }, async () => {
    const live = async (killPoint?: KillPoint): Promise<Shared> => {
      const day = shared(5);
      const first = day.scene.start();
      if (killPoint) {
        first.killAt(killPoint);
        first.onDeath(() => { day.scene.world.clock.timer(1500, () => { day.scene.start(); }); });
      }
      await done(day);
      return day;
    };
    const calm = await live();
    expect(most(calm)).toEqual([3, 2]);
    const writes = calm.scene.controller?.writes ?? 0;
    expect(writes).toBeGreaterThan(40);
    for (let request = 1; request <= writes; request += 7) {
      for (const when of ['before', 'after'] as const) withinLimits(await live({ request, when, writesOnly: true }));
    }
  });
});

describe('a watch that shows nothing new', () => {
  it('makes nothing start that there is no place for', async () => {
    const day = shared(7);
    const { scene } = day;
    // Each watch of Jobs falls silent after three seconds, and is given up on after three minutes.
    scene.startWith({ request: () => undefined, watch: ({ path }) => (path.includes('/jobs') ? { kind: 'silent', after: 3000 } : undefined) });
    await done(day);
    withinLimits(day);
  });
});

describe('a quota that is smaller than the limits', () => {
  it('holds up what it refuses, and nothing else is started in its place beyond the limits', async () => {
    const day = shared(9);
    const { cluster } = day.scene.world;
    cluster.quota.set('jobs.batch', 2);
    day.scene.start();
    await day.scene.world.run(2 * minute);
    cluster.quota.delete('jobs.batch');
    await done(day);
    withinLimits(day);
  });
});

describe('another replica that takes over', () => {
  it('counts what the one before started', async () => {
    const day = shared(11);
    const { scene } = day;
    const first = scene.start({ engine: { highAvailability } });
    scene.start({ engine: { highAvailability } });
    await scene.world.run(4000);
    first.kill();
    await done(day);
    expect(most(day)).toEqual([3, 2]);
  });
});
