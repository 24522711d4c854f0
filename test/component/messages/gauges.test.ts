/** Gauges of a Queue that leases messages no more: what they said last is not true for ever. */
import { expect, it } from 'vitest';
import { FakeMessageMeter } from '../../support/message-fakes.ts';
import { useMessageScenes } from '../../support/message-scene.ts';
import { minute } from '../../support/scene.ts';

const stage = useMessageScenes();

it('say that nothing is in hand where the Queue drains now, and what waited for its next Job went back', async () => {
  const messageMeter = new FakeMessageMeter();
  const spec = { startTimeout: '1m', timeout: '1m', perMessage: { retry: { attempts: 2, delay: '5m' } } };
  const scene = stage({ kind: 'sqs', spec, pod: () => ({ exit: { code: 3 } }), controller: { engine: { messageMeter } } });
  scene.queue.send({ id: 'a' });
  expect(await scene.world.runUntil(() => scene.truth.jobs[0]?.settled === 'returned', 5 * minute)).toBe(true);
  await scene.world.run(minute);
  expect(messageMeter.of('inHand').at(-1)?.[1]).toBe(1);
  scene.world.applyConfigMap('work', JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', suspend: true, source: { sqs: { connection: 'main', queue: 'work' } }, drain: {}, job: { image: 'registry.example/worker:1' } }));
  await scene.world.run(minute);
  expect([scene.states, messageMeter.of('inHand').at(-1)?.[1]]).toEqual([['ready'], 0]);
});
