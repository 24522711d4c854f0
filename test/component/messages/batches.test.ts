/** Several messages as one Job, end to end: grouped, let go, and each settled by its own index. */
import { describe, expect, it } from 'vitest';
import type { Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { parseJson, stringAt } from '../../../src/lib/json.ts';
import { jobs, secrets } from '../../../src/simulation/objects.ts';
import { batchAnnotation } from '../../../src/spec/keys.ts';
import { useBatchScenes } from '../../support/batch-scene.ts';
import { messageQueueKinds } from '../../support/message-scene.ts';
import { hour, minute, second } from '../../support/scene.ts';

const stage = useBatchScenes();
const completed = (count: number): string[] => Array.from({ length: count }, () => 'completed');

describe.each(messageQueueKinds)('a batch of messages of %s', (kind) => {
  it('becomes one Job with a pod for each message, and each is acknowledged', async () => {
    const scene = stage({ kind, batch: { size: 3 } });
    await scene.world.run(5 * second);
    scene.send('a', 'b', 'c');
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.truth.batches()]).toEqual([completed(3), [['a', 'b', 'c']]]);
    expect(['a', 'b', 'c'].map((id) => scene.said(id))).toEqual([['completed'], ['completed'], ['completed']]);
  });

  it('has one Secret with a key for each body and each id, which the Job owns', async () => {
    const scene = stage({ kind, batch: { size: 2 } });
    scene.send('a', 'b');
    await scene.settled();
    const [job] = scene.world.jobs();
    const [secret] = scene.world.cluster.store.list(secrets);
    const data = Object.entries((secret?.['data'] ?? {}) as Record<string, string>).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]);
    expect(Object.fromEntries(data)).toEqual({ 0: '{"of":"a"}', 1: '{"of":"b"}', 'id.0': 'a', 'id.1': 'b' });
    expect(secret?.metadata.ownerReferences).toMatchObject([{ kind: 'Job', uid: job?.metadata.uid }]);
  });

  it('starts when its first message has waited long enough, with those that are there', async () => {
    const scene = stage({ kind, batch: { size: 100, maxWait: '20s' } });
    await scene.world.run(5 * second);
    scene.send('a', 'b');
    await scene.world.run(10 * second);
    expect(scene.world.jobs()).toEqual([]);
    scene.send('c');
    expect(await scene.settled()).toBe(true);
    expect(scene.truth.batches()).toEqual([['a', 'b', 'c']]);
  });

  it('is one of several, of which no more are there at once than the spec says', async () => {
    const scene = stage({ kind, batch: { size: 4, maxWait: '1s' }, spec: { concurrency: { max: 2 } }, pod: () => ({ runs: 5 * second }) });
    let most = 0;
    scene.world.cluster.store.subscribe(() => { most = Math.max(most, scene.world.unfinishedJobs().length); });
    scene.send(...Array.from({ length: 30 }, (_, index) => `m${index}`));
    expect(await scene.settled()).toBe(true);
    expect([most, scene.states]).toEqual([2, completed(30)]);
    expect(scene.truth.batches().flat().toSorted()).toEqual(Array.from({ length: 30 }, (_, index) => `m${index}`).toSorted());
    expect(Math.max(...scene.truth.batches().map((ids) => ids.length))).toBe(4);
  });

  it('holds no more than a Secret does', async () => {
    const scene = stage({ kind, batch: { size: 100, maxWait: '2s' } });
    const body = JSON.stringify({ text: 'x'.repeat(200_000) });
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) scene.queue.send({ id, body });
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.truth.batches()]).toEqual([completed(6), [['a', 'b', 'c', 'd'], ['e', 'f']]]);
  });

  it('has an outcome for each message: done, tried again, dead, and not started', async () => {
    const spec = { startTimeout: '30s', timeout: '2m' };
    const scene = stage({
      kind, spec, batch: { size: 4, maxWait: '2s', retry: { attempts: 2, delay: '1s' }, deadLetter: { queue: 'dead' } },
      pod: ({ id, attempt }) => {
        if (id === 'again') return { exit: { code: attempt === 1 ? 3 : 0 } };
        return id === 'bad' ? { exit: { code: 4 } } : { runs: second };
      },
    });
    await scene.world.run(5 * second);
    scene.send('good', 'again', 'bad', 'fine');
    expect(await scene.settled()).toBe(true);
    expect(Object.fromEntries(['good', 'again', 'bad', 'fine'].map((id) => [id, scene.said(id)]))).toEqual({ good: ['completed'], again: ['returned', 'completed'], bad: ['returned', 'dead'], fine: ['completed'] });
    expect([scene.states, scene.dead.messages.map(({ message }) => message.id)]).toEqual([completed(4), ['bad']]);
    expect(scene.truth.batches()).toEqual([['good', 'again', 'bad', 'fine'], ['again', 'bad']]);
  });

  it('settles a message while the pods of others run', async () => {
    const scene = stage({ kind, batch: { size: 2 }, pod: ({ id }) => ({ runs: id === 'slow' ? 3 * minute : second }) });
    scene.send('quick', 'slow');
    expect(await scene.world.runUntil(() => scene.states[0] === 'completed', minute)).toBe(true);
    expect([scene.states[1], scene.said('slow')]).toEqual(['inFlight', [undefined]]);
    expect(await scene.settled()).toBe(true);
    expect(scene.truth.batches()).toEqual([['quick', 'slow']]);
  });

  it('keeps the messages whose Job did not start, and charges them no attempt', async () => {
    let broken = true;
    const scene = stage({ kind, spec: { startTimeout: '20s' }, batch: { size: 2, waitAfter: { notStarted: '10s' } }, pod: () => (broken ? { image: { for: Infinity } } : {}) });
    scene.send('a', 'b');
    expect(await scene.world.runUntil(() => scene.said('a').includes('kept'), 5 * minute)).toBe(true);
    broken = false;
    expect(await scene.settled(2 * hour)).toBe(true);
    expect([scene.states, scene.truth.of('a').filter(({ committed }) => committed).at(-1)?.attempt]).toEqual([completed(2), 1]);
  });

  it('that runs longer than its timeout ends, and counts an attempt for those that had not ended', async () => {
    const scene = stage({ kind, spec: { timeout: '30s' }, batch: { size: 2, retry: { attempts: 2, delay: '1s' } }, pod: ({ id, attempt }) => ({ runs: id === 'slow' && attempt === 1 ? hour : second }) });
    scene.send('quick', 'slow');
    expect(await scene.settled()).toBe(true);
    expect([scene.said('quick'), scene.said('slow')]).toEqual([['completed'], ['returned', 'completed']]);
  });

  it('is not held up by a message that is invalid', async () => {
    const scene = stage({ kind, batch: { size: 3, maxWait: '3s', schema: { type: 'object', required: ['of'] }, deadLetter: { queue: 'dead' } }, invalid: ({ message }) => message.id === 'wrong' });
    scene.send('a');
    scene.queue.send({ id: 'wrong', body: '{}' });
    scene.send('b');
    expect(await scene.settled()).toBe(true);
    expect([scene.truth.batches(), scene.dead.messages.map(({ message }) => message.id)]).toEqual([[['a', 'b']], ['wrong']]);
  });

  it('settled when it is let go, where its spec says so', async () => {
    const scene = stage({ kind, batch: { size: 2, settle: 'onJobCreated' }, pod: () => ({ runs: minute, exit: { code: 1 } }) });
    scene.send('a', 'b');
    expect(await scene.settled(30 * second)).toBe(true);
    expect([scene.states, scene.said('a'), scene.world.unfinishedJobs().length]).toEqual([completed(2), ['taken'], 1]);
  });

  it('goes on with the next process', async () => {
    const scene = stage({ kind, batch: { size: 2 }, pod: () => ({ runs: 40 * second }) });
    scene.send('a', 'b');
    expect(await scene.world.runUntil(() => scene.truth.attempts('a') + scene.truth.attempts('b') === 2, 5 * minute)).toBe(true);
    await scene.restart();
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.truth.batches()]).toEqual([completed(2), [['a', 'b']]]);
  });

  it('that somebody deletes runs again, in another one, when its pods are gone', async () => {
    const scene = stage({ kind, batch: { size: 2, maxWait: '1s' }, pod: ({ attempt }) => ({ runs: attempt === 1 ? 10 * minute : second, stopsAfter: 20 * second }) });
    scene.send('a', 'b');
    expect(await scene.world.runUntil(() => scene.truth.attempts('a') + scene.truth.attempts('b') === 2, 5 * minute)).toBe(true);
    const [job] = scene.world.jobs();
    scene.world.cluster.registry.delete(jobs, job?.metadata.name ?? '', { propagation: 'Background' });
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.truth.of('a').map(({ serial, attempt }) => [serial, attempt])]).toEqual([completed(2), [[1, 1], [2, 2]]]);
  });

  it('of which two processes at once make no two', async () => {
    const scene = stage({ kind, batch: { size: 5, maxWait: '1s' }, pod: () => ({ runs: 3 * second }) });
    scene.start();
    for (let index = 0; index < 40; index += 1) {
      scene.send(`m${index}`);
      await scene.world.run(300);
    }
    expect(await scene.settled(hour)).toBe(true);
    expect([scene.states, scene.truth.batches().flat().toSorted()]).toEqual([completed(40), scene.queue.messages.map(({ message }) => message.id).toSorted()]);
  });
});

