/** The engine inside the command line: nothing but Jobs in the cluster, and yet no step twice. */
import { describe, expect, it } from 'vitest';
import { configMaps, jobs } from '../../../src/simulation/objects.ts';
import { isFinished, type PodObject } from '../../../src/simulation/job-shape.ts';
import * as keys from '../../../src/spec/keys.ts';
import { chain, step, useWorkflows, type WorkflowScene, type WorkflowSceneOptions } from '../../support/workflow-scene.ts';
import { finished, loaded, ran, startRun } from '../../support/standalone-scene.ts';

const stage = useWorkflows();
const alone = (options: WorkflowSceneOptions = {}): WorkflowScene => stage({ spec: 'none', controller: 'none', ...options });
const maps = (scene: WorkflowScene): string[] => scene.world.cluster.store.list(configMaps).map(({ metadata }) => metadata.name);

describe('a standalone run', () => {
  it('runs its steps in order, leaves nothing but their Jobs, and says 0', async () => {
    const scene = alone();
    const run = startRun(scene, loaded({ steps: chain('a', 'b', 'c') }));
    expect(await finished(scene, run)).toBe(0);
    expect(scene.started).toEqual(['a', 'b', 'c']);
    expect(maps(scene)).toEqual([]);
    for (const { object } of scene.births) expect(object.metadata.ownerReferences).toBeUndefined();
    expect(run.err.map((line) => line.slice(26).replace(/etl-\w{12}/, 'RUN').replace(/\d\.\ds/, 'TIME'))).toEqual([
      'run RUN in namespace default: starts, 3 steps',
      'a  Starting', 'a  Running', 'a  Succeeded  ran TIME',
      'b  Starting', 'b  Running', 'b  Succeeded  ran TIME',
      'c  Starting', 'c  Running', 'c  Succeeded  ran TIME',
    ]);
    expect(run.out.join('\n')).toMatch(/State: +Succeeded[^]*STEP[^]*Critical path/);
  });

  it('knows no limits, so that no group is missing', async () => {
    const scene = alone();
    expect(await ran(scene, loaded({ concurrency: { group: 'gpu', priority: 3 }, steps: chain('a') }))).toBe(0);
  });

  it('is not seen by a controller of the namespace, nor sees that one its Jobs', async () => {
    const scene = alone();
    scene.apply({ steps: chain('a', 'b') });
    scene.start();
    expect(await ran(scene, loaded({ steps: chain('a', 'b') }))).toBe(0);
    await scene.finished();
    expect(scene.started.toSorted()).toEqual(['a', 'a', 'b', 'b']);
    expect(scene.run.phase).toBe('Succeeded');
  });

  it('says 1 for a failure, tells which step and why, and what to do', async () => {
    const scene = alone({ pods: { b: { exit: { code: 3 } } } });
    const run = startRun(scene, loaded({ steps: chain('a', 'b', 'c') }));
    expect(await finished(scene, run)).toBe(1);
    expect(scene.started).toEqual(['a', 'b']);
    expect(run.err.join('\n')).toMatch(/ b {2}Failed {2}ran \d\.\ds, Error, container "\w+" exited with 3/);
    expect(run.err.join('\n')).toContain(`to try again what failed: kubectl delete job ${scene.birth('b').name} -n default, then start the same command again`);
    expect(run.out.join('\n')).toContain('step "b" failed');
  });

  it('tells everything as JSON lines', async () => {
    const scene = alone();
    const run = startRun(scene, loaded({ steps: chain('a') }), { output: 'json' });
    expect(await finished(scene, run)).toBe(0);
    const lines = run.out.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([{ event: 'note' }, { event: 'step', step: 'a', state: 'Starting' }, { event: 'step', state: 'Running' }, { event: 'step', state: 'Succeeded', ranSeconds: expect.any(Number) as unknown }, { event: 'end', run: { state: 'Succeeded', outcome: 'succeeded' } }]);
    expect(run.err).toEqual([]);
  });

  it('keeps to maxParallel, whatever else runs in the namespace', async () => {
    const scene = alone();
    const steps = ['a', 'b', 'c', 'd', 'e'].map((name) => step(name));
    let most = 0;
    const runs = ({ status }: PodObject): boolean => status.containerStatuses?.some(({ state }) => state.running !== undefined) === true;
    scene.world.cluster.store.subscribe(() => { most = Math.max(most, scene.world.livingPods().filter(runs).length); });
    expect(await ran(scene, loaded({ steps, maxParallel: 2 }))).toBe(0);
    expect(most).toBe(2);
  });

  it('says what it waits for while it waits', async () => {
    const scene = alone();
    scene.world.cluster.quota.set('count/jobs.batch', 0);
    const run = startRun(scene, loaded({ steps: chain('a') }));
    await scene.world.run(5000);
    expect(run.err.join('\n')).toContain('waits: WaitsForCapacity: step "a": ');
  });
});

