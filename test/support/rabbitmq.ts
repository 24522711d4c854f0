/** A real RabbitMQ for a test file: started before its tests, gone after them; each test takes queues of its own. */
import { randomBytes } from 'node:crypto';
import { Connection, type Envelope, type SyncMessage } from 'rabbitmq-client';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { startRabbitMq, type RabbitMq, type RabbitMqOptions } from '../../hack/dev/rabbitmq.ts';
import { AmqpDepth } from '../../src/adapters/queues/amqp/depth.ts';
import { AmqpLinks } from '../../src/adapters/queues/amqp/links.ts';
import { AmqpMessages } from '../../src/adapters/queues/amqp/messages.ts';
import { Connections } from '../../src/adapters/queues/connections.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { AmqpSource } from '../../src/spec/queue-source.ts';
import { aDefinition, collectingLog } from './depth.ts';
import { connectionFolder } from './postgres.ts';

export interface RabbitMqForTests {
  readonly server: RabbitMq;
  /** Lines that the server logged so far. */
  readonly log: string[];
  /** Somebody who publishes, takes and declares, with all rights; not job-chief. */
  client(vhost?: string): Connection;
}

export function useRabbitMq(options: RabbitMqOptions = {}): RabbitMqForTests {
  let server: RabbitMq | undefined;
  const clients = new Map<string, Connection>();
  const log: string[] = [];
  beforeAll(async () => {
    server = await startRabbitMq({ ...options, onLog: (line) => log.push(line) });
  });
  afterAll(async () => {
    try {
      for (const client of clients.values()) client.unsafeDestroy();
      // Where pods can reach it, they come and go as they like.
      if (server?.pid !== undefined && options.listenAll !== true) await noConnectionsOf(server);
    } finally {
      await server?.[Symbol.asyncDispose]();
    }
  });
  const running = (): RabbitMq => {
    if (!server) throw new Error('RabbitMQ runs only inside tests');
    return server;
  };
  return {
    log,
    get server() {
      return running();
    },
    client: (vhost = '/') => {
      const known = clients.get(vhost);
      if (known) return known;
      const { host, port, user, password } = running();
      const client = new Connection({ hostname: host, port, username: user, password, vhost, retryLow: 100, retryHigh: 500, noDelay: true });
      client.on('error', () => undefined);
      clients.set(vhost, client);
      return client;
    },
  };
}

/** A connection that a test leaves behind is a leak of ours. The server notices the end of a client a little later. */
async function noConnectionsOf(server: RabbitMq): Promise<void> {
  await vi.waitFor(async () => expect(await server.evaluate('length(rabbit_networking:connections())')).toBe('0'), 10_000);
}

/** The files of a connection to the server. */
export function amqpFiles(server: RabbitMq, files: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { host: server.host, port: String(server.port), user: server.user, password: server.password, heartbeat: '5', ...files };
}

export function amqpSource(queue: string, changes: Partial<AmqpSource> = {}): AmqpSource {
  return { type: 'amqp', connection: 'main', queue, vhost: undefined, declare: undefined, messageId: undefined, ...changes };
}

export interface AmqpChain {
  readonly connections: Connections;
  readonly links: AmqpLinks;
  readonly messages: AmqpMessages;
  readonly depth: AmqpDepth;
  /** Everything that was logged, as JSON lines. */
  readonly lines: string[];
  write(files: Readonly<Record<string, string>>): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The whole chain from the folder of the connection `main` to messages and depths, as main builds it. */
export function amqpChain(files: Readonly<Record<string, string>>): AmqpChain {
  const folder = connectionFolder(files);
  const lines: string[] = [];
  const log = collectingLog(lines);
  const clock = systemClock;
  const connections = new Connections({ definitions: new Map([['main', aDefinition(folder.folder, { type: 'amqp' })]]), clock, log });
  const links = new AmqpLinks({ connections, clock, log });
  const messages = new AmqpMessages({ links, clock, log });
  return {
    connections,
    links,
    messages,
    depth: new AmqpDepth({ links, clock, log }),
    lines,
    write: (changed) => { folder.write(changed); },
    [Symbol.asyncDispose]: async () => {
      await messages.close();
      await links.close();
      folder[Symbol.dispose]();
    },
  };
}

let queues = 0;

/** A name that no other test has. */
export function queueName(): string {
  return `work-${(queues += 1)}-${randomBytes(3).toString('hex')}`;
}

export type QueueType = 'classic' | 'quorum';

/** Declares a durable queue, empty. */
export async function makeQueue(client: Connection, queue: string, type: QueueType, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await client.queueDeclare({ queue, durable: true, arguments: { 'x-queue-type': type, ...more } });
}

/** Publishes to a queue, confirmed, one after the other. */
export async function publish(client: Connection, queue: string, messages: readonly { body: Buffer; envelope?: Envelope }[]): Promise<void> {
  const channel = await client.acquire();
  try {
    await channel.confirmSelect();
    await Promise.all(messages.map(({ body, envelope }) => channel.basicPublish({ routingKey: queue, durable: true, ...envelope }, body)));
  } finally {
    await channel.close();
  }
}

/** What waits in a queue; all of it goes back. */
export async function peek(client: Connection, queue: string): Promise<readonly SyncMessage[]> {
  const channel = await client.acquire();
  const found: SyncMessage[] = [];
  try {
    for (let message = await channel.basicGet(queue); message; message = await channel.basicGet(queue)) found.push(message);
    return found;
  } finally {
    await channel.close();
  }
}
