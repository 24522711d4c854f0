/** Messages of which the queue cannot be told: nobody must have to guess. */
import { describe, expect, it } from 'vitest';
import { messageQueueKinds, useMessageScenes } from '../../support/message-scene.ts';
import { minute, second } from '../../support/scene.ts';

const stage = useMessageScenes();

describe.each(messageQueueKinds)('a queue of %s', (kind) => {
  it('whose dead letters cannot be published says so until they can', async () => {
    const scene = stage({ kind, spec: { perMessage: { deadLetter: { queue: 'missing' } } }, pod: () => ({ exit: { code: 1 } }) });
    const condition = () => scene.status().conditions.find(({ type }) => type === 'Settled');
    await scene.world.run(15 * second);
    scene.queue.send({ id: 'a' });
    expect(await scene.world.runUntil(() => condition() !== undefined, 3 * minute)).toBe(true);
    expect(condition()).toMatchObject({ status: 'False', reason: 'MessageUnsettled' });
    expect(condition()?.message).toMatch(/^messages cannot be settled: the message could not be published to where dead ones go: .*missing/);
    scene.world.broker.create('missing', { kind });
    expect(await scene.settled(10 * minute)).toBe(true);
    await scene.world.run(minute);
    expect(condition()).toBeUndefined();
  });
});