describe('before anything is started', () => {
  const items = loaded({ steps: [step('plain'), step('each', { forEach: { items: ['x'] } })] });

  it('a right on ConfigMaps that only some steps need is asked for by name, and only where they do', async () => {
    const scene = alone({ allows: ({ resource }) => resource !== 'configmaps' });
    expect(await ran(scene, items)).toMatch(/^rights are missing in namespace "default":\n +the right to get configmaps, create configmaps is needed by this workflow, since step "each" mounts its items from a ConfigMap; without "files"/);
    expect(scene.births).toEqual([]);
    const others = [...chain('a', 'b'), step('each', { job: { image: 'x', args: ['$(item)'] }, forEach: { items: ['x', 'y'] } }), step('count', { forEach: { count: 2 } })];
    expect(await ran(scene, loaded({ steps: others }))).toBe(0);
    expect(maps(scene)).toEqual([]);
  });

  it('rights that every run needs are told all at once', async () => {
    const scene = alone({ allows: ({ verb }) => verb !== 'create' && verb !== 'watch' });
    expect(await ran(scene, loaded({ steps: chain('a') }))).toMatch(/a run needs the right to watch jobs\.batch, create jobs\.batch, watch pods/);
  });

  it('a Job that the API server would refuse keeps the whole run from starting', async () => {
    const scene = alone({ refuse: (resource, object) => (resource === jobs && JSON.stringify(object).includes('evil') ? { code: 422, reason: 'Invalid', message: 'the image is not allowed' } : undefined) });
    expect(await ran(scene, loaded({ steps: [step('a'), step('b', { dependsOn: ['a'], job: { image: 'evil:1' } })] }))).toMatch(/^nothing was started, since the API server would not take these Jobs:\n +step "b": .*the image is not allowed/);
    expect(scene.births).toEqual([]);
  });

  it('the word on steps that wait for one has to be there', async () => {
    const workflow = loaded({ steps: [step('a'), step('may', { approve: {}, dependsOn: ['a'] }), step('b', { dependsOn: ['may'] })] });
    const scene = alone();
    expect(await ran(scene, workflow)).toMatch(/^step "may" waits to be approved, and a standalone run has no record to write that on: give the word now, with --approve may/);
    expect(await ran(scene, workflow, { approve: ['a'] })).toMatch(/^no step "a" waits for an approval; these do: may/);
    expect(await ran(scene, workflow, { approve: ['may=no'] })).toMatch(/^--approve takes STEP or STEP=rejected/);
    expect(await ran(scene, workflow, { approve: ['may'] })).toBe(0);
    expect(scene.started).toEqual(['a', 'b']);
  });

  it('ids that contradict each other are refused', async () => {
    expect(await ran(alone(), items, { newRun: true, runId: 'x' })).toMatch(/^--new-run draws an id of its own/);
    expect(await ran(alone(), items, { newRun: true, cancel: true })).toMatch(/^--cancel is about a run that there is/);
  });

  it('an API server that cannot be reached is an error, no endless wait', async () => {
    const scene = alone();
    const nobody = (): Promise<never> => Promise.reject(new Error('connect ECONNREFUSED'));
    expect(await ran(scene, loaded({ steps: chain('a') }), { process: { wrap: () => ({ request: nobody, stream: nobody }) } })).toMatch(/cannot be listed: .*ECONNREFUSED/);
  });
});

