import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../src/lib/json.ts';
import type { StepPodFacts } from '../../../../src/plan/observed.ts';
import { readItemOutputs, readOutputs, type OutputSpecs } from '../../../../src/plan/run/outputs.ts';
import type { OutputSpec } from '../../../../src/spec/workflow.ts';

type Type = OutputSpec['type'];
const of = (type: Type, otherwise?: Json): OutputSpec => ({ type, default: otherwise });
/** A pod whose containers `main`, `second`, … wrote these texts. */
function pod(texts: readonly string[], changes: Partial<StepPodFacts> = {}): StepPodFacts {
  const names = ['main', 'second', 'third'];
  return { index: undefined, done: 'succeeded', doneAt: 0, containers: texts.length, messages: texts.map((text, at) => ({ container: names[at] ?? '', text })), ...changes };
}
const read = (specs: OutputSpecs, ...texts: string[]) => readOutputs(specs, [pod(texts)]);
const valueOf = (type: Type, text: string): unknown => {
  const reading = read({ x: of(type) }, text);
  return reading.kind === 'read' ? reading.outputs['x'] : reading.reason;
};

describe('outputs are written', () => {
  it.each<[string, string]>([
    ['as lines', 'rows=12\nname=eu\n'],
    ['as lines with Windows ends', 'rows=12\r\nname=eu\r\n'],
    ['as lines with empty ones between them', '\nrows=12\n\n  \nname=eu'],
    ['as a JSON object', '{"rows":12,"name":"eu"}'],
    ['as a JSON object in several lines', '\n{\n  "rows": 12,\n  "name": "eu"\n}\n'],
    ['with others that are not declared, which are ignored', 'rows=12\nname=eu\nother=1'],
  ])('%s', (_sentence, text) => {
    expect(read({ rows: of('integer'), name: of('string') }, text)).toEqual({ kind: 'read', outputs: { rows: 12, name: 'eu' } });
  });

  it('by several containers, each some of them', () => {
    expect(read({ rows: of('integer'), name: of('string') }, 'rows=12', '{"name":"eu"}')).toEqual({ kind: 'read', outputs: { rows: 12, name: 'eu' } });
  });

  it.each([['row-count'], ['row_count']])('as expressions spell them or as they are declared: %s', (written) => {
    expect(read({ 'row-count': of('integer') }, `${written}=3`)).toEqual({ kind: 'read', outputs: { 'row-count': 3 } });
  });

  it('with everything behind the first sign as the value', () => {
    expect(valueOf('string', 'x= a = b ')).toBe(' a = b ');
    expect(valueOf('string', 'x=')).toBe('');
  });

  it('or left to their defaults', () => {
    expect(read({ rows: of('integer', 0), name: of('string', 'eu') }, 'rows=3')).toEqual({ kind: 'read', outputs: { rows: 3, name: 'eu' } });
    expect(read({ rows: of('integer', 0) })).toEqual({ kind: 'read', outputs: { rows: 0 } });
  });

  it('or not read at all where none are declared: images leave notes of their own', () => {
    expect(read({}, 'x'.repeat(5000))).toEqual({ kind: 'read', outputs: {} });
  });
});

