import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, digest } from '../../../src/lib/digest.ts';

/** Another way to base32, to hold the digest against: bits as text, cut in fives. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => 'abcdefghijklmnopqrstuvwxyz234567'.charAt(Number.parseInt(five, 2))).join('');
}

/** The same value with its keys inserted in the opposite order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, entry]) => [key, turned(entry)]));
}

describe('digest', () => {
  it('is the SHA-256 of the canonical JSON in base32', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(digest(value, 51)).toBe(base32(createHash('sha256').update(canonicalJson(value)).digest()));
      }),
    );
  });

  it('does not change with the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(digest(turned(value), 16)).toBe(digest(value, 16));
      }),
    );
  });

  it('has the length asked for, of letters and digits that names may have', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 51 }), (value, length) => {
        expect(digest(value, length)).toMatch(new RegExp(`^[a-z2-7]{${length}}$`));
      }),
    );
  });

  it('is the same in every release: names of Jobs depend on it', () => {
    expect(digest(['default', 'queue', 'thumbnails'], 10)).toBe(base32(createHash('sha256').update('["default","queue","thumbnails"]').digest()).slice(0, 10));
    expect(digest('', 10)).toBe('ckxdfsy6ya');
  });

  it('tells different values apart', () => {
    const values = [null, 0, '0', '', [], {}, [0], ['a', 'b'], ['ab'], { a: 1 }, { a: '1' }, { a: { b: 1 } }, [[]], true];
    expect(new Set(values.map((value) => digest(value, 16))).size).toBe(values.length);
  });
});

describe('canonicalJson', () => {
  const cases: readonly [value: unknown, text: string, why: string][] = [
    [{ b: 1, a: [2, { d: 3, c: 4 }] }, '{"a":[2,{"c":4,"d":3}],"b":1}', 'sorts keys at every level'],
    [{ a: undefined, b: 1 }, '{"b":1}', 'leaves out what is undefined'],
    [undefined, 'null', 'writes undefined as null'],
    [[3, 1, 2], '[3,1,2]', 'keeps the order of lists'],
    ['ä"\n', '"ä\\"\\n"', 'escapes as JSON does'],
  ];
  it.each(cases)('%j gives %s: %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });
});
