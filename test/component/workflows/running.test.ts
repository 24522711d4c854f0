/** Runs that meet people and trouble: retries, items, commands, sub-runs, schedules, deletions by hand. */
import { describe, expect, it } from 'vitest';
import { arrayAt, objectAt } from '../../../src/lib/json.ts';
import { asPod, isTerminal } from '../../../src/simulation/job-shape.ts';
import { configMaps, jobs } from '../../../src/simulation/objects.ts';
import * as keys from '../../../src/spec/keys.ts';
import { chain, step, useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const ticks = async (scene: WorkflowScene, name: string): Promise<void> => {
  if (!(await scene.world.runUntil(() => scene.births.some((birth) => birth.step === name), 60_000))) throw new Error(scene.explain());
};
const living = (scene: WorkflowScene): string[] => scene.world.pods().map(asPod).filter((pod) => !isTerminal(pod)).map(({ metadata }) => metadata.name);

describe('a retry', () => {
  it('is another Job, after a delay that grows', async () => {
    const scene = stage({ steps: [step('flaky', { retry: { attempts: 3, delay: '10s', factor: 3 } })], pods: { flaky: (attempt) => ({ exit: { code: attempt < 3 ? 1 : 0 } }) } });
    await scene.finished();
    expect(scene.started).toEqual(['flaky', 'flaky#2', 'flaky#3']);
    const [first = 0, second = 0, third = 0] = scene.births.map(({ at }) => at);
    expect(second - first).toBeGreaterThan(10);
    expect(third - second).toBeGreaterThan(30);
    expect(third - second).toBeLessThan(35);
    expect(scene.run.phase).toBe('Succeeded');
    expect(scene.world.events()).toContainEqual(expect.stringMatching(/ConfigMap\/etl StepRetry: .*"flaky" goes into attempt 2/));
  });

  it('that is used up is a failure, with what the pod said', async () => {
    const scene = stage({ steps: [step('flaky', { retry: { attempts: 2, delay: '1s' } })], pods: { flaky: { exit: { code: 9, message: 'disk full' } } } });
    await scene.finished();
    expect(scene.births).toHaveLength(2);
    expect(scene.run.result).toMatchObject({ outcome: 'failed', failedSteps: ['flaky'], message: expect.stringContaining('disk full') as string });
  });

  it('an eviction is the infrastructure, not the work: the Job controller replaces the pod', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 20_000, evictedAfter: 3000 } } });
    scene.world.cluster.store.subscribe(({ object }) => { if (object.kind === 'Pod' && JSON.stringify(object['status'] ?? {}).includes('DisruptionTarget')) scene.pods['a'] = { runs: 1000 }; });
    await scene.finished();
    expect(scene.started).toEqual(['a', 'b']);
    expect(scene.run.phase).toBe('Succeeded');
  });
});