describe('a run that is started again', () => {
  it('goes on where it was', async () => {
    const scene = alone({ pods: { b: { runs: 60_000 } } });
    const workflow = loaded({ steps: chain('a', 'b', 'c') });
    const first = startRun(scene, workflow);
    await scene.world.runUntil(() => scene.births.length === 2);
    await scene.world.run(500);
    first.process.kill();
    await scene.world.run(10_000);
    const again = startRun(scene, workflow);
    expect(await finished(scene, again)).toBe(0);
    expect(scene.started).toEqual(['a', 'b', 'c']);
    expect(again.err[0]).toMatch(/goes on, 1 of 3 steps already done, 1 under way$/);
    // Times are those of the Jobs, not of the second start.
    expect(again.out.join('\n')).toMatch(/\nb +Succeeded +1 +0\.0s +0\.0s +60s/);
  });

  it('after its end is told that all is done', async () => {
    const scene = alone();
    const workflow = loaded({ steps: chain('a', 'b') });
    expect(await ran(scene, workflow)).toBe(0);
    await scene.world.run(10_000);
    const again = startRun(scene, workflow);
    expect(await finished(scene, again)).toBe(0);
    expect(again.err[0]).toMatch(/already done; --new-run starts another one$/);
    expect(scene.started).toEqual(['a', 'b']);
  });

  it('after a failure fails again, at once and without a Job; without the Job that failed it tries that step again', async () => {
    let code = 1;
    const scene = alone({ pods: { b: () => ({ exit: { code } }) } });
    const workflow = loaded({ steps: chain('a', 'b', 'c') });
    expect(await ran(scene, workflow)).toBe(1);
    await scene.world.run(5000);
    expect(await ran(scene, workflow)).toBe(1);
    expect(scene.started).toEqual(['a', 'b']);
    code = 0;
    scene.world.cluster.registry.delete(jobs, scene.birth('b').name);
    await scene.world.run(5000);
    expect(await ran(scene, workflow)).toBe(0);
    expect(scene.violations.splice(0)).toEqual([expect.stringContaining('of step "b" was created twice')]);
    expect(scene.started).toEqual(['a', 'b', 'b', 'c']);
  });

  it('does not go back behind what has run: a Job that is gone while a later one is there is an error', async () => {
    const scene = alone({ pods: { b: { runs: 60_000 } } });
    const workflow = loaded({ steps: chain('a', 'b', 'c') });
    const first = startRun(scene, workflow);
    await scene.world.runUntil(() => scene.births.length === 2);
    first.process.kill();
    scene.world.cluster.registry.delete(jobs, scene.birth('a').name);
    await scene.world.run(5000);
    expect(await ran(scene, workflow)).toMatch(/^the Job of step "a" was deleted: step "b", which comes after it, has one\. Going on would run "a" again/);
    expect(scene.started).toEqual(['a', 'b']);
  });

  it('waits for pods of a Job that was deleted before it runs that step again', async () => {
    const scene = alone({ pods: { a: { runs: 30_000, stopsAfter: 15_000 } } });
    const workflow = loaded({ steps: [step('a', { job: { image: 'registry.example/step:1', terminationGracePeriodSeconds: 20 } })] });
    const first = startRun(scene, workflow);
    await scene.world.runUntil(() => scene.world.livingPods().length === 1);
    await scene.world.run(1000);
    first.process.kill();
    scene.world.cluster.registry.delete(jobs, scene.birth('a').name, { propagation: 'Background' });
    const again = startRun(scene, workflow);
    await scene.world.run(3000);
    expect(again.err.join('\n')).toContain('waits until what was deleted is gone: pod ');
    expect(scene.births).toHaveLength(1);
    expect(await finished(scene, again)).toBe(0);
    expect(scene.violations.splice(0)).toHaveLength(1);
  });

  it('is another run with another text, other parameters, another id or --new-run', async () => {
    const scene = alone();
    const fields = { trigger: { onRequest: true }, parameters: { day: { type: 'string', default: 'mon' } }, steps: chain('a') };
    expect(await ran(scene, loaded(fields))).toBe(0);
    expect(await ran(scene, loaded(fields), { parameters: { assignments: ['day=mon'], document: {} } })).toBe(0);
    expect(scene.births).toHaveLength(1);
    const other = startRun(scene, loaded(fields), { parameters: { assignments: ['day=tue'], document: {} } });
    expect(await finished(scene, other)).toBe(0);
    expect(other.err[0]).toMatch(/^note: run etl-\w+ of the same workflow has 1 Job here: another id, other parameters or another text$/);
    expect(await ran(scene, loaded({ ...fields, maxParallel: 9 }))).toBe(0);
    expect(await ran(scene, loaded(fields), { runId: 'ci-7' })).toBe(0);
    const drawn = startRun(scene, loaded(fields), { newRun: true });
    expect(await finished(scene, drawn)).toBe(0);
    expect(scene.births).toHaveLength(5);
    const [, id] = /--run-id (\w+)/.exec(drawn.err.join('\n')) ?? [];
    expect(await ran(scene, loaded(fields), { runId: id })).toBe(0);
    expect(scene.births).toHaveLength(5);
  });

  it('twice at the same time shares the work', async () => {
    const scene = alone();
    const workflow = loaded({ steps: [...chain('a', 'b', 'c'), step('d', { forEach: { count: 5 }, retry: { attempts: 2, delay: '1s' } })] });
    const both = [startRun(scene, workflow), startRun(scene, workflow)];
    for (const run of both) expect(await finished(scene, run)).toBe(0);
    expect(scene.births).toHaveLength(8);
  });
});

