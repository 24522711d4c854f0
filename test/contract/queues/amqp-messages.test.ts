import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { amqpChain, amqpFiles, amqpSource, makeQueue, peek, publish, queueName, useRabbitMq, type AmqpChain, type QueueType } from '../../support/rabbitmq.ts';
import type { SyncMessage } from 'rabbitmq-client';
import type { Capabilities, FoundDead, MessageSourceUnderTest, Outgoing, SubjectOptions } from './message-source-subject.ts';
import { messageSourceContract } from './message-source.contract.ts';

const rabbit = useRabbitMq();

for (const type of ['classic', 'quorum'] as const) messageSourceContract(`a ${type} queue of RabbitMQ`, (options) => subject(type, options));

function capabilities(type: QueueType): Capabilities {
  return {
    settlesByReceipt: false,
    adopts: 'nothing',
    countsDeliveries: type === 'quorum',
    releaseCounts: true,
    afterFail: 'goesToOwnDeadLetters',
    deadLettersOnce: false,
    headers: true,
    bodies: { binary: true, empty: true, largest: 16 * 1024 * 1024 },
    tellsEnqueued: true,
    renews: false,
  };
}

/** A queue with an exchange for what it rejects, and a place for dead letters. */
async function subject(type: QueueType, options: SubjectOptions = {}): Promise<MessageSourceUnderTest> {
  const client = rabbit.client();
  const queue = queueName();
  const [dead, own] = [`${queue}-dead`, `${queue}-own`];
  const chains: AmqpChain[] = [];
  const create = (): Promise<void> => makeQueue(client, queue, type, { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': own });
  for (const name of [dead, own]) await makeQueue(client, name, 'classic');
  if (options.missing !== true) await create();
  return {
    queue: amqpSource(queue),
    can: capabilities(type),
    deadLetter: { queue: dead },
    noDeadLetter: { queue: `${queue}-nowhere` },
    process: () => {
      const chain = amqpChain(amqpFiles(rabbit.server));
      chains.push(chain);
      return chain.messages;
    },
    now: () => Date.now(),
    pass: () => delay(5),
    send: async (messages) => {
      const ids = messages.map(() => randomUUID());
      await publish(client, queue, messages.map((message, index) => outgoing(message, ids[index] ?? '')));
      return ids;
    },
    waiting: () => rabbit.server.ready(queue),
    dead: async () => (await peek(client, dead)).map(found),
    ownDead: async () => (await peek(client, own)).map(({ messageId }) => messageId ?? ''),
    endLeases: () => rabbit.server.closeConnections('an administrator wants it'),
    create,
    outage: async () => {
      await rabbit.server.suspend();
      return () => rabbit.server.resume();
    },
    [Symbol.asyncDispose]: async () => {
      for (const chain of chains) await chain[Symbol.asyncDispose]();
      for (const name of [queue, dead, own]) await client.queueDelete(name);
    },
  };
}

function outgoing({ body, headers }: Outgoing, messageId: string): Parameters<typeof publish>[2][number] {
  return { body: Buffer.from(body), envelope: { messageId, contentType: 'application/json', ...(headers && { headers: { ...headers } }) } };
}

function found({ messageId, body, headers = {} }: SyncMessage): FoundDead {
  // The test's client reads JSON, as most do.
  const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  const job: unknown = headers['x-job-chief-job'];
  return {
    messageId: messageId ?? '',
    body: bytes,
    headers,
    reason: String(headers['x-job-chief-reason']),
    message: String(headers['x-job-chief-message']),
    job: typeof job === 'string' ? job : undefined,
    attempt: Number(headers['x-job-chief-attempt']),
  };
}
