/** The order of steps on a whole cluster: what starts when, what is left out, and what an edge costs. */
import { describe, expect, it } from 'vitest';
import { chain, step, useWorkflows } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

describe('a chain', () => {
  it('runs one step after the other, and its record tells how it came out', async () => {
    const scene = stage({ steps: chain('a', 'b', 'c') });
    await scene.finished();
    expect(scene.started).toEqual(['a', 'b', 'c']);
    expect(scene.run.phase).toBe('Succeeded');
    expect(scene.run.outcomes).toEqual({ a: 'succeeded', b: 'succeeded', c: 'succeeded' });
    expect(scene.run.result).toMatchObject({ outcome: 'succeeded', reason: 'RunSucceeded', failedSteps: [] });
  });

  it('loses milliseconds between two steps, not the seconds that pod phase and Job condition take', async () => {
    const scene = stage({ steps: chain('a', 'b', 'c', 'd', 'e', 'f'), pods: Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, { startsAfter: 0, runs: 0 }])) });
    await scene.finished();
    const gaps = scene.births.slice(1).map(({ at }, index) => at - (scene.births[index]?.at ?? 0));
    // Pod created, scheduled, started, seen to have ended, the next Job created: each a request or a watch event of a few milliseconds.
    expect(Math.max(...gaps)).toBeLessThan(0.15);
  });

  it('writes its record about four times a second at most, however fast its steps are', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
    const scene = stage({ steps: chain(...names), pods: Object.fromEntries(names.map((name) => [name, { startsAfter: 0, runs: 0 }])) });
    await scene.finished();
    const writes = scene.world.requests.filter(({ method, path }) => method === 'PATCH' && path.endsWith(`/configmaps/${scene.run.name}`));
    const took = scene.births.at(-1)!.at - scene.births[0]!.at;
    expect(writes.length).toBeLessThanOrEqual(Math.ceil(took / 0.25) + 2);
    expect(scene.births).toHaveLength(20);
  });

  it('stops where a step fails: those behind it are omitted, and the run has failed', async () => {
    const scene = stage({ steps: chain('a', 'b', 'c'), pods: { b: { exit: { code: 3, message: 'no such table' } } } });
    await scene.finished();
    expect(scene.started).toEqual(['a', 'b']);
    expect(scene.run.outcomes).toEqual({ a: 'succeeded', b: 'failed', c: 'omitted' });
    expect(scene.run.result).toMatchObject({ outcome: 'failed', failedSteps: ['b'], message: expect.stringContaining('no such table') as string });
  });
});

describe('a diamond', () => {
  const diamond = [step('a'), step('b', { dependsOn: ['a'] }), step('c', { dependsOn: ['a'] }), step('d', { dependsOn: ['b', 'c'] })];

  it('runs both sides beside each other, and joins them', async () => {
    const scene = stage({ steps: diamond, pods: { b: { runs: 3000 }, c: { runs: 5000 } } });
    await scene.finished();
    expect(scene.started.toSorted()).toEqual(['a', 'b', 'c', 'd']);
    expect(Math.abs(scene.birth('b').at - scene.birth('c').at)).toBeLessThan(0.05);
    expect(scene.birth('d').at - scene.birth('c').at).toBeGreaterThan(5);
    expect(scene.run.phase).toBe('Succeeded');
  });

  it('with one side that failed: the join is left out, the other side may finish', async () => {
    const scene = stage({ steps: diamond, pods: { b: { exit: { code: 1 } }, c: { runs: 9000 } } });
    await scene.finished();
    expect(scene.run.outcomes).toEqual({ a: 'succeeded', b: 'failed', c: 'succeeded', d: 'omitted' });
  });
});

