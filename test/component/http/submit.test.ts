/** Runs asked for over HTTP, through to their Jobs. */
import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../../src/adapters/kubernetes/transport.ts';
import { configMaps } from '../../../src/simulation/objects.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { kindLabel } from '../../../src/spec/keys.ts';
import { httpApi, tokens, type HttpClient } from '../../support/http-scene.ts';
import { applyLimits } from '../../support/limits.ts';
import { step, useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const parameters = { day: { type: 'string', pattern: '^[0-9-]+$' }, rows: { type: 'integer', default: 5 } };
const onRequest: JsonObject = { trigger: { onRequest: true }, concurrency: { max: 5 }, parameters, steps: [step('load', { job: { image: 'registry.example/step:1', args: ['$(params.day)'] } })] };
const wanted = { workflow: 'etl', parameters: { day: '2026-01-01' } };

async function anApi(spec: JsonObject = onRequest): Promise<{ scene: WorkflowScene; api: HttpClient }> {
  const scene = stage({ spec, controller: 'none' });
  return { scene, api: await httpApi(scene) };
}

describe('a run that is asked for over HTTP', () => {
  it('is written down, runs, and is told of until it is over', async () => {
    const { scene, api } = await anApi();
    const answer = await api.post('/api/v1/runs', wanted, { token: tokens.submit });
    expect(answer).toMatchObject({ status: 202, json: { target: { kind: 'workflow', name: 'etl' }, notes: [] } });
    expect(answer.headers['location']).toBe(answer.json['callbackUrl']);
    expect(scene.records.map(({ metadata }) => metadata.name)).toEqual([answer.json['name']]);
    await scene.finished();
    const shown = await api.get(answer.json['callbackUrl'] as string);
    expect(shown.json).toMatchObject({ phase: 'Succeeded', outcome: 'succeeded', trigger: 'request', parameters: { day: '2026-01-01' }, steps: [{ name: 'load', state: 'Succeeded', attempts: 1 }] });
    expect(scene.birth('load').object.spec.template.spec.containers[0]).toMatchObject({ args: ['2026-01-01'] });
  });

  it('may be of a template, whose parameters go where they fit', async () => {
    const { scene, api } = await anApi();
    scene.world.applyConfigMap('report', JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Template', parameters: { day: { type: 'string' } }, job: { image: 'registry.example/step:1', args: ['--day=$(params.day)'] } }), { [kindLabel]: 'template' });
    await scene.world.run(2_000);
    const answer = await api.post('/api/v1/runs', { template: 'report', parameters: { day: 'a"; {{b}} $(params.day) $HOME' } });
    expect(answer).toMatchObject({ status: 202, json: { target: { kind: 'template', name: 'report' } } });
    await scene.finished();
    expect(scene.world.jobs()[0]?.spec.template.spec.containers[0]).toMatchObject({ args: ['--day=a"; {{b}} $$(params.day) $$HOME'] });
    expect((await api.get(answer.json['callbackUrl'] as string)).json).toMatchObject({ target: { kind: 'template', name: 'report' }, phase: 'Succeeded', parameters: { day: 'a"; {{b}} $(params.day) $HOME' } });
    expect((await api.get('/api/v1/specs/template/report')).json).toMatchObject({ requestable: true, parameters: { required: ['day'] } });
    expect((await api.post('/api/v1/runs', { workflow: 'report' })).json).toMatchObject({ status: 404, code: 'UnknownSpec' });
  });

  it('of a workflow that is suspended waits, and says so', async () => {
    const { scene, api } = await anApi({ ...onRequest, suspend: true });
    const answer = await api.post('/api/v1/runs', wanted);
    expect(answer).toMatchObject({ status: 202, json: { notes: ['the workflow is suspended: the run waits'] } });
    await scene.world.run(60_000);
    expect((await api.get(answer.json['callbackUrl'] as string)).json).toMatchObject({ phase: 'Queued', steps: [{ name: 'load', state: 'Waiting' }] });
  });

  it('of a workflow that was applied a moment ago is found, before the watch shows it', async () => {
    const { scene, api } = await anApi();
    scene.apply(onRequest, 'new');
    const [answer] = await Promise.all([api.send('POST', '/api/v1/runs', { body: { ...wanted, workflow: 'new' } }), scene.world.run(5_000)]);
    expect(answer.status).toBe(202);
  });

  it.each<[string, JsonObject, number, string, (string | undefined)[]]>([
    ['of what does not exist', { workflow: 'other' }, 404, 'UnknownSpec', []],
    ['without a value that is needed', { workflow: 'etl' }, 422, 'InvalidParameters', ['#/parameters/day']],
    ['with values that do not fit', { workflow: 'etl', parameters: { day: 'x y', rows: 'many' } }, 422, 'InvalidParameters', ['#/parameters/day', '#/parameters/rows']],
    ['with names that nobody declared', { workflow: 'etl', parameters: { day: '1', dya: '2', 'a/b~c': 3 } }, 422, 'InvalidParameters', ['#/parameters/dya', '#/parameters/a~1b~0c']],
    ['of nothing', { parameters: {} }, 422, 'InvalidBody', ['#/workflow', '#/template']],
    ['of two things', { workflow: 'etl', template: 'etl' }, 422, 'InvalidBody', ['#']],
    ['with fields that nobody knows', { workflow: 'etl', parametres: {}, job: { image: 'x' } }, 422, 'InvalidBody', ['#/parametres', '#/job']],
  ])('%s is refused, with each place', async (_, body, status, code, pointers) => {
    const { scene, api } = await anApi();
    const answer = await api.post('/api/v1/runs', body);
    expect(answer.json).toMatchObject({ status, code });
    expect(((answer.json['errors'] ?? []) as { pointer?: string }[]).map(({ pointer }) => pointer)).toEqual(pointers);
    expect(scene.records).toEqual([]);
  });

  it('with a priority is refused to whoever may only submit', async () => {
    const { scene, api } = await anApi();
    expect((await api.post('/api/v1/runs', { ...wanted, priority: 5 }, { token: tokens.submit })).json).toMatchObject({ status: 403, role: 'admin' });
    expect(scene.records).toEqual([]);
    expect((await api.post('/api/v1/runs', { ...wanted, priority: 5 }, { token: tokens.admin })).status).toBe(202);
  });

  it('with a name as long as a body is told of it in short', async () => {
    const { api } = await anApi();
    const answer = await api.post('/api/v1/runs', { ...wanted, parameters: { day: '1', ['x'.repeat(100_000)]: 1 } });
    expect(answer.json).toMatchObject({ status: 422 });
    expect(JSON.stringify(answer.json).length).toBeLessThan(2_000);
  });

  it('of a workflow that takes no requests is refused', async () => {
    const { api } = await anApi({ steps: [step('a')] });
    expect((await api.post('/api/v1/runs', { workflow: 'etl' })).json).toMatchObject({ status: 409, code: 'NotRequestable' });
  });

  it('of a workflow whose text has errors is refused', async () => {
    const { api } = await anApi({ ...onRequest, onFailure: 'hope' });
    expect((await api.post('/api/v1/runs', wanted)).json).toMatchObject({ status: 409, code: 'SpecRejected' });
  });
});

/** What the answer says of why the run does not start. */
describe('a run that cannot start at once', () => {
  const held = (reason: string, message: string): JsonObject => ({ waits: { reason, message }, notes: [`the run waits: ${message}`] });

  it('is told apart from one that can', async () => {
    const { api } = await anApi();
    expect((await api.post('/api/v1/runs', wanted)).json).toMatchObject({ waits: null, notes: [] });
  });

  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['the instance is suspended', {}, { suspend: true }, held('InstanceSuspended', 'Limits "limits" suspends the instance: nothing starts')],
    ['all places are taken', {}, { maxJobs: 1 }, held('LimitReached', '1 of 1 Jobs are live: 1 of workflow etl')],
    ['its group does not exist', { concurrency: { max: 5, group: 'gpu' } }, { groups: { cpu: 1 } }, held('GroupUnknown', 'no Limits has the group "gpu"; did you mean "cpu"?')],
    ['no more Jobs may start for now', {}, { startRate: '1/1h' }, held('StartRateReached', 'no more than 1 Job in 1h may start')],
    ['the Limits are broken', {}, { maxJobs: 'many' }, { waits: { reason: 'LimitsBroken' } }],
    ['its workflow runs as often as it may', { concurrency: { max: 1 } }, {}, held('RunQueued', '1 of 1 run has begun and is not over')],
    ['its workflow is suspended', { suspend: true }, {}, { waits: { reason: 'SpecSuspended', message: 'suspend is true: no runs are started' }, notes: ['the workflow is suspended: the run waits'] }],
    ['its workflow is only observed', { observe: true }, {}, { waits: { reason: 'SpecObserved' }, notes: ['the workflow has observe: true: the run waits'] }],
  ])('says so: %s', async (_, changes, limits, expected) => {
    const { scene, api } = await anApi(onRequest);
    scene.pods['load'] = { runs: 600_000 };
    await api.post('/api/v1/runs', wanted);
    await scene.world.runUntil(() => scene.started.length === 1, 10_000);
    scene.apply({ ...onRequest, ...changes });
    applyLimits(scene.world, limits);
    await scene.world.run(2_000);
    expect((await api.post('/api/v1/runs', wanted)).json).toMatchObject(expected);
  });

  it('says so: the places of its group are taken', async () => {
    const scene = stage({ spec: { ...onRequest, concurrency: { max: 5, group: 'gpu' } }, pods: { load: { runs: 600_000 } }, controller: 'none' });
    applyLimits(scene.world, { groups: { gpu: 1 } });
    const api = await httpApi(scene);
    await api.post('/api/v1/runs', wanted);
    await scene.world.runUntil(() => scene.started.length === 1, 10_000);
    expect((await api.post('/api/v1/runs', wanted)).json).toMatchObject(held('GroupFull', '1 of 1 Jobs of group "gpu" are live: 1 of workflow etl'));
  });

  it('and that was asked for before, with the same key, is told how it stands now', async () => {
    const { scene, api } = await anApi({ ...onRequest, suspend: true });
    const keyed = { ...wanted, idempotencyKey: 'k' };
    await api.post('/api/v1/runs', keyed);
    scene.world.deleteConfigMap('etl');
    await scene.world.run(2_000);
    expect((await api.post('/api/v1/runs', keyed)).json).toMatchObject({ waits: { reason: 'SpecDeleted', message: 'there is no workflow "etl"' } });
    scene.apply(onRequest);
    await scene.finished();
    applyLimits(scene.world, { suspend: true });
    await scene.world.run(2_000);
    expect((await api.post('/api/v1/runs', keyed)).json).toMatchObject({ waits: null });
  });
});

