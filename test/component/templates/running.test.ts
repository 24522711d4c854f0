/** Runs of templates on a whole cluster: from the request to the Job and back. */
import { describe, expect, it } from 'vitest';
import { arrayAt, objectAt, stringAt, type Json, type JsonObject } from '../../../src/lib/json.ts';
import { jobs } from '../../../src/simulation/objects.ts';
import type { Session } from '../../../src/cli/runs/session.ts';
import { submitRun } from '../../../src/cli/runs/submit.ts';
import { CommandLine } from '../../support/command-line.ts';
import { applySpec, applyTemplate, ask } from '../../support/asking.ts';
import { step, useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const parameters = { url: { type: 'string' }, size: { type: 'integer', default: 512 } };
const job = { image: 'registry.example/resize:1', args: ['--url', '$(params.url)', '--size', '$(params.size)'] };

function containerOf(scene: WorkflowScene): JsonObject {
  const [born] = scene.births;
  return arrayAt(objectAt(objectAt(objectAt(born?.object, 'spec'), 'template'), 'spec'), 'containers')[0] as JsonObject;
}
const envOf = (scene: WorkflowScene): Record<string, string> => Object.fromEntries(arrayAt(containerOf(scene), 'env').map((entry: Json): [string, string] => [stringAt(entry, 'name') ?? '', stringAt(entry, 'value') ?? '']));

describe('a request', () => {
  it('becomes a Job with its parameters, and its record tells how it came out', async () => {
    const scene = stage({ spec: 'none' });
    applyTemplate(scene, { parameters, job });
    const name = ask(scene, 'resize', { url: 'https://example.com/a b.png' });
    await scene.finished();
    expect(containerOf(scene)['args']).toEqual(['--url', 'https://example.com/a b.png', '--size', '512']);
    expect(scene.births[0]?.object.metadata.labels).toMatchObject({ 'job-chief/kind': 'template', 'job-chief/name': 'resize', 'job-chief/run': name, 'job-chief/step': 'job' });
    expect(envOf(scene)).toMatchObject({ JOB_CHIEF_KIND: 'template', JOB_CHIEF_NAME: 'resize', JOB_CHIEF_RUN: name, JOB_CHIEF_ATTEMPT: '1' });
    expect(scene.runOf('resize')).toMatchObject({ name, phase: 'Succeeded', request: { template: 'resize', trigger: 'request' }, result: { outcome: 'succeeded' } });
    expect(scene.runOf('resize').object.metadata.labels).toMatchObject({ 'job-chief/kind': 'template', 'job-chief/name': 'resize' });
  });

  it('gives back the outputs of the Job, with defaults for those that it did not write', async () => {
    const scene = stage({ spec: 'none', pods: { job: { exit: { code: 0, message: '{"bytes": 17}' } } } });
    applyTemplate(scene, { outputs: { bytes: { type: 'integer' }, format: { type: 'string', default: 'png' } } });
    ask(scene, 'resize');
    await scene.finished();
    expect(scene.runOf('resize').outputs).toEqual({ bytes: 17, format: 'png' });
  });

  it('is tried again as the template says, and fails with what the container said', async () => {
    const scene = stage({ spec: 'none', pods: { job: { exit: { code: 3, message: 'no such picture' } } } });
    applyTemplate(scene, { retry: { attempts: 2, delay: '1s' } });
    ask(scene, 'resize');
    await scene.finished();
    expect(scene.started).toEqual(['job', 'job#2']);
    expect(scene.runOf('resize').result).toMatchObject({ outcome: 'failed', failedSteps: ['job'], message: expect.stringContaining('no such picture') as string });
  });

  it('of which there are many runs ten at a time, and all of them', async () => {
    const scene = stage({ spec: 'none', pods: { job: { runs: 30_000 } } });
    applyTemplate(scene, {});
    for (let n = 0; n < 25; n += 1) ask(scene, 'resize', {}, { key: `key-${n}` });
    await scene.world.run(20_000);
    expect(scene.unfinished()).toHaveLength(10);
    expect(scene.world.status('resize')).toMatchObject({ state: 'Running', reason: 'TemplateRunning', activeRuns: 10, queuedRuns: 15 });
    await scene.finished(600_000, 25);
    expect([scene.births.length, scene.runs.filter(({ phase }) => phase === 'Succeeded').length]).toEqual([25, 25]);
  });

  it('that is sent twice at once under one key is one run, and one with other values a conflict', async () => {
    const scene = stage({ spec: 'none' });
    applyTemplate(scene, { parameters, job });
    await scene.world.run(2000);
    const line = new CommandLine(scene.world);
    const send = (url: string) => ({ runs }: Session) => submitRun({ runs, random: () => 'drawn' }, { target: { kind: 'template', name: 'resize' }, given: { assignments: [], document: { url } }, key: 'k' });
    const sent = await line.call((session) => Promise.all([send('https://a')(session), send('https://a')(session)]));
    expect(new Set(sent.map(({ name }) => name)).size).toBe(1);
    expect(await line.complaint(send('https://b'))).toContain('with other parameters');
    await scene.finished();
    expect([scene.births.length, scene.runs.length]).toEqual([1, 1]);
  });
});

describe('the status of a template', () => {
  it('says what a request may set', async () => {
    const scene = stage({ spec: 'none' });
    applyTemplate(scene, { parameters: { ...parameters, note: { type: 'string', optional: true, description: 'For people.' } }, job });
    await scene.world.run(2000);
    expect(scene.world.status('resize')).toMatchObject({
      state: 'Idle', reason: 'WaitsForRequest', message: 'waits for a request',
      parameters: { url: 'string, required', size: 'integer, default 512', note: 'string, optional: For people.' },
    });
  });

  it('says that the API server would not take its Job, and starts nothing', async () => {
    const scene = stage({ spec: 'none', refuse: (resource) => (resource === jobs ? { code: 422, reason: 'Invalid', message: 'Job.batch is invalid: no such volume' } : undefined) });
    applyTemplate(scene, {});
    ask(scene, 'resize');
    await scene.world.run(60_000);
    expect(scene.world.status('resize')).toMatchObject({ state: 'Rejected', reason: 'TemplateRefused', message: 'no such volume' });
    expect([scene.births, scene.runOf('resize').phase]).toEqual([[], 'Queued']);
  });
});

describe('a template that changes while a request waits', () => {
  const busy = { job: { runs: 60_000 } };

  it('runs as it is when its turn comes; what runs keeps what it began with', async () => {
    const scene = stage({ spec: 'none', pods: busy });
    const image = (tag: string): JsonObject => ({ concurrency: { max: 1 }, job: { image: `registry.example/step:${tag}` } });
    applyTemplate(scene, image('1'));
    const first = ask(scene, 'resize', {}, { key: 'first' });
    await scene.world.run(5000);
    const second = ask(scene, 'resize', {}, { key: 'second' });
    await scene.world.run(5000);
    applyTemplate(scene, image('2'));
    await scene.finished(600_000, 2);
    const imageOf = (run: string): unknown => {
      const born = scene.births.find(({ object }) => object.metadata.labels?.['job-chief/run'] === run);
      return stringAt(arrayAt(objectAt(objectAt(objectAt(born?.object, 'spec'), 'template'), 'spec'), 'containers')[0], 'image');
    };
    expect([imageOf(first), imageOf(second)]).toEqual(['registry.example/step:1', 'registry.example/step:2']);
  });

  it('and is deleted: what runs goes on, what waits stays queued until somebody defines it again', async () => {
    const scene = stage({ spec: 'none', pods: busy });
    applyTemplate(scene, { concurrency: { max: 1 } });
    ask(scene, 'resize', {}, { key: 'first' });
    await scene.world.run(5000);
    ask(scene, 'resize', {}, { key: 'second' });
    scene.world.deleteConfigMap('resize');
    await scene.world.run(120_000);
    expect(scene.runs.map(({ phase }) => phase).toSorted()).toEqual(['Queued', 'Succeeded']);
    applyTemplate(scene, { concurrency: { max: 1 } });
    await scene.finished(600_000, 2);
    expect(scene.runs.map(({ phase }) => phase)).toEqual(['Succeeded', 'Succeeded']);
  });
});

describe('a step of a workflow', () => {
  it('runs a template with parameters from other steps, and has its outcome and its outputs', async () => {
    const scene = stage({ spec: 'none', pods: { list: { exit: { code: 0, message: 'url=https://a' } }, job: { exit: { code: 0, message: 'bytes=17' } } } });
    applyTemplate(scene, { parameters, job, outputs: { bytes: { type: 'integer' } } });
    applySpec(scene, 'etl', {
      kind: 'Workflow', trigger: { onChange: true }, outputs: { bytes: '$(steps.make.outputs.bytes)' },
      steps: [step('list', { outputs: { url: { type: 'string' } } }), { name: 'make', template: { name: 'resize', parameters: { url: '$(steps.list.outputs.url)', size: 3 } }, outputs: { bytes: { type: 'integer' } } }],
    });
    await scene.finished(600_000, 2);
    expect(scene.started).toEqual(['list', 'job']);
    expect(arrayAt(arrayAt(objectAt(objectAt(objectAt(scene.births[1]?.object, 'spec'), 'template'), 'spec'), 'containers')[0], 'args')).toEqual(['--url', 'https://a', '--size', '3']);
    expect(scene.runOf('etl')).toMatchObject({ phase: 'Succeeded', outputs: { bytes: 17 } });
    expect(scene.runOf('resize').request).toMatchObject({ template: 'resize', trigger: 'step', parent: { step: 'make', within: ['etl'] } });
  });

  it('runs a template for each item, and fails where one fails', async () => {
    const scene = stage({ spec: 'none', pods: { job: (_attempt, pod) => ({ exit: { code: JSON.stringify(pod).includes('bad') ? 1 : 0 } }) } });
    applyTemplate(scene, { parameters, job });
    applySpec(scene, 'etl', { kind: 'Workflow', trigger: { onChange: true }, steps: [{ name: 'make', forEach: { items: ['a', 'bad', 'c'] }, template: { name: 'resize', parameters: { url: '$(item)' } } }] });
    await scene.finished(600_000, 4);
    expect(scene.runs.filter(({ workflow }) => workflow === 'resize').map(({ phase }) => phase).toSorted()).toEqual(['Failed', 'Succeeded', 'Succeeded']);
    expect(scene.runOf('etl').result).toMatchObject({ outcome: 'failed', failedSteps: ['make'] });
  });

  it('waits for a template that does not exist yet', async () => {
    const scene = stage({ spec: 'none' });
    applySpec(scene, 'etl', { kind: 'Workflow', trigger: { onChange: true }, steps: [{ name: 'make', template: { name: 'resize' } }] });
    await scene.world.run(60_000);
    expect([scene.births, scene.runOf('resize').phase]).toEqual([[], 'Queued']);
    applyTemplate(scene, {});
    await scene.finished(600_000, 2);
    expect(scene.runOf('etl').phase).toBe('Succeeded');
  });
});
