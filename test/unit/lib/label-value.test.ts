import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelValue } from '../../../src/lib/label-value.ts';

const valid = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

describe('labelValue', () => {
  const kept = ['thumbnails', 'a', 'A.b_c-9', 'x'.repeat(63)];
  it.each(kept)('keeps %s', (text) => {
    expect(labelValue(text)).toBe(text);
  });

  const replaced: readonly [text: string, shape: RegExp, why: string][] = [
    ['', /^[a-z2-7]{10}$/, 'an empty text is only a hash'],
    ['a/b', /^a-b-[a-z2-7]{10}$/, 'a slash becomes a hyphen'],
    ['a///b', /^a-b-[a-z2-7]{10}$/, 'several become one'],
    ['-a-', /^a-[a-z2-7]{10}$/, 'hyphens at the ends are cut'],
    ['///', /^[a-z2-7]{10}$/, 'nothing legal is only a hash'],
    ['Größe', /^Gr-e-[a-z2-7]{10}$/, 'letters beyond ASCII are replaced'],
    ['x'.repeat(64), /^x{52}-[a-z2-7]{10}$/, 'a long text is cut'],
    [`${'x'.repeat(51)}.${'y'.repeat(20)}`, /^x{51}-[a-z2-7]{10}$/, 'a dot where it is cut goes too'],
  ];
  it.each(replaced)('%j fits %s: %s', (text, shape) => {
    expect(labelValue(text)).toMatch(shape);
    expect(labelValue(text)).toMatch(valid);
  });

  it('is always a legal value, and the same each time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(labelValue(text)).toMatch(valid);
        expect(labelValue(text)).toBe(labelValue(text));
      }),
    );
  });

  it('keeps different texts different', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.string({ maxLength: 100 }), (left, right) => {
        expect(labelValue(left) === labelValue(right)).toBe(left === right);
      }),
    );
  });
});
