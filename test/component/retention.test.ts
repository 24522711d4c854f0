import { describe, expect, it } from 'vitest';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import { keepUntilAnnotation } from '../../src/spec/keys.ts';
import { kept, runJobs } from '../support/history.ts';
import { hour, minute, second, type Scene, useScenes } from '../support/scene.ts';

const stage = useScenes();
const fails: PodScript = { runs: second, exit: { code: 1 } };
const succeeds: PodScript = { runs: second };

describe('finished Jobs are kept', () => {
  it.each([
    ['three succeeded ones by default', {}, succeeds, 6, [4, 5, 6]],
    ['ten failed ones by default', { drain: { waitAfter: { failed: '0s' } } }, fails, 13, [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]],
    ['as many succeeded ones as the spec says', { retention: { succeeded: { count: 5 } } }, succeeds, 8, [4, 5, 6, 7, 8]],
    ['as many failed ones as the spec says', { drain: { waitAfter: { failed: '0s' } }, breaker: { notStarted: 'off' }, retention: { failed: { count: 2 } } }, fails, 5, [4, 5]],
    ['the newest even when the spec wants none', { retention: { succeeded: { count: 0 }, failed: { count: 0 } } }, succeeds, 4, [4]],
  ] as const)('%s', async (_name, spec, pod, jobs, expected) => {
    const scene = stage({ spec, pod });
    await runJobs(scene, jobs, 15 * minute);
    expect(kept(scene)).toEqual(expected);
  });

  it('succeeded and failed ones are counted apart', async () => {
    const outcomes = [fails, succeeds, fails, succeeds, fails, succeeds, succeeds, succeeds];
    let pods = 0;
    const scene = stage({ spec: { drain: { waitAfter: { failed: '0s' } }, breaker: { notStarted: 'off' }, retention: { succeeded: { count: 1 }, failed: { count: 2 } } }, pod: () => outcomes[(pods += 1) - 1] ?? succeeds });
    await runJobs(scene, 8, 15 * minute);
    expect(kept(scene)).toEqual([3, 5, 8]);
  });

  it('no longer than the age says, the newest excepted', async () => {
    const scene = stage({ spec: { retention: { succeeded: { count: 50, age: '2h' } } }, pod: succeeds });
    await runJobs(scene, 3, 15 * minute);
    expect(kept(scene)).toEqual([1, 2, 3]);
    await scene.world.run(90 * minute);
    expect(kept(scene)).toEqual([1, 2, 3]);
    await scene.world.run(30 * minute);
    expect(kept(scene)).toEqual([3]);
    await scene.world.run(5 * hour);
    expect(kept(scene)).toEqual([3]);
  });

  it('failed ones for a week by default', async () => {
    const scene = stage({ spec: { drain: { checkInterval: '1h', waitAfter: { failed: '0s' } }, breaker: { notStarted: 'off' } }, pod: fails });
    await runJobs(scene, 3, 15 * minute);
    await scene.world.run(166 * hour);
    expect(kept(scene)).toEqual([1, 2, 3]);
    await scene.world.run(2 * hour);
    expect(kept(scene)).toEqual([3]);
  });

  it('the failures that the breaker counts stay', async () => {
    const scene = stage({ spec: { drain: { waitAfter: { failed: '0s' } }, breaker: { failed: 4, notStarted: 'off' }, retention: { failed: { count: 1, age: '5m' } } }, pod: fails });
    await runJobs(scene, 6, 15 * minute);
    await scene.world.run(hour);
    expect(kept(scene)).toEqual([3, 4, 5, 6]);
  });

  it('and their pods go with them', async () => {
    const scene = stage({ spec: { retention: { succeeded: { count: 1 } } }, pod: succeeds });
    await runJobs(scene, 5, 15 * minute);
    expect(scene.world.pods()).toHaveLength(1);
  });
});

