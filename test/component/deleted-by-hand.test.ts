import { describe, expect, it } from 'vitest';
import { jobs, pods } from '../../src/simulation/objects.ts';
import { drainWorker } from '../../src/simulation/worker.ts';
import { hour, minute, second, type Scene, useScenes } from '../support/scene.ts';

const stage = useScenes();

/** Its first pod takes minutes to stop; later ones drain the queue. */
function stubborn(scene: () => Scene): () => ReturnType<typeof drainWorker> {
  let made = 0;
  return () => ((made += 1) === 1 ? { runs: hour, stopsAfter: 4 * minute } : drainWorker(scene().queue));
}

const patient = { jobTemplate: { spec: { template: { spec: { terminationGracePeriodSeconds: 300, containers: [{ name: 'main', image: 'registry.example/worker:1' }] } } } } };

describe('a Job that somebody deletes', () => {
  it.each([
    ['in the background', 'Background'],
    ['in the foreground', 'Foreground'],
  ] as const)('%s has no successor before its pod has gone', async (_name, propagation) => {
    const scene: Scene = stage({ spec: patient, pod: stubborn(() => scene) });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    const deleted = scene.now;
    scene.world.cluster.registry.delete(jobs, scene.births[0]?.name ?? '', { propagation });
    await scene.world.run(minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.status()).toMatchObject({ state: 'Ending', reason: 'PodsRemain' });
    expect(scene.status().message).toContain('still lives on node "node-1"');
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    expect((scene.births[1]?.at ?? 0) - deleted).toBeGreaterThan(239);
    expect(scene.births).toHaveLength(2);
  });

  it('as an orphan leaves its pod to work, and has a successor only afterwards', async () => {
    const scene = stage({ worker: { perMessage: minute } });
    scene.queue.send(2);
    await scene.world.run(20 * second);
    scene.world.cluster.registry.delete(jobs, scene.births[0]?.name ?? '', { propagation: 'Orphan' });
    await scene.world.run(minute);
    expect(scene.world.jobs()).toEqual([]);
    expect(scene.livingPods()).toHaveLength(1);
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    await scene.world.run(minute);
    scene.queue.send(1);
    await scene.world.run(2 * minute);
    expect(scene.allDone).toBe(true);
    expect(scene.queue.messages.map(({ completions }) => completions)).toEqual([1, 1, 1]);
  });

  it('is told of by an Event', async () => {
    const scene = stage({ pod: { runs: hour } });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    const name = scene.births[0]?.name ?? '';
    scene.world.cluster.registry.delete(jobs, name, { propagation: 'Background' });
    await scene.world.run(10 * second);
    expect(scene.world.events()).toContain(`ConfigMap/thumbnails JobDeleted: Job "${name}" was deleted before it had finished`);
  });

  it('while the controller is away has one successor', async () => {
    const scene: Scene = stage({ spec: patient, pod: stubborn(() => scene) });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    scene.controller?.kill();
    scene.world.cluster.registry.delete(jobs, scene.births[0]?.name ?? '', { propagation: 'Background' });
    await scene.world.run(10 * second);
    scene.start();
    await scene.world.run(minute);
    expect(scene.births).toHaveLength(1);
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    expect(scene.births).toHaveLength(2);
  });

  it('after it has finished changes nothing but the record', async () => {
    const scene = stage();
    scene.queue.send(1);
    await scene.world.run(minute);
    scene.world.cluster.registry.delete(jobs, scene.births[0]?.name ?? '', { propagation: 'Background' });
    await scene.world.run(minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.world.events().filter((text) => text.includes('JobDeleted'))).toEqual([]);
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.allDone).toBe(true);
  });
});

describe('a pod that somebody deletes', () => {
  it('is a failure of its Job, which the next one makes good', async () => {
    const scene = stage({ worker: { perMessage: minute } });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    scene.world.cluster.registry.delete(pods, scene.livingPods()[0]?.metadata.name ?? '');
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    await scene.world.run(20 * second);
    expect(scene.verdict(scene.births[0]?.name)).toBe('Failed');
    expect(scene.births).toHaveLength(2);
    expect(scene.queue.messages[0]).toMatchObject({ completions: 1, deliveries: 2 });
  });

  it('by force may still run: nobody can know, and the Job decides', async () => {
    const scene = stage({ pod: { runs: hour } });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    scene.world.cluster.registry.delete(pods, scene.livingPods()[0]?.metadata.name ?? '', { graceSeconds: 0 });
    await scene.world.run(20 * second);
    expect(scene.verdict(scene.births[0]?.name)).toBe('Failed');
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'failed' });
  });
});
