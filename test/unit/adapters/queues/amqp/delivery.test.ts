import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { AsyncMessage } from 'rabbitmq-client';
import { describe, expect, it } from 'vitest';
import { received } from '../../../../../src/adapters/queues/amqp/delivery.ts';
import type { MessageIdRule } from '../../../../../src/spec/queue-source.ts';

function aDelivery(changes: Partial<AsyncMessage> = {}): AsyncMessage {
  return { body: Buffer.from('{"n":1}'), consumerTag: 'c', deliveryTag: 1, exchange: '', redelivered: false, routingKey: 'work', ...changes };
}

const hash = createHash('sha256').update('{"n":1}').digest('hex');

describe('the id of a message', () => {
  it.each<[string, MessageIdRule | undefined, Partial<AsyncMessage>, string]>([
    ['its message_id where no rule says otherwise', undefined, { messageId: 'm-1' }, 'm-1'],
    ['its message_id', { property: 'message_id' }, { messageId: 'm-1', correlationId: 'c-1' }, 'm-1'],
    ['its correlation_id', { property: 'correlation_id' }, { messageId: 'm-1', correlationId: 'c-1' }, 'c-1'],
    ['a header of text', { header: 'order' }, { headers: { order: 'o-1' } }, 'o-1'],
    ['a header that is a number', { header: 'order' }, { headers: { order: 0 } }, '0'],
    ['the sha256 of its body', 'bodyHash', { messageId: 'm-1' }, hash],
  ])('is %s', (_, rule, changes, id) => {
    const { message, problem } = received(aDelivery(changes), rule);
    expect([message.id, problem]).toEqual([id, undefined]);
  });

  it('is another with each delivery where none is known', () => {
    const [one, two] = [received(aDelivery(), 'none'), received(aDelivery(), 'none')];
    expect(one.message.id).not.toBe(two.message.id);
    expect([one.problem, two.problem]).toEqual([undefined, undefined]);
  });

  it.each<[string, MessageIdRule | undefined, Partial<AsyncMessage>, string]>([
    ['is missing', undefined, { correlationId: 'c-1' }, 'it has no property message_id'],
    ['is empty', { property: 'correlation_id' }, { correlationId: '' }, 'it has no property correlation_id'],
    ['is a header that is missing', { header: 'order' }, { headers: { Order: 'o-1' } }, 'it has no header order'],
    ['is no text', { header: 'order' }, { headers: { order: { n: 1 } } }, 'its header order is no text'],
    ['is a number that has neighbours which look the same', { header: 'order' }, { headers: { order: Number('9007199254740993') } }, 'its header order is a number of more than 53 bits'],
    ['is too long', { header: 'order' }, { headers: { order: 'o'.repeat(1_025) } }, 'longer than 1024'],
  ])('that %s is a problem, and the message goes by its content', (_, rule, changes, problem) => {
    expect(received(aDelivery(changes), rule)).toMatchObject({ message: { id: hash }, problem: expect.stringContaining(problem) as string });
  });
});

describe('a delivery', () => {
  it.each<[string, Partial<AsyncMessage>, number]>([
    ['is the first', {}, 1],
    ['is the second or a later one where nobody counts', { redelivered: true }, 2],
    ['is the first where a quorum queue counts', { headers: { 'x-delivery-count': 0 } }, 1],
    ['is as many as the quorum queue has counted, and one', { redelivered: true, headers: { 'x-delivery-count': 6 } }, 7],
    ['is counted by nobody whose count is none', { redelivered: true, headers: { 'x-delivery-count': 'many' } }, 2],
  ])('%s', (_, changes, delivery) => {
    expect(received(aDelivery(changes), 'bodyHash').delivery).toBe(delivery);
  });

  it('was published when its timestamp says, if it says something', () => {
    const at = (timestamp: number | undefined) => received(aDelivery(timestamp === undefined ? {} : { timestamp }), 'bodyHash').message.enqueuedAt;
    expect([at(1_700_000_000), at(0), at(undefined)]).toEqual([1_700_000_000_000, undefined, undefined]);
  });

  it.each([64, 20_000])('whose headers are nested %i levels deep and one is refused, and harms nobody', (levels) => {
    let nested: unknown = { end: true };
    for (let level = 1; level < levels; level++) nested = level % 2 === 0 ? [nested] : { nested };
    const { message, problem } = received(aDelivery({ headers: { nested } }), 'bodyHash');
    expect([message.headers, problem]).toEqual([{}, 'its headers are nested deeper than 64 levels']);
  });

  it('whose headers are nested 64 levels deep is taken as it is', () => {
    let nested: unknown = {};
    for (let level = 2; level < 64; level++) nested = { nested };
    const { message, problem } = received(aDelivery({ headers: { nested } }), 'bodyHash');
    expect([message.headers, problem]).toEqual([{ nested }, undefined]);
  });

  it('keeps its bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      expect(Buffer.from(received(aDelivery({ body: Buffer.from(bytes) }), 'bodyHash').message.body).equals(bytes)).toBe(true);
    }));
  });

  it('whose bytes were not kept is refused', () => {
    expect(received(aDelivery({ body: { n: 1 }, messageId: 'm-1' }), undefined).problem).toContain('its body was not kept');
  });

  it('has headers that are JSON, whatever they were', () => {
    const headers = { text: 'a', bytes: Buffer.from([1, 2]), none: null, nan: Number.NaN, list: [1, Buffer.from('x')], table: { deep: true }, absent: undefined };
    expect(received(aDelivery({ headers }), 'bodyHash').message.headers).toEqual({ text: 'a', bytes: 'AQI=', none: null, nan: 'NaN', list: [1, 'eA=='], table: { deep: true } });
  });
});
