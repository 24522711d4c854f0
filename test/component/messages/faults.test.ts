/** What goes wrong with queues, pods and the API server while messages are in hand, one thing at a time. */
import { describe, expect, it } from 'vitest';
import { plannedFaults } from '../../../src/simulation/fault-plans.ts';
import { plannedMessageFaults } from '../../../src/simulation/message-faults.ts';
import { jobs, secrets } from '../../../src/simulation/objects.ts';
import { type MessageScene, messageQueueKinds, useMessageScenes } from '../../support/message-scene.ts';
import { hour, isJobCreate, minute, second } from '../../support/scene.ts';

const stage = useMessageScenes();

/** A minute of work. */
const works = () => ({ runs: minute });

/** Until the pod of `id` runs. */
async function runs(scene: MessageScene, id = 'a'): Promise<void> {
  expect(await scene.world.runUntil(() => scene.truth.attempts(id) === 1, 5 * minute)).toBe(true);
}

/** Acknowledged once, after one attempt. */
async function endsWell(scene: MessageScene, limit = 2 * hour): Promise<void> {
  expect(await scene.settled(limit), scene.truth.story().join('\n')).toBe(true);
  expect(scene.truth.atEnd()).toEqual([]);
  expect(scene.queue.messages.map(({ state, message }) => [message.id, state, scene.truth.attempts(message.id)])).toEqual(scene.queue.messages.map(({ message }) => [message.id, 'completed', 1]));
}