describe('an idempotency key', () => {
  const keyed = { ...wanted, idempotencyKey: 'order-17' };

  it('gives one run, however often it is sent, also at once', async () => {
    const { scene, api } = await anApi();
    const both = [api.send('POST', '/api/v1/runs', { body: keyed }), api.send('POST', '/api/v1/runs', { body: keyed })];
    await scene.world.run(5_000);
    const answers = await Promise.all(both);
    const again = await api.post('/api/v1/runs', wanted, { headers: { 'idempotency-key': '"order-17"' } });
    expect([...answers, again].map(({ status, json }) => [status, json['name']])).toEqual(Array.from({ length: 3 }, () => [202, scene.records[0]?.metadata.name]));
    await scene.finished();
    expect((await api.post('/api/v1/runs', keyed)).json['name']).toBe(scene.run.name);
    expect(scene.started).toEqual(['load']);
  });

  it('with other parameters is a conflict, also at once', async () => {
    const { scene, api } = await anApi();
    const both = ['1', '2'].map((day) => api.send('POST', '/api/v1/runs', { body: { ...keyed, parameters: { day } } }));
    await scene.world.run(5_000);
    const answers = await Promise.all(both);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(answers.find(({ status }) => status === 409)?.json).toMatchObject({ code: 'KeyInUse', run: scene.records[0]?.metadata.name });
  });

  it('finds its run also when the workflow is gone, or takes other parameters by now', async () => {
    const { scene, api } = await anApi();
    const { json } = await api.post('/api/v1/runs', keyed);
    await scene.finished();
    scene.apply({ ...onRequest, parameters: { other: { type: 'string' } }, steps: [step('load')] });
    await scene.world.run(2_000);
    expect(await api.post('/api/v1/runs', keyed)).toMatchObject({ status: 202, json: { name: json['name'] } });
    scene.world.deleteConfigMap('etl');
    await scene.world.run(2_000);
    expect((await api.post('/api/v1/runs', keyed)).status).toBe(202);
    expect((await api.post('/api/v1/runs', { ...keyed, parameters: { day: '3' } })).status).toBe(409);
    expect((await api.post('/api/v1/runs', { ...keyed, idempotencyKey: 'order-18' })).status).toBe(404);
  });

  it('differs between header and body: neither is taken', async () => {
    const { api } = await anApi();
    expect((await api.post('/api/v1/runs', keyed, { headers: { 'idempotency-key': 'x' } })).json).toMatchObject({ status: 409, code: 'KeysDiffer', errors: [{ parameter: 'idempotency-key' }] });
  });
});

