/** The side of a real RabbitMQ: quorum queues, and messages that it has confirmed. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Connection } from 'rabbitmq-client';
import { inParallel } from './requests.ts';
import { writeConnection } from './connection-folder.ts';
import type { MessageQueues } from './message-queues.ts';
import type { World } from './world.ts';

/** Publishes that wait for their confirmation at once. */
const width = 500;

export async function openRabbitQueues({ rabbitMq: start, folder }: Pick<World, 'rabbitMq' | 'folder'>, scope: string): Promise<MessageQueues> {
  const { host, port, user, password } = await start();
  const client = new Connection({ hostname: host, port, username: user, password, noDelay: true });
  client.on('error', () => undefined);
  const publisher = client.createPublisher({ confirm: true });
  const made = new Set<string>();
  const publish = (queue: string): Promise<void> => publisher.send({ routingKey: queue, messageId: randomUUID(), durable: true, contentType: 'application/json' }, '{}');
  const declare = async (queue: string): Promise<void> => {
    made.add(queue);
    await client.queueDeclare({ queue, durable: true, arguments: { 'x-queue-type': 'quorum' } });
  };
  return {
    connectionType: 'amqp',
    connectionsFolder: writeConnection(join(folder, `connections-amqp-${scope}`), { host, port: String(port), user, password }),
    create: (names) => inParallel(names, 4, declare),
    send: publish,
    insert: async (queue, count) => {
      const began = Date.now();
      await inParallel(Array.from({ length: count }, () => queue), width, publish);
      return began;
    },
    // A purge leaves what a consumer has in hand, and one that has just ended is one for a moment longer.
    empty: () => inParallel([...made], 4, async (queue) => {
      await client.queueDelete({ queue });
      await declare(queue);
    }),
    [Symbol.asyncDispose]: async () => {
      await inParallel([...made], 4, (queue) => client.queueDelete({ queue }));
      await publisher.close();
      await client.close();
    },
  };
}
