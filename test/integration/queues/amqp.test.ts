/** Leasing from a RabbitMQ on its bad days: what is in hand, what is said about the queue, and what comes again. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from 'rabbitmq-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { amqpChain, amqpFiles, amqpSource, makeQueue, peek, publish, queueName, useRabbitMq, type AmqpChain, type QueueType } from '../../support/rabbitmq.ts';
import { startProxy } from '../../support/tcp-proxy.ts';
import type { AmqpSource } from '../../../src/spec/queue-source.ts';
import type { DepthAnswer } from '../../../src/reconcile/ports.ts';
import { failure, Watched } from '../../contract/queues/message-source-subject.ts';

const rabbit = useRabbitMq({ tls: true });
const waitFor = (claim: () => unknown): Promise<unknown> => vi.waitFor(claim, { timeout: 20_000, interval: 10 });
const complete = { kind: 'complete' } as const;

let open: AmqpChain[] = [];
beforeEach(() => {
  open = [];
});
afterEach(async () => {
  for (const chain of open) await chain[Symbol.asyncDispose]();
});

function chainOf(files: Readonly<Record<string, string>> = {}): AmqpChain {
  const chain = amqpChain(amqpFiles(rabbit.server, files));
  open.push(chain);
  return chain;
}

async function aQueue(type: QueueType = 'classic', more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const queue = queueName();
  await makeQueue(rabbit.client(), queue, type, more);
  return queue;
}

/** Publishes that many messages; gives their ids. */
async function send(queue: string, count: number, client = rabbit.client()): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await publish(client, queue, ids.map((messageId) => ({ body: Buffer.from('{}'), envelope: { messageId } })));
  return ids;
}

/** A subscription with credit, and all that it leased. */
async function leasing(queue: string, count: number, { chain = chainOf(), changes = {} }: { chain?: AmqpChain; changes?: Partial<AmqpSource> } = {}): Promise<{ watched: Watched; chain: AmqpChain; source: AmqpSource }> {
  const source = amqpSource(queue, changes);
  const watched = new Watched(chain.messages, source);
  watched.subscription.credit(count);
  await waitFor(() => expect(watched.leases).toHaveLength(count));
  return { watched, chain, source };
}

function ask(chain: AmqpChain, queue: string, upTo = 100, vhost?: string): Promise<DepthAnswer> {
  return chain.depth.depth({ source: amqpSource(queue, { vhost }), upTo }, new AbortController().signal);
}

describe('a connection that ends', () => {
  it('loses what was in hand, says why, and leases it again', async () => {
    const queue = await aQueue('quorum');
    const ids = await send(queue, 2);
    const { watched } = await leasing(queue, 2);
    await rabbit.server.closeConnections('the operator is sorry');
    watched.subscription.credit(4);
    await waitFor(() => expect(watched.leases).toHaveLength(4));
    expect(watched.losses.map(({ why }) => why)).toEqual([expect.stringContaining('the operator is sorry'), expect.stringContaining('the operator is sorry')]);
    expect(watched.states.map(({ kind }) => kind)).toEqual(['open', 'closed', 'open']);
    expect(watched.ids.slice(2).toSorted()).toEqual(ids.toSorted());
    expect(watched.leases.map(({ delivery }) => delivery)).toEqual([1, 1, 2, 2]);
  });

  it('survives a restart of the server, with what waits in durable queues', async () => {
    const queue = await aQueue('quorum');
    const ids = await send(queue, 3);
    const { watched, chain, source } = await leasing(queue, 1);
    await rabbit.server.restart();
    watched.subscription.credit(4);
    await waitFor(() => expect(watched.leases).toHaveLength(4));
    expect(new Set(watched.ids)).toEqual(new Set(ids));
    for (const lease of watched.leases.slice(1)) expect(await chain.messages.settle(source, lease, complete)).toEqual({ kind: 'done' });
    await waitFor(async () => expect(await rabbit.server.ready(queue)).toBe(0));
  });

  it('is noticed by its silence', async () => {
    await using proxy = await startProxy(rabbit.server.port);
    const queue = await aQueue();
    const [id] = await send(queue, 1);
    const { watched } = await leasing(queue, 1, { chain: chainOf({ port: String(proxy.port), heartbeat: '1' }) });
    proxy.freeze();
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueUnreachable', message: expect.stringContaining('did not answer in time') as string }));
    expect(watched.losses).toHaveLength(1);
    watched.subscription.credit(2);
    proxy.thaw();
    await waitFor(() => expect(watched.ids).toEqual([id, id]));
  });
});