it('without the right to create Secrets nothing is let go, and the messages are not lost', async () => {
  let allowed = false;
  const message = 'secrets is forbidden: User "system:serviceaccount:etl:job-chief" cannot create resource "secrets" in API group "" in the namespace "etl"';
  const forbidden = { status: 403, headers: {}, body: { kind: 'Status', status: 'Failure', reason: 'Forbidden', message, code: 403 } };
  const wrap = (transport: Transport): Transport => ({
    request: (request) => (!allowed && request.path.endsWith('/secrets') ? Promise.resolve(forbidden) : transport.request(request)),
    stream: (request) => transport.stream(request),
  });
  const scene = stage({ kind: 'pgBoss', batch: { size: 2 }, controller: { wrap } });
  scene.send('a', 'b');
  await scene.world.run(20 * second);
  expect([scene.status().reason, scene.truth.batches(), scene.world.jobs()]).toEqual(['Forbidden', [], []]);
  allowed = true;
  expect(await scene.settled(hour)).toBe(true);
  expect(scene.states).toEqual(['completed', 'completed']);
});

it('notes of a batch say once what all have in common', async () => {
  const scene = stage({ kind: 'pgBoss', batch: { size: 3 } });
  scene.send('a', 'b', 'c');
  await scene.settled();
  const notes = parseJson(scene.world.jobs()[0]?.metadata.annotations?.[batchAnnotation]);
  expect(Array.isArray(notes) ? notes.map((note) => [stringAt(note, 'id'), 'source' in Object(note)]) : notes).toEqual([['a', true], ['b', false], ['c', false]]);
});
