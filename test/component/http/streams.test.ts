/** What goes on for as long as it takes: events and logs. */
import { describe, expect, it } from 'vitest';
import { httpApi, type HttpClient } from '../../support/http-scene.ts';
import { step, useWorkflows, type StepScript, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

interface Played {
  readonly scene: WorkflowScene;
  readonly api: HttpClient;
  readonly start: () => Promise<string>;
}

async function play(pods: Readonly<Record<string, StepScript>> = {}, steps = [step('load'), step('store', { dependsOn: ['load'] })]): Promise<Played> {
  const scene = stage({ spec: { trigger: { onRequest: true }, concurrency: { max: 5 }, steps }, pods, controller: 'none' });
  const api = await httpApi(scene);
  return { scene, api, start: async () => (await api.post('/api/v1/runs', { workflow: 'etl' })).json['name'] as string };
}

describe('events of a run', () => {
  it('begin with what it stands at, tell each change of it and of its steps, and end with it', async () => {
    const { scene, api, start } = await play({ load: { runs: 5_000 } });
    const name = await start();
    const stream = api.stream(`/api/v1/runs/${name}/events`);
    await scene.finished();
    await api.pass(5_000);
    const told = stream.events.map(({ event, data }) => (event === 'step' ? `${data['step'] as string} ${data['state'] as string}` : event === 'run' ? `run ${data['phase'] as string}` : event));
    expect(told.filter((one, index) => one !== told[index - 1])).toEqual(expect.arrayContaining(['snapshot', 'load Running', 'load Succeeded', 'store Succeeded', 'run Succeeded', 'end']) as string[]);
    expect([told[0], told.at(-2), told.at(-1)]).toEqual(['snapshot', 'run Succeeded', 'end']);
    expect(told.indexOf('store Succeeded')).toBeLessThan(told.indexOf('run Succeeded'));
    expect(stream.ended).toBe(true);
  });

  it('of one that is over are what it came to, and nothing more', async () => {
    const { scene, api, start } = await play();
    const name = await start();
    await scene.finished();
    await api.pass(2_000);
    const stream = api.stream(`/api/v1/runs/${name}/events`);
    await api.pass(1_000);
    expect(stream.events.map(({ event }) => event)).toEqual(['snapshot', 'end']);
    expect(stream.events[0]?.data).toMatchObject({ phase: 'Succeeded', steps: [{ name: 'load' }, { name: 'store' }] });
    expect(stream.ended).toBe(true);
  });

  it('go on after the last one that was read, or with a fresh snapshot where that is not known', async () => {
    const { api, start } = await play({ load: { runs: 60_000 } });
    const name = await start();
    const first = api.stream(`/api/v1/runs/${name}/events`);
    await api.pass(5_000);
    const last = first.events.at(-1)?.id ?? '';
    first.leave();
    await api.pass(30_000);
    await api.post(`/api/v1/runs/${name}/suspend`);
    const second = api.stream(`/api/v1/runs/${name}/events`, { headers: { 'last-event-id': last } });
    await api.pass(2_000);
    expect(second.events[0]).toMatchObject({ event: 'run', data: { suspendRequested: true } });
    const stranger = api.stream(`/api/v1/runs/${name}/events`, { headers: { 'last-event-id': 'other-3' } });
    await api.pass(1_000);
    expect(stranger.events[0]).toMatchObject({ event: 'snapshot', data: { phase: 'Suspended' } });
    second.leave();
    stranger.leave();
    await api.pass(90_000);
    const late = api.stream(`/api/v1/runs/${name}/events`, { headers: { 'last-event-id': second.events[0]?.id ?? '' } });
    await api.pass(1_000);
    expect(late.events[0]?.event).toBe('snapshot');
    late.leave();
  });

  it('are kept open by heartbeats while nothing happens', async () => {
    const { api, start } = await play({ load: { runs: 900_000 } });
    const name = await start();
    const stream = api.stream(`/api/v1/runs/${name}/events`);
    await api.pass(600_000);
    expect(stream.ended).toBe(false);
    expect(stream.text.match(/^: heartbeat$/gm)?.length).toBeGreaterThan(30);
    stream.leave();
  });
});

describe('events of all runs', () => {
  it('begin with those that are not over, and tell of the chosen ones', async () => {
    const { scene, api, start } = await play({ load: { runs: 5_000 } });
    await start();
    await api.pass(1_000);
    const all = api.stream('/api/v1/events');
    const other = api.stream('/api/v1/events?name=other');
    const done = api.stream('/api/v1/events?phase=Succeeded');
    await api.pass(1_000);
    expect(all.events[0]).toMatchObject({ event: 'snapshot', data: { more: 0, runs: [{ phase: 'Running', target: { kind: 'workflow', name: 'etl' } }] } });
    await start();
    await scene.finished(600_000, 2);
    await api.pass(5_000);
    expect(all.events.filter(({ event, data }) => event === 'run' && data['phase'] === 'Succeeded')).toHaveLength(2);
    expect(other.events.map(({ event }) => event)).toEqual(['snapshot']);
    expect(new Set(done.events.filter(({ event }) => event === 'run').map(({ data }) => data['phase']))).toEqual(new Set(['Succeeded']));
    for (const stream of [all, other, done]) stream.leave();
  });
});

describe('logs of a run', () => {
  const saying = (...texts: readonly string[]): StepScript => ({ runs: 20_000, log: texts.map((text, index) => ({ after: (index + 1) * 1_000, text })) });

  it('are those of all its pods, in the order in which these were made', async () => {
    const { scene, api, start } = await play({ load: saying('l1', 'l2'), store: saying('s1') });
    const name = await start();
    await scene.finished();
    const { text, headers } = await api.get(`/api/v1/runs/${name}/logs?prefix=false`);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(text).toBe('l1\nl2\ns1\n');
    expect((await api.get(`/api/v1/runs/${name}/logs?step=store`)).text).toMatch(/^\[etl-store-\S+\/main\] s1\n$/);
    expect((await api.get(`/api/v1/runs/${name}/logs?tail=1&prefix=false&timestamps=true`)).text).toMatch(/^2026-\S+Z l2\n2026-\S+Z s1\n$/);
  });

  it('come as JSON lines and as events for those who ask for them', async () => {
    const { scene, api, start } = await play({ load: saying('l1'), store: saying('s1') });
    const name = await start();
    await scene.finished();
    const lines = (await api.get(`/api/v1/runs/${name}/logs`, { headers: { accept: 'application/x-ndjson' } })).text.trim().split('\n').map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([{ step: 'load', attempt: 1, container: 'main', line: 'l1', time: expect.stringMatching(/^2026/) as string }, { step: 'store', line: 's1' }]);
    expect((await api.get(`/api/v1/runs/${name}/logs`, { headers: { accept: 'text/event-stream' } })).text).toMatch(/^event: line\ndata: \{.*"line":"l1"\}\n\n[^]*event: end\ndata: \{\}\n\n$/);
    expect((await api.get(`/api/v1/runs/${name}/logs`, { headers: { accept: 'image/png' } })).json).toMatchObject({ status: 406, code: 'NotAcceptable' });
  });

  it('are followed from pod to pod until the run is over', async () => {
    const { scene, api, start } = await play({ load: saying('l1', 'l2'), store: saying('s1', 's2', 's3') });
    const name = await start();
    const stream = api.stream(`/api/v1/runs/${name}/logs?follow=true&prefix=false`);
    await api.pass(4_000);
    expect(stream.text.split('\n').filter((line) => !line.startsWith('#'))).toEqual(['l1', 'l2', '']);
    await scene.finished();
    await api.pass(10_000);
    expect(stream.text.split('\n').filter((line) => !line.startsWith('#'))).toEqual(['l1', 'l2', 's1', 's2', 's3', '']);
    expect(stream.ended).toBe(true);
  });

  it('of a pod that says nothing for more than ten minutes stay open, and lose nothing', async () => {
    const { scene, api, start } = await play({ load: { runs: 1_000_000, log: [{ after: 1_000, text: 'first' }, { after: 900_000, text: 'last' }] } });
    const name = await start();
    const stream = api.stream(`/api/v1/runs/${name}/logs?follow=true`, { headers: { accept: 'text/event-stream' } });
    await api.pass(800_000);
    expect(stream.ended).toBe(false);
    expect(stream.text.match(/^: heartbeat$/gm)?.length).toBeGreaterThan(45);
    await scene.finished(1_200_000);
    await api.pass(10_000);
    expect(stream.events.filter(({ event }) => event === 'line').map(({ data }) => data['line'])).toEqual(['first', 'last']);
    expect(stream.ended).toBe(true);
  });

  it('of containers that have not started are the reason, once', async () => {
    const { scene, api, start } = await play({ load: { image: { for: 5_000 }, runs: 5_000, log: [{ after: 500, text: 'at last' }] } }, [step('load', { startTimeout: '10m' })]);
    const name = await start();
    const stream = api.stream(`/api/v1/runs/${name}/logs?follow=true`, { headers: { accept: 'application/x-ndjson' } });
    await api.pass(10_000);
    expect(stream.text).toMatch(/"note":"has not started: (ErrImagePull|ImagePullBackOff)/);
    const { text } = await api.get(`/api/v1/runs/${name}/logs`);
    expect(text).toMatch(/^# etl-load-\S+\/main: has not started: (ErrImagePull|ImagePullBackOff)/);
    await scene.finished();
    await api.pass(10_000);
    expect(stream.text).toContain('"line":"at last"');
    expect(stream.text.match(/has not started/g)?.length).toBe(2);
  });

  it('of a run without pods say so', async () => {
    const { scene, api } = await play();
    scene.apply({ trigger: { onRequest: true }, suspend: true, steps: [step('load')] });
    await api.pass(1_000);
    const { json } = await api.post('/api/v1/runs', { workflow: 'etl' });
    expect((await api.get(`/api/v1/runs/${json['name'] as string}/logs`)).text).toBe('# no pod of this is there: none was made yet, or they are gone\n');
  });

  it('of a run that is none are a problem, as of another instance', async () => {
    const { api } = await play();
    expect((await api.get('/api/v1/runs/none/logs')).json).toMatchObject({ status: 404, code: 'UnknownRun' });
  });
});

describe('a server that stops', () => {
  it('sends everybody away, ends streams with a word, and closes', async () => {
    const { api, start } = await play({ load: { runs: 600_000 } });
    const name = await start();
    const events = api.stream(`/api/v1/runs/${name}/events`);
    const logs = api.stream(`/api/v1/runs/${name}/logs?follow=true`);
    await api.pass(5_000);
    api.api.stop();
    const answer = await api.get('/api/v1/runs');
    expect(answer).toMatchObject({ status: 503, json: { code: 'Stopping' }, headers: { 'retry-after': '5', connection: 'close' } });
    expect((await api.post('/api/v1/runs', { workflow: 'etl' })).status).toBe(503);
    await api.pass(2_000);
    expect(events.events.at(-1)?.event).toBe('closing');
    expect(logs.text.trimEnd().split('\n').at(-1)).toBe('# this replica is stopping: connect again');
    expect([events.ended, logs.ended]).toEqual([true, true]);
    await api.close();
  });

  it('answers what is under way', async () => {
    const { api } = await play();
    const asked = api.send('POST', '/api/v1/runs', { body: { workflow: 'etl' } });
    await api.pass(1);
    api.api.stop();
    await api.pass(1_000);
    expect((await asked).status).toBe(202);
  });
});
