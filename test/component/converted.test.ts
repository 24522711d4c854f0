/** What `job-chief convert` writes does on a cluster what the other system did: the sources are those of its golden files. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { KubernetesClient } from '../../src/adapters/kubernetes/client.ts';
import { RunClient } from '../../src/cli/runs/run-client.ts';
import { convert } from '../../src/cli/convert/convert.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import type { Client } from '../../src/library/client-types.ts';
import { KubernetesRuns } from '../../src/library/kubernetes-runs.ts';
import { configMaps } from '../../src/simulation/objects.ts';
import { drainWorker } from '../../src/simulation/worker.ts';
import { useWorkflows, type WorkflowScene, type WorkflowSceneOptions } from '../support/workflow-scene.ts';

const golden = fileURLToPath(new URL('../unit/cli/convert/golden', import.meta.url));
const stage = useWorkflows();

interface Written extends JsonObject {
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly data: Record<string, string>;
}

async function written(source: string): Promise<readonly Written[]> {
  const out: string[] = [];
  await convert(
    { source, from: undefined, output: 'json', outputDir: undefined, connection: 'main', name: 'converted' },
    { out: (text) => out.push(text), err: () => undefined, stdin: () => Promise.reject(new Error('not asked for')), text: { excerpts: false, colours: false } },
  );
  return (JSON.parse(out.join('')) as { items: Written[] }).items;
}

async function onCluster(source: string, options: WorkflowSceneOptions = {}): Promise<{ scene: WorkflowScene; client: Client }> {
  const scene = stage({ ...options, spec: 'none' });
  for (const { metadata: { name, labels }, data } of await written(`${golden}/${source}`)) scene.world.applyObject(configMaps, { metadata: { name, labels }, data });
  const { transport, clock } = scene.world.process(() => undefined);
  const runs = new RunClient({ client: new KubernetesClient({ transport, clock, namespace: scene.world.cluster.namespace, fieldManager: 'test' }), instance: 'default' });
  return { scene, client: new KubernetesRuns({ runs, clock, close: () => Promise.resolve() }) };
}

async function called<Result>({ world }: WorkflowScene, use: () => Promise<Result>): Promise<Result> {
  let settled = false;
  const result = use().finally(() => { settled = true; });
  result.catch(() => undefined);
  expect(await world.runUntil(() => settled, 600_000)).toBe(true);
  return result;
}

describe('what is converted runs', () => {
  it('a model of jobernetes: phases one after the other, what depends on another job after it, a folder beside each other', async () => {
    const { scene, client } = await onCluster('jobernetes');
    const { name } = await called(scene, () => client.submit({ workflow: 'converted' }));
    expect(await called(scene, () => client.wait(name))).toMatchObject({ phase: 'Succeeded' });
    const at = (step: string): number => scene.birth(step).at;
    expect(scene.started.toSorted()).toEqual(['fetch_a', 'fetch_b', 'load_a', 'make_index', 'reports', 'reports', 'reports']);
    expect(at('make_index')).toBeLessThan(Math.min(at('fetch_a'), at('fetch_b')));
    expect(at('fetch_a')).toBeLessThan(at('load_a'));
    expect(Math.max(at('load_a'), at('fetch_b'))).toBeLessThan(at('reports'));
    expect(scene.births.map(({ object }) => object.spec.template.spec.containers[0]?.['image']).toSorted()).toEqual(['acme/daily', 'acme/fetch-a', 'acme/fetch-b', 'acme/index', 'acme/load-a', 'acme/monthly', 'acme/weekly']);
  });

  it('a definition of k8s-jobs: its variables are parameters', async () => {
    const { scene, client } = await onCluster('k8s-jobs');
    const { name } = await called(scene, () => client.submit({ template: 'resize', parameters: { size: '512', pods: 2 } }));
    expect(await called(scene, () => client.wait(name))).toMatchObject({ phase: 'Succeeded' });
    const { spec } = scene.births[0]?.object ?? expect.fail('no Job');
    expect(spec).toMatchObject({ parallelism: 2, backoffLimit: 0 });
    expect(spec.template.spec.containers[0]?.['args']).toEqual(['512', '--out=512.png', '$$(run)']);
  });

  it('a CronJob: at its times, and when it is asked for', async () => {
    const { scene, client } = await onCluster('cron-job');
    await scene.world.run(2 * 3_600_000 + 60_000);
    await scene.world.runUntil(() => scene.runs.every((run) => run.isOver), 600_000);
    expect(scene.births.map(({ object }) => object.spec.template.spec.containers[0]?.['image'])).toEqual(['acme/often', 'acme/often']);
    const { name } = await called(scene, () => client.submit({ workflow: 'often' }));
    expect(await called(scene, () => client.wait(name))).toMatchObject({ phase: 'Succeeded' });
  });

  it('a request of kube-job-runner: once', async () => {
    const { scene } = await onCluster('kube-job-runner');
    await scene.finished();
    await scene.world.run(3_600_000);
    expect(scene.births.map(({ object }) => object.spec.template.spec.containers[0]?.['image'])).toEqual(['acme/report:1.4']);
  });

  it('a queue of jobs.json: as many pods as it always had, until it is empty', async () => {
    const { scene } = await onCluster('jobs-json-slips');
    const queue = scene.world.queue('mails');
    scene.world.cluster.script = () => drainWorker(queue);
    queue.send(5);
    expect(await scene.world.runUntil(() => queue.messages.every(({ state }) => state === 'completed'), 600_000)).toBe(true);
    expect(scene.world.jobs().map(({ spec }) => spec.parallelism)).toEqual([2]);
  });

  it('a ScaledJob that was paused: not at all, until it is resumed', async () => {
    const { scene } = await onCluster('keda');
    const queue = scene.world.queue('thumbnails');
    scene.world.cluster.script = () => drainWorker(queue);
    queue.send(50);
    await scene.world.run(120_000);
    expect(scene.world.jobs()).toEqual([]);
    const text = scene.world.configMap('thumbnails')?.['data'] as Record<string, string>;
    scene.world.applyObject(configMaps, { metadata: { name: 'thumbnails' }, data: { 'spec.yaml': (text['spec.yaml'] ?? '').replace('suspend: true\n', '') } });
    expect(await scene.world.runUntil(() => queue.messages.every(({ state }) => state === 'completed'), 600_000)).toBe(true);
    expect(scene.world.jobs().map(({ spec }) => spec.parallelism)).toEqual([10]);
  });
});
