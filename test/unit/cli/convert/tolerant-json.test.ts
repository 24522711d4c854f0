import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mendJson } from '../../../../src/cli/convert/tolerant-json.ts';

describe('JSON as people write it', () => {
  const readable: readonly [what: string, text: string, value: unknown, slips: readonly [offset: number, message: string][]][] = [
    ['plain JSON', '{"a": [1, -2.5e3, "x\\"y", true, null]}', { a: [1, -2500, 'x"y', true, null] }, []],
    ['comments of both sorts', '// one\n[1, /* two\n */ 2] // three', [1, 2], []],
    ['a comma too many', '[1, 2, ]', [1, 2], []],
    ['what looks like a comment in a text', '{"a": "http://x/*y*/"}', { a: 'http://x/*y*/' }, []],
    ['tabs', '{\n\t"a":\t1\n}', { a: 1 }, []],
    ['a colon that is missing', '{"a" ["b"]}', { a: ['b'] }, [[4, 'a colon is missing here']]],
    ['a comma that is missing in a mapping', '{"a": {"x": 1}\n "b": 2 "c": 3}', { a: { x: 1 }, b: 2, c: 3 }, [[14, 'a comma is missing here'], [22, 'a comma is missing here']]],
    ['a comma that is missing in a list', '[[1] "b" {} 3]', [[1], 'b', {}, 3], [[4, 'a comma is missing here'], [8, 'a comma is missing here'], [11, 'a comma is missing here']]],
    ['a comma that is missing before a comment', '{"a": 1 // one\n "b": 2}', { a: 1, b: 2 }, [[7, 'a comma is missing here']]],
    ['both one after the other', '{"a" 1 "b" 2}', { a: 1, b: 2 }, [[4, 'a colon is missing here'], [6, 'a comma is missing here'], [10, 'a colon is missing here']]],
  ];
  it.each(readable)('is read with %s', (_what, text, value, slips) => {
    const mended = mendJson(text);
    expect(parse(mended?.text ?? '')).toEqual(value);
    expect(mended?.slips.map(({ offset, message }) => [offset, message])).toEqual(slips);
  });

  it.each(readable)('keeps every place with %s', (_what, text) => {
    expect(mendJson(text)?.text).toHaveLength(text.length);
    expect(mendJson(text)?.text.split('\n').map((line) => line.length)).toEqual(text.split('\n').map((line) => line.length));
  });

  it.each([
    ['YAML in blocks', 'a: 1\n'],
    ['YAML with words', '{a: 1}'],
    ['text', '"a"'],
    ['nothing', ' \n'],
    ['values without a blank between them', '["a""b"]'],
  ])('leaves %s alone', (_what, text) => {
    expect(mendJson(text)).toBeUndefined();
  });
});