describe('retention goes on', () => {
  const limits = { retention: { succeeded: { count: 5, age: '1h' } } };

  it.each([
    ['while the spec is suspended', (scene: Scene) => { scene.apply({ ...limits, suspend: true }); }, [4]],
    ['with a rejected spec, by what the Jobs were made with', (scene: Scene) => { scene.applyText('kind: Queue\nnonsense: ['); }, [4]],
    ['when the controller was restarted', async (scene: Scene) => { await scene.restart(); }, [4]],
    ['when the controller was away for hours', async (scene: Scene) => { await scene.restart(3 * hour); }, [4]],
  ] as const)('%s', async (_name, change, expected) => {
    const scene = stage({ spec: limits, pod: succeeds });
    await runJobs(scene, 4, 15 * minute);
    expect(kept(scene)).toEqual([1, 2, 3, 4]);
    await change(scene);
    await scene.world.run(2 * hour);
    expect(kept(scene)).toEqual(expected);
  });

  it('for Jobs that outlive their spec, with what they were made with, the newest included', async () => {
    const scene = stage({ spec: { ...limits, onSpecDelete: 'finish' }, pod: succeeds });
    await runJobs(scene, 2, 15 * minute);
    scene.world.deleteConfigMap('thumbnails');
    await scene.world.run(20 * minute);
    expect(kept(scene)).toEqual([1, 2]);
    await scene.world.run(2 * hour);
    expect(kept(scene)).toEqual([]);
  });

  it('with the new numbers after an edit', async () => {
    const scene = stage({ spec: { retention: { succeeded: { count: 5 } } }, pod: succeeds });
    await runJobs(scene, 5, 15 * minute);
    scene.apply({ retention: { succeeded: { count: 2 } } });
    await scene.world.run(minute);
    expect(kept(scene)).toEqual([4, 5]);
  });

  it('sequences and names are never used again', async () => {
    const scene = stage({ spec: { retention: { succeeded: { count: 1 } } }, pod: succeeds });
    await runJobs(scene, 6, 15 * minute);
    await scene.restart();
    await runJobs(scene, 3, 15 * minute);
    expect(new Set(scene.births.map(({ name }) => name)).size).toBe(9);
    expect(scene.births.map(({ object }) => object.metadata.labels?.['job-chief/run'])).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });
});

describe('an annotation that says how long a Job stays', () => {
  it('keeps it past its retention, for ever or until a time', async () => {
    const scene = stage({ spec: { retention: { succeeded: { count: 1 } } }, pod: succeeds });
    await runJobs(scene, 1, 15 * minute);
    scene.annotate(scene.births[0]?.name ?? '', { [keepUntilAnnotation]: 'forever' });
    await runJobs(scene, 1, 15 * minute);
    const until = new Date(scene.world.clock.now() + 2 * hour).toISOString();
    scene.annotate(scene.births[1]?.name ?? '', { [keepUntilAnnotation]: until });
    await runJobs(scene, 2, 15 * minute);
    expect(kept(scene)).toEqual([1, 2, 4]);
    await scene.world.run(2 * hour);
    expect(kept(scene)).toEqual([1, 4]);
  });

  it('lets it go before, when it says now', async () => {
    const scene = stage({ spec: { retention: { succeeded: { count: 50 } } }, pod: succeeds });
    await runJobs(scene, 3, 15 * minute);
    scene.annotate(scene.births[1]?.name ?? '', { [keepUntilAnnotation]: 'now' });
    await scene.world.run(minute);
    expect(kept(scene)).toEqual([1, 3]);
  });

  it('changes nothing while nobody can read it, and is told once', async () => {
    const scene = stage({ spec: { retention: { succeeded: { count: 1 } } }, pod: succeeds });
    await runJobs(scene, 1, 15 * minute);
    scene.annotate(scene.births[0]?.name ?? '', { [keepUntilAnnotation]: 'next week' });
    await runJobs(scene, 2, 15 * minute);
    expect(kept(scene)).toEqual([3]);
    expect(scene.lines.filter(({ message }) => message.includes('keep-until'))).toMatchObject([{ level: 'warn', fields: { job: scene.births[0]?.name, text: 'next week' } }]);
  });
});
