/** What can be looked at over HTTP: specs, runs, queues, and the document of it all. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { CountsAnswer, QueueStats } from '../../../src/reconcile/api-ports.ts';
import { httpApi, tokens, type HttpClient } from '../../support/http-scene.ts';
import { queueSpec } from '../../support/controller.ts';
import { step, useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const spec: JsonObject = { trigger: { onRequest: true }, concurrency: { max: 50 }, retention: { succeeded: { count: 100 } }, parameters: { day: { type: 'string', default: 'today', pattern: '^[a-z0-9-]+$' }, rows: { type: 'integer' }, note: { type: 'string', optional: true } }, steps: [step('load')] };

async function anApi(options: Parameters<typeof httpApi>[1] = {}, fields: JsonObject = spec): Promise<{ scene: WorkflowScene; api: HttpClient }> {
  const scene = stage({ spec: fields, controller: 'none' });
  return { scene, api: await httpApi(scene, options) };
}

const namesIn = ({ json }: { readonly json: JsonObject }): unknown[] => (json['items'] as JsonObject[]).map(({ name }) => name);

describe('specs', () => {
  it('are listed with what they stand at, broken ones and those that lost as well', async () => {
    const { scene, api } = await anApi();
    scene.apply({ ...spec, onFailure: 'hope' }, 'broken');
    scene.apply({ name: 'etl', ...spec }, 'older');
    scene.world.queue('thumbs');
    scene.world.applyConfigMap('thumbs', queueSpec('thumbs'));
    await scene.world.run(2_000);
    const { json } = await api.get('/api/v1/specs', { token: tokens.read });
    expect((json['items'] as JsonObject[]).map(({ kind, name, state, valid, superseded }) => [kind, name, state, valid, superseded])).toEqual([
      ['queue', 'thumbs', 'Idle', true, false],
      ['workflow', 'broken', 'Rejected', false, false],
      ['workflow', 'etl', 'Superseded', true, true],
      ['workflow', 'etl', 'Idle', true, false],
    ]);
    expect(namesIn(await api.get('/api/v1/specs?kind=workflow&state=Rejected'))).toEqual(['broken']);
    expect((await api.get('/api/v1/specs/workflow/etl')).json).toMatchObject({ source: { name: 'older' }, supersedes: ['etl'], conditions: [{ type: 'Accepted', status: 'True' }, { type: 'Progressing', status: 'False' }] });
  });

  it('tell the schema of the parameters that a request takes', async () => {
    const { api } = await anApi();
    expect((await api.get('/api/v1/specs/workflow/etl')).json).toMatchObject({
      requestable: true,
      parameters: { type: 'object', additionalProperties: false, properties: { day: { type: 'string', default: 'today', pattern: '^[a-z0-9-]+$' }, rows: { type: 'integer' }, note: { type: 'string' } }, required: ['rows'] },
    });
  });

  it('tell what is wrong with their text, and where', async () => {
    const { api } = await anApi({}, { ...spec, onFailure: 'hope' });
    expect((await api.get('/api/v1/specs/workflow/etl')).json).toMatchObject({ state: 'Rejected', valid: false, parameters: null, requestable: false, problems: [{ severity: 'error', code: 'InvalidValue', path: 'onFailure', line: expect.any(Number) as number }] });
    expect((await api.get('/api/v1/specs/template/etl')).json).toMatchObject({ status: 404, code: 'UnknownSpec' });
    expect((await api.get('/api/v1/specs/etl/etl')).json).toMatchObject({ status: 400, errors: [{ parameter: 'kind' }] });
  });
});

describe('runs', () => {
  it('are listed in pages, newest first, each once, whatever comes meanwhile', async () => {
    const { scene, api } = await anApi();
    for (let number = 0; number < 7; number += 1) {
      await api.post('/api/v1/runs', { workflow: 'etl', parameters: { rows: number } });
      if (number % 2 === 0) await scene.world.run(1_100);
    }
    const all = namesIn(await api.get('/api/v1/runs'));
    expect(all).toHaveLength(7);
    const first = await api.get('/api/v1/runs?limit=3');
    await api.post('/api/v1/runs', { workflow: 'etl', parameters: { rows: 9 } });
    const second = await api.get(`/api/v1/runs?limit=3&continue=${first.json['continue'] as string}`);
    const third = await api.get(`/api/v1/runs?limit=3&continue=${second.json['continue'] as string}`);
    expect([...namesIn(first), ...namesIn(second), ...namesIn(third)]).toEqual(all);
    expect(third.json['continue']).toBeNull();
  });

  it('are chosen by what they are runs of, phase, trigger and time', async () => {
    const { scene, api } = await anApi();
    scene.apply({ ...spec, trigger: { onChange: true }, parameters: {} }, 'other');
    await api.post('/api/v1/runs', { workflow: 'etl', parameters: { rows: 1 } });
    await scene.finished(600_000, 2);
    await scene.world.run(2_000);
    // The API server tells times in whole seconds.
    const at = new Date(Math.floor(scene.world.clock.now() / 1000) * 1000).toISOString();
    const { json } = await api.post('/api/v1/runs', { workflow: 'etl', parameters: { rows: 2 } });
    await scene.world.run(20);
    const count = async (query: string): Promise<number> => namesIn(await api.get(`/api/v1/runs?${query}`)).length;
    const counts: number[] = [];
    for (const query of ['name=other', 'name=etl', 'kind=template', 'phase=Succeeded', 'phase=Queued&phase=Running', 'trigger=change', `since=${at}`, `until=${at}`]) counts.push(await count(query));
    expect(counts).toEqual([1, 2, 0, 2, 1, 1, 1, 2]);
    expect(namesIn(await api.get(`/api/v1/runs?since=${at}`))).toEqual([json['name']]);
  });

  it.each([['limit=0', 'limit'], ['limit=many', 'limit'], ['phase=Done', 'phase'], ['since=yesterday', 'since'], ['since=2026-02-30T00:00:00Z', 'since'], ['continue=x', 'continue'], ['pahse=Queued', 'pahse']])('refuse %s', async (query, parameter) => {
    const { api } = await anApi();
    expect((await api.get(`/api/v1/runs?${query}`)).json).toMatchObject({ status: 400, errors: [{ parameter }] });
  });

  it('that failed tell which step, why and with which exit code', async () => {
    const scene = stage({ spec: { ...spec, steps: [step('load'), step('store', { dependsOn: ['load'] })] }, pods: { load: { exit: { code: 3, message: 'no such table' } } }, controller: 'none' });
    const api = await httpApi(scene);
    const { json } = await api.post('/api/v1/runs', { workflow: 'etl', parameters: { rows: 1 } });
    await scene.finished();
    await scene.world.run(5_000);
    expect((await api.get(`/api/v1/runs/${json['name'] as string}`)).json).toMatchObject({ phase: 'Failed', outcome: 'failed', failedSteps: ['load'], steps: [{ name: 'load', state: 'Failed', exitCode: 3 }, { name: 'store', state: 'Omitted' }] });
  });
});

describe('queues', () => {
  const counted = (counts: object): QueueStats => ({ counts: ({ queue }) => Promise.resolve(queue === 'thumbs' ? ({ kind: 'known', upTo: 10_000, at: 0, counts } as CountsAnswer) : { kind: 'unknown', reason: 'QueueUnreachable', message: 'no answer' }) });

  it('tell what waits, and null with the reason where nobody knows: never zero', async () => {
    const { scene, api } = await anApi({ queues: counted({ ready: 5, deferred: 1, active: 2, retrying: 0, dead: 10_000, oldestAge: 61_500 }) });
    scene.world.queue('thumbs');
    scene.world.applyConfigMap('thumbs', queueSpec('thumbs'));
    scene.world.applyConfigMap('lost', queueSpec('lost'));
    await scene.world.run(2_000);
    const { json } = await api.get('/api/v1/queues');
    expect(json['items']).toMatchObject([
      { name: 'lost', ready: null, deferred: null, active: null, retrying: null, dead: null, oldestAgeSeconds: null, unknown: { reason: 'QueueUnreachable', message: 'no answer' } },
      { name: 'thumbs', connection: 'main', queue: 'thumbs', ready: 5, deferred: 1, active: 2, retrying: 0, dead: 10_000, upTo: 10_000, oldestAgeSeconds: 61.5, unknown: null },
    ]);
    expect((await api.get('/api/v1/queues/thumbs')).json).toMatchObject({ ready: 5 });
    expect((await api.get('/api/v1/queues/none')).json).toMatchObject({ status: 404, code: 'UnknownQueue' });
  });
});

describe('the document', () => {
  it('is OpenAPI 3.1 and refers to nothing that it does not hold', async () => {
    const { json, text } = await (await anApi()).api.get('/openapi.json');
    expect(json).toMatchObject({ openapi: '3.1.0', info: { title: 'job-chief', version: 'test' } });
    const schemas = Object.keys((json['components'] as { schemas: object }).schemas);
    expect([...new Set(Array.from(text.matchAll(/#\/components\/schemas\/(\w+)/g), ([, name]) => name))].sort()).toEqual(schemas.sort());
  });

  it('is a page without scripts, and without anything from elsewhere', async () => {
    const { text, headers } = await (await anApi()).api.get('/docs', { headers: { accept: 'text/html' } });
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': expect.stringContaining("default-src 'none'") as string });
    expect(text).toContain('<code>/api/v1/runs/{name}/cancel</code>');
    expect(text).not.toMatch(/<script|https?:\/\/|url\(/);
  });
});
