import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHistory, encodeHistory } from '../../../../src/adapters/kubernetes/history-codec.ts';
import { isSameHistory, mergeHistories, messageKey, mostBytes, mostEntries, weightOf, type History } from '../../../../src/plan/messages/history.ts';
import { noon, seconds } from '../../../support/builders.ts';
import { runs } from '../../../support/effort.ts';
import { aDrawnEntry, aHistory, anEntry, idsIn, sizeOf } from '../../../support/histories.ts';

const many = (count: number, idLength = 4): History => aHistory(Array.from({ length: count }, (_, index) => anEntry(String(index).padStart(idLength, '0'), { settledAt: noon + index })));

describe('merging', () => {
  it('keeps the newest entry of each message, the newest message first', () => {
    const merged = mergeHistories(aHistory([anEntry('a'), anEntry('b', { settledAt: noon + 1 })]), aHistory([anEntry('a', { as: 'dead', settledAt: noon + 2 })]));
    expect(merged.entries.map(({ id, as }) => [id, as])).toEqual([['a', 'dead'], ['b', 'completed']]);
  });

  it('tells messages of two queues apart, though they share an id', () => {
    expect(mergeHistories(aHistory([anEntry('a'), anEntry('a', { source: 'other' })])).entries).toHaveLength(2);
  });

  it('lets an entry that tells the end of a Job win over one of the same Job that does not', () => {
    const { job, ...rest } = anEntry('a', { as: 'taken' });
    const { finishedAt: _finishedAt, outcome: _outcome, ...open } = job ?? { name: '', serial: 1, attempt: 1, createdAt: 0 };
    const [ended, begun] = [aHistory([{ ...rest, ...(job && { job }) }]), aHistory([{ ...rest, job: open }])];
    expect(mergeHistories(ended, begun)).toEqual(ended);
    expect(mergeHistories(begun, ended)).toEqual(ended);
  });

  it(`keeps ${mostEntries} messages, and says since when none is missing`, () => {
    const merged = mergeHistories(many(mostEntries + 2));
    expect(merged.entries).toHaveLength(mostEntries);
    expect([idsIn(merged)[0], idsIn(merged).at(-1), merged.since]).toEqual([String(mostEntries + 1), '0002', noon + 1]);
    expect(mergeHistories(many(mostEntries)).since).toBeUndefined();
  });

  it('does not forget that something was left out', () => {
    expect(mergeHistories(aHistory([anEntry('a')], noon - seconds(9)), aHistory([], noon - seconds(3))).since).toBe(noon - seconds(3));
  });

  it('keeps fewer messages where their ids are long', () => {
    const merged = mergeHistories(many(mostEntries, 1024));
    expect(merged.entries.length).toBeGreaterThan(300);
    expect(merged.entries.length).toBeLessThan(400);
    expect(idsIn(merged)[0]).toBe(String(mostEntries - 1).padStart(1024, '0'));
    expect(merged.since).toBe(noon + mostEntries - 1 - merged.entries.length);
  });
});

describe('for histories of any kind', () => {
  const long = fc.nat(40).map((number) => String(number).padStart(60_000, 'x'));
  const aDrawn = fc.array(aDrawnEntry(), { maxLength: 12 }).map((entries) => aHistory(entries));
  /** Of so large a weight that room runs out. */
  const aCrowded = fc.array(aDrawnEntry(long), { maxLength: 16 }).map((entries) => aHistory(entries));
  const merged = (...histories: History[]): unknown => mergeHistories(...histories).entries;

  it.each([['small ones', aDrawn], ['ones that there is no room for', aCrowded]] as const)('it makes no difference in which order %s are merged', (_name, drawn) => {
    fc.assert(fc.property(drawn, drawn, drawn, (one, two, three) => {
      const all = merged(one, two, three);
      expect(merged(three, one, two)).toEqual(all);
      expect(merged(mergeHistories(one, two), three)).toEqual(all);
      expect(merged(one, mergeHistories(two, three))).toEqual(all);
      expect(merged(mergeHistories(one, two, three), two)).toEqual(all);
    }), { numRuns: runs(200) });
  });

  it('the bounds hold, and the newest message is there', () => {
    fc.assert(fc.property(fc.oneof(aDrawn, aCrowded), (drawn) => {
      const { entries } = mergeHistories(drawn);
      expect(entries.reduce((sum, entry) => sum + weightOf(entry), 0)).toBeLessThanOrEqual(mostBytes);
      expect(new Set(entries.map(messageKey)).size).toBe(entries.length);
      expect(entries[0]?.settledAt).toBe(drawn.entries.length === 0 ? undefined : Math.max(...drawn.entries.map(({ settledAt }) => settledAt)));
    }), { numRuns: runs(200) });
  });

  it('an entry takes no more than its weight, whatever it says', () => {
    const empty = sizeOf(aHistory([], noon));
    fc.assert(fc.property(aDrawnEntry(fc.string({ unit: 'binary', maxLength: 1024 })), (entry) => {
      expect(sizeOf(aHistory([entry], noon)) - empty).toBeLessThanOrEqual(weightOf(entry));
    }), { numRuns: runs(1000) });
  });

  it('what is written is read again, word for word', () => {
    fc.assert(fc.property(fc.oneof(aDrawn, aCrowded), (drawn) => {
      const history = mergeHistories(drawn);
      const read = decodeHistory(encodeHistory(history).toString('base64'));
      expect(read).toEqual(history);
      expect(read && isSameHistory(read, history)).toBe(true);
    }), { numRuns: runs(200) });
  });
});
