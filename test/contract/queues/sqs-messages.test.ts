import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { inspect, expireAll, outliveFlight, send, sqsProcess, sqsSource, startSqs, visible, type SqsForTests, type SqsProcess } from '../../support/sqs.ts';
import type { Capabilities, FoundDead, MessageSourceUnderTest, Outgoing, SubjectOptions } from './message-source-subject.ts';
import { messageSourceContract } from './message-source.contract.ts';

const can: Capabilities = {
  settlesByReceipt: true,
  adopts: 'lease',
  countsDeliveries: true,
  releaseCounts: true,
  afterFail: 'comesAgain',
  deadLettersOnce: false,
  headers: true,
  bodies: { binary: false, empty: false, largest: 1024 * 1024 },
  tellsEnqueued: true,
  renews: true,
};

let sqs: SqsForTests;
let count = 0;
beforeAll(async () => {
  sqs = await startSqs();
});
afterAll(async () => {
  await sqs[Symbol.asyncDispose]();
});

messageSourceContract('SQS', (options) => subject('standard', options));
messageSourceContract('SQS, first in, first out', (options) => subject('fifo', options));

function subject(kind: 'standard' | 'fifo', { missing }: SubjectOptions = {}): Promise<MessageSourceUnderTest> {
  count += 1;
  const { server } = sqs;
  const ending = kind === 'fifo' ? '.fifo' : '';
  const [queue, dead] = [`work-${count}${ending}`, `dead-${count}${ending}`];
  const make = (name: string): void => void server.createQueue(name, { attributes: { VisibilityTimeout: '2', ...(kind === 'fifo' && { FifoQueue: 'true' }) } });
  if (!missing) make(queue);
  make(dead);
  const processes: SqsProcess[] = [];
  let sent = 0;
  const publish = ({ body, headers = {} }: Outgoing): string => {
    sent += 1;
    return send(server, queue, typeof body === 'string' ? body : Buffer.from(body).toString(), {
      messageAttributes: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { DataType: 'String', StringValue: value }])),
      ...(kind === 'fifo' && { messageGroupId: `group-${sent}`, messageDeduplicationId: `sent-${sent}` }),
    });
  };
  return Promise.resolve({
    queue: sqsSource(queue),
    can: { ...can, deadLettersOnce: kind === 'fifo' },
    deadLetter: { queue: dead },
    noDeadLetter: { queue: `nowhere-${count}${ending}` },
    process: () => {
      const process = sqsProcess(sqs.endpoint);
      processes.push(process);
      return process.messages;
    },
    now: () => Date.now(),
    pass: () => delay(5),
    send: (messages) => Promise.resolve(messages.map(publish)),
    waiting: () => Promise.resolve(visible(server, queue)),
    dead: () => Promise.resolve(inspect(server, dead).ready.map(found)),
    endLeases: () => expireAll(server, queue),
    outliveLease: () => outliveFlight(server, queue),
    create: async () => {
      make(queue);
      return Promise.resolve();
    },
    outage: async () => {
      await sqs.shut();
      return () => sqs.reopen();
    },
    [Symbol.asyncDispose]: async () => {
      for (const process of processes) await process[Symbol.asyncDispose]();
      server.deleteQueue(queue);
      server.deleteQueue(dead);
    },
  });
}

function found({ body, messageAttributes: attributes }: { body: string; messageAttributes: Record<string, { StringValue?: string }> }): FoundDead {
  const text = (name: string): string => attributes[`x-job-chief-${name}`]?.StringValue ?? '';
  return {
    messageId: text('id'),
    body: new TextEncoder().encode(body),
    headers: Object.fromEntries(Object.entries(attributes).map(([name, { StringValue: value }]) => [name, value ?? null])),
    reason: text('reason'),
    message: text('message'),
    job: text('job'),
    attempt: Number(text('attempt')),
  };
}