describe('while the API server is away', () => {
  it('nothing is accepted, and the same key is taken once it is back', async () => {
    const { scene, api } = await anApi();
    scene.world.cluster.api.setAvailable(false);
    const answer = await api.post('/api/v1/runs', { ...wanted, idempotencyKey: 'k' });
    expect(answer).toMatchObject({ status: 503, json: { code: 'ApiServer' }, headers: { 'retry-after': '5' } });
    scene.world.cluster.api.setAvailable(true);
    expect((await api.post('/api/v1/runs', { ...wanted, idempotencyKey: 'k' })).status).toBe(202);
    await scene.finished();
  });

  it('an answer that is lost on its way is looked for: what was accepted is told', async () => {
    const { scene, api } = await anApi();
    loseAnswers(scene, ({ method, path }) => method === 'POST' && path.endsWith('/configmaps'));
    const answer = await api.post('/api/v1/runs', wanted);
    expect(answer).toMatchObject({ status: 202, json: { name: scene.records[0]?.metadata.name } });
  });

  it('and nobody can look, the answer says that nobody knows', async () => {
    const { scene, api } = await anApi();
    loseAnswers(scene, ({ path }) => path.includes('/configmaps'));
    const answer = await api.post('/api/v1/runs', { ...wanted, idempotencyKey: 'k' });
    expect(answer).toMatchObject({ status: 503, json: { code: 'ApiServer', run: scene.records[0]?.metadata.name } });
    loseAnswers(scene, () => false);
    expect((await api.post('/api/v1/runs', { ...wanted, idempotencyKey: 'k' })).json['name']).toBe(scene.records[0]?.metadata.name);
    expect(scene.records).toHaveLength(1);
  });
});

