/** A Queue that gets another name while its Jobs run: what is in hand stays with the Jobs of the old name, as long as leases last. */
import { expect, it } from 'vitest';
import { useMessageScenes } from '../../support/message-scene.ts';
import { minute, second } from '../../support/scene.ts';

const stage = useMessageScenes();

// RabbitMQ delivers again what a connection held that is gone: docs/messages.md says what becomes of that.
it.each([
  ['pgBoss', 'goes on'],
  ['pgBoss', 'restarts'],
  ['sqs', 'goes on'],
  ['sqs', 'restarts'],
  ['amqp', 'goes on'],
] as const)('a message of %s has one Job and is acknowledged, while job-chief %s', async (kind, controller) => {
  const scene = stage({ kind, spec: { name: 'old', onSpecDelete: 'finish' }, pod: () => ({ runs: 3 * minute }) });
  scene.queue.send({ id: 'a' });
  await scene.world.runUntil(() => scene.truth.attempts('a') === 1, 5 * minute);
  scene.apply({ name: 'new', onSpecDelete: 'finish' });
  await scene.world.run(10 * second);
  if (controller === 'restarts') await scene.restart();
  scene.queue.send({ id: 'b' });
  expect(await scene.settled(), scene.truth.story().join('\n')).toBe(true);
  expect([scene.states, scene.truth.attempts('a'), scene.truth.attempts('b')]).toEqual([['completed', 'completed'], 1, 1]);
});
