import { describe, expect, it } from 'vitest';
import { messagesByType, probeByType } from '../../../../src/adapters/queues/sources.ts';
import type { MessageSource } from '../../../../src/reconcile/message-ports.ts';
import type { DepthProbe } from '../../../../src/reconcile/ports.ts';
import type { QueueSource } from '../../../../src/spec/queue-source.ts';

const sources: readonly QueueSource[] = [
  { type: 'pgBoss', connection: 'main', queue: 'work', schema: undefined },
  { type: 'amqp', connection: 'main', queue: 'work', vhost: undefined, declare: undefined, messageId: undefined },
  { type: 'sqs', connection: 'main', queue: 'work', url: undefined },
];

/** Answers with its own name. */
function named(name: QueueSource['type'], closed: string[]): DepthProbe & MessageSource {
  return {
    depth: () => Promise.resolve({ kind: 'unknown', reason: 'QueueUnreachable', message: name }),
    subscribe: (_, events) => {
      events.lost(name, name);
      return { credit: () => undefined, pause: () => undefined, adopt: () => undefined, abandon: () => undefined, close: () => Promise.resolve() };
    },
    settle: () => Promise.resolve({ kind: 'failed', message: name }),
    deadLetter: () => Promise.resolve({ kind: 'failed', message: name }),
    close: () => Promise.resolve(void closed.push(name)),
  };
}

describe('sources of queues', () => {
  const closed: string[] = [];
  const each = { pgBoss: named('pgBoss', closed), amqp: named('amqp', closed), sqs: named('sqs', closed) };
  const [probe, messages] = [probeByType(each), messagesByType(each)];

  it.each(sources)('of the type $type are asked, leased from and settled by what knows that type', async (source) => {
    const answer = { message: source.type };
    const message = { id: 'a', body: new Uint8Array(), headers: {}, contentType: undefined, enqueuedAt: undefined };
    const lost: string[] = [];
    messages.subscribe(source, { leased: () => undefined, state: () => undefined, lost: (token) => lost.push(token) });
    expect(lost).toEqual([source.type]);
    expect(await probe.depth({ source, upTo: 1 }, new AbortController().signal)).toMatchObject(answer);
    expect(await messages.settle(source, { id: 'a', token: undefined, receipt: {} }, { kind: 'release' })).toMatchObject(answer);
    expect(await messages.deadLetter(source, { queue: 'dead' }, { message, failure: { reason: 'Failed', message: '', job: undefined, attempt: 1 } })).toMatchObject(answer);
  });

  it('are closed together', async () => {
    await messages.close();
    expect(closed.toSorted()).toEqual(['amqp', 'pgBoss', 'sqs']);
  });
});