describe('values have the type that is declared', () => {
  it.each<[Type, string, unknown]>([
    ['integer', 'x=12', 12], ['integer', 'x=-3', -3], ['integer', '{"x":12}', 12], ['integer', '{"x":"12"}', 12],
    ['integer', 'x=1.5', 'OutputUnreadable'], ['integer', 'x=', 'OutputUnreadable'], ['integer', 'x=12 rows', 'OutputUnreadable'], ['integer', 'x=0x10', 'OutputUnreadable'],
    ['integer', 'x=99999999999999999999', 'OutputUnreadable'], ['integer', '{"x":true}', 'OutputUnreadable'], ['integer', '{"x":null}', 'OutputUnreadable'],
    ['number', 'x=1.5', 1.5], ['number', '{"x":2e3}', 2000], ['number', 'x=NaN', 'OutputUnreadable'], ['number', 'x=1e999', 'OutputUnreadable'], ['number', '{"x":-1e999}', 'OutputUnreadable'],
    ['boolean', 'x=true', true], ['boolean', '{"x":false}', false], ['boolean', 'x=yes', 'OutputUnreadable'], ['boolean', 'x=1', 'OutputUnreadable'],
    ['string', 'x=12', '12'], ['string', '{"x":"12"}', '12'], ['string', '{"x":1.10}', 'OutputUnreadable'], ['string', '{"x":{}}', 'OutputUnreadable'],
    ['array', 'x=["a",1]', ['a', 1]], ['array', '{"x":[]}', []], ['array', 'x=a,b', 'OutputUnreadable'], ['array', '{"x":{}}', 'OutputUnreadable'],
    ['object', 'x={"a":1}', { a: 1 }], ['object', '{"x":{"a":1}}', { a: 1 }], ['object', 'x=[1]', 'OutputUnreadable'], ['object', '{"x":null}', 'OutputUnreadable'],
  ])('%s: %s', (type, text, value) => {
    expect(valueOf(type, text)).toEqual(value);
  });
});

describe('what cannot be used is a problem that says what and where', () => {
  it.each<[string, OutputSpecs, string[], string, string]>([
    ['an output that was not written', { rows: of('integer') }, ['name=eu'], 'OutputMissing', 'output "rows" was not written; container "main" wrote 7 bytes'],
    ['no outputs at all', { rows: of('integer') }, [], 'OutputMissing', 'output "rows" was not written; no container wrote outputs'],
    ['another type', { rows: of('integer') }, ['rows=many'], 'OutputUnreadable', 'output "rows" of container "main" (9 bytes): "many" is not of type integer'],
    ['a line that is none', { rows: of('integer', 0) }, ['rows=1\ndone'], 'OutputUnreadable', 'container "main" wrote 11 bytes that are not outputs: line 2 is "done", not name=value'],
    ['a line without a name', { rows: of('integer', 0) }, ['=1'], 'OutputUnreadable', 'container "main" wrote 2 bytes that are not outputs: line 1 is "=1", not name=value'],
    ['broken JSON', { rows: of('integer', 0) }, ['{"rows":1'], 'OutputUnreadable', 'container "main" wrote 9 bytes that are not outputs: "{\\"rows\\":1" is not a JSON object'],
    ['the same output in two containers', { rows: of('integer') }, ['rows=1', 'rows=1'], 'OutputUnreadable', 'output "rows" was written twice, the second time by container "second"'],
    ['the same output twice in one', { 'a-b': of('integer') }, ['a-b=1\na_b=2'], 'OutputUnreadable', 'output "a-b" was written twice, the second time by container "main"'],
    ['a message that fills all its room', { rows: of('integer'), name: of('string') }, [`rows=1\nname=${'x'.repeat(4084)}`], 'OutputTooLong', 'container "main" wrote 4096 bytes of outputs or more, and Kubernetes keeps no more than 4096: "rows", "name" may be cut'],
  ])('%s', (_sentence, specs, texts, reason, message) => {
    expect(read(specs, ...texts)).toEqual({ kind: 'problem', reason, message });
  });

  it.each([[1, 4096], [3, 4096], [4, 3072], [5, 2457], [12, 1024]])('of %d containers each has %d bytes', (containers, limit) => {
    const filled = (size: number) => readOutputs({ x: of('string') }, [pod([`x=${'y'.repeat(size - 2)}`], { containers })]);
    expect(filled(limit - 1)).toMatchObject({ kind: 'read' });
    expect(filled(limit)).toMatchObject({ kind: 'problem', reason: 'OutputTooLong' });
  });

  it('sizes are bytes, not characters', () => {
    expect(read({ x: of('string') }, `x=${'ä'.repeat(2047)}`)).toMatchObject({ reason: 'OutputTooLong' });
  });

  it('names that objects have anyway are names like others', () => {
    expect(read({ constructor: of('string') }, 'a=1')).toMatchObject({ reason: 'OutputMissing' });
    expect(read({ constructor: of('string'), toString: of('string') }, 'constructor=1\ntoString=2\n__proto__=3')).toEqual({ kind: 'read', outputs: { constructor: '1', toString: '2' } });
  });
});