describe('forEach', () => {
  it('without $(item) is one Indexed Job whose pods read their item from a file', async () => {
    const scene = stage({ steps: [step('load', { forEach: { items: ['x', 'y', 'z'] } }), step('after', { dependsOn: ['load'] })] });
    await scene.finished();
    expect(scene.started).toEqual(['load', 'after']);
    expect(scene.birth('load').object.spec).toMatchObject({ completionMode: 'Indexed', completions: 3 });
    const map = scene.world.configMap(`${scene.birth('load').name}-items`);
    expect(Object.values(objectAt(map, 'data'))).toEqual(['x', 'y', 'z']);
  });

  it('with $(item) is one Job for each, and no more live at once than maxParallel', async () => {
    let most = 0;
    const scene = stage({ steps: [step('load', { forEach: { items: ['a', 'b', 'c', 'd', 'e'] }, maxParallel: 2, job: { image: 'registry.example/load:1', args: ['$(item)'] } })], pods: { load: { runs: 2000 } } });
    scene.world.cluster.store.subscribe(() => { most = Math.max(most, scene.unfinished().filter((job) => (job.status.active ?? 0) > 0).length); });
    await scene.finished();
    expect(scene.births.map(({ object }) => arrayAt(object.spec.template.spec.containers[0], 'args')[0]).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
    // The Job controller counts a pod as active until its phase is in, a second after its end.
    expect(most).toBeLessThanOrEqual(4);
    const starts = scene.births.map(({ at }) => at).sort((left, right) => left - right);
    expect(starts[4]! - starts[0]!).toBeGreaterThan(4);
    expect(scene.run.phase).toBe('Succeeded');
  });

  it('takes its items from the output of another step', async () => {
    const scene = stage({
      steps: [step('list', { outputs: { files: { type: 'array' } } }), step('load', { forEach: { from: '$(steps.list.outputs.files)' }, job: { image: 'registry.example/load:1', args: ['$(item)'] } })],
      pods: { list: { exit: { code: 0, message: '{"files": ["one", "two"]}' } } },
    });
    await scene.finished();
    expect(scene.births.slice(1).map(({ object }) => arrayAt(object.spec.template.spec.containers[0], 'args')[0]).toSorted()).toEqual(['one', 'two']);
  });

  it('of 300 Jobs: each once, without a long wait', async () => {
    const scene = stage({ steps: [step('load', { forEach: { count: 300 }, job: { image: 'registry.example/load:1', args: ['$(item)'] } }), step('after', { dependsOn: ['load'] })] });
    await scene.finished();
    expect(scene.births).toHaveLength(301);
    expect(scene.birth('after').at).toBeLessThan(10);
    expect(scene.run.phase).toBe('Succeeded');
  });
});

describe('whoever looks after runs', () => {
  it('cancels one by an annotation: what runs is ended, finally still runs', async () => {
    const scene = stage({ spec: { steps: chain('a', 'b'), finally: [step('clean')] }, pods: { a: { runs: 3_600_000 } } });
    await ticks(scene, 'a');
    await scene.world.run(2000);
    scene.annotate(scene.run.name, { [keys.cancelAnnotation]: 'wrong data' });
    await scene.finished(120_000);
    expect(scene.run.outcomes).toEqual({ a: 'cancelled', b: 'omitted', clean: 'succeeded' });
    expect(scene.run.result).toMatchObject({ outcome: 'cancelled', message: expect.stringContaining('wrong data') as string });
    await scene.world.run(5000);
    expect(living(scene)).toEqual([]);
  });

  it('suspends and resumes one', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 5000 } } });
    await ticks(scene, 'a');
    scene.annotate(scene.run.name, { [keys.suspendAnnotation]: 'true' });
    await scene.world.run(60_000);
    expect([scene.started, scene.run.phase]).toEqual([['a'], 'Suspended']);
    scene.annotate(scene.run.name, { [keys.suspendAnnotation]: 'false' });
    await scene.finished();
    expect([scene.started, scene.run.phase]).toEqual([['a', 'b'], 'Succeeded']);
  });

  it.each([['approve', 'ask', { ask: 'succeeded', deploy: 'succeeded' }, 'Succeeded'], ['reject', 'ask=rejected', { ask: 'failed', deploy: 'omitted' }, 'Failed']] as const)('%ss a step', async (_what, text, outcomes, phase) => {
    const scene = stage({ steps: [step('ask', { approve: { message: 'to production?' } }), step('deploy', { dependsOn: ['ask'] })] });
    await scene.world.run(60_000);
    expect(scene.births).toEqual([]);
    scene.annotate(scene.run.name, { [keys.approvalsAnnotation]: text });
    await scene.finished();
    expect([scene.run.outcomes, scene.run.phase]).toEqual([outcomes, phase]);
  });
});

