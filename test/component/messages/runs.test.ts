/** The way of a message that starts a run: from its queue through a record back to its queue. */
import { describe, expect, it } from 'vitest';
import { useRunScenes } from '../../support/message-run-scene.ts';
import { messageQueueKinds } from '../../support/message-scene.ts';
import { second } from '../../support/scene.ts';

const stage = useRunScenes();

describe.each(messageQueueKinds)('a message of %s', (kind) => {
  it('starts one run with its values, and is acknowledged when that succeeds', async () => {
    const scene = stage({
      kind,
      spec: { perMessage: { parameters: { url: '$(message.body.url)', width: '$(message.body.width)' } } },
      template: { parameters: { url: { type: 'string' }, width: { type: 'integer' } }, job: { image: 'registry.example/worker:1', args: ['$(params.url)', '$(params.width)'] }, outputs: { bytes: { type: 'integer' } } },
      pod: () => ({ exit: { code: 0, message: 'bytes=17' } }),
    });
    await scene.world.run(5 * second);
    scene.queue.send({ id: 'a', body: '{"url":"https://x/y","width":512}' });
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.story]).toEqual([['completed'], ['1 succeeded completed']]);
    expect(scene.world.jobs().map(({ spec }) => spec.template.spec.containers[0]?.['args'])).toEqual([['https://x/y', '512']]);
    if (kind === 'pgBoss') expect(scene.queue.messages[0]).toMatchObject({ output: { bytes: 17 } });
  });
});