describe.each(messageQueueKinds)('a queue of %s', (kind) => {
  it('gives each message one Job, and hears of its success', async () => {
    const scene = stage({ kind });
    scene.queue.sendMany(25);
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(25);
  });

  it('is restarted while a pod runs: the Job goes on, and its message is acknowledged', async () => {
    const scene = stage({ kind, pod: works });
    scene.queue.send({ id: 'a' });
    await runs(scene);
    scene.world.broker.setDown(true);
    await scene.world.run(20 * second);
    scene.world.broker.setDown(false);
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(1);
  });

  it('is away when the pod ends: the message is acknowledged when it is back', async () => {
    const scene = stage({ kind, pod: works, queue: { visibility: 5 * minute } });
    scene.queue.send({ id: 'a' });
    await runs(scene);
    scene.world.broker.setDown(true);
    await scene.world.run(3 * minute);
    expect(scene.truth.jobs.map(({ finished, settled }) => [finished, settled])).toEqual([['Complete', undefined]]);
    scene.world.broker.setDown(false);
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(1);
  });

  it('loses its connection again and again while a pod runs, and no second one starts', async () => {
    const scene = stage({ kind, pod: works });
    scene.queue.send({ id: 'a' });
    await runs(scene);
    for (let cut = 0; cut < 5; cut += 1) {
      scene.world.broker.cut();
      await scene.world.run(7 * second);
    }
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(1);
  });

  it('hands the message out again while its pod runs: the delivery meets the Job', async () => {
    const scene = stage({ kind, pod: works });
    const [stored] = scene.queue.send({ id: 'a' });
    await runs(scene);
    if (stored) scene.queue.takeAway(stored);
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(1);
  });

  it('hands a message out again after it was acknowledged: it is acknowledged again, and nothing runs', async () => {
    const scene = stage({ kind });
    const [stored] = scene.queue.send({ id: 'a' });
    await endsWell(scene);
    if (stored) scene.queue.deliverOnceMore(stored);
    expect(await scene.world.runUntil(() => stored?.completions === 2, 5 * minute)).toBe(true);
    await scene.world.run(minute);
    expect([scene.truth.jobs.length, scene.queue.unfinished]).toEqual([1, 0]);
  });

  it.each(['before', 'after'] as const)('does not answer an acknowledgement, %s it took effect', async (fault) => {
    const scene = stage({ kind });
    scene.world.broker.faults = plannedMessageFaults([{ call: 'settle', fault, times: 2 }]);
    scene.queue.send({ id: 'a' });
    await endsWell(scene, 30 * hour);
    expect(scene.truth.jobs).toHaveLength(1);
  });

  it('does not answer a request for messages: they come when their lease is over', async () => {
    const scene = stage({ kind, queue: { limit: 10 * minute } });
    scene.world.broker.faults = plannedMessageFaults([{ call: 'fetch', fault: 'after', times: 2 }]);
    scene.queue.sendMany(3);
    await endsWell(scene);
  });

  it('is deleted and made again: new messages run, and what was in hand is nobody\'s', async () => {
    const scene = stage({ kind, pod: works });
    scene.queue.send({ id: 'a' });
    await runs(scene);
    scene.world.broker.delete('work');
    await scene.world.run(2 * minute);
    expect(scene.status()).toMatchObject({ reason: 'QueueNotFound' });
    const again = scene.world.broker.create('work', { kind });
    scene.truth.watch(again);
    again.send({ id: 'b' });
    expect(await scene.world.runUntil(() => again.find('b')?.state === 'completed', hour)).toBe(true);
    expect([scene.truth.attempts('a'), scene.truth.attempts('b')]).toEqual([1, 1]);
  });

  it('refuses access for a while: running Jobs go on, and all is settled afterwards', async () => {
    const scene = stage({ kind, pod: works, queue: { visibility: 10 * minute } });
    scene.queue.send({ id: 'a' });
    await runs(scene);
    scene.world.broker.setForbidden('work', true);
    scene.queue.send({ id: 'b' });
    await scene.world.run(3 * minute);
    expect([scene.truth.of('b').length, scene.status().reason]).toEqual([0, 'QueueForbidden']);
    scene.world.broker.setForbidden('work', false);
    await endsWell(scene);
  });

  it.each<[string, string | Uint8Array, object]>([
    ['that are no JSON where a schema asks for it', '{"broken', { schema: { type: 'object' } }],
    ['that are too large for a file', 'x'.repeat(950 * 1024), {}],
    ['that cannot be an environment variable', 'a\u0000b', { payload: { env: 'BODY' } }],
    ['that lack what the environment asks for', '{}', { env: { WIDTH: '$(message.body.width)' } }],
  ])('messages %s go where dead ones go, start nothing, and hold up no other', async (_what, body, perMessage) => {
    const scene = stage({ kind, spec: { perMessage: { ...perMessage, deadLetter: { queue: 'dead' } } }, invalid: ({ message }) => message.id === 'bad' });
    scene.queue.send({ id: 'bad', body }, { id: 'good', body: '{"width": 3}' });
    expect(await scene.settled(hour)).toBe(true);
    expect(scene.dead.messages.map(({ message, failure }) => [message.id, failure?.reason])).toEqual([['bad', 'MessageInvalid']]);
    expect([scene.truth.of('bad').length, scene.truth.attempts('good')]).toEqual([0, 1]);
    expect(scene.truth.atEnd()).toEqual([]);
  });

  it('has its Job deleted by hand: the message runs once more, as the next attempt', async () => {
    const scene = stage({ kind, pod: works });
    scene.queue.send({ id: 'a' });
    await runs(scene);
    scene.world.cluster.registry.delete(jobs, scene.truth.jobs[0]?.name ?? '', { propagation: 'Foreground' });
    expect(await scene.settled(hour), scene.truth.story().join('\n')).toBe(true);
    expect(scene.truth.jobs.map(({ serial, attempt, succeeded }) => [serial, attempt, succeeded])).toEqual([[1, 1, false], [2, 2, true]]);
    expect(scene.states).toEqual(['completed']);
  });

  it('has its Job deleted by hand, and its pod left behind: the next attempt waits until that has ended', async () => {
    const scene = stage({ kind, pod: works });
    scene.queue.send({ id: 'a' });
    await runs(scene);
    scene.world.cluster.registry.delete(jobs, scene.truth.jobs[0]?.name ?? '', { propagation: 'Orphan' });
    await scene.world.run(40 * second);
    expect(scene.truth.jobs).toHaveLength(1);
    expect(await scene.settled(hour), scene.truth.story().join('\n')).toBe(true);
    expect(scene.truth.jobs.map(({ attempt, finished }) => [attempt, finished])).toEqual([[1, undefined], [2, undefined]]);
  });

  it('waits while the quota of the namespace is full, and loses no attempt by it', async () => {
    const scene = stage({ kind });
    scene.world.cluster.quota.set('count/jobs.batch', 0);
    scene.queue.sendMany(3);
    await scene.world.run(5 * minute);
    expect(scene.truth.jobs).toEqual([]);
    scene.world.cluster.quota.clear();
    await endsWell(scene);
    expect(scene.truth.jobs.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    expect(scene.ownDead.messages).toEqual([]);
  });

  it('waits while the quota has no room for the Secret of the payload', async () => {
    const scene = stage({ kind });
    scene.world.cluster.quota.set('count/secrets', 0);
    scene.queue.send({ id: 'a' });
    await scene.world.run(minute);
    expect([scene.truth.attempts('a'), scene.world.cluster.store.list(secrets).length]).toEqual([0, 0]);
    scene.world.cluster.quota.clear();
    await endsWell(scene);
  });

  it('has messages in hand while the API server is down for minutes', async () => {
    const scene = stage({ kind, pod: () => ({ runs: 10 * second }) });
    await scene.world.run(5 * second);
    scene.world.cluster.api.setAvailable(false);
    scene.queue.sendMany(4);
    await scene.world.run(4 * minute);
    expect(scene.truth.jobs).toEqual([]);
    scene.world.cluster.api.setAvailable(true);
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(4);
  });

  it('creates a Job whose answer is lost, and finds it', async () => {
    const scene = stage({ kind, controller: 'none' });
    scene.startWith(plannedFaults([{ when: isJobCreate, fault: { kind: 'answerLost' }, times: 2 }]));
    scene.queue.send({ id: 'a' });
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(1);
  });

  it('stores a payload whose answer is lost, or that fails, and stores it again', async () => {
    const scene = stage({ kind, controller: 'none' });
    const isSecret = ({ method, path }: { method: string; path: string }): boolean => method === 'POST' && path.endsWith('/secrets');
    scene.startWith(plannedFaults([{ when: isSecret, fault: { kind: 'status', code: 500 }, times: 2 }, { when: isSecret, fault: { kind: 'answerLost' } }]));
    scene.queue.send({ id: 'a' });
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(1);
  });

  it('is shared by two controllers, and each message runs once', async () => {
    const scene = stage({ kind, pod: ({ random }) => ({ runs: random.between(1, 20) * second }) });
    scene.start();
    for (let burst = 0; burst < 6; burst += 1) {
      scene.queue.sendMany(5);
      await scene.world.run(scene.world.random.between(1, 30) * second);
    }
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(30);
  });

  it('has a controller that stops in order: only what runs stays leased, where a lease outlives its process, and the next one goes on', async () => {
    const stops: (() => Promise<void>)[] = [];
    const scene = stage({ kind, pod: works, controller: { made: (engine) => { stops.push(() => engine.stop()); } }, queue: { limit: 10 * minute } });
    scene.queue.sendMany(3);
    expect(await scene.world.runUntil(() => scene.truth.jobs.length === 3, minute)).toBe(true);
    await scene.world.run(5 * second);
    let stopped = false;
    void stops[0]?.().then(() => { stopped = true; });
    expect(await scene.world.runUntil(() => stopped, minute)).toBe(true);
    await scene.world.run(second);
    // Whoever else leases from the queue would run them beside their Jobs.
    expect(scene.queue.inFlight).toBe(kind === 'amqp' ? 0 : 3);
    scene.start();
    await endsWell(scene);
  });

  it('does not lose a dead letter whose publishing failed, nor one that was published and not marked', async () => {
    for (const fault of ['before', 'after'] as const) {
      const scene = stage({ kind, spec: { perMessage: { deadLetter: { queue: 'dead' } } }, pod: () => ({ runs: second, exit: { code: 3 } }) });
      scene.world.broker.faults = plannedMessageFaults([{ call: 'deadLetter', fault }]);
      scene.queue.send({ id: 'a' });
      expect(await scene.settled(hour)).toBe(true);
      expect(scene.states).toEqual(['completed']);
      expect(new Set(scene.dead.messages.map(({ message }) => message.id))).toEqual(new Set(['a']));
      expect(scene.truth.attempts('a')).toBe(1);
    }
  });
});

describe('what only some queues do', () => {
  it('RabbitMQ takes a lease away by consumer_timeout while the pod runs: no second Job, and the next delivery settles it', async () => {
    const scene = stage({ kind: 'amqp', pod: () => ({ runs: 4 * minute }), queue: { limit: 90 * second, saysLimit: 'nothing' } });
    scene.queue.send({ id: 'a' });
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(1);
    expect(scene.queue.messages[0]?.deliveries).toBeGreaterThan(1);
  });

  it.each(['pgBoss', 'sqs'] as const)('the lease of %s expires while the pod runs: no second Job, and the next delivery settles it', async (kind) => {
    const scene = stage({ kind, pod: () => ({ runs: 4 * minute }), queue: { limit: 90 * second, saysLimit: 'nothing', mostDeliveries: 20 } });
    scene.queue.send({ id: 'a' });
    await endsWell(scene);
    expect(scene.truth.jobs).toHaveLength(1);
    expect(scene.queue.messages[0]?.deliveries).toBeGreaterThan(1);
  });

  it('RabbitMQ takes the consumers away: what is in hand is settled, and the rest comes', async () => {
    const scene = stage({ kind: 'amqp', pod: () => ({ runs: 10 * second }), spec: { concurrency: { max: 2 } } });
    scene.queue.sendMany(6);
    await scene.world.run(5 * second);
    scene.world.broker.cancelConsumers('work');
    await endsWell(scene);
  });

  it('RabbitMQ has two messages of one id: they are one message, which runs once', async () => {
    const scene = stage({ kind: 'amqp', pod: works });
    scene.queue.send({ id: 'a' }, { id: 'a' });
    expect(await scene.settled(hour)).toBe(true);
    expect(scene.states).toEqual(['completed', 'completed']);
    expect(scene.truth.jobs).toHaveLength(1);
  });

  it('RabbitMQ has a message without an id: it goes where dead ones go, and is not run', async () => {
    const scene = stage({ kind: 'amqp', invalid: ({ problem }) => problem !== undefined });
    scene.queue.send({ problem: 'it has no message_id' }, { id: 'b' });
    expect(await scene.settled(hour)).toBe(true);
    expect(scene.states).toEqual(['dead', 'completed']);
    expect(scene.truth.jobs.map(({ id }) => id)).toEqual(['b']);
  });
});
