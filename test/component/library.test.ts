/** The client of the library beside a controller, on a simulated cluster. */
import { afterEach, describe, expect, it } from 'vitest';
import { KubernetesClient } from '../../src/adapters/kubernetes/client.ts';
import { RunClient } from '../../src/cli/runs/run-client.ts';
import { ClientError } from '../../src/library/client-error.ts';
import type { Client, Run } from '../../src/library/client-types.ts';
import { KubernetesRuns } from '../../src/library/kubernetes-runs.ts';
import { step, useWorkflows, type WorkflowScene, type WorkflowSceneOptions } from '../support/workflow-scene.ts';

const stage = useWorkflows();
let closed = 0;
afterEach(() => {
  closed = 0;
});

const onRequest = { trigger: { onRequest: true }, parameters: { day: { type: 'string' } }, steps: [step('load', { outputs: { rows: { type: 'integer' } } })], outputs: { rows: '$(steps.load.outputs.rows)' } };
const pods = { load: { runs: 200, exit: { code: 0, message: 'rows=3' } } };

function open(options: WorkflowSceneOptions = { spec: onRequest, pods }): { scene: WorkflowScene; client: Client; call: <Result>(use: () => Promise<Result>) => Promise<Result> } {
  const scene = stage(options);
  const { transport, clock } = scene.world.process(() => undefined);
  const runs = new RunClient({ client: new KubernetesClient({ transport, clock, namespace: scene.world.cluster.namespace, fieldManager: 'test' }), instance: 'default' });
  const client = new KubernetesRuns({ runs, clock, close: () => Promise.resolve(void (closed += 1)) });
  const call = async <Result>(use: () => Promise<Result>): Promise<Result> => {
    let settled = false;
    const result = use().finally(() => { settled = true; });
    result.catch(() => undefined);
    expect(await scene.world.runUntil(() => settled, 600_000)).toBe(true);
    return result;
  };
  return { scene, client, call };
}

async function refusal(promise: Promise<unknown>): Promise<[string, string]> {
  const error: unknown = await promise.then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ClientError);
  return [(error as ClientError).code, (error as ClientError).message];
}

describe('a client of the library', () => {
  it('submits a run, sees it change and gets its outputs', async () => {
    const { client, call } = open();
    const { name, notes } = await call(() => client.submit({ workflow: 'etl', parameters: { day: 'monday' } }));
    expect(notes.filter((note) => !note.includes('no status'))).toEqual([]);
    const seen: Run[] = [];
    const run = await call(() => client.wait(name, { onChange: (one) => seen.push(one) }));
    expect(run).toMatchObject({ name, target: { kind: 'workflow', name: 'etl' }, phase: 'Succeeded', end: { outcome: 'succeeded', outputs: { rows: 3 }, failedSteps: [] } });
    expect(seen.at(-1)).toEqual(run);
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(seen.length);
  });

  it('starts one run for one key, and refuses the key for other parameters', async () => {
    const { client, call } = open();
    const submit = (day: string): Promise<{ name: string }> => client.submit({ workflow: 'etl', parameters: { day }, key: 'order-7' });
    const first = await call(() => submit('monday'));
    expect((await call(() => submit('monday'))).name).toBe(first.name);
    expect(await call(() => refusal(submit('tuesday')))).toEqual(['Refused', expect.stringContaining('with other parameters')]);
    expect(await call(() => client.runs({ workflow: 'etl' }))).toHaveLength(1);
  });

  it('cancels a run, twice if it must', async () => {
    const { client, call } = open({ spec: onRequest, pods: { load: { runs: 600_000 } } });
    const { name } = await call(() => client.submit({ workflow: 'etl', parameters: { day: 'x' } }));
    await call(() => client.cancel(name, 'enough'));
    await call(() => client.cancel(name));
    expect(await call(() => client.wait(name))).toMatchObject({ phase: 'Cancelled', end: { outcome: 'cancelled' } });
  });

  it.each<[string, (client: Client) => Promise<unknown>, string]>([
    ['a workflow that is not there', (client) => client.submit({ workflow: 'etll' }), 'did you mean "etl"?'],
    ['a parameter that is missing', (client) => client.submit({ workflow: 'etl' }), 'parameter "day" (string) needs a value'],
    ['a request without a target', (client) => client.submit({}), 'exactly one of workflow and template'],
    ['two targets', (client) => client.submit({ workflow: 'etl', template: 'etl' }), 'exactly one of workflow and template'],
    ['waiting for a run that is not there', (client) => client.wait('nothing'), 'there is no run "nothing"'],
    ['cancelling a run that is not there', (client) => client.cancel('nothing'), 'there is no run "nothing"'],
  ])('refuses %s', async (_what, use, message) => {
    const { client, call } = open();
    const [code, text] = await call(() => refusal(use(client)));
    expect([code, text]).toEqual(['Refused', expect.stringContaining(message)]);
    expect(text).not.toContain('-p ');
  });

  it('waits no longer than it may', async () => {
    const { client, call } = open({ spec: onRequest, pods: { load: { runs: 600_000 } } });
    const { name } = await call(() => client.submit({ workflow: 'etl', parameters: { day: 'x' } }));
    expect(await call(() => refusal(client.wait(name, { timeout: 5_000 })))).toEqual(['TimedOut', `run "${name}" is not over after 5000 ms; it goes on`]);
  });

  it('ends waiting when it is told to, and the run goes on', async () => {
    const { scene, client, call } = open();
    const { name } = await call(() => client.submit({ workflow: 'etl', parameters: { day: 'x' } }));
    const stop = new AbortController();
    await call(async () => {
      const waiting = client.wait(name, { signal: stop.signal, onChange: () => { stop.abort(new Error('no time')); } });
      await expect(waiting).rejects.toThrow('no time');
    });
    await scene.finished();
    expect(await call(() => client.run(name))).toMatchObject({ phase: 'Succeeded' });
  });

  it('says nothing of a run that there is not, and closes once', async () => {
    const { client, call } = open();
    expect(await call(() => client.run('nothing'))).toBeUndefined();
    expect(await call(() => client.runs({ workflow: 'other' }))).toEqual([]);
    await client.close();
    expect(closed).toBe(1);
  });
});
