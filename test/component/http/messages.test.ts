/** What became of messages, over HTTP. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { httpApi, tokens, type HttpClient } from '../../support/http-scene.ts';
import { type MessageScene, type MessageSceneOptions, useMessageScenes } from '../../support/message-scene.ts';
import { hour, minute } from '../../support/scene.ts';

const stage = useMessageScenes();

async function anApi(options: Omit<MessageSceneOptions, 'kind' | 'controller'> = {}): Promise<{ scene: MessageScene; api: HttpClient }> {
  const scene = stage({ kind: 'amqp', controller: 'none', ...options });
  return { scene, api: await httpApi(scene) };
}
const itemsIn = ({ json }: { readonly json: JsonObject }): JsonObject[] => json['items'] as JsonObject[];

async function settled(scene: MessageScene, ...ids: string[]): Promise<void> {
  for (const id of ids) scene.queue.send({ id });
  expect(await scene.settled(hour)).toBe(true);
  await scene.world.run(20_000);
}

describe('a message', () => {
  it('is shown with its Job, and by the history when that is gone', async () => {
    const { scene, api } = await anApi({ spec: { retention: { succeeded: { count: 0 } } } });
    await settled(scene, 'a/b c');
    const path = `/api/v1/queues/work/messages/${encodeURIComponent('a/b c')}`;
    const [job] = scene.truth.jobs;
    const message = { id: 'a/b c', source: { type: 'amqp', connection: 'main', queue: 'work' }, state: 'completed', job: job?.name, run: null, index: null, serial: 1, attempt: 1, outcome: 'succeeded', reason: 'Completed', detail: null, exitCode: null };
    const shown = await api.get(path, { token: tokens.read });
    expect(shown.json).toMatchObject({ id: 'a/b c', items: [{ ...message, from: 'job' }], historyProblem: null });
    expect(await scene.world.runUntil(() => job?.gone === true, hour)).toBe(true);
    await scene.world.run(minute);
    const later = await api.get(path);
    expect(later.json).toEqual({ ...shown.json, items: [{ ...itemsIn(shown)[0], from: 'history' }] });
  });

  it('that nobody knows is none, with how far back anything is known', async () => {
    const { scene, api } = await anApi();
    expect((await api.get('/api/v1/queues/work/messages/x')).json).toMatchObject({ status: 404, code: 'UnknownMessage', detail: expect.stringContaining('no history') as string });
    await settled(scene, 'a');
    expect((await api.get('/api/v1/queues/work/messages/x')).json).toMatchObject({ status: 404, code: 'UnknownMessage', detail: expect.stringMatching(/the history goes back to \d{4}-.*Z$/) as string });
    expect((await api.get('/api/v1/queues/none/messages/x')).json).toMatchObject({ status: 404, code: 'UnknownQueue' });
    expect((await api.get(`/api/v1/queues/work/messages/${'x'.repeat(1024)}`)).json).toMatchObject({ code: 'UnknownMessage' });
  });

  it('is not taken for unknown where the history cannot be read', async () => {
    const { scene, api } = await anApi();
    await settled(scene, 'a');
    scene.world.cluster.allows = ({ verb, resource }) => !(verb === 'get' && resource === 'configmaps');
    expect((await api.get('/api/v1/queues/work/messages/x')).json).toMatchObject({ status: 503, code: 'Missing' });
    expect((await api.get('/api/v1/queues/work/messages/a')).json).toMatchObject({ items: [{ state: 'completed' }], historySince: null, historyProblem: expect.stringContaining('cannot be read') as string });
  });

  it('that was invalid says why it got no Job', async () => {
    const { scene, api } = await anApi({ spec: { perMessage: { deadLetter: { queue: 'dead' }, schema: { type: 'object', required: ['width'] } } }, invalid: () => true });
    scene.queue.send({ id: 'a', body: '{}' });
    await scene.world.run(minute);
    expect(itemsIn(await api.get('/api/v1/queues/work/messages/a'))).toMatchObject([{ state: 'dead', from: 'history', job: null, serial: null, reason: 'MessageInvalid', detail: expect.stringContaining('width') as string }]);
  });
});

describe('the messages of a queue', () => {
  it('are listed in pages, the newest first, each once', async () => {
    const { scene, api } = await anApi();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await settled(scene, id);
    const idsOn = async (query: string): Promise<unknown[]> => {
      const { json } = await api.get(`/api/v1/queues/work/messages?limit=2${query}`);
      return [...itemsIn({ json }).map(({ id }) => id), json['continue']];
    };
    const first = await idsOn('');
    const second = await idsOn(`&continue=${String(first[2])}`);
    const third = await idsOn(`&continue=${String(second[2])}`);
    expect([...first.slice(0, 2), ...second.slice(0, 2), ...third]).toEqual(['e', 'd', 'c', 'b', 'a', null]);
  });

  it('are none where nothing was settled, with the reason', async () => {
    const { api } = await anApi();
    expect((await api.get('/api/v1/queues/work/messages')).json).toEqual({ items: [], continue: null, historySince: null, historyProblem: 'the queue has no history: nothing was settled yet, or none is kept' });
  });

  it('are for those who may read', async () => {
    const { api } = await anApi();
    expect((await api.get('/api/v1/queues/work/messages', { token: '' })).status).toBe(401);
  });
});
