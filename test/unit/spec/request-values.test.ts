import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { describeFinding, requestFindings } from '../../../src/spec/request-values.ts';
import type { ParameterSpec } from '../../../src/spec/workflow.ts';

const declared: Readonly<Record<string, ParameterSpec>> = {
  url: { type: 'string', schema: { type: 'string', pattern: '^https://' }, default: undefined, optional: false },
  size: { type: 'integer', schema: { type: 'integer', minimum: 1 }, default: 512, optional: false },
  tags: { type: 'array', schema: { type: 'array', items: { type: 'string' } }, default: undefined, optional: true },
};
const lines = (values: JsonObject, of = declared): string[] => requestFindings(of, values).map(describeFinding);

describe('values of a request', () => {
  it('are fine where they fit, with defaults and without what is optional', () => {
    expect(lines({ url: 'https://a' })).toEqual([]);
    expect(lines({ url: 'https://a', size: 3, tags: ['a'] })).toEqual([]);
  });

  it.each<[string, JsonObject, string[]]>([
    ['one is missing', {}, ['parameters.url: the parameter "url" needs a value of type string']],
    ['one is unknown', { url: 'https://a', sice: 3 }, ['parameters.sice: there is no parameter "sice"; did you mean "size"?']],
    ['one is of another type', { url: 'https://a', size: 'big' }, ['parameters.size: must be a whole number, is the text "big"']],
    ['one is out of bounds', { url: 'https://a', size: 0 }, ['parameters.size: must be at least 1, is 0']],
    ['something inside one is wrong', { url: 'https://a', tags: ['a', 3] }, ['parameters.tags[1]: must be text, is the number 3; put it in quotes: "3"']],
  ])('are told by path where %s', (_what, values, expected) => {
    expect(lines(values)).toEqual(expected);
  });

  it('are no more than those of the object itself: names of every object are names like any other', () => {
    const odd = { constructor: declared['url'] as ParameterSpec };
    expect(lines({}, odd)).toEqual(['parameters.constructor: the parameter "constructor" needs a value of type string']);
    expect(lines(JSON.parse('{"__proto__": {"url": "https://a"}, "constructor": "https://a"}') as JsonObject, odd)).toEqual(['parameters.__proto__: there is no parameter "__proto__"; there is constructor']);
    expect(lines({ toString: 'a' }, {})).toEqual(['parameters.toString: there is no parameter "toString"; none are declared']);
  });

  it.each<[string, JsonObject, Json]>([
    ['a pattern that a short text keeps busy for minutes', { type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(40)}!`],
    ['a list in which each entry is compared with each', { type: 'array', uniqueItems: true }, Array.from({ length: 20_000 }, (_, at) => ({ at }))],
  ])('end the check of %s', (_what, schema, value) => {
    const slow: Readonly<Record<string, ParameterSpec>> = { slow: { type: 'string', schema, default: undefined, optional: false } };
    expect(lines({ slow: value }, slow)).toEqual(['parameters: cannot be checked within 1 s; a "pattern" with repetitions inside repetitions, or "uniqueItems" of a long list, takes too long for these values']);
  });

  it('of which very many are wrong are told the first: all of them would fill the memory', () => {
    const rows: Readonly<Record<string, ParameterSpec>> = { rows: { type: 'array', schema: { type: 'array', items: { type: 'object', required: ['a', 'b'] } }, default: undefined, optional: false } };
    expect(lines({ rows: [{}, {}] }, rows)).toHaveLength(4);
    expect(lines({ rows: Array.from({ length: 10_000 }, () => ({})) }, rows)).toEqual(['parameters.rows[0].a: the field "a" is required']);
  });
});