/** What is sent takes effect, and its answer never comes back. */
function loseAnswers(scene: WorkflowScene, which: (request: ApiRequest) => boolean): void {
  const { api } = scene.world.cluster;
  const answer = Object.getPrototypeOf(api) as { request: typeof api.request };
  api.request = async (request) => {
    const response = await answer.request.call(api, request);
    if (which(request)) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    return response;
  };
}

describe('quota and rights', () => {
  it('that are missing are told as such, and nothing is lost', async () => {
    const { scene, api } = await anApi();
    scene.world.cluster.allows = ({ verb, resource }) => !(verb === 'create' && resource === configMaps.plural);
    expect((await api.post('/api/v1/runs', wanted)).json).toMatchObject({ status: 503, code: 'Missing' });
    expect(scene.records).toEqual([]);
  });

  it('a record that is too large is told as such', async () => {
    const { api } = await anApi({ ...onRequest, parameters: { day: { type: 'string' } } });
    const answer = await api.post('/api/v1/runs', { workflow: 'etl', parameters: { day: 'x'.repeat(800_000) } });
    expect(answer.json).toMatchObject({ status: 413, code: 'TooLarge' });
    expect((await api.post('/api/v1/runs', { workflow: 'etl', parameters: { day: 'x'.repeat(1_100_000) } })).json).toMatchObject({ status: 413, code: 'TooLarge' });
  });
});
