import { describe, expect, it } from 'vitest';
import { lazy } from '../../../src/lib/lazy.ts';
import { anyOf, shown } from '../../../src/lib/show.ts';

describe('shown', () => {
  const cases: readonly [value: unknown, text: string, why: string][] = [
    ['a"b', '"a\\"b"', 'texts stand in quotes'],
    [14, '14', 'numbers do not'],
    [{ a: [1] }, '{"a":[1]}', 'mappings are JSON'],
    [undefined, 'nothing', 'what is not there'],
    ['x'.repeat(100), `"${'x'.repeat(59)}…`, 'long values are cut'],
  ];
  it.each(cases)('%j is shown as %s: %s', (value, text) => {
    expect(shown(value)).toBe(text);
  });
});

describe('anyOf', () => {
  const cases: readonly [words: readonly unknown[], text: string][] = [
    [[], ''],
    [['a'], '"a"'],
    [['a', 'b'], '"a" or "b"'],
    [['a', 'b', 3], '"a", "b" or 3'],
  ];
  it.each(cases)('%j reads %s', (words, text) => {
    expect(anyOf(words)).toBe(text);
  });
});

describe('lazy', () => {
  it('does its work once, at first use', () => {
    let runs = 0;
    const value = lazy(() => ++runs);
    expect(runs).toBe(0);
    expect([value(), value(), runs]).toEqual([1, 1, 1]);
  });

  it('remembers undefined too', () => {
    let runs = 0;
    const value = lazy(() => {
      runs += 1;
      return undefined;
    });
    value();
    value();
    expect(runs).toBe(1);
  });
});