describe('outputs of items', () => {
  const wrote = (...texts: (string | undefined)[]) => new Map(texts.flatMap((text, index): [number, StepPodFacts][] => (text === undefined ? [] : [[index, pod([text], { index })]])));

  it('are lists in the order of the items, with null where an item has none', () => {
    expect(readItemOutputs({ rows: of('integer'), name: of('string', 'none') }, wrote('rows=1', undefined, 'name=c'), 4)).toEqual({
      kind: 'read', outputs: { rows: [1, null, null, null], name: ['none', 'none', 'c', 'none'] },
    });
  });

  it('that cannot be used name the first item, and all of them', () => {
    expect(readItemOutputs({ rows: of('integer') }, wrote('rows=1', 'rows=x', 'rows=y'), 3)).toEqual({
      kind: 'problem', reason: 'OutputUnreadable', items: [1, 2],
      message: 'item 1: output "rows" of container "main" (6 bytes): "x" is not of type integer; the same goes for 1 more',
    });
  });
});

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,20}$/);
const whole = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json);
const typed: fc.Arbitrary<[Type, Json]> = fc.oneof(
  fc.tuple(fc.constant<Type>('string'), fc.string({ maxLength: 40 })),
  fc.tuple(fc.constant<Type>('integer'), fc.maxSafeInteger()),
  fc.tuple(fc.constant<Type>('number'), fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
  fc.tuple(fc.constant<Type>('boolean'), fc.boolean()),
  fc.tuple(fc.constant<Type>('array'), fc.array(whole, { maxLength: 3 }) as fc.Arbitrary<Json>),
  fc.tuple(fc.constant<Type>('object'), fc.dictionary(fc.string(), whole, { maxKeys: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json)),
);
const written = fc.uniqueArray(fc.tuple(name, typed), { selector: ([key]) => key, maxLength: 6 });

describe('whatever is written', () => {
  const specsOf = (entries: readonly (readonly [string, readonly [Type, Json]])[]): OutputSpecs => Object.fromEntries(entries.map(([key, [type]]) => [key, of(type)]));
  const fits = (text: string): boolean => Buffer.byteLength(text) < 4096;

  it('as JSON is read as it was', () => {
    fc.assert(fc.property(written, (entries) => {
      const outputs = Object.fromEntries(entries.map(([key, [, value]]) => [key, value]));
      const text = JSON.stringify(outputs);
      fc.pre(fits(text));
      expect(JSON.stringify(read(specsOf(entries), text))).toBe(JSON.stringify({ kind: 'read', outputs }));
    }));
  });

  it('as lines is read as it was, but for texts of several lines', () => {
    fc.assert(fc.property(written, (entries) => {
      const lines = entries.map(([key, [, value]]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
      const text = lines.join('\n');
      fc.pre(fits(text) && !entries.some(([, [, value]]) => typeof value === 'string' && /[\r\n]/.test(value)));
      const outputs = Object.fromEntries(entries.map(([key, [, value]]) => [key, value]));
      expect(JSON.stringify(read(specsOf(entries), text))).toBe(JSON.stringify({ kind: 'read', outputs }));
    }));
  });

  it('never throws, and gives all that is declared or a problem', () => {
    const text = fc.oneof(fc.string({ maxLength: 5000 }), fc.json(), fc.array(fc.string()).map((lines) => lines.join('=')));
    fc.assert(fc.property(fc.array(text, { maxLength: 3 }), written, (texts, entries) => {
      const reading = read(specsOf(entries), ...texts);
      if (reading.kind === 'read') expect(Object.keys(reading.outputs).sort()).toEqual(entries.map(([key]) => key).sort());
      else expect(reading.message).not.toBe('');
    }));
  });
});
