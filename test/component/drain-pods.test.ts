import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import { jobs } from '../../src/simulation/objects.ts';
import { drainWorker } from '../../src/simulation/worker.ts';
import { hour, minute, second, useScenes } from '../support/scene.ts';

const stage = useScenes();
/** A worker that never ends while the test looks. */
const slow = { perMessage: hour };

describe('the number of pods follows the depth', () => {
  it.each([
    ['one pod is the default, however many messages wait', {}, 50, 1],
    ['a pod for each message up to the maximum', { max: 5 }, 3, 3],
    ['never more than the maximum', { max: 5 }, 500, 5],
    ['never fewer than the minimum', { min: 2, max: 5 }, 1, 2],
    ['messages are shared out, rounded up', { max: 10, messagesPerPod: 100 }, 201, 3],
    ['a whole share is one pod', { max: 10, messagesPerPod: 100 }, 100, 1],
    ['a minimum that is the maximum', { min: 4, max: 4, messagesPerPod: 10 }, 1, 4],
  ] as [string, JsonObject, number, number][])('%s', async (_name, pods, sent, expected) => {
    const scene = stage({ spec: { drain: { pods } }, pod: { runs: hour } });
    scene.queue.send(sent);
    await scene.world.run(20 * second);
    expect(scene.job?.spec.parallelism).toBe(expected);
    expect(scene.livingPods()).toHaveLength(expected);
  });

  it('is raised on the live Job while the depth grows, and announced', async () => {
    const scene = stage({ spec: { drain: { pods: { max: 4 } } }, worker: slow });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    expect(scene.job?.spec.parallelism).toBe(1);
    scene.queue.send(2);
    await scene.world.run(20 * second);
    expect(scene.job?.spec.parallelism).toBe(2);
    scene.queue.send(30);
    await scene.world.run(20 * second);
    expect(scene.job?.spec.parallelism).toBe(4);
    expect(scene.births).toHaveLength(1);
    expect(scene.world.events().filter((text) => text.includes('QueueGrew'))).toHaveLength(2);
  });

  it('is not raised once a pod has ended, since the Job controller would start no more of them', async () => {
    let pods = 0;
    const scene = stage({ spec: { drain: { pods: { max: 4 } } }, pod: () => ((pods += 1) === 1 ? { runs: 3 * second } : { runs: 10 * minute }) });
    scene.queue.send(2);
    await scene.world.run(20 * second);
    expect(scene.job?.status.succeeded).toBe(1);
    expect(scene.livingPods()).toHaveLength(1);
    scene.queue.send(50);
    await scene.world.run(2 * minute);
    expect(scene.job?.spec.parallelism).toBe(2);
  });

  it('is never lowered, though the queue is nearly empty', async () => {
    const scene = stage({ spec: { drain: { pods: { max: 5 } } }, worker: { perMessage: minute } });
    scene.queue.send(5);
    const widths = new Set<number>();
    scene.world.cluster.store.subscribe(({ resource, object }) => {
      if (resource === jobs) widths.add((object['spec'] as { parallelism: number }).parallelism);
    });
    await scene.world.run(50 * second);
    expect(scene.queue.ready).toBe(0);
    expect([...widths]).toEqual([5]);
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    expect([...widths]).toEqual([5]);
  });

  it.each([
    ['a suspended spec', { suspend: true }],
    ['an observing spec', { observe: true }],
  ])('%s raises nothing', async (_name, change) => {
    const drain = { pods: { max: 4 } };
    const scene = stage({ spec: { drain }, worker: slow });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    scene.apply({ drain, ...change });
    scene.queue.send(30);
    await scene.world.run(minute);
    expect(scene.job?.spec.parallelism).toBe(1);
  });
});

