/** Several messages as one Job, end to end: grouped, let go, and each settled by its own index. */
import { describe, expect, it } from 'vitest';
import { useBatchScenes } from '../../support/batch-scene.ts';
import { messageQueueKinds } from '../../support/message-scene.ts';
import { second } from '../../support/scene.ts';

const stage = useBatchScenes();

describe.each(messageQueueKinds)('a batch of messages of %s', (kind) => {
  it('becomes one Job with a pod for each message, and each is acknowledged', async () => {
    const scene = stage({ kind, batch: { size: 3 } });
    await scene.world.run(5 * second);
    scene.send('a', 'b', 'c');
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.truth.batches()]).toEqual([['completed', 'completed', 'completed'], [['a', 'b', 'c']]]);
    expect(['a', 'b', 'c'].map((id) => scene.said(id))).toEqual([['completed'], ['completed'], ['completed']]);
  });
});
