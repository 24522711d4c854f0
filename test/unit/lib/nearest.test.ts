import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../../src/lib/nearest.ts';

const fields = ['image', 'imagePullPolicy', 'parallelism', 'backoffLimit', 'env', 'envFrom', 'command', 'podSecurityContext', 'tty'];

describe('nearest', () => {
  const cases: readonly [word: string, guess: string | undefined, why: string][] = [
    ['imag', 'image', 'a letter is missing'],
    ['imagee', 'image', 'a letter too many'],
    ['imgae', 'image', 'two letters are swapped'],
    ['imege', 'image', 'a letter is wrong'],
    ['paralelism', 'parallelism', 'a double letter is single'],
    ['backoff_limit', 'backoffLimit', 'another convention of words'],
    ['backoff-limit', 'backoffLimit', 'hyphens'],
    ['IMAGEPULLPOLICY', 'imagePullPolicy', 'capitals'],
    ['imagePullPolcy', 'imagePullPolicy', 'a typo in a long name'],
    ['commands', 'command', 'plural'],
    ['podSecurtyContxt', 'podSecurityContext', 'two mistakes in a long name'],
    ['replicas', undefined, 'nothing is near'],
    ['x', undefined, 'one letter is near to nothing'],
    ['', undefined, 'an empty word'],
    ['envvars', undefined, 'too many letters more than env'],
  ];
  it.each(cases)('%j is taken for %s: %s', (word, guess) => {
    expect(nearest(word, fields)).toBe(guess);
  });

  it('finds a word in a list that has it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...fields), (word) => {
        expect(nearest(word, fields)).toBe(word);
      }),
    );
  });

  it('finds a long word with any one letter changed', () => {
    fc.assert(
      fc.property(fc.nat('imagePullPolicy'.length - 1), fc.constantFrom('x', 'q', ''), (index, letter) => {
        const word = 'imagePullPolicy';
        expect(nearest(word.slice(0, index) + letter + word.slice(index + 1), fields)).toBe(word);
      }),
    );
  });

  it('takes any text, however long', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5_000 }), (word) => {
        expect([undefined, ...fields]).toContain(nearest(word, fields));
      }),
    );
  });

  it('has no guess without candidates', () => {
    expect(nearest('image', [])).toBeUndefined();
  });
});
