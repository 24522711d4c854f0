/**
 * SQS for tests: fauxqs, a server that keeps its rules, behind a gate of our own that can be shut, can answer in its place,
 * and counts what is asked.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { startFauxqs, type FauxqsServer } from 'fauxqs';
import { vi } from 'vitest';
import { Connections } from '../../src/adapters/queues/connections.ts';
import { SqsDepth } from '../../src/adapters/queues/sqs/sqs-depth.ts';
import { SqsLinks } from '../../src/adapters/queues/sqs/sqs-links.ts';
import { SqsMessages } from '../../src/adapters/queues/sqs/sqs-messages.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { SqsSource } from '../../src/spec/queue-source.ts';
import { collectingLog } from './depth.ts';
import { connectionFolder } from './postgres.ts';

/** What the gate answers in place of the server; `hang up`: nothing, after the server has done what was asked. */
export type GateAnswer = { readonly status: number; readonly code: string; readonly message: string } | 'hang up' | undefined;
export interface Asked {
  /** Such as ReceiveMessage. */
  readonly action: string;
  readonly authorization: string;
  readonly body: string;
}

export interface SqsForTests {
  readonly server: FauxqsServer;
  /** Of the gate. */
  readonly endpoint: string;
  readonly asked: Asked[];
  /** Asked for each request before the server is. */
  answer: (asked: Asked) => GateAnswer;
  /** Nobody listens, and all connections are cut. */
  shut(): Promise<void>;
  reopen(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startSqs(): Promise<SqsForTests> {
  const server = await startFauxqs({ port: 0, logger: false });
  const gate = createServer();
  const asked: Asked[] = [];
  const listen = async (port: number): Promise<void> => {
    gate.listen(port, '127.0.0.1');
    await once(gate, 'listening');
  };
  const shut = async (): Promise<void> => {
    const closed = once(gate, 'close');
    gate.close();
    gate.closeAllConnections();
    await closed;
  };
  await listen(0);
  const port = portOf(gate);
  const sqs: SqsForTests = {
    server,
    endpoint: `http://127.0.0.1:${port}`,
    asked,
    answer: () => undefined,
    shut,
    reopen: () => listen(port),
    [Symbol.asyncDispose]: async () => {
      if (gate.listening) await shut();
      await server.stop();
    },
  };
  gate.on('request', (incoming, outgoing) => void pass(sqs, incoming, outgoing));
  return sqs;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function pass(sqs: SqsForTests, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const asked: Asked = { action: String(incoming.headers['x-amz-target']).replace('AmazonSQS.', ''), authorization: incoming.headers.authorization ?? '', body: Buffer.concat(chunks).toString() };
  sqs.asked.push(asked);
  const own = sqs.answer(asked);
  if (own !== undefined && own !== 'hang up') {
    outgoing.writeHead(own.status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify({ __type: `com.amazonaws.sqs#${own.code}`, message: own.message }));
    return;
  }
  const upstream = request({ host: '127.0.0.1', port: sqs.server.port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (answer) => {
    if (own === 'hang up') {
      answer.resume().on('end', () => incoming.socket.destroy());
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  upstream.end(Buffer.concat(chunks));
}

/** One process: what main builds of connections of SQS. */
export interface SqsProcess {
  readonly messages: SqsMessages;
  readonly depth: SqsDepth;
  /** Everything that was logged, as JSON lines. */
  readonly lines: string[];
  /** Writes files of the connection `main`. */
  write(files: Readonly<Record<string, string>>): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export const testSecret = 'c2VjcmV0LWFjY2Vzcy1rZXk';

export function sqsProcess(endpoint: string): SqsProcess {
  const lines: string[] = [];
  const log = collectingLog(lines);
  const folder = connectionFolder({ region: 'us-east-1', endpoint, 'access-key-id': 'AKIDONE', 'secret-access-key': testSecret });
  const connections = new Connections({ definitions: new Map([['main', { type: 'sqs', folder: folder.folder, secretName: undefined, injectable: false, keys: {} }]]), clock: systemClock, log });
  const links = new SqsLinks({ connections, clock: systemClock, log });
  const messages = new SqsMessages({ links, clock: systemClock, log });
  return {
    messages,
    depth: new SqsDepth({ links, clock: systemClock, log }),
    lines,
    write: (files) => folder.write(files),
    [Symbol.asyncDispose]: async () => {
      await messages.close();
      links.close();
      folder[Symbol.dispose]();
    },
  };
}

export function sqsSource(queue: string, changes: Partial<SqsSource> = {}): SqsSource {
  return { type: 'sqs', connection: 'main', queue, url: undefined, ...changes };
}

type SendOptions = NonNullable<Parameters<FauxqsServer['sendMessage']>[2]>;

/** Publishes, and gives the id. Characters beyond U+FFFF, which SQS takes and fauxqs does not, are put in behind its back. */
export function send(server: FauxqsServer, queue: string, body: string, options: SendOptions = {}): string {
  const { messageId } = server.sendMessage(queue, body.replace(/[\u{10000}-\u{10FFFF}]/gu, '?'), options);
  const stored = inspect(server, queue).ready.find((message) => message.messageId === messageId);
  if (stored && stored.body !== body) Object.assign(stored, { body, md5OfBody: createHash('md5').update(body).digest('hex') });
  return messageId;
}

type Inspected = NonNullable<ReturnType<FauxqsServer['inspectQueue']>>['messages'];

/** What is in a queue, by the server's own account. */
export function inspect(server: FauxqsServer, queue: string): Inspected {
  const found = server.inspectQueue(queue);
  if (!found) throw new Error(`there is no queue ${queue}`);
  return found.messages;
}

/** Messages that a receive would give now: what is hidden no longer counts, though nobody has looked yet. */
export function visible(server: FauxqsServer, queue: string): number {
  const { ready, inflight } = inspect(server, queue);
  return ready.length + inflight.filter(({ visibilityDeadline }) => visibilityDeadline <= Date.now()).length;
}

/** What is in flight becomes visible, as if its time was over: the handles lead to nothing any more. */
export async function expireAll(server: FauxqsServer, queue: string): Promise<void> {
  for (const { receiptHandle } of inspect(server, queue).inflight) await ask(server, 'ChangeMessageVisibility', { QueueUrl: `http://localhost/000000000000/${queue}`, ReceiptHandle: receiptHandle, VisibilityTimeout: 0 });
}

/** Waits until all that is in flight now has been hidden for longer than it was going to be. */
export async function outliveFlight(server: FauxqsServer, queue: string): Promise<void> {
  const end = Math.max(...inspect(server, queue).inflight.map(({ visibilityDeadline }) => visibilityDeadline));
  await vi.waitFor(() => {
    if (Date.now() <= end) throw new Error('its time is not over yet');
  }, { timeout: 70_000, interval: 50 });
}

/** A request of its own, past the gate. */
export async function ask(server: FauxqsServer, action: string, body: object): Promise<unknown> {
  const answer = await fetch(server.address, { method: 'POST', headers: { 'x-amz-target': `AmazonSQS.${action}`, 'content-type': 'application/x-amz-json-1.0' }, body: JSON.stringify(body) });
  const content: unknown = await answer.json();
  if (!answer.ok) throw new Error(`${action}: ${JSON.stringify(content)}`);
  return content;
}
