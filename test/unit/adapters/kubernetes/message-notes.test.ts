import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newSharedNotes, readMessageFacts, readMessageNote, readSettledNote } from '../../../../src/adapters/kubernetes/message-notes.ts';
import type { MessageNote } from '../../../../src/plan/messages/message.ts';
import type { QueueSource } from '../../../../src/spec/queue-source.ts';

const note: MessageNote = {
  id: 'a', source: { type: 'pgBoss', connection: 'main', queue: 'work', schema: undefined }, receipt: { id: 'a' }, delivery: 2, serial: 3, attempt: 2, tries: 1, settle: 'onCompletion',
  retry: { attempts: 3, within: 60_000, delay: 1000, factor: 2, maxDelay: 5000, exitCodes: { fail: [2] }, onOOM: undefined },
  deadLetter: { queue: 'dead' }, sha256: '00ff', enqueuedAt: 5, leasedAt: 6,
};
const written = (changes: Readonly<Record<string, unknown>> = {}): string => JSON.stringify({ ...note, ...changes });

describe('what is noted of a message', () => {
  it('is read as it was written', () => {
    expect(readMessageNote(written())).toEqual(note);
  });

  it.each<[string, QueueSource]>([
    ['pg-boss in a schema', { type: 'pgBoss', connection: 'main', queue: 'work', schema: 'boss' }],
    ['RabbitMQ', { type: 'amqp', connection: 'main', queue: 'work', vhost: undefined, declare: undefined, messageId: undefined }],
    ['RabbitMQ, declared', { type: 'amqp', connection: 'main', queue: 'work', vhost: 'blue', declare: { type: 'quorum', deadLetterExchange: 'dlx', deadLetterRoutingKey: undefined }, messageId: 'bodyHash' }],
    ['RabbitMQ with ids in a property', { type: 'amqp', connection: 'main', queue: 'work', vhost: undefined, declare: undefined, messageId: { property: 'correlation_id' } }],
    ['RabbitMQ with ids in a header', { type: 'amqp', connection: 'main', queue: 'work', vhost: undefined, declare: undefined, messageId: { header: 'x-id' } }],
    ['SQS by name', { type: 'sqs', connection: 'main', queue: 'work', url: undefined }],
    ['SQS by URL', { type: 'sqs', connection: 'main', queue: 'work', url: 'https://sqs.example/1/work' }],
  ])('names its queue: %s', (_what, source) => {
    expect(readMessageNote(written({ source }))?.source).toEqual(source);
  });

  it.each<[string, Partial<MessageNote>]>([
    ['all kinds of retry', { retry: { ...note.retry, exitCodes: { retry: [1, 7] }, onOOM: { factor: 2, maxMemory: '4Gi' } } }],
    ['an exchange for dead letters', { deadLetter: { exchange: 'dlx', routingKey: 'work' } }],
    ['settled at creation', { settle: 'onJobCreated' }],
    ['no receipt', { receipt: {} }],
    ['nothing that its Job asks for', { bare: true }],
  ])('has %s', (_what, changes) => {
    expect(readMessageNote(written(changes))).toEqual({ ...note, ...changes });
  });

  it('may lack what its queue does not tell', () => {
    const { delivery: _delivery, enqueuedAt: _enqueuedAt, deadLetter: _deadLetter, ...rest } = note;
    expect(readMessageNote(JSON.stringify(rest))).toEqual(rest);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['no id', { id: undefined }],
    ['a queue of no known kind', { source: { type: 'kafka', connection: 'main', queue: 'work' } }],
    ['a queue without a name', { source: { type: 'sqs', connection: 'main' } }],
    ['no serial', { serial: undefined }],
    ['half an attempt', { attempt: 1.5 }],
    ['fewer than no tries', { tries: -1 }],
    ['no retry', { retry: null }],
    ['no way to settle', { settle: 'sometimes' }],
    ['a place for dead letters that nobody can read', { deadLetter: { exchange: 'dlx' } }],
  ])('is nothing with %s', (_what, changes) => {
    expect(readMessageNote(written(changes))).toBeUndefined();
  });

  it('is nothing, and harms nothing, whatever else stands there', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(readMessageNote(text)).toBeUndefined();
      expect(readSettledNote(text)).toBeUndefined();
    }));
    const field = fc.constantFrom(...Object.keys(note));
    fc.assert(fc.property(field, fc.jsonValue(), (name, value) => {
      const read = readMessageNote(written({ [name]: value }));
      if (read) expect(readMessageNote(JSON.stringify(read))).toEqual(read);
    }));
  });

  it('is kept once where all Jobs of a queue say the same', () => {
    const shared = newSharedNotes();
    const [one, other] = ['a', 'b'].map((id) => readMessageNote(written({ id }), shared));
    expect([one?.source === other?.source, one?.retry === other?.retry, one?.deadLetter === other?.deadLetter]).toEqual([true, true, true]);
  });
});

describe('what is noted of its end', () => {
  const facts = (settled?: string) => readMessageFacts({ 'job-chief/message': written(), ...(settled !== undefined && { 'job-chief/settled': settled }) }, newSharedNotes());

  it('is read as it was written', () => {
    expect(facts('{"as":"returned","at":7}')).toEqual({ note, settled: { as: 'returned', at: 7 } });
  });

  it.each([undefined, 'completed', '{"as":"done","at":7}', '{"as":"completed"}'])('is open with %s', (text) => {
    expect(facts(text)).toEqual({ note, settled: undefined });
  });

  it('says nothing of a Job that was made for no message', () => {
    expect(readMessageFacts({ 'job-chief/settled': '{"as":"completed","at":7}' }, newSharedNotes())).toBeUndefined();
  });
});
