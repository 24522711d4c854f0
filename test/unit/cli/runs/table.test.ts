import { describe, expect, it } from 'vitest';
import { oneLine, table } from '../../../../src/cli/runs/table.ts';

const plain = { colours: false, width: undefined };

describe('a table', () => {
  it('has columns as wide as their widest cell, and nothing behind the last', () => {
    expect(table(['NAME', 'STATE', 'MESSAGE'], [['a', 'Running', ''], ['long-name', '', 'what is to be said']], plain)).toEqual([
      'NAME        STATE     MESSAGE',
      'a           Running   -',
      'long-name   -         what is to be said',
    ]);
  });

  it('keeps its columns where words are coloured', () => {
    const [, row] = table(['STATE', 'NEXT'], [[{ text: 'Bad', tone: 'bad' }, 'x']], { colours: true, width: undefined });
    expect(row).toBe('\u001B[31mBad\u001B[0m     x');
  });

  it('cuts the last column where the screen ends', () => {
    expect(table(['A', 'MESSAGE'], [['x', '0123456789abcdef']], { colours: false, width: 16 })).toEqual(['A   MESSAGE', 'x   0123456789a…']);
  });

  it('shows nothing that a terminal would obey, and one line for each row', () => {
    expect(table(['A', 'B'], [['\u001B[2Jx', 'one\r\ntwo\u009B31m']], plain)[1]).toBe('[2Jx   one two 31m');
    expect(oneLine('a\u2028b\tc\u0000')).toBe('a b c');
  });
});
