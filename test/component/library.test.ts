/** The clients of the library, the way to the Kubernetes API and the one over HTTP, beside a controller on a simulated cluster. */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { KubernetesClient } from '../../src/adapters/kubernetes/client.ts';
import { RunClient } from '../../src/cli/runs/run-client.ts';
import { ClientError } from '../../src/library/client-error.ts';
import type { Client, Run } from '../../src/library/client-types.ts';
import { HttpExchange } from '../../src/library/http-exchange.ts';
import { HttpRuns } from '../../src/library/http-runs.ts';
import { KubernetesRuns } from '../../src/library/kubernetes-runs.ts';
import { httpApi, tokens, type HttpClient } from '../support/http-scene.ts';
import { step, useWorkflows, type WorkflowScene, type WorkflowSceneOptions } from '../support/workflow-scene.ts';

const stage = useWorkflows();
const onRequest = { trigger: { onRequest: true }, parameters: { day: { type: 'string' } }, steps: [step('load', { outputs: { rows: { type: 'integer' } } })], outputs: { rows: '$(steps.load.outputs.rows)' } };
const pods = { load: { runs: 200, exit: { code: 0, message: 'rows=3' } } };

type Way = 'kubernetes' | 'http';
const ways: readonly [Way][] = [['kubernetes'], ['http']];

interface Opened {
  readonly scene: WorkflowScene;
  readonly client: Client;
  /** What comes of a call, while the world goes on. */
  readonly call: <Result>(use: () => Promise<Result>) => Promise<Result>;
}

async function open(way: Way, options: WorkflowSceneOptions = { spec: onRequest, pods }): Promise<Opened> {
  const scene = stage(way === 'http' ? { ...options, controller: 'none' } : options);
  const client = way === 'http' ? await overHttp(scene) : overKubernetes(scene);
  const call = async <Result>(use: () => Promise<Result>): Promise<Result> => {
    let settled = false;
    const result = use().finally(() => { settled = true; });
    result.catch(() => undefined);
    expect(await scene.world.runUntil(() => settled, 600_000)).toBe(true);
    return result;
  };
  return { scene, client, call };
}

function overKubernetes({ world }: WorkflowScene): Client {
  const { transport, clock } = world.process(() => undefined);
  const runs = new RunClient({ client: new KubernetesClient({ transport, clock, namespace: world.cluster.namespace, fieldManager: 'test' }), instance: 'default' });
  return new KubernetesRuns({ runs, clock, close: () => Promise.resolve() });
}

async function overHttp(scene: WorkflowScene, token: string = tokens.admin): Promise<Client> {
  const api = await httpApi(scene);
  return new HttpRuns({ http: new HttpExchange({ url: 'http://job-chief/', token: () => token, fetch: fetchFrom(api) }), clock: scene.world.clock });
}

/** As `fetch` would, without a socket. */
function fetchFrom({ api }: HttpClient): typeof fetch {
  return async (input, init = {}) => {
    const { pathname, search } = new URL(input);
    const answer = await api.server.app.inject({ method: init.method as 'GET', url: `${pathname}${search}`, headers: init.headers as Record<string, string>, payloadAsStream: true, ...(typeof init.body === 'string' ? { payload: init.body } : {}) });
    const body = answer.stream();
    init.signal?.addEventListener('abort', () => { body.destroy(init.signal?.reason as Error); });
    return new Response(Readable.toWeb(body), { status: answer.statusCode });
  };
}

async function refusal(promise: Promise<unknown>): Promise<[string, string]> {
  const error: unknown = await promise.then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ClientError);
  return [(error as ClientError).code, (error as ClientError).message];
}

