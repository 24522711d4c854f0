import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../src/plan/observed.ts';
import { sourceName, winnerOf } from '../../../src/plan/winner.ts';
import { aBrokenClaim, aClaim, aConfigMap, aFile, noon, seconds } from '../../support/builders.ts';

const map = (name: string, createdAt: number, deleting = false): Claim => aClaim(undefined, aConfigMap({ name, uid: `uid-${name}`, createdAt, deleting }));
const file = (path: string, createdAt: number): Claim => aClaim(undefined, aFile({ path, createdAt }));

describe('which claim defines a name', () => {
  it.each([
    ['nobody claims it', [], undefined],
    ['the only claim wins', [map('a', noon)], 'a'],
    ['the newest wins', [map('a', noon), map('b', noon + seconds(1)), map('c', noon - seconds(1))], 'b'],
    ['of two from the same second the smaller name wins', [map('b', noon), map('a', noon)], 'a'],
    ['a claim that is being deleted never wins', [map('a', noon), map('b', noon + seconds(1), true)], 'a'],
    ['when all are being deleted nobody wins', [map('a', noon, true)], undefined],
    ['the newest wins even when it is broken', [map('a', noon), aBrokenClaim(aConfigMap({ name: 'b', createdAt: noon + seconds(1) }))], 'b'],
    ['files and ConfigMaps compete on equal terms', [map('a', noon), file('b.yaml', noon + seconds(1))], 'b.yaml'],
  ] as const)('%s', (_sentence, claims, winner) => {
    const index = winnerOf(claims);
    expect(index === undefined ? undefined : sourceName(claims[index]!)).toBe(winner);
  });

  it('the order in which claims are found does not matter', () => {
    const source = fc.oneof(
      fc.record({ name: fc.constantFrom('a', 'b'), createdAt: fc.integer({ min: 0, max: 2 }), deleting: fc.boolean() }).map(({ name, createdAt, deleting }) => map(name, createdAt, deleting)),
      fc.record({ path: fc.constantFrom('a', 'b'), createdAt: fc.integer({ min: 0, max: 2 }) }).map(({ path, createdAt }) => file(path, createdAt)),
    );
    const identity = (claim: Claim): string => `${claim.source.kind} ${sourceName(claim)}`;
    fc.assert(
      fc.property(fc.uniqueArray(source, { maxLength: 4, selector: identity }), (claims) => {
        const winner = (list: readonly Claim[]): string | undefined => {
          const index = winnerOf(list);
          return index === undefined ? undefined : identity(list[index]!);
        };
        expect(winner([...claims].reverse())).toBe(winner(claims));
      }),
    );
  });
});
