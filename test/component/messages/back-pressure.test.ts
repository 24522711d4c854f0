/** A cluster without room: no more Jobs pile up than it takes, and no more messages are held for them. */
import { describe, expect, it } from 'vitest';
import { messageQueueKinds, useMessageScenes } from '../../support/message-scene.ts';
import { hour, minute, second } from '../../support/scene.ts';

const stage = useMessageScenes();

describe.each(messageQueueKinds)('messages of %s, and a cluster', (kind) => {
  it('without nodes: what waits for one does not grow, and when there are nodes all messages run', async () => {
    let nodesAt = 0;
    const scene = stage({ kind, spec: { concurrency: { max: 200 }, startTimeout: '1h' }, queue: { limit: 6 * hour }, pod: () => ({ unschedulable: { for: Math.max(0, nodesAt - scene.world.clock.now()) }, runs: 5 * second }) });
    nodesAt = scene.world.clock.now() + 10 * minute;
    await scene.world.run(5 * second);
    scene.queue.send({ id: 'first' });
    await scene.world.run(10 * second);
    scene.queue.sendMany(150);
    await scene.world.run(5 * minute);
    expect([scene.truth.jobs.length, scene.queue.inFlight]).toEqual([1, 1]);
    expect(scene.status()).toMatchObject({ state: 'Waiting', reason: 'Unschedulable' });
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.truth.jobs.length, scene.truth.atEnd()]).toEqual([151, []]);
  });

  it('with a quota for pods: no more Jobs wait for a pod than have one', async () => {
    const scene = stage({ kind, spec: { concurrency: { max: 50 }, startTimeout: '2h', timeout: '5m' }, queue: { limit: 6 * hour }, pod: () => ({ runs: minute }) });
    scene.world.cluster.quota.set('pods', 0);
    await scene.world.run(5 * second);
    scene.queue.send({ id: 'first' });
    await scene.world.run(15 * second);
    scene.queue.sendMany(20);
    await scene.world.run(2 * minute);
    expect([scene.truth.jobs.length, scene.queue.inFlight, scene.status().reason]).toEqual([1, 1, 'NoPodCreated']);
    scene.world.cluster.quota.clear();
    expect(await scene.settled(3 * hour)).toBe(true);
    expect(scene.truth.jobs).toHaveLength(21);
  });
});
