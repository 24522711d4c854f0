import { describe, expect, it } from 'vitest';
import { longestFile, longestVariable, readContent, variablesOf } from '../../../../src/plan/messages/content.ts';
import type { Message } from '../../../../src/plan/messages/message.ts';
import { aMessage, aMessageQueueSpec } from '../../../support/message-builders.ts';

type PerMessage = NonNullable<Parameters<typeof aMessageQueueSpec>[0]>['perMessage'];
const read = (perMessage: NonNullable<PerMessage>, message: Message = aMessage('a')) => readContent(aMessageQueueSpec({ perMessage }), message, 2);
const dataOf = (perMessage: NonNullable<PerMessage>, message?: Message): Record<string, string> | string => {
  const reading = read(perMessage, message);
  return 'problem' in reading ? reading.problem : Object.fromEntries([...reading.content.data].map(([key, bytes]) => [key, Buffer.from(bytes).toString()]));
};
const nested = (levels: number): string => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
const none = { file: undefined, env: undefined };

describe('what a Job is given of its message', () => {
  it.each([
    ['the body as a file', {}, { message: '{"order":1}' }],
    ['the body as a variable', { payload: { file: undefined, env: 'BODY' } }, { 'env.BODY': '{"order":1}' }],
    ['parts of it', { payload: none, env: { ORDER: '$(message.body.order)', TRY: '$(message.attempt)', ID: 'no $(message.id)' } }, { 'env.ORDER': '1', 'env.TRY': '2', 'env.ID': 'no a' }],
    ['nothing', { payload: none }, {}],
  ] as const)('%s', (_sentence, perMessage, data) => {
    expect(dataOf(perMessage)).toEqual(data);
  });

  it('the sha256 of the body, in hex', () => {
    expect(dataOf({ payload: none, env: { SUM: '$(message.sha256)' } }, aMessage('a', { body: 'abc' }))).toEqual({ 'env.SUM': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' });
  });

  it('a part that is nested deeply, and the rest of a body that is nested deeper than anything can write', () => {
    expect(dataOf({ payload: none, env: { A: '$(message.body.a)' } }, aMessage('a', { body: nested(256) }))).toEqual({ 'env.A': nested(256).slice(5, -1) });
    expect(dataOf({ payload: none, env: { B: '$(message.body.b)' } }, aMessage('a', { body: `{"b":1,${nested(20_000).slice(1)}` }))).toEqual({ 'env.B': '1' });
  });

  it('is the same bytes as they came, whatever they are', () => {
    const body = Uint8Array.from([0, 255, 1]);
    const reading = read({}, aMessage('a', { body }));
    expect('content' in reading && reading.content.data.get('message')).toEqual(body);
  });

  it('has a variable once, also where payload.env and env name the same', () => {
    expect(variablesOf(aMessageQueueSpec({ perMessage: { payload: { file: undefined, env: 'A' }, env: { A: 'x', B: 'y' } } }).perMessage)).toEqual(['A', 'B']);
  });
});

describe('a message is invalid', () => {
  const schema = { type: 'object', properties: { order: { type: 'integer', minimum: 5 } }, required: ['order'] };
  it.each([
    ['when its id is empty', {}, aMessage(''), 'its id is empty'],
    ['when its id has a NUL', {}, aMessage('a\0'), 'its id has a NUL'],
    ['when its id is too long', {}, aMessage('a'.repeat(1025)), 'its id has more than 1024 bytes'],
    ['when its body is too large for a file', {}, aMessage('a', { body: 'x'.repeat(longestFile + 1) }), 'the body has 921601 bytes, and as a file it may have 921600'],
    ['when its body is too large for a variable', { payload: { file: undefined, env: 'B' } }, aMessage('a', { body: 'x'.repeat(longestVariable + 1) }), 'the body cannot be the environment variable B: its value has 128001 bytes, and may have 128000'],
    ['when its body has a NUL and is to be a variable', { payload: { file: undefined, env: 'B' } }, aMessage('a', { body: 'x\0' }), 'the body cannot be the environment variable B: its value has a NUL'],
    ['when its body is not UTF-8 and is to be a variable', { payload: { file: undefined, env: 'B' } }, aMessage('a', { body: Uint8Array.from([255]) }), 'the body cannot be the environment variable B: it is not UTF-8'],
    ['when a part is missing', { env: { A: '$(message.body.rows)' } }, aMessage('a'), 'the environment variable A cannot be made: $(message.body.rows) leads nowhere: the body has no "rows"'],
    ['when a part is nested so deeply that it cannot be written', { env: { A: '$(message.body.a)' } }, aMessage('a', { body: nested(20_000) }), 'the environment variable A cannot be made: $(message.body.a) is nested deeper than 256 levels'],
    ['when its body is nested so deeply that it cannot be checked', { schema: { type: 'object' } }, aMessage('a', { body: nested(20_000) }), 'the body is nested deeper than 256 levels'],
    ['when its body is no JSON and a part is asked for', { env: { A: '$(message.body.rows)' } }, aMessage('a', { body: 'rows' }), 'the environment variable A cannot be made: $(message.body.rows) leads nowhere: the body of the message is no JSON'],
    ['when its body is no JSON and there is a schema', { schema }, aMessage('a', { body: '{' }), 'the body is no JSON, and `schema` asks for it'],
    ['when its body is against the schema, of which alone is told', { schema }, aMessage('a', { body: '{"order":3}' }), 'the body does not meet /properties/order/minimum of `schema`'],
    ['when it lacks what the schema requires', { schema }, aMessage('a', { body: '{}' }), 'the body does not meet /required of `schema`: it has no "order"'],
    ['when a pattern takes too long to check', { schema: { type: 'string', pattern: '^(a+)+$' } }, aMessage('a', { body: `"${'a'.repeat(40)}b"` }), 'the body cannot be held against `schema` within a second'],
  ] as const)('%s', (_sentence, perMessage, message, problem) => {
    const reading = read(perMessage, message);
    expect('problem' in reading ? reading.problem : undefined).toBe(problem);
  });

  it('when all that is asked for is more than a Secret holds', () => {
    const env = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`V${index}`, '$(message.body)']));
    const reading = read({ env }, aMessage('a', { body: `"${'x'.repeat(127_000)}"` }));
    expect('problem' in reading ? reading.problem : '').toMatch(/^what the Job asks for of the message has \d+ bytes in all, and a Secret holds 1048575$/);
  });

  it('a schema that is none holds up nobody: its messages are invalid', () => {
    expect(dataOf({ schema: { type: 'nonsense' } })).toBe('`schema` is none that can be used');
  });

  it('null is JSON', () => {
    expect(dataOf({ schema: { type: 'null' } }, aMessage('a', { body: ' null ' }))).toEqual({ message: ' null ' });
  });
});
