import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactJson, storableJson } from '../../../../../src/adapters/queues/pg-boss-messages/json-text.ts';
import { isObject, parseJson, type Json } from '../../../../../src/lib/json.ts';

/** As PostgreSQL prints jsonb: a blank after each colon and comma. */
function printed(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(printed).join(', ')}]`;
  if (isObject(value)) return `{${Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}: ${printed(entry ?? null)}`).join(', ')}}`;
  return JSON.stringify(value);
}

describe('JSON as PostgreSQL prints it', () => {
  it.each([
    ['a number longer than JavaScript keeps', '{"id": 12345678901234567890, "price": 1.10}', '{"id":12345678901234567890,"price":1.10}'],
    ['blanks in strings', '{"a b": " c , d : e "}', '{"a b":" c , d : e "}'],
    ['quotes in strings', '{"a": "\\" : \\\\", "b": [1, 2]}', '{"a":"\\" : \\\\","b":[1,2]}'],
    ['a string that ends in a backslash', '["\\\\", " "]', '["\\\\"," "]'],
    ['null', 'null', 'null'],
  ])('is made compact, with %s', (_, text, compact) => {
    expect(compactJson(text)).toBe(compact);
  });

  it('is the same value afterwards, whatever it holds', () => {
    fc.assert(fc.property(fc.json(), (text) => {
      expect(parseJson(compactJson(printed(parseJson(text))))).toEqual(parseJson(text));
      expect(compactJson(JSON.stringify(parseJson(text)))).toBe(JSON.stringify(parseJson(text)));
    }));
  });

  it('takes time in proportion to its length', () => {
    const text = JSON.stringify({ text: '\\"'.repeat(200_000), list: Array.from({ length: 50_000 }, () => 'x') });
    expect(compactJson(text)).toBe(text);
  });
});

describe('what jsonb can hold', () => {
  it('has no NUL and no half of a surrogate pair, in values and names, and is otherwise unchanged', () => {
    expect(storableJson({ 'a\0': ['b\0c', { d: '\uD83D', e: '🎉' }], n: 1, nothing: null })).toEqual({ 'a\uFFFD': ['b\uFFFDc', { d: '\uFFFD', e: '🎉' }], n: 1, nothing: null });
  });
});
