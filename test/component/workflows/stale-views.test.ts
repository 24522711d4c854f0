/** Watches tell of different things at different times: what one shows late must not undo what another shows at once. */
import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../../src/adapters/kubernetes/transport.ts';
import { plannedFaults } from '../../../src/simulation/fault-plans.ts';
import { FaultyTransport } from '../../../src/simulation/faults.ts';
import { jobs } from '../../../src/simulation/objects.ts';
import * as keys from '../../../src/spec/keys.ts';
import { highAvailability, type ControllerOptions } from '../../support/controller.ts';
import { chain, step, useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const isWatch = ({ query }: ApiRequest): boolean => query?.['watch'] === 'true';
const ofSpecs = (request: ApiRequest): boolean => isWatch(request) && request.query?.['labelSelector'] === keys.kindLabel;
const ofRecords = (request: ApiRequest): boolean => isWatch(request) && (request.query?.['labelSelector'] ?? '').includes(keys.recordLabel);
const ofJobs = (request: ApiRequest): boolean => isWatch(request) && request.path.endsWith('/jobs');
const ofPods = (request: ApiRequest): boolean => isWatch(request) && request.path.endsWith('/pods');

/** A controller to which those watches tell everything so many milliseconds late. */
const behind = (watch: (request: ApiRequest) => boolean, by: number): ControllerOptions => ({
  wrap: (transport, clock) => new FaultyTransport(transport, clock, plannedFaults([], [{ when: watch, fault: { kind: 'late', by }, times: 1000 }])),
});
const idle = async (scene: WorkflowScene): Promise<void> => { await scene.world.run(60_000); };

describe('specs that are seen late', () => {
  it('a text that was deleted is not run again and again, while the collector takes each run along', async () => {
    const scene = stage({ controller: behind(ofSpecs, 5000), steps: chain('a'), pods: { a: { runs: 60_000 } } });
    await scene.world.runUntil(() => scene.births.length === 1);
    await scene.world.run(10_000);
    scene.world.deleteConfigMap('etl', { propagation: 'Background' });
    await idle(scene);
    expect([scene.started, scene.runs]).toEqual([['a'], []]);
  });

  it('a text that was replaced is not run once more after the one that replaced it', async () => {
    const scene = stage({ controller: 'none', steps: chain('a') });
    scene.start(behind(ofSpecs, 20_000));
    await scene.finished(60_000);
    scene.apply({ steps: chain('b') });
    // Another one, which has seen it.
    const other = scene.start();
    await scene.finished(60_000, 2);
    other.kill();
    await idle(scene);
    expect(scene.started).toEqual(['a', 'b']);
  });
});

describe('records that are seen late', () => {
  it('a sub-run that another replica has started is not taken for deleted', async () => {
    const scene = stage({ spec: 'none', controller: { engine: { highAvailability } }, pods: { before: { runs: 40_000 }, work: { runs: 60_000 } } });
    scene.apply({ trigger: { onRequest: true }, steps: [step('work')] }, 'child');
    scene.apply({ steps: [step('before'), step('part', { dependsOn: ['before'], workflow: { name: 'child' } })] });
    const first = scene.controller;
    await scene.world.run(1000);
    scene.start({ ...behind(ofRecords, 30_000), engine: { highAvailability } });
    await scene.world.runUntil(() => scene.births.some((birth) => birth.step === 'work'));
    await scene.world.run(2000);
    first?.kill();
    await scene.finished(300_000, 2);
    expect([scene.started, scene.runOf('etl').outcomes]).toEqual([['before', 'work'], { before: 'succeeded', part: 'succeeded' }]);
  });

  it('a replica that takes over begins with what is there, however far behind its watches were', async () => {
    const scene = stage({ controller: { engine: { highAvailability } }, steps: chain('a') });
    const first = scene.controller;
    await scene.finished();
    scene.start({ ...behind((request) => ofRecords(request) || ofJobs(request) || ofPods(request), 600_000), engine: { highAvailability } });
    await scene.world.run(5000);
    scene.apply({ steps: chain('b') });
    await scene.finished(60_000, 2);
    scene.apply({ steps: chain('c') });
    await scene.finished(60_000, 3);
    first?.kill();
    await idle(scene);
    expect([scene.started, scene.runs.length]).toEqual([['a', 'b', 'c'], 3]);
  });

  it('Jobs of a record that was made anew under its name are nobody else\'s to end', async () => {
    const scene = stage({ spec: { steps: chain('a'), finally: [step('clean')] }, pods: { a: { runs: 20_000, stopsAfter: 100 }, clean: { runs: 300_000, stopsAfter: 100 } } });
    scene.start(behind(ofRecords, 60_000));
    await scene.world.runUntil(() => scene.births.some((birth) => birth.step === 'clean'));
    scene.pods['clean'] = { runs: 100 };
    await scene.world.run(60_000);
    scene.world.deleteConfigMap(scene.run.name, { propagation: 'Background' });
    await scene.finished(200_000);
    expect([scene.started, scene.run.phase]).toEqual([['a', 'clean', 'a', 'clean'], 'Succeeded']);
  });
});

describe('Jobs and pods that are seen late', () => {
  it('one that runs is not ended for not having started', async () => {
    const scene = stage({ controller: behind((request) => ofPods(request) || ofJobs(request), 100_000), steps: [step('a', { startTimeout: '1m' })], pods: { a: { runs: 200_000 } } });
    await scene.finished();
    expect([scene.started, scene.run.outcomes]).toEqual([['a'], { a: 'succeeded' }]);
  });

  it('what a pod wrote is waited for, when its Job is known to have completed', async () => {
    const steps = [step('count', { outputs: { rows: { type: 'integer' } } }), step('after', { job: { image: 'registry.example/after:1', args: ['$(steps.count.outputs.rows)'] } })];
    const scene = stage({ controller: behind(ofPods, 60_000), steps, pods: { count: { exit: { code: 0, message: 'rows=3' } } } });
    await scene.finished();
    expect(scene.run.outcomes).toEqual({ count: 'succeeded', after: 'succeeded' });
  });

  it('an exit code that is not to be tried again is waited for, when its Job is known to have failed', async () => {
    const scene = stage({ controller: behind(ofPods, 60_000), steps: [step('a', { retry: { attempts: 2, delay: '1s', exitCodes: { fail: [3] } } })], pods: { a: { exit: { code: 3 } } } });
    await scene.finished();
    expect([scene.started, scene.run.outcomes]).toEqual([['a'], { a: 'failed' }]);
  });

  it('pods that outlive their Job keep the next attempt waiting, also where they are not in view', async () => {
    const scene = stage({ controller: behind(ofPods, 120_000), steps: [step('a', { retry: { attempts: 2, delay: '1s' } })], pods: { a: (attempt) => ({ runs: attempt === 1 ? 90_000 : 100 }) } });
    await scene.world.runUntil(() => scene.births.length === 1);
    await scene.world.run(10_000);
    scene.world.cluster.registry.delete(jobs, scene.birth('a').name, { propagation: 'Orphan' });
    await scene.finished();
    expect(scene.started).toEqual(['a', 'a#2']);
    expect(scene.birth('a').at).toBeGreaterThan(90);
  });
});

describe('a create that arrives after its run is over', () => {
  it('makes a Job that is ended: nobody waits for it any more', async () => {
    const scene = stage({ controller: 'none', steps: chain('a', 'b'), pods: { b: { runs: 3_600_000 } } });
    const isCreateOfB = ({ method, path, body, query }: ApiRequest): boolean => method === 'POST' && path.endsWith('/jobs') && query?.['dryRun'] === undefined && JSON.stringify(body).includes(`"${keys.stepLabel}":"b"`);
    scene.startWith(plannedFaults([{ when: isCreateOfB, fault: { kind: 'slow', before: 30_000, after: 0 } }]));
    await scene.world.runUntil(() => scene.runs[0]?.state?.steps['b'] !== undefined);
    scene.controller?.kill();
    scene.annotate(scene.run.name, { [keys.cancelAnnotation]: 'enough' });
    scene.start();
    await scene.finished(20_000);
    expect(scene.started).toEqual(['a']);
    await idle(scene);
    expect([scene.started, scene.run.phase]).toEqual([['a', 'b'], 'Cancelled']);
    expect([scene.unfinished(), scene.world.livingPods()]).toEqual([[], []]);
  });
});

describe('the answer to a create that arrives late', () => {
  it('after somebody has deleted the Job: the step goes on', async () => {
    const scene = stage({ controller: 'none', steps: [step('a', { retry: { attempts: 2, delay: '1s' } })], pods: { a: { runs: 60_000, stopsAfter: 100 } } });
    const isCreate = ({ method, path, query }: ApiRequest): boolean => method === 'POST' && path.endsWith('/jobs') && query?.['dryRun'] === undefined;
    scene.startWith(plannedFaults([{ when: isCreate, fault: { kind: 'slow', before: 0, after: 10_000 } }]));
    await scene.world.runUntil(() => scene.births.length === 1);
    await scene.world.run(3000);
    scene.world.cluster.registry.delete(jobs, scene.birth('a').name, { propagation: 'Background' });
    await scene.finished();
    expect([scene.started, scene.run.outcomes]).toEqual([['a', 'a#2'], { a: 'succeeded' }]);
  });
});
