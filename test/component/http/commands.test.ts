/** What people ask over HTTP of a run that there is. */
import { describe, expect, it } from 'vitest';
import { httpApi, type Answer, type HttpClient } from '../../support/http-scene.ts';
import { step, useWorkflows, type StepScript, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

async function aRun(pods: Readonly<Record<string, StepScript>> = { load: { runs: 60_000 } }): Promise<{ scene: WorkflowScene; api: HttpClient; name: string; ask: (word: string, body?: unknown) => Promise<Answer> }> {
  const steps = [step('load'), step('may-i', { approve: { message: 'go?' } }), step('store', { dependsOn: ['load', 'may-i'] })];
  const scene = stage({ spec: { trigger: { onRequest: true }, concurrency: { max: 5 }, parameters: { day: { type: 'string' } }, steps }, pods, controller: 'none' });
  const api = await httpApi(scene);
  const { json } = await api.post('/api/v1/runs', { workflow: 'etl', parameters: { day: '1' } });
  const name = json['name'] as string;
  await scene.world.runUntil(() => scene.started.includes('load'));
  await scene.world.run(3_000);
  return { scene, api, name, ask: (word, body) => api.post(`/api/v1/runs/${name}/${word}`, body) };
}

describe('cancel', () => {
  it('ends the run, with the reason; a second time is no news, and later ones are refused', async () => {
    const { scene, api, name, ask } = await aRun();
    expect((await ask('cancel', { reason: 'enough' })).json).toMatchObject({ name, changed: true });
    expect((await ask('cancel')).json).toMatchObject({ changed: false });
    await scene.finished();
    expect((await api.get(`/api/v1/runs/${name}`)).json).toMatchObject({ phase: 'Cancelled', cancelRequested: 'enough' });
    expect((await ask('suspend')).json).toMatchObject({ status: 409, code: 'RunOver' });
  });

  it('without a reason says who it was', async () => {
    const { api, name, ask } = await aRun();
    expect((await ask('cancel')).status).toBe(200);
    expect((await api.get(`/api/v1/runs/${name}`)).json['cancelRequested']).toBe('asked for over HTTP by operator');
  });
});

describe('suspend and resume', () => {
  it('keep what is new from starting, and let it go on', async () => {
    const { scene, api, name, ask } = await aRun({ load: { runs: 5_000 } });
    expect((await ask('suspend', {})).json).toMatchObject({ changed: true });
    await ask('approve', { step: 'may-i' });
    await scene.world.run(120_000);
    expect((await api.get(`/api/v1/runs/${name}`)).json).toMatchObject({ phase: 'Suspended', suspendRequested: true });
    expect(scene.started).toEqual(['load']);
    expect((await ask('resume')).json).toMatchObject({ changed: true });
    expect((await ask('resume')).json).toMatchObject({ changed: false });
    await scene.finished();
    expect(scene.started).toEqual(['load', 'store']);
  });
});

describe('approve', () => {
  it('lets the step go, and the words of others stand', async () => {
    const { scene, ask } = await aRun({ load: { runs: 1_000 } });
    expect((await ask('approve', { step: 'may-i' })).json).toMatchObject({ changed: true, message: expect.stringContaining('is approved') as string });
    expect((await ask('approve', { step: 'may-i', verdict: 'approved' })).json).toMatchObject({ changed: false });
    await scene.finished();
    expect(scene.run.phase).toBe('Succeeded');
    expect((await ask('approve', { step: 'may-i' })).json).toMatchObject({ status: 409, code: 'RunOver' });
  });

  it('may say no', async () => {
    const { scene, ask } = await aRun({ load: { runs: 1_000 } });
    await ask('approve', { step: 'may-i', verdict: 'rejected' });
    await scene.finished();
    expect(scene.run.outcomes).toMatchObject({ 'may-i': 'failed', store: 'omitted' });
  });

  it.each([
    [{ step: 'load' }, 409, 'NoApproval'],
    [{ step: 'maybe' }, 404, 'UnknownStep'],
    [{ step: 'may-i', verdict: 'perhaps' }, 422, 'InvalidBody'],
    [{}, 422, 'InvalidBody'],
    [undefined, 422, 'InvalidBody'],
  ])('refuses %j', async (body, status, code) => {
    const { ask } = await aRun();
    expect((await ask('approve', body)).json).toMatchObject({ status, code });
  });
});

describe('rerun', () => {
  it('is a new run with the same parameters, and what succeeded is carried over', async () => {
    const { scene, api, name, ask } = await aRun({ load: { runs: 1_000 }, store: (_attempt, pod) => (pod.metadata.labels?.['job-chief/run'] === name ? { exit: { code: 1 } } : {}) });
    expect((await ask('rerun')).json).toMatchObject({ status: 409, code: 'RunOpen' });
    await ask('approve', { step: 'may-i' });
    await scene.finished();
    const again = await ask('rerun', { idempotencyKey: 'again' });
    expect(again).toMatchObject({ status: 202, json: { callbackUrl: expect.stringContaining('/api/v1/runs/etl-') as string } });
    expect((await ask('rerun', { idempotencyKey: 'again' })).json['name']).toBe(again.json['name']);
    await scene.finished(600_000, 2);
    expect((await api.get(again.json['callbackUrl'] as string)).json).toMatchObject({ phase: 'Succeeded', rerunOf: name, parameters: { day: '1' } });
    expect(scene.started).toEqual(['load', 'store', 'store']);
    expect((await ask('rerun', { from: 'stoer' })).json).toMatchObject({ status: 404, code: 'UnknownStep', detail: expect.stringContaining('did you mean "store"?') as string });
  });
});

describe('all of them', () => {
  it.each(['cancel', 'suspend', 'resume', 'rerun'])('%s knows no run that there is not', async (word) => {
    const { api } = await aRun();
    expect((await api.post(`/api/v1/runs/none/${word}`)).json).toMatchObject({ status: 404, code: 'UnknownRun' });
  });

  it('are written once more where somebody else writes at the same time', async () => {
    const { scene, name, ask } = await aRun();
    let writes = 0;
    scene.world.onRequest(({ method, path }) => {
      if (method !== 'PATCH' || !path.endsWith(name) || (writes += 1) > 2) return;
      scene.annotate(name, { other: String(writes) });
    });
    expect((await ask('suspend')).json).toMatchObject({ changed: true });
    expect(writes).toBeGreaterThan(1);
  });
});
