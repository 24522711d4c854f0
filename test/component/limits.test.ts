import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/plan/action.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import { applyLimits, askFor, Peak } from '../support/limits.ts';
import { specText as queueText } from '../support/scene.ts';
import { step, useWorkflows, type WorkflowScene, type WorkflowSceneOptions } from '../support/workflow-scene.ts';

const stage = useWorkflows();

interface Limited {
  readonly scene: WorkflowScene;
  readonly peak: Peak;
}

/** A world with Limits, whose controller starts when all is there. */
function limited(limits: Parameters<typeof applyLimits>[1], options: WorkflowSceneOptions = {}): Limited {
  const scene = stage({ spec: 'none', ...options, controller: 'none' });
  const peak = new Peak(scene.world);
  applyLimits(scene.world, limits);
  return { scene, peak };
}

const onRequest = { trigger: { onRequest: true }, retention: { succeeded: { count: 10_000 }, failed: { count: 10_000 } } };
const job = [step('work')];
const status = (scene: WorkflowScene, name: string): Pick<Status, 'state' | 'reason' | 'message'> => {
  const { state, reason, message } = scene.world.status(name) as Status;
  return { state, reason, message };
};

describe('many requests at once, and a group of five', () => {
  it('go on where they were after a restart in the middle', async () => {
    const { scene, peak } = limited({ groups: { gpu: 5 } });
    scene.apply({ ...onRequest, steps: job, concurrency: { max: 100, group: 'gpu' } });
    for (let index = 0; index < 60; index += 1) askFor(scene.world, `run-${index}`);
    scene.start();
    for (let count = 0; count < 8; count += 1) {
      await scene.world.run(700);
      await scene.restart(500);
    }
    await scene.finished(3_600_000, 60);
    expect([peak.of('gpu'), peak.births.length]).toEqual([5, 60]);
  });
});

describe('what shares a limit', () => {
  const slow: PodScript = { runs: 2000 };

  it('is shared by queues and workflows of one group, each of which gets its turn', async () => {
    const { scene, peak } = limited({ groups: { shared: 3 } });
    const { world } = scene;
    scene.pods['many'] = slow;
    for (const name of ['one', 'two', 'three']) {
      world.queue(name).send(1);
      world.applyConfigMap(name, queueText({ source: { pgBoss: { connection: 'main', queue: name } }, concurrency: { group: 'shared' } }));
    }
    scene.apply({ trigger: { onChange: true }, concurrency: { group: 'shared' }, steps: [step('many', { forEach: { count: 30 }, job: { image: 'x', env: [{ name: 'ITEM', value: '$(item)' }] } })] });
    scene.start();
    await scene.finished(600_000);
    expect(peak.of('shared')).toBe(3);
    const firstTen = new Set(peak.births.slice(0, 10).map(({ holder }) => holder));
    expect(firstTen).toEqual(new Set(['one', 'two', 'three', 'etl']));
  });

  it('does not hold up those outside of a full group', async () => {
    const { scene, peak } = limited({ groups: { small: 1 }, maxJobs: 3 });
    scene.pods['stuck'] = { runs: 3_600_000 };
    scene.apply({ trigger: { onChange: true }, concurrency: { group: 'small' }, steps: [step('stuck'), step('also')] }, 'full');
    scene.apply({ trigger: { onChange: true }, steps: [step('a'), step('b'), step('c'), step('d')] });
    scene.start();
    await scene.world.runUntil(() => scene.runs.some(({ workflow, isOver }) => workflow === 'etl' && isOver), 60_000);
    expect(scene.runOf('etl').phase).toBe('Succeeded');
    expect([peak.of(), peak.of('small')]).toEqual([3, 1]);
  });

  it('is told by what waits, with those who have the places', async () => {
    const { scene } = limited({ groups: { gpu: 1 } });
    const { world } = scene;
    scene.pods['long'] = { runs: 600_000 };
    scene.apply({ trigger: { onChange: true }, concurrency: { group: 'gpu' }, steps: [step('long')] }, 'train');
    scene.start();
    await world.runUntil(() => scene.started.includes('long'), 10_000);
    world.queue('images').send(1);
    world.applyConfigMap('images', queueText({ source: { pgBoss: { connection: 'main', queue: 'images' } }, concurrency: { group: 'gpu' } }));
    await world.runUntil(() => (world.status('images') as Status | undefined)?.reason === 'GroupFull', 60_000);
    expect(status(scene, 'images')).toEqual({ state: 'Waiting', reason: 'GroupFull', message: '1 of 1 Jobs of group "gpu" are live: 1 of workflow train' });
  });
});