describe('a delivery that is held for longer than consumer_timeout', () => {
  afterEach(() => rabbit.server.setConsumerTimeout(1_800_000, 60_000));

  it('is lost, with the words of the server, and comes again', async () => {
    await rabbit.server.setConsumerTimeout(1_000, 200);
    const queue = await aQueue('quorum');
    const [id] = await send(queue, 1);
    const { watched } = await leasing(queue, 1, { chain: chainOf({ 'consumer-timeout': '1s' }) });
    expect(watched.states.at(-1)).toMatchObject({ kind: 'open', leaseLimit: 1_000, strict: true });
    await waitFor(() => expect(watched.losses).toMatchObject([{ token: watched.at(0).token, why: expect.stringContaining('PRECONDITION_FAILED - delivery acknowledgement on channel') as string }]));
    expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueRefused' });
    watched.subscription.credit(2);
    await waitFor(() => expect(watched.ids).toEqual([id, id]));
    expect(watched.at(1).delivery).toBe(2);
  });
});

describe('a queue', () => {
  it('that is deleted under its consumer is not found, and opens when it is back', async () => {
    const queue = await aQueue();
    const watched = new Watched(chainOf().messages, amqpSource(queue));
    watched.subscription.credit(1);
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ kind: 'open' }));
    await rabbit.client().queueDelete(queue);
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueNotFound' }));
    await makeQueue(rabbit.client(), queue, 'classic');
    const ids = await send(queue, 1);
    await waitFor(() => expect(watched.ids).toEqual(ids));
  });

  it.each(['classic', 'quorum'] as const)('that is declared as %s is made, durable, with its dead-letter exchange, and is found again', async (type) => {
    const [queue, dead] = [queueName(), await aQueue()];
    const declare = { type, deadLetterExchange: '', deadLetterRoutingKey: dead };
    for (const chain of [chainOf(), chainOf()]) {
      const watched = new Watched(chain.messages, amqpSource(queue, { declare }));
      await waitFor(() => expect(watched.states).toMatchObject([{ kind: 'open' }]));
      await watched.subscription.close();
    }
    const [id = ''] = await send(queue, 1);
    const { watched, chain, source } = await leasing(queue, 1, { changes: { declare } });
    expect(await chain.messages.settle(source, watched.at(0), { kind: 'fail', failure, delay: 0 })).toEqual({ kind: 'done' });
    await waitFor(async () => expect((await peek(rabbit.client(), dead)).map(({ messageId }) => messageId)).toEqual([id]));
  });

  it('that was declared differently is refused with the words of the server, and stays as it is', async () => {
    const queue = await aQueue('classic');
    const watched = new Watched(chainOf().messages, amqpSource(queue, { declare: { type: 'quorum', deadLetterExchange: undefined, deadLetterRoutingKey: undefined } }));
    await waitFor(() => expect(watched.states).toMatchObject([{ kind: 'closed', reason: 'QueueRefused', message: expect.stringContaining("PRECONDITION_FAILED - inequivalent arg 'x-queue-type'") as string }]));
    await makeQueue(rabbit.client(), queue, 'classic');
  });

  it('that somebody else has for itself is refused', async () => {
    const queue = await aQueue();
    const channel = await rabbit.client().acquire();
    await channel.basicConsume({ queue, exclusive: true }, () => undefined);
    const watched = new Watched(chainOf().messages, amqpSource(queue));
    watched.subscription.credit(1);
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueRefused', message: expect.stringContaining('exclusive use') as string }));
    await channel.close();
    const ids = await send(queue, 1);
    await waitFor(() => expect(watched.ids).toEqual(ids));
  });

  it('that is a stream is not supported, which is said once, until it is another kind of queue', async () => {
    const queue = queueName();
    await rabbit.client().queueDeclare({ queue, durable: true, arguments: { 'x-queue-type': 'stream' } });
    const watched = new Watched(chainOf().messages, amqpSource(queue));
    watched.subscription.credit(1);
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ kind: 'open' }));
    const closed = { kind: 'closed', reason: 'QueueUnsupported', message: `queue '${queue}' is a stream, whose messages cannot be settled one by one: name a classic or a quorum queue` };
    // A consumer of a stream gets what is published after it has come.
    await waitFor(async () => {
      await send(queue, 1);
      expect(watched.states.at(-1)).toEqual(closed);
    });
    // It is looked at again and again, by a new channel each time.
    const channels = async (): Promise<number> => Number(await rabbit.server.evaluate('element(4, hd(ets:lookup(connection_churn_metrics, node())))'));
    const before = await channels();
    await waitFor(async () => expect(await channels()).toBeGreaterThan(before + 2));
    expect(watched.states.map(({ kind }) => kind)).toEqual(['open', 'closed']);
    expect(watched.leases).toEqual([]);

    await rabbit.client().queueDelete(queue);
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueNotFound' }));
    await makeQueue(rabbit.client(), queue, 'quorum');
    const ids = await send(queue, 1);
    await waitFor(() => expect(watched.ids).toEqual(ids));
    expect(watched.states.at(-1)).toMatchObject({ kind: 'open' });
  });
});

