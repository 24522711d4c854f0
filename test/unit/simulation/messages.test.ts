import { describe, expect, it } from 'vitest';
import type { Failure, Lease, SourceState, Verdict } from '../../../src/plan/messages/message.ts';
import { VirtualClock } from '../../../src/simulation/clock.ts';
import { MessageBroker } from '../../../src/simulation/message-broker.ts';
import { plannedMessageFaults } from '../../../src/simulation/message-faults.ts';
import type { SimulatedMessageQueue } from '../../../src/simulation/message-queue.ts';
import type { MessageQueueKind, MessageQueueOptions } from '../../../src/simulation/message-rules.ts';
import { SimulatedMessages } from '../../../src/simulation/message-source.ts';
import { SimulatedProcess } from '../../../src/simulation/process.ts';
import { Random } from '../../../src/simulation/random.ts';
import type { QueueSource } from '../../../src/spec/queue-source.ts';

const minute = 60_000;
const sources: Readonly<Record<MessageQueueKind, QueueSource>> = {
  pgBoss: { type: 'pgBoss', connection: 'main', queue: 'work', schema: undefined },
  amqp: { type: 'amqp', connection: 'main', queue: 'work', vhost: undefined, declare: undefined, messageId: undefined },
  sqs: { type: 'sqs', connection: 'main', queue: 'work', url: undefined },
};
const failure: Failure = { reason: 'Error', message: 'exit code 1', job: 'work-1', attempt: 1 };

/** A process with a subscription, and what came of it. */
interface Member {
  readonly process: SimulatedProcess;
  readonly messages: SimulatedMessages;
  readonly leases: Lease[];
  readonly lost: string[];
  readonly states: SourceState[];
}

class Stage {
  readonly clock = new VirtualClock();
  readonly broker = new MessageBroker({ clock: this.clock, random: new Random(1) });
  readonly source: QueueSource;
  readonly queue: SimulatedMessageQueue;

  constructor(kind: MessageQueueKind, options: Omit<MessageQueueOptions, 'kind'> = {}) {
    this.source = sources[kind];
    this.queue = this.broker.create('work', { kind, ...options });
  }

  async subscribe(credit: number): Promise<Member> {
    const transport = { request: () => Promise.reject(new Error('no API server')), stream: () => Promise.reject(new Error('no API server')) };
    const process = new SimulatedProcess({ clock: this.clock, transport });
    const messages = new SimulatedMessages({ broker: this.broker, process });
    const member: Member = { process, messages, leases: [], lost: [], states: [] };
    messages.subscribe(this.source, {
      leased: (lease) => { member.leases.push(lease); },
      lost: (token) => { member.lost.push(token); },
      state: (state) => { member.states.push(state); },
    }).credit(credit);
    await this.clock.runFor(100);
    return member;
  }

  async settle({ messages, leases }: Member, verdict: Verdict): Promise<string> {
    const lease = leases.at(-1);
    if (!lease) throw new Error('nothing was leased');
    const answer = messages.settle(this.source, lease, verdict);
    await this.clock.runFor(8_000);
    return (await answer).kind;
  }
}

describe('a process that is killed', () => {
  it.each<[MessageQueueKind, string, number]>([
    ['amqp', 'at once', 100],
    ['sqs', 'after the visibility timeout', 30_000],
    ['pgBoss', 'when it expires', 15 * minute],
  ])('gives what it has in hand back: %s %s', async (kind, _when, after) => {
    const stage = new Stage(kind);
    stage.queue.send({ id: 'a' });
    const first = await stage.subscribe(1);
    expect(first.leases.map(({ id }) => id)).toEqual(['a']);
    first.process.kill();
    const second = await stage.subscribe(1);
    await stage.clock.runFor(after - 1_000);
    const early = second.leases.length;
    await stage.clock.runFor(2_000);
    expect([early, second.leases.length]).toEqual([kind === 'amqp' ? 1 : 0, 1]);
    expect(first.lost).toEqual([]);
  });

  it('at a request that took effect never hears of it', async () => {
    const stage = new Stage('pgBoss');
    stage.queue.send({ id: 'a' });
    const member = await stage.subscribe(1);
    member.process.killAt({ request: member.process.requests + 1, when: 'after' });
    const heard: string[] = [];
    void member.messages.settle(stage.source, { id: 'a', token: member.leases[0]?.token, receipt: {} }, { kind: 'complete' }).then(({ kind }) => { heard.push(kind); });
    await stage.clock.runFor(1_000);
    expect([member.process.alive, heard, stage.queue.find('a')?.completions]).toEqual([false, [], 1]);
  });
});

describe('a request to settle that fails', () => {
  it.each([
    ['before', 'failed', 0],
    ['after', 'failed', 1],
  ] as const)('%s it took effect says %s with a row or a handle', async (fault, said, completions) => {
    for (const kind of ['pgBoss', 'sqs'] as const) {
      const stage = new Stage(kind);
      stage.queue.send({ id: 'a' });
      const member = await stage.subscribe(1);
      stage.broker.faults = plannedMessageFaults([{ call: 'settle', fault }]);
      expect(await stage.settle(member, { kind: 'complete' })).toBe(said);
      expect(stage.queue.find('a')?.completions).toBe(completions);
      expect(await stage.settle(member, { kind: 'complete' })).toBe(completions === 1 ? 'already' : 'done');
    }
  });

  it('says that it is done on a channel of RabbitMQ, and the message comes again', async () => {
    const stage = new Stage('amqp');
    stage.queue.send({ id: 'a' });
    const member = await stage.subscribe(2);
    stage.broker.faults = plannedMessageFaults([{ call: 'settle', fault: 'before' }]);
    expect(await stage.settle(member, { kind: 'complete' })).toBe('done');
    expect(member.leases.map(({ id, delivery }) => [id, delivery])).toEqual([['a', 1], ['a', 2]]);
  });
});

