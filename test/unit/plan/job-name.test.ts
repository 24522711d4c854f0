import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobName } from '../../../src/plan/job-name.ts';

const dnsLabel = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const parts = fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 8 });

describe('names of Jobs', () => {
  it.each([
    ['a plain name stays readable', 'thumbnails', /^thumbnails-[a-z2-7]{12}$/],
    ['capitals become small', 'Thumb-Nails', /^thumb-nails-[a-z2-7]{12}$/],
    ['dots and underscores become one dash', 'a.._b', /^a-b-[a-z2-7]{12}$/],
    ['dashes at the ends go', '--a--', /^a-[a-z2-7]{12}$/],
    ['a name without any usable character is called job', '漢字', /^job-[a-z2-7]{12}$/],
    ['an empty name is called job', '', /^job-[a-z2-7]{12}$/],
    ['a cut never leaves two dashes', `${'a'.repeat(38)}-b`, new RegExp(`^${'a'.repeat(38)}-[a-z2-7]{12}$`)],
  ])('%s', (_sentence, name, shape) => {
    expect(jobName(name, ['x'])).toMatch(shape);
  });

  it('the name of one Job never changes between versions: it is the lock', () => {
    expect(jobName('thumbnails', ['default', 'queue', 'thumbnails', 1, 1])).toBe('thumbnails-lpxfjfdgsofw');
  });

  it('any name and parts give a DNS label of at most 52 characters, the same each time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), parts, (name, of) => {
        const made = jobName(name, of);
        expect(made).toMatch(dnsLabel);
        expect(made.length).toBeLessThanOrEqual(52);
        expect(jobName(name, [...of])).toBe(made);
      }),
    );
  });

  it('different parts give different names, also where their texts run together', () => {
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        fc.pre(JSON.stringify(left) !== JSON.stringify(right));
        expect(jobName('a', left)).not.toBe(jobName('a', right));
      }),
    );
    expect(jobName('a', ['bc', ''])).not.toBe(jobName('a', ['b', 'c']));
    expect(jobName('a', [1])).not.toBe(jobName('a', ['1']));
  });
});
