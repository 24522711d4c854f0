/** The way of a message, end to end: from its queue through a Job back to its queue. */
import { describe, expect, it } from 'vitest';
import type { Transport } from '../../../src/adapters/kubernetes/transport.ts';
import type { Engine } from '../../../src/engine.ts';
import { noMessages } from '../../../src/reconcile/messages/no-messages.ts';
import { isFinished, isTerminal, type JobObject } from '../../../src/simulation/job-shape.ts';
import { secrets } from '../../../src/simulation/objects.ts';
import { highAvailability } from '../../support/controller.ts';
import { minute, second } from '../../support/scene.ts';
import { type MessageScene, messageQueueKinds, useMessageScenes } from '../../support/message-scene.ts';

const stage = useMessageScenes();

/** With a pod that lives, or unfinished and nobody can know yet that its work is done. */
function atWork({ world, truth }: MessageScene, job: JobObject): boolean {
  const alive = world.pods().some((pod) => pod.metadata.labels?.['batch.kubernetes.io/controller-uid'] === job.metadata.uid && !isTerminal(pod));
  return alive || (!isFinished(job) && truth.jobs.find(({ uid }) => uid === job.metadata.uid)?.succeeded !== true);
}

describe.each(messageQueueKinds)('a message of %s', (kind) => {
  it('becomes one Job, and is acknowledged when that succeeds', async () => {
    const scene = stage({ kind });
    await scene.world.run(5 * second);
    scene.queue.send({ id: 'a', body: '{"page":3}' });
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.truth.jobs.map(({ settled, attempt }) => [settled, attempt])]).toEqual([['completed'], [['completed', 1]]]);
  });

  it('finds its way to the Job as a Secret that the Job owns', async () => {
    const scene = stage({ kind });
    scene.queue.send({ id: 'a', body: '{"page":3}' });
    await scene.settled();
    const [job] = scene.truth.jobs;
    const [secret] = scene.world.cluster.store.list(secrets);
    expect(secret?.metadata).toMatchObject({ name: job?.name, ownerReferences: [{ kind: 'Job', uid: job?.uid, controller: true }] });
  });

  it('whose Job fails is tried again, and in the end goes where dead ones go', async () => {
    const scene = stage({ kind, spec: { perMessage: { retry: { attempts: 2, delay: '1s' }, deadLetter: { queue: 'dead' } } }, pod: () => ({ exit: { code: 3 } }) });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.settled()).toBe(true);
    expect(scene.truth.of('a').map(({ attempt, settled }) => [attempt, settled])).toEqual([[1, 'returned'], [2, 'dead']]);
    expect([scene.states, scene.dead.messages.length]).toEqual([['completed'], 1]);
  });

  it('is settled by the next process, where the one before died while its Job ran', async () => {
    const scene = stage({ kind, pod: () => ({ runs: 40 * second }) });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.world.runUntil(() => scene.truth.attempts('a') === 1, 5 * minute)).toBe(true);
    await scene.restart();
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.truth.of('a').map(({ settled }) => settled)]).toEqual([['completed'], ['completed']]);
  });

  it('is acknowledged at creation where its spec says so, whatever becomes of the Job', async () => {
    const scene = stage({ kind, spec: { perMessage: { settle: 'onJobCreated' } }, pod: () => ({ exit: { code: 1 } }) });
    scene.queue.send({ id: 'a', body: '{}' });
    expect(await scene.settled()).toBe(true);
    expect([scene.states, scene.truth.of('a').map(({ settled }) => settled)]).toEqual([['completed'], ['taken']]);
  });

  it('is one of many, of which no more have Jobs at once than the spec says', async () => {
    const scene = stage({ kind, spec: { concurrency: { max: 3 } }, pod: () => ({ runs: 5 * second }) });
    let most = 0;
    scene.world.cluster.store.subscribe(() => { most = Math.max(most, scene.world.jobs().filter((job) => atWork(scene, job)).length); });
    for (let index = 0; index < 12; index += 1) scene.queue.send({ id: `m${index}`, body: '{}' });
    expect(await scene.settled()).toBe(true);
    expect([most, scene.truth.jobs.length, new Set(scene.truth.jobs.map(({ id }) => id)).size]).toEqual([3, 12, 12]);
  });
});

describe.each(messageQueueKinds)('a controller that stops in order, with messages of %s in hand', (kind) => {
  it('gives back what has no Job, and the next one goes on with the others', async () => {
    let engine: Engine | undefined;
    const scene = stage({ kind, spec: { concurrency: { max: 2 } }, pod: () => ({ runs: 30 * second }), controller: { made: (made) => { engine = made; } } });
    for (const id of ['a', 'b']) scene.queue.send({ id, body: '{}' });
    expect(await scene.world.runUntil(() => scene.truth.attempts('a') + scene.truth.attempts('b') === 2, 5 * minute)).toBe(true);
    const stopping = engine?.stop();
    await scene.world.run(2 * second);
    await stopping;
    expect(scene.states).toEqual(kind === 'amqp' ? ['ready', 'ready'] : ['inFlight', 'inFlight']);
    scene.start();
    expect(await scene.settled()).toBe(true);
    expect(scene.truth.jobs.map(({ settled }) => settled)).toEqual(['completed', 'completed']);
  });
});

it('a queue from which nothing can be leased here says so', async () => {
  const scene = stage({ kind: 'amqp', controller: { engine: { messages: noMessages } } });
  await scene.world.run(30 * second);
  expect(scene.status()).toMatchObject({ state: 'Blocked', reason: 'QueueUnsupported' });
});

it('no replica but the one that leads holds a lease, and the next leader goes on', async () => {
  const scene = stage({ kind: 'pgBoss', controller: 'none', pod: () => ({ runs: 20 * second }) });
  const first = scene.start({ engine: { highAvailability, identity: 'first' } });
  await scene.world.run(10 * second);
  scene.start({ engine: { highAvailability, identity: 'second' } });
  scene.queue.send({ id: 'a', body: '{}' });
  expect(await scene.world.runUntil(() => scene.truth.attempts('a') === 1, 5 * minute)).toBe(true);
  first.kill();
  expect(await scene.settled()).toBe(true);
  expect([scene.states, scene.truth.of('a').map(({ settled }) => settled)]).toEqual([['completed'], ['completed']]);
});

it('without the right to create Secrets a Queue says so, and its messages are not lost', async () => {
  let allowed = false;
  const message = 'secrets is forbidden: User "system:serviceaccount:etl:job-chief" cannot create resource "secrets" in API group "" in the namespace "etl"';
  const forbidden = { status: 403, headers: {}, body: { kind: 'Status', status: 'Failure', reason: 'Forbidden', message, code: 403 } };
  const wrap = (transport: Transport): Transport => ({
    request: (request) => (!allowed && request.path.endsWith('/secrets') ? Promise.resolve(forbidden) : transport.request(request)),
    stream: (request) => transport.stream(request),
  });
  const scene = stage({ kind: 'pgBoss', controller: { wrap } });
  scene.queue.send({ id: 'a', body: '{}' });
  await scene.world.run(20 * second);
  expect(scene.status()).toMatchObject({ reason: 'Forbidden' });
  allowed = true;
  expect(await scene.settled()).toBe(true);
  expect(scene.states).toEqual(['completed']);
});