describe('rights', () => {
  it('that are missing are said to be missing, and are used as soon as they are there', async () => {
    const password = await rabbit.server.addUser('reader');
    await rabbit.server.permit('reader', '/', { configure: '^$', write: '^$', read: '^$' });
    const queue = await aQueue();
    const watched = new Watched(chainOf({ user: 'reader', password }).messages, amqpSource(queue));
    watched.subscription.credit(1);
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueForbidden', message: expect.stringContaining("access to queue '") as string }));
    await rabbit.server.permit('reader', '/', { configure: '^$', write: '^$', read: '.*' });
    const ids = await send(queue, 1);
    await waitFor(() => expect(watched.ids).toEqual(ids));
    expect(watched.states.at(-1)).toMatchObject({ kind: 'open' });
  });

  it('to write are needed for dead letters only', async () => {
    const password = await rabbit.server.addUser('writer');
    await rabbit.server.permit('writer', '/', { configure: '^$', write: '^$', read: '.*' });
    const [queue, dead] = [await aQueue(), await aQueue()];
    await send(queue, 1);
    const { watched, chain, source } = await leasing(queue, 1, { chain: chainOf({ user: 'writer', password }) });
    const bury = () => chain.messages.deadLetter(source, { queue: dead }, { message: watched.message(0), failure });
    expect(await bury()).toMatchObject({ kind: 'failed', message: expect.stringContaining('ACCESS_REFUSED') as string });
    await rabbit.server.permit('writer', '/', { configure: '^$', write: '^amq\\.default$', read: '.*' });
    // The server remembers rights for each channel.
    await waitFor(async () => expect(await bury()).toEqual({ kind: 'done' }));
  });

  it('to configure are needed where the queue is declared, with those that its dead-letter exchange asks for', async () => {
    const password = await rabbit.server.addUser('maker');
    await rabbit.server.permit('maker', '/', { configure: '^$', write: '^$', read: '.*' });
    const declare = { type: 'quorum', deadLetterExchange: 'amq.fanout', deadLetterRoutingKey: undefined } as const;
    const watched = new Watched(chainOf({ user: 'maker', password }).messages, amqpSource(queueName(), { declare }));
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueForbidden' }));
    await rabbit.server.permit('maker', '/', { configure: '^work-', write: '^$', read: '^work-' });
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ reason: 'QueueForbidden', message: expect.stringContaining("exchange 'amq.fanout'") as string }));
    await rabbit.server.permit('maker', '/', { configure: '^work-', write: '^amq\\.fanout$', read: '^work-' });
    await waitFor(() => expect(watched.states.at(-1)).toMatchObject({ kind: 'open' }));
  });

  it('of a user with a wrong password are none; nobody at all is something else', async () => {
    const queue = await aQueue();
    const [refused, alone] = [chainOf({ password: 'wrong-password' }), chainOf({ port: '1' })];
    expect(await ask(refused, queue)).toMatchObject({ kind: 'unknown', reason: 'QueueForbidden', message: expect.stringContaining('Login was refused') as string });
    expect(await ask(alone, queue)).toMatchObject({ kind: 'unknown', reason: 'QueueUnreachable', message: '127.0.0.1:1 refuses connections' });
    expect(refused.lines.join('\n')).not.toContain('wrong-password');
  });

  it('of a password that was replaced are used from the next log-in on', async () => {
    const password = await rabbit.server.addUser('rotating');
    await rabbit.server.permit('rotating', '/', { configure: '^$', write: '^$', read: '.*' });
    const queue = await aQueue();
    const chain = chainOf({ user: 'rotating', password: 'of yesterday' });
    expect(await ask(chain, queue)).toMatchObject({ reason: 'QueueForbidden' });
    chain.write({ password });
    await waitFor(async () => expect(await ask(chain, queue)).toMatchObject({ kind: 'known' }));
  });
});

