import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attributesOf, deadAttributes, headersOf } from '../../../../src/adapters/queues/sqs/sqs-attributes.ts';
import { readMessage } from '../../../../src/adapters/queues/sqs/sqs-message.ts';
import type { Failure } from '../../../../src/plan/messages/message.ts';

const message = { id: '0b7f', queue: 'work' };
const failure: Failure = { reason: 'OOMKilled', message: 'the container "main" used more memory than it may', job: 'work-abc', attempt: 3, exitCode: 137 };
const text = (value: string) => ({ DataType: 'String', StringValue: value });

describe('message attributes', () => {
  it('are headers: texts, numbers, and base64 of what is binary', () => {
    const attributes = {
      tenant: text('acme'),
      count: { DataType: 'Number', StringValue: '42' },
      exact: { DataType: 'Number.decimal', StringValue: '0.10' },
      huge: { DataType: 'Number', StringValue: '12345678901234567890123456789' },
      blob: { DataType: 'Binary', BinaryValue: Uint8Array.of(1, 2, 3) },
    };
    expect(headersOf(attributes)).toEqual({ tenant: 'acme', count: 42, exact: '0.10', huge: '12345678901234567890123456789', blob: 'AQID' });
  });

  it('can be made of headers again', () => {
    expect(attributesOf({ tenant: 'acme', count: 42, nested: { a: [1] }, empty: '' })).toEqual({ tenant: text('acme'), count: { DataType: 'Number', StringValue: '42' }, nested: text('{"a":[1]}') });
  });

  it('of a dead message say what it was and why it died', () => {
    expect(deadAttributes({ tenant: text('acme') }, message, failure)).toEqual({
      tenant: text('acme'),
      'x-job-chief-id': text('0b7f'),
      'x-job-chief-reason': text('OOMKilled'),
      'x-job-chief-message': text('the container "main" used more memory than it may'),
      'x-job-chief-job': text('work-abc'),
      'x-job-chief-attempt': { DataType: 'Number', StringValue: '3' },
      'x-job-chief-exit-code': { DataType: 'Number', StringValue: '137' },
      'x-job-chief-queue': text('work'),
    });
  });

  it('of a dead message that died before say what it died of now', () => {
    const before = deadAttributes({ tenant: text('acme') }, message, failure);
    const again = deadAttributes(before, { ...message, id: '1c8a' }, { ...failure, reason: 'Timeout' });
    expect(again).toEqual({ ...before, 'x-job-chief-id': text('1c8a'), 'x-job-chief-reason': text('Timeout') });
  });

  it('have no job and no exit code where there is none', () => {
    const names = Object.keys(deadAttributes({}, message, { reason: 'MessageInvalid', message: 'it is no JSON', job: undefined, attempt: 1 }));
    expect(names).toEqual(['x-job-chief-id', 'x-job-chief-reason', 'x-job-chief-message', 'x-job-chief-attempt', 'x-job-chief-queue']);
  });

  it('have no control characters that SQS refuses', () => {
    const { 'x-job-chief-message': found } = deadAttributes({}, message, { ...failure, message: 'a\u0000b\u001bc\td\ud800e🎉' });
    expect(found).toEqual(text('a\ufffdb\ufffdc\td\ufffde🎉'));
  });

  it('are never more than ten, and the own ones are all there', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 10 }), fc.boolean(), (names, exited) => {
        const own = Object.fromEntries(names.map((name) => [name, text(name)]));
        const { exitCode: _, ...without } = failure;
        const all = deadAttributes(own, message, exited ? failure : without);
        expect(all).toMatchObject(own);
        expect(Object.keys(all).length).toBe(Math.min(10, names.length + (exited ? 7 : 6)));
      }),
    );
  });
});

describe('a message of SQS', () => {
  it('is read with its number and its time', () => {
    const read = readMessage({ MessageId: '0b7f', ReceiptHandle: 'handle', Body: 'grüße', MessageAttributes: { 'content-type': text('text/plain') }, Attributes: { ApproximateReceiveCount: '4', SentTimestamp: '1795301291037' } });
    expect(read).toEqual({ message: { id: '0b7f', body: new TextEncoder().encode('grüße'), headers: { 'content-type': 'text/plain' }, contentType: 'text/plain', enqueuedAt: 1_795_301_291_037 }, handle: 'handle', delivery: 4 });
  });

  it.each([['an id', { ReceiptHandle: 'handle' }], ['a handle', { MessageId: '0b7f' }]])('is nothing without %s', (_, raw) => {
    expect(readMessage(raw)).toBeUndefined();
  });
});