describe('the policy of a queue', () => {
  it('pg-boss: retryLimit with retryDelay, then the dead letter queue', async () => {
    const stage = new Stage('pgBoss', { mostDeliveries: 2, retryDelay: 5_000, deadLetter: 'dead' });
    const dead = stage.broker.create('dead', { kind: 'pgBoss' });
    stage.queue.send({ id: 'a' });
    const member = await stage.subscribe(5);
    await stage.settle(member, { kind: 'fail', failure, delay: 0 });
    expect([member.leases.length, dead.messages.length]).toEqual([2, 0]);
    await stage.settle(member, { kind: 'fail', failure, delay: 0 });
    expect([member.leases.length, stage.queue.find('a')?.state, dead.find('a')?.state]).toEqual([2, 'dead', 'ready']);
  });

  it('RabbitMQ: what is rejected is dropped where there is no dead-letter exchange', async () => {
    const stage = new Stage('amqp');
    stage.queue.send({ id: 'a' });
    await stage.settle(await stage.subscribe(1), { kind: 'fail', failure, delay: 0 });
    expect([stage.queue.find('a')?.state, stage.queue.dropped]).toEqual(['dropped', 1]);
  });

  it('SQS: what was received too often goes where its redrive policy says', async () => {
    const stage = new Stage('sqs', { mostDeliveries: 2, deadLetter: 'dead' });
    const dead = stage.broker.create('dead', { kind: 'sqs' });
    stage.queue.send({ id: 'a' });
    const member = await stage.subscribe(9);
    await stage.settle(member, { kind: 'fail', failure, delay: 5_000 });
    await stage.settle(member, { kind: 'fail', failure, delay: 5_000 });
    await stage.clock.runFor(minute);
    expect([member.leases.length, dead.messages.length]).toEqual([2, 1]);
  });
});

describe('leases that end', () => {
  it('RabbitMQ closes the channel at consumer_timeout, and everything delivered there comes back', async () => {
    const stage = new Stage('amqp', { limit: 30 * minute });
    stage.queue.send({ id: 'a' }, { id: 'b' });
    const member = await stage.subscribe(2);
    await stage.clock.runFor(31 * minute);
    expect(member.lost.toSorted()).toEqual(member.leases.map(({ token }) => token).toSorted());
    expect([stage.queue.ready, member.states.at(-1)?.kind]).toEqual([2, 'open']);
  });

  it('SQS renews for 12 hours and no longer', async () => {
    const stage = new Stage('sqs');
    stage.queue.send({ id: 'a' });
    const member = await stage.subscribe(1);
    await stage.clock.runFor(11 * 60 * minute);
    expect([member.lost, stage.queue.inFlight]).toEqual([[], 1]);
    await stage.clock.runFor(61 * minute);
    expect([member.lost.length, stage.queue.ready]).toEqual([1, 1]);
  });

  it('a message that is handed to somebody else cannot be settled with the receipt before', async () => {
    const stage = new Stage('sqs');
    const [stored] = stage.queue.send({ id: 'a' });
    const first = await stage.subscribe(1);
    if (stored) stage.queue.takeAway(stored);
    const second = await stage.subscribe(1);
    expect(await stage.settle(first, { kind: 'complete' })).toBe('lost');
    expect(await stage.settle(second, { kind: 'complete' })).toBe('done');
  });
});

describe('a queue', () => {
  it('that is deleted takes what is in hand with it, and is used again when it is made again', async () => {
    const stage = new Stage('amqp');
    stage.queue.send({ id: 'a' });
    const member = await stage.subscribe(3);
    stage.broker.delete('work');
    await stage.clock.runFor(10_000);
    expect(member.lost).toHaveLength(1);
    expect(member.states.at(-1)).toMatchObject({ kind: 'closed', reason: 'QueueNotFound' });
    stage.broker.create('work', { kind: 'amqp' }).send({ id: 'b' });
    await stage.clock.runFor(minute);
    expect(member.leases.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('that refuses us is closed until it does so no more', async () => {
    const stage = new Stage('sqs');
    const member = await stage.subscribe(1);
    stage.broker.setForbidden('work', true);
    stage.queue.send({ id: 'a' });
    await stage.clock.runFor(10_000);
    expect([member.leases.length, member.states.at(-1)]).toMatchObject([0, { kind: 'closed', reason: 'QueueForbidden' }]);
    stage.broker.setForbidden('work', false);
    await stage.clock.runFor(minute);
    expect(member.leases).toHaveLength(1);
  });

  it('whose consumers are taken away keeps what they hold, and goes on when they consume again', async () => {
    const stage = new Stage('amqp');
    stage.queue.send({ id: 'a' });
    const member = await stage.subscribe(2);
    stage.broker.cancelConsumers('work');
    await stage.clock.runFor(10);
    stage.queue.send({ id: 'b' });
    await stage.clock.runFor(100);
    expect(member.leases.map(({ id }) => id)).toEqual(['a']);
    await stage.clock.runFor(1_000);
    expect([member.leases.map(({ id }) => id), member.lost]).toEqual([['a', 'b'], []]);
  });
});
