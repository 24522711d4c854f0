/** SQS on bad days: what the contract of message sources does not ask, because only SQS has it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Failure, Lease, Verdict } from '../../../src/plan/messages/message.ts';
import type { Subscription, SubscriptionEvents } from '../../../src/reconcile/message-ports.ts';
import type { SourceState } from '../../../src/plan/messages/message.ts';
import { expireAll, inspect, outliveFlight, send, sqsProcess, sqsSource, startSqs, testSecret, visible, type GateAnswer, type SqsForTests, type SqsProcess } from '../../support/sqs.ts';

const complete: Verdict = { kind: 'complete' };
const failure: Failure = { reason: 'Failed', message: 'exit code 3', job: 'work-abc', attempt: 1, exitCode: 3 };
const fail = (delay = 0): Verdict => ({ kind: 'fail', failure, delay });

let sqs: SqsForTests;
let one: SqsProcess;
let two: SqsProcess;
let count = 0;
let queue: string;
beforeAll(async () => {
  sqs = await startSqs();
});
afterAll(async () => {
  await sqs[Symbol.asyncDispose]();
});
beforeEach(() => {
  count += 1;
  queue = `queue-${count}`;
  sqs.server.createQueue(queue, { attributes: { VisibilityTimeout: '2' } });
  sqs.asked.length = 0;
  sqs.answer = () => undefined;
  one = sqsProcess(sqs.endpoint);
  two = sqsProcess(sqs.endpoint);
});
afterEach(async () => {
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
});

class Heard implements SubscriptionEvents {
  readonly leases: Lease[] = [];
  readonly losses: string[] = [];
  readonly states: SourceState[] = [];
  leased(lease: Lease): void {
    this.leases.push(lease);
  }
  lost(token: string): void {
    this.losses.push(token);
  }
  state(state: SourceState): void {
    this.states.push(state);
  }
}
const open = (process: SqsProcess, credit: number, of = queue): [Heard, Subscription] => {
  const heard = new Heard();
  const subscription = process.messages.subscribe(sqsSource(of), heard);
  subscription.credit(credit);
  return [heard, subscription];
};
const until = (claim: () => unknown): Promise<unknown> => vi.waitFor(claim, { timeout: 20_000, interval: 10 });
const leased = async (heard: Heard, number = 1): Promise<Lease> => {
  await until(() => expect(heard.leases).toHaveLength(number));
  const lease = heard.leases.at(-1);
  if (!lease) throw new Error('no lease');
  return lease;
};
const refusing = (actions: readonly string[], code: string, status = 400, unless: () => boolean = () => false) => ({ action }: { action: string }): GateAnswer => (actions.includes(action) && !unless() ? { status, code, message: `no ${action}` } : undefined);
const actions = (action: string): number => sqs.asked.filter((asked) => asked.action === action).length;
const settle = (process: SqsProcess, { id, token, receipt }: Lease, verdict: Verdict) => process.messages.settle(sqsSource(queue), { id, token, receipt }, verdict);
const byReceipt = (process: SqsProcess, { id, receipt }: Lease, verdict: Verdict) => process.messages.settle(sqsSource(queue), { id, token: undefined, receipt }, verdict);

describe('leases', () => {
  it('that could not be renewed in time are lost, and another process gets the message', async () => {
    send(sqs.server, queue, 'a');
    const [heard] = open(one, 1);
    const lease = await leased(heard);
    sqs.answer = refusing(['ChangeMessageVisibilityBatch'], 'InternalFailure', 500);
    await until(() => expect(heard.losses).toEqual([lease.token]));
    const [other] = open(two, 1);
    const again = await leased(other);
    expect([again.id, again.delivery]).toEqual([lease.id, 2]);
    expect(await settle(one, lease, complete)).toMatchObject({ kind: 'lost' });
    sqs.answer = () => undefined;
    expect(await settle(two, again, complete)).toEqual({ kind: 'done' });
  });

  it('whose handle was superseded settle nothing, in this process or another', async () => {
    send(sqs.server, queue, 'a');
    const [heard] = open(one, 1);
    const lease = await leased(heard);
    await expireAll(sqs.server, queue);
    const [other] = open(two, 1);
    await leased(other);
    await until(() => expect(heard.losses).toEqual([lease.token]));
    for (const verdict of [complete, fail()]) {
      expect(await settle(one, lease, verdict)).toMatchObject({ kind: 'lost' });
      expect(await byReceipt(two, lease, verdict)).toMatchObject({ kind: 'lost' });
    }
    expect(inspect(sqs.server, queue).inflight).toHaveLength(1);
  });

  it('are kept for as long as they are in hand', async () => {
    send(sqs.server, queue, 'a');
    const [heard] = open(one, 1);
    const lease = await leased(heard);
    await outliveFlight(sqs.server, queue);
    await outliveFlight(sqs.server, queue);
    expect(heard.losses).toEqual([]);
    expect(await settle(one, lease, complete)).toEqual({ kind: 'done' });
    expect(visible(sqs.server, queue)).toBe(0);
  });

  it('of a process that ends are taken over by receipt, and are not delivered once more', async () => {
    send(sqs.server, queue, 'a');
    const [heard, subscription] = open(one, 1);
    const lease = await leased(heard);
    subscription.abandon(lease.token);
    await subscription.close();
    const [other, next] = open(two, 0);
    await until(() => expect(other.states).toHaveLength(1));
    next.adopt(lease.id, lease.receipt);
    const taken = await leased(other);
    expect(taken).toMatchObject({ id: lease.id, message: undefined, receipt: lease.receipt });
    await outliveFlight(sqs.server, queue);
    expect(inspect(sqs.server, queue).inflight[0]?.message.approximateReceiveCount).toBe(1);
    expect(await settle(two, taken, complete)).toEqual({ kind: 'done' });
    expect(inspect(sqs.server, queue)).toMatchObject({ ready: [], inflight: [] });
  });

  it('that nobody has a Job for go back at once when a process ends', async () => {
    send(sqs.server, queue, 'a');
    const [heard, subscription] = open(one, 1);
    const lease = await leased(heard);
    await subscription.close();
    expect(inspect(sqs.server, queue)).toMatchObject({ inflight: [], ready: [{ messageId: lease.id }] });
    expect(heard.losses).toEqual([]);
  });

  it('are taken over once, however often it is asked', async () => {
    send(sqs.server, queue, 'a');
    const [heard, subscription] = open(one, 1);
    const lease = await leased(heard);
    subscription.abandon(lease.token);
    await subscription.close();
    const [other, next] = open(two, 1);
    next.adopt(lease.id, lease.receipt);
    next.adopt(lease.id, lease.receipt);
    send(sqs.server, queue, 'b');
    await until(() => expect(other.leases).toHaveLength(2));
    expect(new Set(other.leases.map(({ id }) => id)).size).toBe(2);
  });
});

describe('settling', () => {
  it('that fails goes by the redrive policy of the queue', async () => {
    const dead = sqs.server.createQueue(`${queue}-dead`);
    const driven = `${queue}-driven`;
    sqs.server.createQueue(driven, { attributes: { VisibilityTimeout: '2', RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: 2 }) } });
    const id = send(sqs.server, driven, 'a');
    const [heard] = open(one, 5, driven);
    for (const delivery of [1, 2]) {
      const lease = await leased(heard, delivery);
      expect(lease.delivery).toBe(delivery);
      expect(await one.messages.settle(sqsSource(driven), lease, fail())).toEqual({ kind: 'done' });
    }
    await until(() => expect(inspect(sqs.server, dead.queueName).ready.map(({ messageId }) => messageId)).toEqual([id]));
    expect(heard.leases).toHaveLength(2);
  });

  it('that fails with a delay hides the message for so long', async () => {
    send(sqs.server, queue, 'a');
    const [heard, subscription] = open(one, 1);
    const lease = await leased(heard);
    const before = Date.now();
    expect(await settle(one, lease, fail(120_500))).toEqual({ kind: 'done' });
    const visibilityDeadline = inspect(sqs.server, queue).inflight[0]?.visibilityDeadline ?? 0;
    expect(visibilityDeadline - before).toBeGreaterThanOrEqual(121_000);
    expect(visibilityDeadline - before).toBeLessThan(125_000);
    await subscription.close();
  });

  it('that got no answer is done when it is asked again', async () => {
    send(sqs.server, queue, 'a');
    const [heard] = open(one, 1);
    const lease = await leased(heard);
    sqs.answer = ({ action }) => (action === 'DeleteMessage' ? 'hang up' : undefined);
    expect(await settle(one, lease, complete)).toMatchObject({ kind: 'failed' });
    const before = actions('ChangeMessageVisibilityBatch');
    await until(() => expect(actions('ChangeMessageVisibilityBatch')).toBeGreaterThan(before));
    sqs.answer = () => undefined;
    await until(async () => expect(await settle(one, lease, complete)).toEqual({ kind: 'already' }));
    expect(heard.losses).toEqual([]);
  });

  it('by a receipt deletes nothing that may be delivered again', async () => {
    send(sqs.server, queue, 'a');
    const [heard, subscription] = open(one, 1);
    const lease = await leased(heard);
    subscription.abandon(lease.token);
    await subscription.close();
    await expireAll(sqs.server, queue);
    expect(await byReceipt(two, lease, complete)).toMatchObject({ kind: 'lost' });
    expect(actions('DeleteMessage')).toBe(0);
    expect(visible(sqs.server, queue)).toBe(1);
  });

  it('by a receipt gives back at once what had failed', async () => {
    send(sqs.server, queue, 'a');
    const [heard, subscription] = open(one, 1);
    const lease = await leased(heard);
    subscription.abandon(lease.token);
    await subscription.close();
    expect(await byReceipt(two, lease, fail())).toEqual({ kind: 'done' });
    expect(inspect(sqs.server, queue)).toMatchObject({ inflight: [], ready: [{ messageId: lease.id }] });
  });

  it('is failed, not lost, while the right to delete is missing', async () => {
    send(sqs.server, queue, 'a');
    const [heard] = open(one, 1);
    const lease = await leased(heard);
    sqs.answer = refusing(['DeleteMessage'], 'AccessDenied', 403);
    expect(await settle(one, lease, complete)).toEqual({ kind: 'failed', message: 'SQS refuses: no DeleteMessage' });
    sqs.answer = () => undefined;
    expect(await settle(one, lease, complete)).toEqual({ kind: 'done' });
  });
});

describe('FIFO queues', () => {
  const fifo = (name: string): string => {
    sqs.server.createQueue(name, { attributes: { VisibilityTimeout: '2', FifoQueue: 'true' } });
    return name;
  };
  const put = (name: string, body: string, group: string): string => send(sqs.server, name, body, { messageGroupId: group, messageDeduplicationId: body });

  it('give one message of each group at a time, in order', async () => {
    const name = fifo(`${queue}.fifo`);
    const [a1, , b1] = [put(name, 'a1', 'a'), put(name, 'a2', 'a'), put(name, 'b1', 'b')];
    const [heard] = open(one, 10, name);
    await until(() => expect(heard.leases.map(({ id }) => id)).toEqual([a1, b1]));
    const [first] = heard.leases;
    expect(await one.messages.settle(sqsSource(name), first ?? { id: '', token: undefined, receipt: {} }, complete)).toEqual({ kind: 'done' });
    await until(() => expect(heard.leases.map(({ message }) => new TextDecoder().decode(message?.body))).toEqual(['a1', 'b1', 'a2']));
    // SQS may give several of one group in one answer.
    expect(sqs.asked.filter(({ action }) => action === 'ReceiveMessage').every(({ body }) => body.includes('"MaxNumberOfMessages":1,'))).toBe(true);
  });

  it('get dead letters in the group that they had, once', async () => {
    const [name, dead] = [fifo(`${queue}.fifo`), fifo(`${queue}-dead.fifo`)];
    const id = put(name, 'a1', 'customer-7');
    const [heard] = open(one, 1, name);
    const { message } = await leased(heard);
    if (!message) throw new Error('no message');
    for (let times = 0; times < 2; times++) expect(await one.messages.deadLetter(sqsSource(name), { queue: dead }, { message, failure })).toEqual({ kind: 'done' });
    expect(inspect(sqs.server, dead).ready).toMatchObject([{ body: 'a1', messageGroupId: 'customer-7', messageDeduplicationId: id }]);
  });

  it('take dead letters of queues without groups', async () => {
    const dead = fifo(`${queue}-dead.fifo`);
    const id = send(sqs.server, queue, 'a');
    const [heard] = open(one, 1);
    const { message } = await leased(heard);
    if (!message) throw new Error('no message');
    expect(await one.messages.deadLetter(sqsSource(queue), { queue: dead }, { message, failure })).toEqual({ kind: 'done' });
    expect(inspect(sqs.server, dead).ready).toMatchObject([{ messageGroupId: id }]);
  });
});

describe('dead letters', () => {
  it('keep attributes of every type', async () => {
    const dead = sqs.server.createQueue(`${queue}-dead`);
    send(sqs.server, queue, 'a', { messageAttributes: { blob: { DataType: 'Binary', BinaryValue: 'AQID' }, price: { DataType: 'Number.eur', StringValue: '0.10' } } });
    const [heard] = open(one, 1);
    const { message } = await leased(heard);
    if (!message) throw new Error('no message');
    expect(message.headers).toEqual({ blob: 'AQID', price: '0.10' });
    expect(await one.messages.deadLetter(sqsSource(queue), { queue: dead.queueName }, { message, failure })).toEqual({ kind: 'done' });
    expect(inspect(sqs.server, dead.queueName).ready[0]?.messageAttributes).toMatchObject({ blob: { DataType: 'Binary', BinaryValue: 'AQID' }, price: { DataType: 'Number.eur', StringValue: '0.10' }, 'x-job-chief-reason': { StringValue: 'Failed' } });
  });

  it('keep a byte-order mark', async () => {
    sqs.server.createQueue('dead-mark');
    send(sqs.server, queue, '\uFEFF{"n":1}');
    const [heard] = open(one, 1);
    const { message } = await leased(heard);
    if (!message) throw new Error('no message');
    expect(await one.messages.deadLetter(sqsSource(queue), { queue: 'dead-mark' }, { message, failure })).toEqual({ kind: 'done' });
    expect(inspect(sqs.server, 'dead-mark').ready.map(({ body }) => body)).toEqual(['\uFEFF{"n":1}']);
  });

  it('that fill their queue to the last byte arrive without a reason', async () => {
    sqs.server.createQueue(`${queue}-dead`, { attributes: { MaximumMessageSize: '1024' } });
    send(sqs.server, queue, 'x'.repeat(1_020));
    const [heard] = open(one, 1);
    const { message } = await leased(heard);
    if (!message) throw new Error('no message');
    expect(await one.messages.deadLetter(sqsSource(queue), { queue: `${queue}-dead` }, { message, failure })).toEqual({ kind: 'done' });
    expect(inspect(sqs.server, `${queue}-dead`).ready).toMatchObject([{ messageAttributes: {} }]);
  });

  it('are not for exchanges', async () => {
    const message = { id: 'a', body: new Uint8Array(), headers: {}, contentType: undefined, enqueuedAt: undefined };
    expect(await one.messages.deadLetter(sqsSource(queue), { exchange: 'dead', routingKey: 'x' }, { message, failure })).toMatchObject({ kind: 'failed' });
  });
});

describe('connections', () => {
  it('with wrong credentials are a closed state, and open when the Secret is right', async () => {
    sqs.answer = ({ authorization }) => (authorization.includes('AKIDTWO') ? undefined : { status: 403, code: 'InvalidClientTokenId', message: `The key of ${testSecret} is invalid` });
    send(sqs.server, queue, 'a');
    const [heard] = open(one, 1);
    await until(() => expect(heard.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueForbidden' }));
    one.write({ 'access-key-id': 'AKIDTWO', 'secret-access-key': 'another-secret' });
    await leased(heard);
    expect(heard.states.at(-1)).toMatchObject({ kind: 'open' });
    expect(JSON.stringify(heard.states) + one.lines.join('\n')).not.toContain(testSecret);
  });

  it('that are rotated go on with the new credentials, and settle what the old ones leased', async () => {
    send(sqs.server, queue, 'a');
    const [heard] = open(one, 1);
    const lease = await leased(heard);
    one.write({ 'access-key-id': 'AKIDTWO', 'secret-access-key': 'another-secret' });
    sqs.answer = ({ authorization }) => (authorization.includes('AKIDTWO') ? undefined : { status: 403, code: 'InvalidClientTokenId', message: 'The key is invalid' });
    expect(await settle(one, lease, complete)).toEqual({ kind: 'done' });
    expect(heard.losses).toEqual([]);
  });

  it('without the right to receive are a closed state', async () => {
    sqs.answer = refusing(['ReceiveMessage'], 'AccessDenied', 403);
    send(sqs.server, queue, 'a');
    const [heard] = open(one, 1);
    await until(() => expect(heard.states.at(-1)).toEqual({ kind: 'closed', reason: 'QueueForbidden', message: 'SQS refuses: no ReceiveMessage' }));
    sqs.answer = () => undefined;
    await leased(heard);
    expect(heard.states.at(-1)).toMatchObject({ kind: 'open' });
  });

  it('that are asked too often stay open, and ask less often', async () => {
    const [heard, subscription] = open(one, 0);
    await until(() => expect(heard.states.at(-1)).toMatchObject({ kind: 'open' }));
    sqs.answer = refusing(['ReceiveMessage'], 'RequestThrottled', 400, () => actions('ReceiveMessage') > 4);
    send(sqs.server, queue, 'a');
    subscription.credit(1);
    await leased(heard);
    expect(heard.states.every(({ kind }) => kind === 'open')).toBe(true);
  });

  it('keep the poll that waits while a place or two come and go', async () => {
    const [heard, subscription] = open(one, 10);
    await until(() => expect(actions('ReceiveMessage')).toBe(1));
    for (const places of [8, 10, 9]) {
      subscription.pause();
      subscription.credit(places);
    }
    // A poll that is broken off would still take the next message, and nobody would get it before it is visible again.
    send(sqs.server, queue, 'a');
    const sentAt = performance.now();
    await leased(heard);
    expect(performance.now() - sentAt).toBeLessThan(1_500);
    const polls = sqs.asked.filter(({ action }) => action === 'ReceiveMessage').map(({ body }) => (JSON.parse(body) as { MaxNumberOfMessages: number }).MaxNumberOfMessages);
    expect(polls.slice(0, 2)).toEqual([8, 6]);
  });

  it('break a poll off that could bring more than there is room for', async () => {
    const [, subscription] = open(one, 10);
    await until(() => expect(actions('ReceiveMessage')).toBe(1));
    subscription.pause();
    subscription.credit(3);
    await until(() => expect(actions('ReceiveMessage')).toBe(2));
    expect(JSON.parse(sqs.asked.at(-1)?.body ?? '{}')).toMatchObject({ MaxNumberOfMessages: 1 });
  });

  it('ask nothing while there is no credit', async () => {
    const [heard] = open(one, 0);
    await until(() => expect(heard.states).toHaveLength(1));
    const before = sqs.asked.length;
    const [busy] = open(two, 1);
    send(sqs.server, queue, 'a');
    await leased(busy);
    expect(sqs.asked.slice(0, before).some(({ action }) => action === 'ReceiveMessage')).toBe(false);
    expect(heard.leases).toEqual([]);
  });
});

describe('depth', () => {
  const never = new AbortController().signal;
  const depth = (of = queue, upTo = 100) => one.depth.depth({ source: sqsSource(of), upTo }, never);

  it('counts what is visible, and no further than it is asked to', async () => {
    expect(await depth()).toEqual({ kind: 'known', ready: 0, nextReadyAt: undefined });
    for (let index = 0; index < 5; index++) send(sqs.server, queue, `${index}`);
    expect(await depth()).toMatchObject({ ready: 5 });
    expect(await depth(queue, 3)).toMatchObject({ ready: 3 });
    const [heard] = open(two, 2);
    await leased(heard, 2);
    expect(await depth()).toMatchObject({ ready: 3 });
  });

  it('finds a queue by its URL', async () => {
    send(sqs.server, queue, 'a');
    const source = sqsSource(queue, { url: `http://sqs.us-east-1.localhost/000000000000/${queue}` });
    expect(await one.depth.depth({ source, upTo: 10 }, never)).toMatchObject({ ready: 1 });
    expect(actions('GetQueueUrl')).toBe(0);
  });

  it.each<[string, () => void | Promise<void>, string, object]>([
    ['no such queue', () => undefined, 'nowhere', { reason: 'QueueNotFound', message: 'there is no such queue: The specified queue does not exist.' }],
    ['no right', () => void (sqs.answer = refusing(['GetQueueAttributes'], 'AccessDenied', 403)), '', { reason: 'QueueForbidden', message: 'SQS refuses: no GetQueueAttributes' }],
    ['an answer that tells nothing', () => void (sqs.answer = ({ action }) => (action === 'GetQueueAttributes' ? { status: 200, code: 'none', message: '' } : undefined)), '', { reason: 'QueueUnsupported' }],
  ])('is unknown with %s', async (_, happens, of, expected) => {
    await happens();
    expect(await depth(of === '' ? queue : of)).toMatchObject({ kind: 'unknown', ...expected });
  });

  it('is unknown while the server is away, and known when it is back', async () => {
    await depth();
    await sqs.shut();
    expect(await depth()).toMatchObject({ kind: 'unknown', reason: 'QueueUnreachable', message: `${sqs.endpoint} refuses connections` });
    await sqs.reopen();
    expect(await depth()).toMatchObject({ kind: 'known' });
  });

  it('is unknown for another connection, another kind of queue, and a question withdrawn', async () => {
    expect(await one.depth.depth({ source: sqsSource(queue, { connection: 'nowhere' }), upTo: 1 }, never)).toMatchObject({ kind: 'unknown', reason: 'ConnectionUnknown' });
    expect(await one.depth.depth({ source: { type: 'pgBoss', connection: 'main', queue, schema: undefined }, upTo: 1 }, never)).toMatchObject({ kind: 'unknown', reason: 'QueueUnsupported' });
    expect(await one.depth.depth({ source: sqsSource(queue), upTo: 1 }, AbortSignal.abort())).toMatchObject({ kind: 'unknown' });
  });
});