describe('deleted by hand', () => {
  it('a Job that runs: the attempt errored, and a retry is another one', async () => {
    const scene = stage({ steps: [step('a', { retry: { attempts: 2, delay: '1s' } })], pods: { a: (attempt) => ({ runs: attempt === 1 ? 3_600_000 : 100 }) } });
    await ticks(scene, 'a');
    await scene.world.run(2000);
    scene.world.cluster.registry.delete(jobs, scene.birth('a').name, { propagation: 'Background' });
    await scene.finished();
    expect(scene.started).toEqual(['a', 'a#2']);
    expect(scene.run.state?.steps['a']?.attempts?.map(({ outcome, reason }) => [outcome, reason])).toEqual([['errored', 'JobDeleted'], ['succeeded', undefined]]);
  });

  it('Jobs that have finished: nothing runs again', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { b: { runs: 20_000 } } });
    await ticks(scene, 'b');
    await scene.world.run(5000);
    scene.world.cluster.registry.delete(jobs, scene.birth('a').name, { propagation: 'Background' });
    await scene.finished();
    expect([scene.started, scene.run.phase]).toEqual([['a', 'b'], 'Succeeded']);
  });

  it('the record of a run: its Jobs go with it; as nothing tells any more that this text has run, it runs once those are gone', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 30_000, stopsAfter: 3000 } } });
    await ticks(scene, 'a');
    await scene.world.run(5000);
    const former = scene.run.uid;
    let overlap = 0;
    scene.world.cluster.store.subscribe(() => { overlap = Math.max(overlap, living(scene).filter((name) => name.startsWith('etl-a-')).length); });
    scene.world.deleteConfigMap(scene.run.name, { propagation: 'Background' });
    await scene.finished(120_000);
    expect(scene.run.uid).not.toBe(former);
    expect([scene.started, scene.run.phase, overlap]).toEqual([['a', 'a', 'b'], 'Succeeded', 1]);
  });

  it('the spec: the run that a change started goes with it', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 3_600_000 } } });
    await ticks(scene, 'a');
    await scene.world.run(2000);
    scene.world.deleteConfigMap('etl', { propagation: 'Background' });
    await scene.world.run(120_000);
    expect([scene.runs, scene.world.jobs(), living(scene)]).toEqual([[], [], []]);
  });
});

describe('a sub-run', () => {
  const child = { parameters: { day: { type: 'string' } }, trigger: { onRequest: true }, steps: [step('work', { job: { image: 'registry.example/work:1', args: ['$(params.day)'] }, outputs: { rows: { type: 'integer' } } })], outputs: { rows: '$(steps.work.outputs.rows)' } };
  const parent = { steps: [step('part', { workflow: { name: 'child', parameters: { day: 'monday' } }, outputs: { rows: { type: 'integer' } } }), step('after', { job: { image: 'registry.example/after:1', args: ['$(steps.part.outputs.rows)'] } })] };

  it('runs the other workflow with parameters, and its outputs come back', async () => {
    const scene = stage({ spec: 'none', pods: { work: { exit: { code: 0, message: '{"rows": 5}' } } } });
    scene.apply(child, 'child');
    scene.apply(parent);
    await scene.finished(60_000, 2);
    expect(scene.started).toEqual(['work', 'after']);
    expect(scene.birth('work').object.spec.template.spec.containers[0]).toMatchObject({ args: ['monday'] });
    expect(scene.birth('after').object.spec.template.spec.containers[0]).toMatchObject({ args: ['5'] });
    expect([scene.runOf('child').phase, scene.runOf('etl').phase]).toEqual(['Succeeded', 'Succeeded']);
    expect(scene.runOf('child').object.metadata.ownerReferences?.[0]?.['uid']).toBe(scene.runOf('etl').uid);
  });

  it('is cancelled with the run that waits for it', async () => {
    const scene = stage({ spec: 'none', pods: { work: { runs: 3_600_000 } } });
    scene.apply(child, 'child');
    scene.apply(parent);
    await ticks(scene, 'work');
    await scene.world.run(2000);
    scene.annotate(scene.runOf('etl').name, { [keys.cancelAnnotation]: 'no more' });
    await scene.finished(120_000, 2);
    expect([scene.runOf('child').phase, scene.runOf('etl').phase]).toEqual(['Cancelled', 'Cancelled']);
    expect(living(scene)).toEqual([]);
  });

  it('whose record somebody deletes is lost to the run that waits for it', async () => {
    const scene = stage({ spec: 'none', pods: { work: { runs: 3_600_000 } } });
    scene.apply(child, 'child');
    scene.apply(parent);
    await ticks(scene, 'work');
    await scene.world.run(2000);
    scene.world.deleteConfigMap(scene.runOf('child').name, { propagation: 'Background' });
    await scene.finished(120_000);
    expect(scene.runOf('etl').outcomes).toEqual({ part: 'errored', after: 'omitted' });
  });

  it('of a workflow that does not exist waits, and begins when it comes', async () => {
    const scene = stage({ spec: 'none', pods: { work: { exit: { code: 0, message: 'rows=1' } } } });
    scene.apply(parent);
    await scene.world.run(60_000);
    expect([scene.births, scene.runOf('child').phase]).toEqual([[], 'Queued']);
    scene.apply(child, 'child');
    await scene.finished(60_000, 2);
    expect(scene.runOf('etl').phase).toBe('Succeeded');
  });
});