describe('only ready messages count', () => {
  it('deferred messages start nothing until they are due, and then at their time', async () => {
    const scene = stage();
    scene.queue.send(3, { startAfter: 1000 * second });
    await scene.world.run(999 * second);
    expect(scene.births).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Idle', reason: 'QueueEmpty' });
    await scene.world.run(30 * second);
    expect(scene.startTimes).toEqual([1000]);
    expect(scene.allDone).toBe(true);
  });

  it('a deferred message that comes while a longer one is awaited is not overslept', async () => {
    const scene = stage({ spec: { drain: { checkInterval: '1h' } } });
    scene.queue.send(1, { startAfter: 3000 * second });
    await scene.world.run(100 * second);
    scene.queue.send(1, { startAfter: 200 * second });
    await scene.world.run(3200 * second);
    expect(scene.startTimes).toEqual([300, 3000]);
  });

  it('messages that a worker holds do not count', async () => {
    const scene = stage({ spec: { drain: { pods: { max: 5 } } }, worker: slow });
    expect(scene.queue.send(2)).toHaveLength(2);
    scene.queue.fetch();
    scene.queue.fetch();
    await scene.world.run(5 * minute);
    expect(scene.queue.active).toBe(2);
    expect(scene.births).toEqual([]);
  });

  it('what a crashed worker held comes back when its lease ends, and gets a Job then', async () => {
    const scene = stage({ queue: { expiry: 10 * minute } });
    scene.queue.send(1);
    const held = scene.queue.fetch();
    expect(await scene.world.runUntil(() => scene.allDone, hour)).toBe(true);
    expect(held?.completions).toBe(1);
    expect(scene.births).toHaveLength(1);
    expect(scene.births[0]?.at).toBeGreaterThanOrEqual(600);
    expect(scene.births[0]?.at).toBeLessThan(611);
  });
});

describe('when the queue is looked at', () => {
  it('a notification starts a Job within a moment', async () => {
    const scene = stage({ spec: { drain: { checkInterval: '1h' } } });
    await scene.world.run(100 * second);
    scene.queue.send(1);
    await scene.world.run(second);
    expect(scene.births).toHaveLength(1);
    expect(scene.births[0]?.at).toBeLessThan(100.1);
  });

  it('without notifications it takes at most checkInterval', async () => {
    const scene = stage({ spec: { drain: { checkInterval: '90s' } }, controller: { wakes: false } });
    await scene.world.run(100 * second);
    scene.queue.send(1);
    await scene.world.run(79 * second);
    expect(scene.births).toEqual([]);
    await scene.world.run(5 * second);
    expect(scene.births).toHaveLength(1);
  });

  it('a message that comes while the last Job ends gets a Job of its own', async () => {
    const scene = stage({ spec: { drain: { checkInterval: '1h' } } });
    scene.queue.send(1);
    expect(await scene.world.runUntil(() => scene.verdict() === 'Complete')).toBe(true);
    scene.queue.send(1);
    await scene.world.run(10 * second);
    expect(scene.births).toHaveLength(2);
    expect(scene.allDone).toBe(true);
  });

  it('a worker that leaves the queue full is followed by the next one, again and again', async () => {
    const scene = stage({ pod: () => ({ work: (container) => {
      const message = scene.queue.fetch();
      container.clock.timer(second, () => {
        if (message) scene.queue.complete(message);
        container.exit({ code: 0 });
      });
    } }) });
    scene.queue.send(5);
    expect(await scene.world.runUntil(() => scene.allDone, 5 * minute)).toBe(true);
    await scene.world.run(minute);
    expect(scene.births).toHaveLength(5);
    expect(scene.queue.messages.map(({ deliveries }) => deliveries)).toEqual([1, 1, 1, 1, 1]);
  });

  it('many messages with several pods are all done, once', async () => {
    const scene = stage({ spec: { drain: { pods: { max: 8, messagesPerPod: 10 } } }, worker: { perMessage: 500 } });
    for (let burst = 0; burst < 20; burst += 1) {
      scene.queue.send(15);
      await scene.world.run(7 * second);
    }
    expect(await scene.world.runUntil(() => scene.allDone)).toBe(true);
    expect(scene.queue.messages.every(({ completions, deliveries }) => completions === 1 && deliveries === 1)).toBe(true);
  });

  it('several queues have a Job each', async () => {
    const scene = stage({ spec: 'none' });
    const names = ['one', 'two', 'three'];
    const queues = names.map((name) => scene.world.queue(name));
    scene.world.cluster.script = (pod) => drainWorker(scene.queueOf(pod), { perMessage: minute });
    for (const name of names) scene.apply({ source: { pgBoss: { connection: 'main', queue: name } } }, name);
    for (const queue of queues) queue.send(1);
    await scene.world.run(20 * second);
    expect(scene.world.unfinishedJobs()).toHaveLength(3);
    await scene.world.run(2 * minute);
    expect(queues.map(({ unfinished }) => unfinished)).toEqual([0, 0, 0]);
  });
});
