/** Creates that are refused for the fault of one message: it pauses by itself, others go first, and in the end it is invalid. */
import { describe, expect, it } from 'vitest';
import type { Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { objectAt, parseJson, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import { messageAnnotation } from '../../../src/spec/keys.ts';
import { type MessageScene, messageQueueKinds, useMessageScenes } from '../../support/message-scene.ts';
import { hour, isJobCreate, minute, second } from '../../support/scene.ts';

const stage = useMessageScenes();
const invalid = { status: 422, headers: {}, body: { kind: 'Status', status: 'Failure', reason: 'Invalid', message: 'Job.batch is invalid: a policy looks at its id', code: 422 } };
const idOf = (body: unknown): string => stringAt(parseJson(stringAt(objectAt(objectAt(body, 'metadata'), 'annotations'), messageAnnotation)), 'id') ?? '';

/** An API server that takes no Job for messages whose ids begin so. */
function refusing(prefix: string, asked: string[] = []): (transport: Transport) => Transport {
  return (transport) => ({
    request: (request) => {
      const id = isJobCreate(request) ? idOf(request.body) : '';
      if (!id.startsWith(prefix)) return transport.request(request);
      asked.push(id);
      return Promise.resolve(invalid);
    },
    stream: (request) => transport.stream(request),
  });
}

/** One each half a minute, so long. */
async function trickle(scene: MessageScene, minutes: number): Promise<void> {
  for (let count = 0; count < minutes * 2; count += 1) {
    scene.queue.send({ id: `good-${count}` });
    await scene.world.run(30 * second);
  }
}

describe.each(messageQueueKinds)('a message of %s whose Job alone is refused', (kind) => {
  const scenery = (perMessage: JsonObject = {}) => stage({ kind, spec: { concurrency: { max: 1 }, perMessage }, controller: 'none', queue: { limit: 2 * hour, mostDeliveries: 1 }, invalid: ({ message }) => message.id.startsWith('bad') });

  it('lets all others go first, though there is one place only', async () => {
    const scene = scenery();
    scene.start({ wrap: refusing('bad') });
    scene.queue.send({ id: 'bad' });
    await scene.world.run(5 * second);
    scene.queue.sendMany(10);
    expect(await scene.world.runUntil(() => scene.queue.messages.filter(({ state }) => state === 'completed').length === 10, 2 * minute)).toBe(true);
    expect([scene.queue.inFlight, scene.truth.of('bad')]).toEqual([1, []]);
  });

  it('goes where dead ones go, with the reason, once it was refused five times while others were started', async () => {
    const asked: string[] = [];
    const scene = scenery({ deadLetter: { queue: 'dead' } });
    scene.start({ wrap: refusing('bad', asked) });
    scene.queue.send({ id: 'bad' });
    await trickle(scene, 12);
    expect(await scene.settled(hour)).toBe(true);
    expect(scene.dead.messages.map(({ message: { id }, failure }) => [id, failure?.reason, failure?.message])).toEqual([['bad', 'CreateRefused', expect.stringMatching(/^its Job was refused 5 times, and others were started meanwhile: .*a policy looks at its id/) as unknown]]);
    expect([asked.length, scene.truth.atEnd()]).toEqual([5, []]);
  });

  it('goes the way that its queue has for failures, where nothing else is said', async () => {
    const scene = scenery();
    scene.start({ wrap: refusing('bad') });
    scene.queue.send({ id: 'bad' });
    await trickle(scene, 12);
    expect(await scene.world.runUntil(() => scene.ownDead.messages.length === 1, 2 * hour)).toBe(true);
    expect(scene.queue.messages.filter(({ message }) => message.id !== 'bad').every(({ state }) => state === 'completed')).toBe(true);
  });

  it('is kept as long as nobody else is started: what is wrong may not be the message', async () => {
    const scene = scenery({ deadLetter: { queue: 'dead' } });
    let mended = false;
    const wrap = (transport: Transport): Transport => ({ request: (request) => (mended ? transport : refusing('bad')(transport)).request(request), stream: (request) => transport.stream(request) });
    scene.start({ wrap });
    scene.queue.send({ id: 'bad' });
    await scene.world.run(hour);
    expect([scene.states, scene.dead.messages, scene.status().state, scene.status().reason]).toEqual([['inFlight'], [], 'Waiting', 'CreateRefused']);
    mended = true;
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.truth.attempts('bad')]).toEqual([['completed'], 1]);
  });

  it('is one of many where all are refused: then the queue is held, and nobody is given up on', async () => {
    const asked: string[] = [];
    const scene = stage({ kind, controller: 'none', queue: { limit: 6 * hour } });
    scene.start({ wrap: refusing('bad', asked) });
    for (let count = 0; count < 30; count += 1) scene.queue.send({ id: `bad-${count}` });
    await scene.world.run(hour);
    expect([scene.ownDead.messages.length, scene.states.every((state) => state === 'ready' || state === 'inFlight')]).toEqual([0, true]);
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: 'CreateRefused' });
    expect([asked.length < 40, scene.queue.inFlight <= 30]).toEqual([true, true]);
    await scene.restart();
    expect(await scene.settled(7 * hour)).toBe(true);
  });
});
