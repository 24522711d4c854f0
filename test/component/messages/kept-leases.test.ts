/** Messages between two of their Jobs when a process dies. */
import { expect, it } from 'vitest';
import { useMessageScenes } from '../../support/message-scene.ts';
import { minute, second } from '../../support/scene.ts';

const stage = useMessageScenes();

it('a message of pg-boss that waits for its next try outlives the process, also where its queue allows no retry', async () => {
  const scene = stage({ kind: 'pgBoss', queue: { limit: 60 * minute, mostDeliveries: 1 }, spec: { perMessage: { retry: { attempts: 2, delay: '2m' } } }, pod: ({ attempt }) => ({ exit: { code: attempt === 1 ? 1 : 0 } }) });
  scene.queue.send({ id: 'a' });
  expect(await scene.world.runUntil(() => scene.truth.jobs.some(({ settled }) => settled !== undefined), 3 * minute)).toBe(true);
  await scene.restart(10 * second);
  expect(await scene.settled(20 * minute)).toBe(true);
  expect([scene.states, scene.truth.attempts('a')]).toEqual([['completed'], 2]);
});
