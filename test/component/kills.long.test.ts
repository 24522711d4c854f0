/**
 * kill -9 at every single request of a controller, before it is sent and after it took effect: whatever was going on,
 * the next process brings it to the same end. Enumerated, not sampled.
 */
import { describe, expect, it } from 'vitest';
import type { KillPoint } from '../../src/simulation/process.ts';
import { configMaps, jobs, type KubeObject } from '../../src/simulation/objects.ts';
import { drainWorker } from '../../src/simulation/worker.ts';
import { statusAnnotation } from '../../src/spec/keys.ts';
import { second, type Scene, useScenes } from '../support/scene.ts';

const stage = useScenes();

const spec = { drain: { checkInterval: '1h', pods: { max: 3 }, waitAfter: { failed: '5s' } }, retention: { succeeded: { count: 1 }, failed: { count: 0 } }, breaker: { notStarted: 'off' }, timeout: '5m' };

/** A queue's whole life: a first Job that grows, one that fails, its successor, an edit, one of the new text, retention. */
async function live(killPoint?: KillPoint): Promise<Scene> {
  const scene: Scene = stage({ seed: 7, spec, pod: () => (scene.births.length === 2 ? { runs: second, exit: { code: 1 } } : drainWorker(scene.queue, { perMessage: 8 * second })) });
  const first = scene.controller;
  if (killPoint && first) {
    first.killAt(killPoint);
    first.onDeath(() => { scene.world.clock.timer(5 * second, () => { scene.start(); }); });
  }
  scene.queue.send(2);
  await scene.world.run(4 * second);
  scene.queue.send(4);
  await scene.world.run(40 * second);
  scene.queue.send(1);
  await scene.world.run(40 * second);
  scene.apply({ ...spec, job: { image: 'registry.example/worker:2' } });
  await scene.world.run(10 * second);
  scene.queue.send(1);
  await scene.world.run(170 * second);
  if (killPoint) expect(first?.alive).toBe(false);
  return scene;
}

/** What is left at the end, without what differs from run to run. */
function ending(scene: Scene): unknown {
  const shape = (object: KubeObject): unknown => {
    const { annotations = {}, labels = {} } = object.metadata;
    const status = annotations[statusAnnotation];
    const { lastRun, ...rest } = status === undefined ? { lastRun: undefined } : (JSON.parse(status) as { lastRun?: { outcome: string } });
    return {
      kind: object.kind,
      labels: Object.fromEntries(Object.entries(labels).filter(([key]) => key !== 'job-chief/run')),
      annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== statusAnnotation)),
      spec: object.kind === 'Job' ? withoutNames(object['spec']) : undefined,
      status: { ...rest, lastRun: lastRun?.outcome },
    };
  };
  return {
    configMaps: scene.world.cluster.store.list(configMaps).map(shape),
    jobs: scene.world.cluster.store.list(jobs).toSorted((a, b) => order(a) - order(b)).slice(-1).map(shape),
  };
}

const order = (job: KubeObject): number => Number(job.metadata.labels?.['job-chief/run']);

function withoutNames(value: unknown): unknown {
  const text = JSON.stringify(value).replaceAll(/"(job-name|controller-uid|batch\.kubernetes\.io\/[a-z-]+|job-chief\/run)":"[^"]*"/gu, '""').replaceAll(/"name":"JOB_CHIEF_RUN","value":"\d+"/gu, '""');
  // How far a Job had to grow depends on how many messages had come when it was made.
  return text.replaceAll(/"parallelism":\d+/gu, '""');
}

describe('kill -9', () => {
  it('at every request of a queue\'s whole life leads to the same end', async () => {
    const calm = await live();
    expect(calm.allDone).toBe(true);
    const expected = ending(calm);
    const requests = calm.controller?.requests ?? 0;
    expect(requests).toBeGreaterThan(30);
    // It holds what it is meant to hold: growth, a failure, retention.
    expect(calm.births.map(({ name }) => calm.world.job(name) !== undefined)).toEqual([false, false, false, true]);
    expect(calm.world.events().some((text) => text.includes('QueueGrew'))).toBe(true);
    const different: string[] = [];
    for (let request = 1; request <= requests; request += 1) {
      for (const when of ['before', 'after'] as const) {
        const scene = await live({ request, when });
        const at = `killed ${when} request ${request}`;
        if (!scene.queue.messages.every(({ completions }) => completions === 1)) different.push(`${at}: messages ${scene.queue.messages.map(({ state, completions }) => `${state} ${completions}`).join(', ')}`);
        if (scene.queue.messages.some(({ deliveries }) => deliveries > 1)) different.push(`${at}: delivered again, though no worker crashed`);
        different.push(...scene.invariants.violations.map((text) => `${at}: ${text}`));
        if (scene.world.unfinishedJobs().length > 0) different.push(`${at}: unfinished Jobs`);
        if (JSON.stringify(ending(scene)) !== JSON.stringify(expected)) different.push(`${at}: ${JSON.stringify(ending(scene))} instead of ${JSON.stringify(expected)}`);
      }
    }
    expect(different).toEqual([]);
  });
});
