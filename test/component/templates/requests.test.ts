/** Runs in git, on a whole cluster: asked for once, told in their status, and never again. */
import { describe, expect, it } from 'vitest';
import { arrayAt, objectAt, type JsonObject } from '../../../src/lib/json.ts';
import { configMaps } from '../../../src/simulation/objects.ts';
import * as keys from '../../../src/spec/keys.ts';
import { applySpec, applyTemplate } from '../../support/asking.ts';
import { step, useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const minute = 60_000;
const parameters = { url: { type: 'string' }, size: { type: 'integer', default: 512 } };
const job = { image: 'registry.example/resize:1', args: ['$(params.url)', '$(params.size)'] };

function request(scene: WorkflowScene, fields: JsonObject = {}, name = 'first'): void {
  applySpec(scene, name, { kind: 'Run', ...(fields['workflow'] === undefined ? { template: 'resize' } : {}), ...fields });
}
const argsOf = (scene: WorkflowScene, born = 0): unknown => arrayAt(arrayAt(objectAt(objectAt(objectAt(scene.births[born]?.object, 'spec'), 'template'), 'spec'), 'containers')[0], 'args');
const status = (scene: WorkflowScene, name = 'first'): JsonObject => scene.world.status(name) as JsonObject;
const find = (scene: WorkflowScene, name: string) => scene.world.cluster.store.list(configMaps).find(({ metadata }) => metadata.name === name);
const stateOf = (scene: WorkflowScene, name = 'first'): string | undefined => find(scene, name)?.metadata.labels?.[keys.stateLabel];

describe('a Run', () => {
  it('runs its template with its parameters, and tells in its status how that came out', async () => {
    const scene = stage({ spec: 'none', pods: { job: { exit: { code: 0, message: 'bytes=17' } } } });
    applyTemplate(scene, { parameters, job, outputs: { bytes: { type: 'integer' } } });
    request(scene, { parameters: { url: 'https://a', size: 3 }, priority: 7 });
    await scene.finished();
    await scene.world.run(15_000);
    const run = scene.runOf('resize');
    expect(argsOf(scene)).toEqual(['https://a', '3']);
    expect(run.request).toMatchObject({ template: 'resize', trigger: 'request', run: 'first', source: find(scene, 'first')?.metadata.uid, priority: 7 });
    expect(run.object.metadata.ownerReferences).toBeUndefined();
    expect(status(scene)).toMatchObject({ state: 'Succeeded', reason: 'RunSucceeded', health: 'Healthy', run: { name: run.name, outcome: 'succeeded', outputs: { bytes: 17 } } });
    expect(stateOf(scene)).toBe('Succeeded');
  });

  it('that fails says why, and is no healthy part of a sync', async () => {
    const scene = stage({ spec: 'none', pods: { job: { exit: { code: 3, message: 'no such picture' } } } });
    applyTemplate(scene, {});
    request(scene);
    await scene.finished();
    await scene.world.run(15_000);
    expect(status(scene)).toMatchObject({ state: 'Failed', reason: 'RunFailed', health: 'Degraded', message: expect.stringContaining('no such picture') as string, run: { failedSteps: ['job'] } });
  });

  it('runs a workflow as well', async () => {
    const scene = stage({ spec: { trigger: { onRequest: true }, parameters: { day: { type: 'string' } }, steps: [step('load', { job: { image: 'x:1', args: ['$(params.day)'] } })] } });
    request(scene, { workflow: 'etl', parameters: { day: 'monday' } });
    await scene.finished();
    expect([argsOf(scene), scene.run.request]).toMatchObject([['monday'], { workflow: 'etl', run: 'first' }]);
  });

  it('runs once: applied again, replaced, relabelled and after restarts', async () => {
    const scene = stage({ spec: 'none' });
    applyTemplate(scene, {});
    request(scene);
    await scene.finished();
    for (let again = 0; again < 3; again += 1) {
      request(scene);
      // As kubectl replace and some GitOps tools do it: whatever is not in git goes.
      scene.world.cluster.registry.update(configMaps, 'first', (object) => ({ ...object, metadata: { ...object.metadata, annotations: {}, labels: { [keys.kindLabel]: 'run' } } }));
      await scene.restart();
      await scene.world.run(2 * minute);
    }
    expect([scene.births.length, scene.runs.length]).toEqual([1, 1]);
    expect(status(scene)).toMatchObject({ state: 'Succeeded', reason: 'RunSucceeded' });
  });

  it('that is edited after it was asked for says so, and does nothing', async () => {
    const scene = stage({ spec: 'none', pods: { job: { runs: minute } } });
    applyTemplate(scene, { parameters, job });
    applyTemplate(scene, {}, 'other');
    request(scene, { parameters: { url: 'https://a' } });
    await scene.world.run(5000);
    request(scene, { template: 'other', name: 'another-name' });
    await scene.finished();
    await scene.world.run(15_000);
    expect([scene.births.length, argsOf(scene)]).toEqual([1, ['https://a', '512']]);
    expect(status(scene)).toMatchObject({ state: 'Succeeded', reason: 'RunChanged', message: expect.stringContaining('apply it under another name') as string });
    request(scene, { parameters: { url: 'https://a' } });
    await scene.world.run(15_000);
    expect(status(scene)).toMatchObject({ reason: 'RunSucceeded' });
  });

  it('whose text breaks later keeps its run', async () => {
    const scene = stage({ spec: 'none', pods: { job: { runs: minute } } });
    applyTemplate(scene, {});
    request(scene);
    await scene.world.run(5000);
    request(scene, { parameters: 3 });
    await scene.finished();
    await scene.world.run(15_000);
    expect(status(scene)).toMatchObject({ state: 'Succeeded', reason: 'RunChanged', message: expect.stringContaining('parameters') as string });
  });
});

it('values of every sort arrive in the container as git has them', async () => {
  const scene = stage({ spec: 'none' });
  const values = ['$(params.size)', '$(HOME) $$ \\', '"} , {"image": "evil"}', "it's", 'a: b\n- c\n---\n# d', '{{ x }} ${Y}', '&a *a !!str', '\u0000\u2028\ud83d\ude00', '__proto__', 'x'.repeat(100_000)];
  applyTemplate(scene, { parameters: { list: { type: 'array' }, constructor: { type: 'string' }, ...Object.fromEntries(values.map((_, n) => [`v${n}`, { type: 'string' }])) }, job: { image: 'x:1', args: ['$(params.list)', '$(params.constructor)', ...values.map((_, n) => `$(params.v${n})`)] } });
  request(scene, { parameters: { list: values, constructor: 'c', ...Object.fromEntries(values.map((value, n) => [`v${n}`, value])) } });
  await scene.finished();
  const args = (argsOf(scene) as string[]).map((text) => text.replaceAll('$$', '$'));
  expect(args).toEqual([JSON.stringify(values), 'c', ...values]);
});

describe('a Run that cannot begin', () => {
  it('waits for its template, and says so', async () => {
    const scene = stage({ spec: 'none' });
    request(scene, { parameters: { url: 'https://a' } });
    await scene.world.run(minute);
    expect(status(scene)).toMatchObject({ state: 'Waiting', reason: 'TargetUnknown', message: 'waits for template "resize", which nothing defines' });
    applySpec(scene, 'resize', { kind: 'Template', job: { image: 'x:1' }, parameters: 'none' });
    await scene.world.run(minute);
    expect(status(scene)).toMatchObject({ state: 'Waiting', reason: 'TargetBroken' });
    applyTemplate(scene, { parameters, job });
    await scene.finished();
    expect(scene.births).toHaveLength(1);
  });

  it('names the parameter that is wrong, and begins when either side is mended', async () => {
    const scene = stage({ spec: 'none' });
    applyTemplate(scene, { parameters, job });
    request(scene, { parameters: { url: 'https://a', size: 'big', sise: 3 } });
    await scene.world.run(minute);
    expect(status(scene)).toMatchObject({ state: 'Rejected', reason: 'ParametersRefused', health: 'Degraded' });
    expect(status(scene)['message']).toMatch(/parameters\.size: must be a whole number.*parameters\.sise: there is no parameter "sise"; did you mean "size"\?|parameters\.sise.*parameters\.size/);
    expect(scene.births).toEqual([]);
    request(scene, { parameters: { url: 'https://a', size: 3 } });
    await scene.finished();
    expect(scene.births).toHaveLength(1);
  });

  it('waits where its workflow takes no requests', async () => {
    const scene = stage({ spec: { trigger: { schedules: ['0 0 1 1 *'] }, steps: [step('a')] } });
    request(scene, { workflow: 'etl' });
    await scene.world.run(minute);
    expect(status(scene)).toMatchObject({ state: 'Waiting', reason: 'RequestRefused' });
  });

  it('does not begin while it is suspended, or once it is cancelled', async () => {
    const scene = stage({ spec: 'none' });
    applyTemplate(scene, {});
    request(scene, { suspend: true });
    request(scene, { cancel: 'not today' }, 'second');
    await scene.world.run(minute);
    expect([scene.births, scene.runs]).toEqual([[], []]);
    expect(status(scene)).toMatchObject({ state: 'Suspended', reason: 'SpecSuspended', health: 'Healthy' });
    expect(status(scene, 'second')).toMatchObject({ state: 'Cancelled', reason: 'RunCancelled', health: 'Healthy', message: expect.stringContaining('not today') as string });
    request(scene);
    await scene.finished();
    expect(scene.runOf('resize').request.run).toBe('first');
  });
});

describe('what a Run says about its run', () => {
  it('cancels it, whatever others say', async () => {
    const scene = stage({ spec: 'none', pods: { job: { runs: 20 * minute } } });
    applyTemplate(scene, {});
    request(scene);
    await scene.world.run(5000);
    request(scene, { cancel: 'wrong picture' });
    await scene.finished();
    await scene.world.run(15_000);
    expect(scene.runOf('resize')).toMatchObject({ phase: 'Cancelled', result: { message: expect.stringContaining('wrong picture') as string } });
    expect(status(scene)).toMatchObject({ state: 'Cancelled', health: 'Healthy' });
  });

  it('cancels it while it waits for its turn', async () => {
    const scene = stage({ spec: 'none', pods: { job: { runs: minute } } });
    applyTemplate(scene, { concurrency: { max: 1 } });
    request(scene);
    await scene.world.run(5000);
    request(scene, {}, 'second');
    await scene.world.run(5000);
    expect(status(scene, 'second')).toMatchObject({ state: 'Queued', reason: 'RunQueued' });
    request(scene, { cancel: true }, 'second');
    await scene.finished(600_000, 2);
    expect([scene.births.length, scene.runs.map(({ phase }) => phase).toSorted()]).toEqual([1, ['Cancelled', 'Succeeded']]);
  });

  it('approves and rejects steps, also before they are reached', async () => {
    const steps = [{ name: 'ask', approve: {} }, { name: 'deploy', dependsOn: ['ask'], approve: {} }, step('go', { dependsOn: 'deploy.failed' })];
    const scene = stage({ spec: { trigger: { onRequest: true }, onFailure: 'continue', steps } });
    request(scene, { workflow: 'etl', approvals: { deploy: 'rejected' } });
    await scene.world.run(minute);
    expect(scene.run.phase).toBe('Running');
    scene.annotate(scene.run.name, { [keys.approvalsAnnotation]: 'deploy' });
    await scene.world.run(minute);
    request(scene, { workflow: 'etl', approvals: { ask: 'approved', deploy: 'rejected' } });
    await scene.finished();
    expect(scene.run.outcomes).toEqual({ ask: 'succeeded', deploy: 'failed', go: 'succeeded' });
  });

  it('suspends it and lets it go on, and leaves alone what a person suspended', async () => {
    const scene = stage({ spec: { trigger: { onRequest: true }, steps: [step('a'), step('b', { dependsOn: ['a'] })] }, pods: { a: { runs: minute } } });
    request(scene, { workflow: 'etl' });
    await scene.world.run(5000);
    request(scene, { workflow: 'etl', suspend: true });
    await scene.world.run(5 * minute);
    expect([scene.started, scene.run.phase, status(scene)['state']]).toEqual([['a'], 'Suspended', 'Suspended']);
    request(scene, { workflow: 'etl' });
    await scene.world.run(1000);
    scene.annotate(scene.run.name, { [keys.suspendAnnotation]: 'true' });
    await scene.world.run(minute);
    expect(scene.run.isOver || scene.run.object.metadata.annotations?.[keys.suspendAnnotation] === 'true').toBe(true);
  });
});

describe('when a Run goes, or its record does', () => {
  const quick = { retention: { succeeded: { count: 0 }, failed: { count: 0 } } };

  it('a deleted Run leaves its run alone, and its record to retention', async () => {
    const scene = stage({ spec: 'none', pods: { job: { runs: minute } } });
    applyTemplate(scene, quick);
    request(scene);
    await scene.world.run(5000);
    scene.world.deleteConfigMap('first');
    await scene.world.runUntil(() => scene.runs.length === 0, 10 * minute);
    expect([scene.births.length, scene.runs]).toEqual([1, []]);
    expect(scene.lines.some(({ fields }) => fields['code'] === 'RunSucceeded')).toBe(true);
  });

  it('retention keeps the record for as long as its Run is there', async () => {
    const scene = stage({ spec: 'none' });
    applyTemplate(scene, quick);
    request(scene);
    await scene.finished();
    await scene.world.run(10 * minute);
    expect(scene.runs).toHaveLength(1);
    await scene.restart();
    await scene.world.run(10 * minute);
    expect(scene.runs).toHaveLength(1);
    scene.world.deleteConfigMap('first');
    await scene.world.run(minute);
    expect(scene.runs).toEqual([]);
  });

  it('a record that somebody deletes is not made again: the status tells that it has run', async () => {
    const scene = stage({ spec: 'none' });
    applyTemplate(scene, {});
    request(scene);
    await scene.finished();
    await scene.world.run(15_000);
    const { name } = scene.runOf('resize');
    scene.world.deleteConfigMap(name);
    await scene.restart();
    await scene.world.run(2 * minute);
    expect([scene.births.length, scene.runs]).toEqual([1, []]);
    expect(status(scene)).toMatchObject({ state: 'Succeeded', reason: 'RunForgotten', run: { name } });
  });

  it('a Run that is deleted and created again is another request', async () => {
    const scene = stage({ spec: 'none' });
    applyTemplate(scene, {});
    request(scene);
    await scene.finished();
    scene.world.deleteConfigMap('first');
    await scene.world.run(5000);
    request(scene);
    await scene.finished(600_000, 2);
    expect([scene.births.length, new Set(scene.runs.map(({ name }) => name)).size]).toEqual([2, 2]);
  });
});