describe('vhosts', () => {
  it('are apart, and the one of the spec wins over that of the connection', async () => {
    await rabbit.server.addVhost('team/one');
    const queue = await aQueue();
    await makeQueue(rabbit.client('team/one'), queue, 'classic');
    const [here, there] = [await send(queue, 1), await send(queue, 2, rabbit.client('team/one'))];
    const chain = chainOf();
    const watched = new Watched(chain.messages, amqpSource(queue, { vhost: 'team/one' }));
    watched.subscription.credit(9);
    await waitFor(() => expect(watched.ids.toSorted()).toEqual(there.toSorted()));
    expect(await ask(chain, queue)).toEqual({ kind: 'known', ready: 1, nextReadyAt: undefined });
    const own = new Watched(chainOf({ vhost: 'team/one' }).messages, amqpSource(queue, { vhost: '/' }));
    own.subscription.credit(9);
    await waitFor(() => expect(own.ids).toEqual(here));
  });

  it('that do not exist, or let us not in, are told apart', async () => {
    const password = await rabbit.server.addUser('outsider');
    const chain = chainOf({ user: 'outsider', password });
    expect(await ask(chain, 'work', 1, 'nowhere')).toMatchObject({ reason: 'QueueNotFound', message: expect.stringContaining('nowhere') as string });
    expect(await ask(chain, 'work', 1, '/')).toMatchObject({ reason: 'QueueForbidden', message: expect.stringContaining('outsider') as string });
  });
});

describe('TLS', () => {
  it('checks the server, and shows a certificate of ours', async () => {
    const { certificates, tlsPort } = rabbit.server;
    if (!certificates) throw new Error('no certificates');
    const client = certificates.client('worker');
    const port = String(tlsPort);
    const queue = await aQueue();
    const ids = await send(queue, 1);
    const { watched } = await leasing(queue, 1, { chain: chainOf({ port, 'ca.crt': certificates.ca, 'tls.crt': client.cert, 'tls.key': client.key }) });
    expect(watched.ids).toEqual(ids);
    expect(await ask(chainOf({ port, tls: 'true', 'tls.crt': client.cert, 'tls.key': client.key }), queue)).toMatchObject({ reason: 'QueueUnreachable', message: expect.stringContaining('certificate of') as string });
    expect(await ask(chainOf({ port, 'ca.crt': certificates.ca }), queue)).toMatchObject({ reason: 'QueueForbidden', message: expect.stringContaining('does not accept our certificate') as string });
    expect(await ask(chainOf({ tls: 'true' }), queue)).toMatchObject({ reason: 'QueueUnreachable' });
  });
});

describe('clusters', () => {
  it('are reached by whichever node is there', async () => {
    const queue = await aQueue();
    await send(queue, 2);
    const chain = chainOf({ host: `127.0.0.1:1, 127.0.0.1:${rabbit.server.port}` });
    expect(await ask(chain, queue)).toEqual({ kind: 'known', ready: 2, nextReadyAt: undefined });
  });
});

describe('dead letters', () => {
  it('keep what belongs to a message and has no place elsewhere', async () => {
    const [queue, dead] = [await aQueue(), await aQueue()];
    const envelope = { messageId: 'm-1', correlationId: 'c-1', contentType: 'application/json', contentEncoding: 'gzip', type: 'order', appId: 'shop', timestamp: 1_700_000_000, headers: { tenant: 'acme', nested: { n: [1, 'two', true] } } };
    await publish(rabbit.client(), queue, [{ body: Buffer.from([1, 2, 255]), envelope }]);
    const { watched, chain, source } = await leasing(queue, 1);
    expect(watched.message(0)).toMatchObject({ id: 'm-1', enqueuedAt: 1_700_000_000_000, headers: envelope.headers });
    expect(await chain.messages.deadLetter(source, { queue: dead }, { message: watched.message(0), failure })).toEqual({ kind: 'done' });
    const [found] = await peek(rabbit.client(), dead);
    expect(found).toMatchObject({ ...envelope, durable: true, headers: { ...envelope.headers, 'x-job-chief-id': 'm-1', 'x-job-chief-queue': queue, 'x-job-chief-exit-code': 3 } });
    expect(found?.body).toEqual(Buffer.from([1, 2, 255]));
  });

  it('go to an exchange by its routing key; one that no queue takes, or that is not there, is an answer', async () => {
    const [queue, dead] = [await aQueue(), await aQueue()];
    await rabbit.client().exchangeDeclare({ exchange: `${queue}-x`, type: 'topic', durable: true });
    await rabbit.client().queueBind({ exchange: `${queue}-x`, queue: dead, routingKey: 'failed.*' });
    await send(queue, 1);
    const { watched, chain, source } = await leasing(queue, 1);
    const bury = (exchange: string, routingKey: string) => chain.messages.deadLetter(source, { exchange, routingKey }, { message: watched.message(0), failure });
    const answers = await Promise.all([bury(`${queue}-x`, 'failed.badly'), bury(`${queue}-x`, 'elsewhere'), bury(`${queue}-x`, 'failed.again')]);
    expect(answers).toEqual([{ kind: 'done' }, { kind: 'failed', message: expect.stringContaining("routing key 'elsewhere'") as string }, { kind: 'done' }]);
    expect(await bury(`${queue}-y`, 'x')).toMatchObject({ kind: 'failed', message: expect.stringContaining(`NOT_FOUND - no exchange '${queue}-y'`) as string });
    expect(await bury(`${queue}-x`, 'failed.finally')).toEqual({ kind: 'done' });
    await waitFor(async () => expect(await peek(rabbit.client(), dead)).toHaveLength(3));
  });
});