describe('a start rate', () => {
  it('is kept in any window, also over a restart', async () => {
    const { scene, peak } = limited({ startRate: '5/10s' });
    scene.apply({ trigger: { onChange: true }, steps: [step('many', { forEach: { count: 40 }, job: { image: 'x', env: [{ name: 'ITEM', value: '$(item)' }] } })] });
    scene.start();
    await scene.world.run(23_000);
    await scene.restart(200);
    await scene.finished(600_000);
    expect(peak.births).toHaveLength(40);
    expect(peak.within(10_000)).toBe(5);
  });
});

describe('the pause switch', () => {
  it('starts nothing, lets what runs finish, and goes on when it is switched back', async () => {
    const { scene, peak } = limited({});
    const { world } = scene;
    scene.pods['a'] = { runs: 5000 };
    scene.apply({ trigger: { onChange: true }, steps: [step('a'), step('b', { dependsOn: ['a'] })] });
    scene.start();
    await world.runUntil(() => scene.started.includes('a'), 10_000);
    applyLimits(world, { suspend: true });
    scene.apply({ trigger: { onChange: true }, steps: job }, 'other');
    await world.run(60_000);
    expect(scene.started).toEqual(['a']);
    expect(scene.runOf('etl').outcomes).toEqual({ a: 'succeeded' });
    expect(status(scene, 'other')).toEqual({ state: 'Suspended', reason: 'InstanceSuspended', message: 'Limits "limits" suspends the instance: nothing starts' });
    expect(status(scene, 'limits')).toMatchObject({ state: 'Suspended', reason: 'InstanceSuspended' });
    applyLimits(world, {});
    await scene.finished(60_000, 2);
    expect(peak.births).toHaveLength(3);
  });

  it('is what a broken Limits comes to, which says what is wrong with it', async () => {
    const { scene } = limited({ maxJobs: 5 });
    const { world } = scene;
    world.queue('thumbnails').send(1);
    scene.start();
    await world.run(5000);
    applyLimits(world, 'apiVersion: job-chief/v1\nkind: Limits\nmaxJobs: many\n');
    await world.run(2000);
    world.applyConfigMap('thumbnails', queueText());
    scene.apply({ trigger: { onChange: true }, steps: job });
    await world.run(60_000);
    expect(world.jobs()).toEqual([]);
    expect(status(scene, 'limits')).toMatchObject({ state: 'Rejected', reason: 'SpecRejected' });
    expect(status(scene, 'thumbnails')).toEqual({ state: 'Blocked', reason: 'LimitsBroken', message: 'Limits "limits" is broken, and nothing starts until it is mended: line 3, column 10: maxJobs: must be a whole number, is the text "many"' });
    expect(status(scene, 'etl')).toMatchObject({ state: 'Blocked', reason: 'LimitsBroken' });
    applyLimits(world, { maxJobs: 5 });
    await scene.finished(60_000);
    expect(world.jobs().length).toBeGreaterThan(1);
  });
});

describe('a group that nobody declares', () => {
  it('starts nothing until somebody does', async () => {
    const { scene } = limited({ groups: { gpus: 2 } });
    scene.apply({ trigger: { onChange: true }, concurrency: { group: 'gpu' }, steps: job });
    scene.start();
    await scene.world.run(30_000);
    expect(status(scene, 'etl')).toEqual({ state: 'Blocked', reason: 'GroupUnknown', message: 'no Limits has the group "gpu"; did you mean "gpus"?' });
    applyLimits(scene.world, { groups: { gpu: 1 } }, 'more');
    await scene.finished(60_000);
  });
});

describe('several limits', () => {
  it('hold all at once, those of the operator too', async () => {
    const { scene, peak } = limited({ maxJobs: 4, groups: { gpu: 3 } });
    applyLimits(scene.world, { groups: { gpu: 9 } }, 'others');
    scene.apply({ trigger: { onChange: true }, concurrency: { group: 'gpu' }, steps: [step('many', { forEach: { count: 20 }, job: { image: 'x', env: [{ name: 'ITEM', value: '$(item)' }] } })] });
    scene.start({ engine: { ceilings: { maxJobs: 2, groups: new Map(), startRate: undefined } } });
    await scene.finished(600_000);
    expect([peak.of(), peak.births.length]).toEqual([2, 20]);
  });

  it('that are lowered end nothing, and hold from then on', async () => {
    const { scene, peak } = limited({ maxJobs: 6 });
    scene.apply({ trigger: { onChange: true }, steps: [step('many', { forEach: { count: 40 }, job: { image: 'x', env: [{ name: 'ITEM', value: '$(item)' }] } })] });
    scene.pods['many'] = { runs: 4000 };
    scene.start();
    await scene.world.runUntil(() => scene.unfinished().length === 6, 10_000);
    applyLimits(scene.world, { maxJobs: 2 });
    await scene.world.run(15_000);
    expect(scene.unfinished().length).toBeLessThanOrEqual(2);
    await scene.finished(600_000);
    expect([peak.of(), peak.births.length]).toEqual([6, 40]);
  });
});
