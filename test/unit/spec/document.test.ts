import { describe, expect, it } from 'vitest';
import { readDocument, readPartly } from '../../../src/spec/document.ts';
import { pathText, pointerPath, textsUnder, valueAt, type FieldPath } from '../../../src/spec/field-path.ts';

const placeOf = (text: string, path: FieldPath, part?: 'key'): string => {
  const { line, column } = readDocument(text).place({ code: 'UnknownField', message: '', path, ...(part ? { part } : {}) });
  return `${line}:${column}`;
};

describe('values', () => {
  const cases: readonly [what: string, text: string, value: unknown][] = [
    ['nothing', '', null],
    ['numbers of YAML 1.2', 'a: [1, -1.5, 0x10, 0o17, 1e3]', { a: [1, -1.5, 16, 15, 1000] }],
    ['texts that are no numbers', 'a: ["1", 12:30, 1_000, 2026-01-01]', { a: ['1', '12:30', '1_000', '2026-01-01'] }],
    ['booleans and null', 'a: [true, False, null, ~, ]', { a: [true, false, null, null] }],
    ['field names that look like numbers', '8080: a\ntrue: b', { '8080': 'a', true: 'b' }],
    ['a field without a value', 'a:\nb: 1', { a: null, b: 1 }],
    ['literal and folded blocks', 'a: |\n  x\n  y\nb: >-\n  x\n  y\n', { a: 'x\ny\n', b: 'x y' }],
    ['aliases', 'a: &x {b: 1}\nc: *x\nd: [*x]', { a: { b: 1 }, c: { b: 1 }, d: [{ b: 1 }] }],
    ['the last anchor of a name', 'a: &x 1\nb: *x\nc: &x 2\nd: *x', { a: 1, b: 1, c: 2, d: 2 }],
    ['an anchor on a field name', '&x a: 1\nb: *x', { a: 1, b: 'a' }],
    ['an alias of a scalar', 'a: &x 5\nb: *x', { a: 5, b: 5 }],
    ['merge keys, which own fields override', 'a: &x {b: 1, c: 2}\nd:\n  b: 3\n  <<: *x', { a: { b: 1, c: 2 }, d: { b: 3, c: 2 } }],
    ['lists of merge keys, of which the first wins', 'a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}', { a: { b: 1 }, c: { b: 2, d: 3 }, e: { b: 1, d: 3 } }],
    ['a merge key in quotes is a field', 'a: {"<<": 1}', { a: { '<<': 1 } }],
    ['merges of merges', 'a: &x {b: 1}\nc: &y {<<: *x, d: 2}\ne: {<<: *y}', { a: { b: 1 }, c: { b: 1, d: 2 }, e: { b: 1, d: 2 } }],
    ['JSON', '{"a": {"b": [1, "x"]}}', { a: { b: [1, 'x'] } }],
  ];
  it.each(cases)('%s', (_what, text, value) => {
    const document = readDocument(text);
    expect(document.findings).toEqual([]);
    expect(document.value).toEqual(value);
  });
});

describe('places', () => {
  const text = ['job:', '  image: x', '  env:', '  - name: A', '    value: 1', '  - {name: B, value: 2}', 'drain:', ''].join('\n');
  const cases: readonly [path: FieldPath, part: 'key' | undefined, place: string][] = [
    [['job', 'image'], undefined, '2:10'],
    [['job', 'image'], 'key', '2:3'],
    [['job', 'env', 0, 'value'], undefined, '5:12'],
    [['job', 'env', 1, 'value'], undefined, '6:22'],
    [['job', 'env', 1], undefined, '6:5'],
    [['drain'], undefined, '7:1'],
    [['job', 'missing'], undefined, '1:1'],
    [['job', 'env', 1, 'missing'], undefined, '6:5'],
    [[], undefined, '1:1'],
  ];
  it.each(cases)('of %j (%s) is %s', (path, part, place) => {
    expect(placeOf(text, path, part)).toBe(place);
  });

  it('behind an alias is where the value is written', () => {
    expect(placeOf('a: &x\n  b: 1\nc: *x\n', ['c', 'b'])).toBe('2:6');
  });

  it('of an alias is where it is used', () => {
    expect(placeOf('a: &x\n  b: 1\nc: *x\n', ['c'])).toBe('3:4');
  });

  it('of a merged field is where it is written', () => {
    expect(placeOf('a: &x\n  b: 1\nc:\n  <<: *x\n  d: 2\n', ['c', 'b'])).toBe('2:6');
    expect(placeOf('a: &x\n  b: 1\nc:\n  <<: *x\n  d: 2\n', ['c', 'd'])).toBe('5:6');
  });

  it('count lines as editors do', () => {
    expect(placeOf('a: 1\r\nb: 2\r\n', ['b'])).toBe('2:4');
  });
});