describe('a server that is short of memory', () => {
  afterEach(() => rabbit.server.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.4)'));

  it('answers nothing about dead letters, and holds up nobody who stops', async () => {
    const [queue, dead] = [await aQueue(), await aQueue()];
    await send(queue, 1);
    const { watched, chain, source } = await leasing(queue, 1);
    const bury = () => chain.messages.deadLetter(source, { queue: dead }, { message: watched.message(0), failure });
    expect(await bury()).toEqual({ kind: 'done' });
    await rabbit.server.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.000001)');
    await waitFor(async () => expect(await rabbit.server.evaluate('length(rabbit_alarm:get_alarms())')).toBe('1'));
    const answer = bury();
    // The server has read what makes it stop reading.
    await waitFor(async () => expect(await rabbit.server.evaluate('[rabbit_reader:info(P, [state]) || P <- rabbit_networking:local_connections()]')).toContain('blocked'));
    await Promise.race([chain.messages.close(), delay(8_000).then(() => { throw new Error('it does not close'); })]);
    await chain.links.close();
    expect(await answer).toMatchObject({ kind: 'failed' });
    await rabbit.server.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.4)');
    await waitFor(async () => expect(await rabbit.server.ready(queue)).toBe(1));
  });
});

describe('a message that is made to do harm', () => {
  it('by headers that are nested deeply is refused, and the next one is leased', async () => {
    const queue = await aQueue();
    let nested: unknown = {};
    for (let level = 0; level < 2_500; level++) nested = { nested };
    const { host: hostname, port, user: username, password } = rabbit.server;
    const client = new Connection({ hostname, port, username, password, frameMax: 131_072 });
    await publish(client, queue, [{ body: Buffer.from('{}'), envelope: { messageId: 'deep', headers: { nested } } }]);
    await client.close();
    const [next] = await send(queue, 1);
    const { watched } = await leasing(queue, 2);
    expect(watched.ids).toEqual(['deep', next]);
    expect(watched.at(0).problem).toContain('nested deeper');
  });
});

describe('depth', () => {
  it('counts what waits, no further than it is asked to, and not what is in hand', async () => {
    const queue = await aQueue();
    await send(queue, 5);
    const { chain } = await leasing(queue, 2);
    expect(await ask(chain, queue)).toEqual({ kind: 'known', ready: 3, nextReadyAt: undefined });
    expect(await ask(chain, queue, 2)).toEqual({ kind: 'known', ready: 2, nextReadyAt: undefined });
    const answers = await Promise.all([ask(chain, queue), ask(chain, 'nobody made this'), ask(chain, queue)]);
    expect(answers).toMatchObject([{ ready: 3 }, { kind: 'unknown', reason: 'QueueNotFound' }, { ready: 3 }]);
  });

  it('is unknown where the server is silent, and when the question is withdrawn', async () => {
    await using proxy = await startProxy(rabbit.server.port);
    const queue = await aQueue();
    const chain = chainOf({ port: String(proxy.port), heartbeat: '60' });
    expect(await ask(chain, queue)).toMatchObject({ kind: 'known' });
    proxy.freeze();
    const withdrawal = new AbortController();
    const [silent, withdrawn] = [ask(chain, queue), chain.depth.depth({ source: amqpSource(queue), upTo: 1 }, withdrawal.signal)];
    withdrawal.abort();
    expect(await withdrawn).toMatchObject({ kind: 'unknown', message: 'the question was withdrawn' });
    expect(await silent).toMatchObject({ kind: 'unknown', reason: 'QueueUnreachable' });
    proxy.thaw();
  });
});
