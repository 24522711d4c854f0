import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/lib/json.ts';
import { convert } from '../../../src/spec/convert.ts';
import type { FieldType } from '../../../src/spec/destination.ts';

describe('convert', () => {
  const taken: readonly [type: FieldType, value: Json, expected: Json][] = [
    ['integer', '3', 3],
    ['integer', '-3', -3],
    ['integer', '+3', 3],
    ['integer', '007', 7],
    ['integer', 3.0, 3],
    ['number', 0.5, 0.5],
    ['number', '0.5', 0.5],
    ['number', '+1e3', 1000],
    ['boolean', 'true', true],
    ['object', ' {"a": 1} ', { a: 1 }],
    ['array', '[]', []],
    ['quantity', '1Gi', '1Gi'],
    ['integerOrString', '80', '80'],
    ['string', null, 'null'],
    ['any', null, null],
  ];
  it.each(taken)('%s takes %j', (type, value, expected) => {
    expect(convert(value, type)).toEqual({ kind: 'value', value: expected });
  });

  const refused: readonly [type: FieldType, value: Json][] = [
    ['integer', ''],
    ['integer', ' 3'],
    ['integer', '3.0'],
    ['integer', '0x10'],
    ['integer', '1e3'],
    ['integer', '99999999999999999'],
    ['integer', 2 ** 53],
    ['integer', null],
    ['number', ''],
    ['number', '.5'],
    ['number', 'NaN'],
    ['number', '1e999'],
    ['number', Number.POSITIVE_INFINITY],
    ['boolean', 'True'],
    ['boolean', 1],
    ['boolean', null],
    ['object', null],
    ['object', '[]'],
    ['object', '{a: 1}'],
    ['array', '{}'],
    ['array', 'a'],
    ['quantity', Number.NaN],
    ['quantity', null],
    ['integerOrString', 1.5],
  ];
  it.each(refused)('%s refuses %j', (type, value) => {
    expect(convert(value, type).kind).toBe('problem');
  });

  it('changes nothing that is of the type, and what it makes is of the type', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom<FieldType>('string', 'integer', 'number', 'boolean', 'object', 'array', 'quantity', 'integerOrString', 'any'), (value, type) => {
        const once = convert(value, type);
        if (once.kind === 'value') expect(convert(once.value, type)).toEqual(once);
      }),
    );
  });
});
