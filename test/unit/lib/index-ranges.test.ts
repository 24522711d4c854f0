import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIndexes, parseIndexes } from '../../../src/lib/index-ranges.ts';

describe('index lists', () => {
  it.each([[[], ''], [[3], '3'], [[0, 1], '0,1'], [[0, 1, 2], '0-2'], [[0, 2, 3, 4, 9], '0,2-4,9'], [[4, 2, 2, 3], '2-4']])('%j is written %j', (indexes, text) => {
    expect(formatIndexes(indexes)).toBe(text);
  });

  it('are read as they were written', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.nat(60)), (indexes) => {
      expect([...parseIndexes(formatIndexes(indexes))].toSorted()).toEqual(indexes.toSorted());
    }));
  });

  it.each([[undefined], [''], ['x'], ['1-'], ['-3'], ['1.5'], ['5-2'], ['1e3']])('%j names nothing', (text) => {
    expect([...parseIndexes(text)]).toEqual([]);
  });

  it('nothing from the limit on is read, however long a range claims to be', () => {
    expect([...parseIndexes('1-999999999,7', 4)]).toEqual([1, 2, 3]);
  });
});
