import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sourceIdentity, sourceText, type PgBossSource } from '../../../src/spec/queue-source.ts';

const names = fc.constantFrom('a', 'b', 'a","b');
const sources: fc.Arbitrary<PgBossSource> = fc.record({ type: fc.constant('pgBoss'), connection: names, queue: names, schema: fc.option(names, { nil: undefined }) });

describe('the text of a source', () => {
  it('is that of its identity, however often it is asked for and by whichever object', () => {
    fc.assert(
      fc.property(sources, (source) => {
        const expected = JSON.stringify(sourceIdentity(source));
        expect([sourceText(source), sourceText(source), sourceText({ ...source })]).toEqual([expected, expected, expected]);
      }),
    );
  });

  it('tells queues apart', () => {
    fc.assert(
      fc.property(sources, sources, (one, other) => {
        expect(sourceText(one) === sourceText(other)).toBe(one.connection === other.connection && one.queue === other.queue && (one.schema ?? '') === (other.schema ?? ''));
      }),
    );
  });
});
