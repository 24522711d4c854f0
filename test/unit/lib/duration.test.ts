import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/lib/duration.ts';

describe('parseDuration', () => {
  const cases: readonly [text: string, milliseconds: number | undefined, why: string][] = [
    ['90s', 90_000, 'reads one unit'],
    ['1h30m', 5_400_000, 'adds units'],
    ['7d', 604_800_000, 'knows days'],
    ['1d2h3m4s', 93_784_000, 'knows all units in order'],
    ['0s', 0, 'takes zero'],
    ['0d0h', 0, 'takes zero in several units'],
    ['999999999s', 999_999_999_000, 'takes nine digits'],
    ['', undefined, 'refuses nothing'],
    ['s', undefined, 'refuses a unit without a number'],
    ['90', undefined, 'refuses a number without a unit'],
    ['30m1h', undefined, 'refuses units out of order'],
    ['1m1m', undefined, 'refuses the same unit twice'],
    ['1.5h', undefined, 'refuses fractions'],
    ['-1s', undefined, 'refuses a sign'],
    ['1 h', undefined, 'refuses blanks'],
    ['500ms', undefined, 'refuses milliseconds'],
    ['1H', undefined, 'refuses capitals'],
    ['1s\n', undefined, 'refuses a line break at the end'],
    ['1000000000s', undefined, 'refuses ten digits'],
  ];
  it.each(cases)('%j is %s: %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });
});

describe('formatDuration', () => {
  const cases: readonly [milliseconds: number, text: string][] = [
    [0, '0s'],
    [-5, '0s'],
    [1, '1s'],
    [1_500, '2s'],
    [90_000, '1m30s'],
    [86_400_000, '1d'],
    [93_784_000, '1d2h3m4s'],
  ];
  it.each(cases)('writes %d ms as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it('writes what parseDuration reads back', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
  });
});