describe('ending it', () => {
  const steps = [...chain('a', 'b'), step('c')];

  it('with Ctrl-C starts nothing more, lets Jobs run, and says how to go on', async () => {
    const scene = alone({ pods: { a: { runs: 5000 } } });
    const workflow = loaded({ steps });
    const run = startRun(scene, workflow, { runId: 'x' });
    await scene.world.run(2000);
    run.interrupt();
    expect(await finished(scene, run)).toBe(2);
    expect(run.err.at(-1)).toMatch(/stopped: nothing more is started, 1 Job goes on by itself\. To go on start the same command again with --run-id x; to end it add --cancel to that$/);
    await scene.world.run(60_000);
    expect(scene.started.toSorted()).toEqual(['a', 'c']);
    expect(await ran(scene, workflow, { runId: 'x' })).toBe(0);
    expect(scene.started.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('with --cancel ends its Jobs, and what is started again stays ended', async () => {
    const scene = alone({ pods: { a: { runs: 600_000 } } });
    const workflow = loaded({ steps });
    const run = startRun(scene, workflow);
    await scene.world.run(2000);
    run.process.kill();
    expect(await ran(scene, workflow, { cancel: true })).toBe(0);
    expect(scene.world.jobs().every(isFinished)).toBe(true);
    expect(await ran(scene, workflow)).toBe(1);
    expect(scene.started.toSorted()).toEqual(['a', 'c']);
  });

  it('with --cancel where there is nothing is an error', async () => {
    expect(await ran(alone(), loaded({ steps }), { cancel: true })).toMatch(/has no Jobs here, so there is nothing to end/);
  });

  it('with --clean-up deletes what it made, with the pods, and nothing else', async () => {
    const scene = alone();
    const workflow = loaded({ steps: [...chain('a', 'b'), step('each', { forEach: { items: ['x', 'y'] } })] });
    expect(await ran(scene, loaded({ steps: chain('other') }))).toBe(0);
    const run = startRun(scene, workflow, { cleanUp: true });
    expect(await finished(scene, run)).toBe(0);
    await scene.world.run(60_000);
    expect(scene.world.jobs().map(({ metadata }) => metadata.labels?.[keys.stepLabel])).toEqual(['other']);
    expect(scene.world.pods()).toHaveLength(1);
    expect(maps(scene)).toEqual([]);
    expect(run.err.at(-1)).toMatch(/clean-up: 4 objects deleted$/);
  });

  it('with --clean-up keeps the Jobs of a run that failed', async () => {
    const scene = alone({ pods: { b: { exit: { code: 1 } } } });
    expect(await ran(scene, loaded({ steps }), { cleanUp: true })).toBe(1);
    expect(scene.world.jobs()).toHaveLength(3);
  });
});