describe('expressions', () => {
  it('an or-dependency starts with the first branch, while the other still runs', async () => {
    const scene = stage({ steps: [step('fast'), step('slow'), step('after', { dependsOn: 'fast.ok || slow.ok' })], pods: { slow: { runs: 30_000 } } });
    await scene.finished();
    expect(scene.birth('after').at).toBeLessThan(2);
    expect(scene.run.phase).toBe('Succeeded');
  });

  it('who waits for a failure is started by it, although the run stops', async () => {
    const scene = stage({ steps: [step('build'), step('publish', { dependsOn: ['build'] }), step('tell', { dependsOn: 'build.failed' })], pods: { build: { exit: { code: 1 } } } });
    await scene.finished();
    expect(scene.run.outcomes).toEqual({ build: 'failed', publish: 'omitted', tell: 'succeeded' });
    expect(scene.run.phase).toBe('Failed');
  });

  it('a step whose condition is false is skipped, and those behind it run with the default of its output', async () => {
    const steps = [
      step('count', { when: 'params.full', outputs: { rows: { type: 'integer', default: 7 } } }),
      step('report', { job: { image: 'registry.example/report:1', args: ['$(steps.count.outputs.rows)'] } }),
    ];
    const scene = stage({ spec: { parameters: { full: { type: 'boolean', default: false } }, steps } });
    await scene.finished();
    expect(scene.run.outcomes).toEqual({ count: 'skipped', report: 'succeeded' });
    expect(scene.birth('report').object.spec.template.spec.containers[0]).toMatchObject({ args: ['7'] });
  });
});

describe('outputs', () => {
  it('flow from a container to the next Job and to the result of the run', async () => {
    const scene = stage({
      spec: {
        steps: [step('extract', { outputs: { rows: { type: 'integer' } } }), step('load', { job: { image: 'registry.example/load:1', env: [{ name: 'ROWS', value: '$(steps.extract.outputs.rows)' }] } })],
        outputs: { total: '$(steps.extract.outputs.rows)' },
      },
      pods: { extract: { exit: { code: 0, message: '{"rows": 42}' } } },
    });
    await scene.finished();
    expect(scene.birth('load').object.spec.template.spec.containers[0]?.env).toContainEqual({ name: 'ROWS', value: '42' });
    expect(scene.run.outputs).toEqual({ total: 42 });
  });
});

describe('finally', () => {
  it.each([['succeeds', 0, 'Succeeded'], ['fails', 1, 'Failed']] as const)('runs when the run %s', async (_what, code, phase) => {
    const scene = stage({ spec: { steps: chain('a', 'b'), finally: [step('clean')] }, pods: { a: { exit: { code } } } });
    await scene.finished();
    expect(scene.started.at(-1)).toBe('clean');
    expect(scene.run.phase).toBe(phase);
  });

  it('that fails makes the run fail', async () => {
    const scene = stage({ spec: { steps: chain('a'), finally: [step('clean')] }, pods: { clean: { exit: { code: 1 } } } });
    await scene.finished();
    expect(scene.run.result).toMatchObject({ outcome: 'failed', failedSteps: ['clean'] });
  });
});

describe('onFailure', () => {
  it('cancel ends what runs at once', async () => {
    const scene = stage({ spec: { onFailure: 'cancel', steps: [step('long'), step('bad')] }, pods: { long: { runs: 3_600_000 }, bad: { exit: { code: 1 } } } });
    await scene.finished(120_000);
    expect(scene.run.outcomes).toEqual({ long: 'cancelled', bad: 'failed' });
    expect(scene.unfinished()).toEqual([]);
  });

  it('continue leaves out only what depends on the failure', async () => {
    const scene = stage({ spec: { onFailure: 'continue', steps: [step('bad'), step('behind', { dependsOn: ['bad'] }), step('first'), step('second', { dependsOn: ['first'] })] }, pods: { bad: { exit: { code: 1 } }, first: { runs: 5000 } } });
    await scene.finished();
    expect(scene.run.outcomes).toEqual({ bad: 'failed', behind: 'omitted', first: 'succeeded', second: 'succeeded' });
  });

  it('revert undoes what succeeded, last first', async () => {
    const undo = { job: { image: 'registry.example/undo:1' } };
    const scene = stage({ spec: { onFailure: 'revert', steps: [step('a', { undo }), step('b', { dependsOn: ['a'], undo }), step('c', { dependsOn: ['b'] })] }, pods: { c: { exit: { code: 1 } } } });
    await scene.finished();
    expect(scene.births.map((birth) => birth.step)).toEqual(['a', 'b', 'c', 'b', 'a']);
    expect(Object.fromEntries(Object.entries(scene.run.state?.undo ?? {}).map(([name, { outcome }]) => [name, outcome]))).toEqual({ a: 'succeeded', b: 'succeeded' });
    expect(scene.run.phase).toBe('Failed');
  });
});