describe('findings', () => {
  const cases: readonly [text: string, expected: readonly string[]][] = [
    ['a: 1\na: 2', ['2:1 DuplicateKey']],
    ['a:\n\tb: 1', ['2:1 TabIndentation']],
    ['a: 1\n---\nb: 2', ['2:1 MultipleDocuments']],
    ['a: [1', ['1:6 InvalidYaml']],
    ['a: [1]]]]\nb: }}}\n', ['1:7 InvalidYaml', '2:1 InvalidYaml']],
    ['a: }\nb: }\nc: }\nd: }\n', ['1:4 InvalidYaml', '2:1 InvalidYaml', '3:1 InvalidYaml']],
    ['a: *b', ['1:4 InvalidYaml']],
    ['a: &x 1\nb: &x 2\nc: *x', []],
    ['a: &x [*x]', ['1:8 TooManyAliases']],
    ['a: &x {b: *x}', ['1:11 TooManyAliases']],
    ['<<: 1', ['1:1 InvalidYaml']],
    ['%YAML 1.1\n---\na: 1', ['1:1 UnsupportedYaml']],
    ['%FOO bar\n---\na: 1', ['1:1 UnsupportedYaml']],
    ['a: !include x', ['1:13 UnsupportedYaml']],
    ['a: !!str 5', []],
    ['? [a]\n: b', ['1:3 UnsupportedYaml']],
    ['__proto__: {a: 1}', ['1:1 UnsupportedYaml']],
    ['null: 1', ['1:1 UnsupportedYaml']],
    ['a: .nan', ['1:4 UnsupportedYaml']],
    ['a: [0644, 007, -010, 08]', ['1:5 AmbiguousNumber', '1:11 AmbiguousNumber', '1:16 AmbiguousNumber', '1:22 AmbiguousNumber']],
    ['a: ["0644", 0, 0.5, 0x1, 0o644, 0s]', []],
    ['a: [yes, No, ON, off, y, N]', ['1:5 AmbiguousWord', '1:10 AmbiguousWord', '1:14 AmbiguousWord', '1:18 AmbiguousWord', '1:23 AmbiguousWord', '1:26 AmbiguousWord']],
    ['a: ["yes", \'no\', true, false, yesterday, "on"]', []],
    ['on: 1', ['1:1 AmbiguousWord']],
    ['"on": 1', []],
    ['a: &x yes\nb: *x', ['1:7 AmbiguousWord']],
    ['a: ${X}', ['1:4 FluxSubstitution']],
    ['${X}: a', ['1:1 FluxSubstitution']],
    ['# ${X} {{ x }}\na: 1', []],
    ['a: "{{ x }}"', ['1:4 HelmTemplate']],
  ];
  it.each(cases)('%j gives %j', (text, expected) => {
    const document = readDocument(text);
    expect(document.findings.map((finding) => `${document.place(finding).line}:${document.place(finding).column} ${finding.code}`)).toEqual(expected);
  });
});

describe('readPartly', () => {
  const cases: readonly [text: string, name: string | undefined][] = [
    ['name: a', 'a'],
    ['x: [\nname: "a-b.c" # why\n', 'a-b.c'],
    ["name: 'a'\r\n", 'a'],
    ['job:\n  name: a', undefined],
    ['name: [a]', undefined],
    ['name:', undefined],
    ['', undefined],
  ];
  it.each(cases)('finds in %j the name %s', (text, name) => {
    expect(readPartly(text, 'name')).toBe(name);
  });
});

describe('paths', () => {
  const cases: readonly [path: FieldPath, text: string][] = [
    [['drain', 'pods', 'max'], 'drain.pods.max'],
    [['job', 'env', 2, 'name'], 'job.env[2].name'],
    [['jobMetadata', 'labels', 'example.com/a'], 'jobMetadata.labels["example.com/a"]'],
    [['a b', 'c'], '["a b"].c'],
    [[], ''],
  ];
  it.each(cases)('%j reads %s', (path, text) => {
    expect(pathText(path)).toBe(text);
  });

  it('come from JSON pointers, with list indexes told from names', () => {
    const root = { a: [{ '0': { 'b/c~d': 1 } }] };
    const path = pointerPath('/a/0/0/b~1c~0d', root);
    expect(path).toEqual(['a', 0, '0', 'b/c~d']);
    expect(valueAt(root, path)).toBe(1);
    expect(valueAt(root, ['a', 'x', 3])).toBeUndefined();
  });

  it('lead to every text, never to field names', () => {
    expect(textsUnder({ a: ['x', { b: 'y', c: 1 }], d: 'z' }, ['a'])).toEqual([
      { path: ['a', 0], text: 'x' },
      { path: ['a', 1, 'b'], text: 'y' },
    ]);
  });
});