describe.each(ways)('a client of the library by way of %s', (way) => {
  it('submits a run, sees it change and gets its outputs', async () => {
    const { client, call } = await open(way);
    const { name, notes } = await call(() => client.submit({ workflow: 'etl', parameters: { day: 'monday' } }));
    expect(notes.filter((note) => !note.includes('no status'))).toEqual([]);
    const seen: Run[] = [];
    const run = await call(() => client.wait(name, { onChange: (one) => seen.push(one) }));
    expect(run).toMatchObject({ name, target: { kind: 'workflow', name: 'etl' }, phase: 'Succeeded', end: { outcome: 'succeeded', outputs: { rows: 3 }, failedSteps: [] } });
    expect(seen.at(-1)).toEqual(run);
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(seen.length);
  });

  it('starts one run for one key, and refuses the key for other parameters', async () => {
    const { client, call } = await open(way);
    const submit = (day: string): Promise<{ name: string }> => client.submit({ workflow: 'etl', parameters: { day }, key: 'order-7' });
    const first = await call(() => submit('monday'));
    expect((await call(() => submit('monday'))).name).toBe(first.name);
    expect(await call(() => refusal(submit('tuesday')))).toEqual(['Refused', expect.stringContaining('with other parameters')]);
    expect(await call(() => client.runs({ workflow: 'etl' }))).toHaveLength(1);
  });

  it('cancels a run, twice if it must', async () => {
    const { client, call } = await open(way, { spec: onRequest, pods: { load: { runs: 600_000 } } });
    const { name } = await call(() => client.submit({ workflow: 'etl', parameters: { day: 'x' } }));
    await call(() => client.cancel(name, 'enough'));
    await call(() => client.cancel(name));
    expect(await call(() => client.wait(name))).toMatchObject({ phase: 'Cancelled', end: { outcome: 'cancelled' } });
  });

  it.each<[string, (client: Client) => Promise<unknown>, string]>([
    ['a workflow that is not there', (client) => client.submit({ workflow: 'etll' }), '"etll"'],
    ['a parameter that is missing', (client) => client.submit({ workflow: 'etl' }), '"day"'],
    ['a request without a target', (client) => client.submit({}), 'exactly one of workflow and template'],
    ['two targets', (client) => client.submit({ workflow: 'etl', template: 'etl' }), 'exactly one of workflow and template'],
    ['waiting for a run that is not there', (client) => client.wait('nothing'), 'there is no run "nothing"'],
    ['cancelling a run that is not there', (client) => client.cancel('nothing'), 'there is no run "nothing"'],
  ])('refuses %s', async (_what, use, message) => {
    const { client, call } = await open(way);
    const [code, text] = await call(() => refusal(use(client)));
    expect([code, text]).toEqual(['Refused', expect.stringContaining(message)]);
    expect(text).not.toContain('-p ');
  });

  it('waits no longer than it may', async () => {
    const { client, call } = await open(way, { spec: onRequest, pods: { load: { runs: 600_000 } } });
    const { name } = await call(() => client.submit({ workflow: 'etl', parameters: { day: 'x' } }));
    expect(await call(() => refusal(client.wait(name, { timeout: 5_000 })))).toEqual(['TimedOut', `run "${name}" is not over after 5000 ms; it goes on`]);
  });

  it('ends waiting when it is told to, and the run goes on', async () => {
    const { scene, client, call } = await open(way);
    const { name } = await call(() => client.submit({ workflow: 'etl', parameters: { day: 'x' } }));
    const stop = new AbortController();
    await call(async () => {
      const waiting = client.wait(name, { signal: stop.signal, onChange: () => { stop.abort(new Error('no time')); } });
      await expect(waiting).rejects.toThrow('no time');
    });
    await scene.finished();
    expect(await call(() => client.run(name))).toMatchObject({ phase: 'Succeeded' });
  });

  it('lets through what its caller throws', async () => {
    const { client, call } = await open(way);
    const { name } = await call(() => client.submit({ workflow: 'etl', parameters: { day: 'x' } }));
    await call(() => expect(client.wait(name, { onChange: () => { throw new TypeError('a bug of the caller'); } })).rejects.toThrow('a bug of the caller'));
  });

  it('says nothing of a run that there is not, and closes', async () => {
    const { client, call } = await open(way);
    expect(await call(() => client.run('nothing'))).toBeUndefined();
    expect(await call(() => client.runs({ workflow: 'other' }))).toEqual([]);
    await client.close();
  });
});