describe('triggers', () => {
  it('a schedule starts a run each time, and retention keeps the history short', async () => {
    const scene = stage({ spec: { trigger: { schedules: ['*/10 * * * *'], timeZone: 'Etc/UTC' }, steps: chain('a'), retention: { succeeded: { count: 2 } } } });
    await scene.world.run(65 * 60_000);
    expect(scene.births.map(({ at }) => Math.round(at / 600))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(scene.runs.map(({ phase }) => phase)).toEqual(['Succeeded', 'Succeeded']);
    expect(scene.world.jobs()).toHaveLength(2);
  });

  it('a change of the spec is a new run; a comment, an annotation or a restart is none', async () => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    scene.annotate('etl', { 'example.org/synced': 'yes' });
    await scene.restart();
    await scene.world.run(60_000);
    expect(scene.runs).toHaveLength(1);
    scene.apply({ steps: chain('a', 'b') });
    await scene.finished(60_000, 2);
    expect(scene.started).toEqual(['a', 'a', 'b']);
  });

  it('a change in mid-run waits for the run, which goes on with the text that it began with', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 20_000 } } });
    await ticks(scene, 'a');
    scene.apply({ steps: chain('x') });
    await scene.finished(120_000, 2);
    expect(scene.started).toEqual(['a', 'b', 'x']);
    expect(scene.runs.map(({ phase }) => phase)).toEqual(['Succeeded', 'Succeeded']);
  });

  it('onSpecChange: replace ends the run that the change makes old', async () => {
    const scene = stage({ spec: { onSpecChange: 'replace', steps: chain('a', 'b') }, pods: { a: { runs: 3_600_000 } } });
    await ticks(scene, 'a');
    await scene.world.run(2000);
    scene.apply({ onSpecChange: 'replace', steps: chain('x') });
    await scene.finished(120_000, 2);
    expect(scene.runs.map(({ phase }) => phase).toSorted()).toEqual(['Cancelled', 'Succeeded']);
    expect(scene.started).toEqual(['a', 'x']);
  });
});

describe('a run that cannot be read', () => {
  it('ends as failed, and says why', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { runs: 20_000 } } });
    await ticks(scene, 'a');
    await scene.world.run(2000);
    scene.controller?.kill();
    scene.world.cluster.registry.update(configMaps, scene.run.name, (object) => ({ ...object, data: { ...objectAt(object, 'data'), [keys.specKey]: 'kind: Nonsense' } }));
    scene.start();
    await scene.finished(60_000);
    expect(scene.run.result).toMatchObject({ outcome: 'failed', reason: 'RunUnreadable' });
    await scene.world.run(1000);
    expect(scene.world.events()).toContainEqual(expect.stringMatching(/ConfigMap\/etl RunUnreadable/));
  });
});

describe('a namespace whose quota is full', () => {
  it('the step waits and begins when there is room, without a storm of requests', async () => {
    const scene = stage({ controller: 'none', steps: chain('a') });
    scene.world.cluster.quota.set('count/jobs.batch', 0);
    scene.start();
    await scene.world.run(120_000);
    expect(scene.births).toEqual([]);
    expect(scene.world.requests.filter(({ method, path, query }) => method === 'POST' && path.endsWith('/jobs') && query?.['dryRun'] === undefined).length).toBeLessThan(12);
    scene.world.cluster.quota.delete('count/jobs.batch');
    await scene.finished(60_000);
    expect(scene.run.phase).toBe('Succeeded');
  });
});
