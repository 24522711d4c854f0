import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineDiff } from '../../../../src/cli/plan/line-diff.ts';

const numbered = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join('');

/** What the second text is, by the first and the hunks. */
function patched(before: string, hunks: readonly string[]): string {
  const lines = before === '' ? [] : before.replace(/\n$/, '').split('\n');
  const result: string[] = [];
  let at = 0;
  for (const line of hunks) {
    const [, start, count] = /^@@ -(\d+)(?:,(\d+))? /.exec(line) ?? [];
    if (start !== undefined) {
      const first = count === '0' ? Number(start) : Number(start) - 1;
      result.push(...lines.slice(at, first));
      at = first;
    } else if (line.startsWith('+')) result.push(line.slice(1));
    else {
      expect(lines[at]).toBe(line.slice(1));
      if (line.startsWith(' ')) result.push(line.slice(1));
      at += 1;
    }
  }
  return [...result, ...lines.slice(at)].join('\n');
}

describe('lineDiff', () => {
  it.each([
    ['equal texts', 'a\nb\n', 'a\nb\n', []],
    ['a line that changed', 'a\nb\nc\n', 'a\nB\nc\n', ['@@ -1,3 +1,3 @@', ' a', '-b', '+B', ' c']],
    ['a text that is new', '', 'a\nb\n', ['@@ -0,0 +1,2 @@', '+a', '+b']],
    ['a text that is gone', 'a\n', '', ['@@ -1 +0,0 @@', '-a']],
    ['three lines around a change', numbered(9), numbered(9).replace('line 5', 'x'), ['@@ -2,7 +2,7 @@', ' line 2', ' line 3', ' line 4', '-line 5', '+x', ' line 6', ' line 7', ' line 8']],
    ['what moved', 'a\nb\nc\n', 'b\nc\na\n', ['@@ -1,3 +1,3 @@', '-a', ' b', ' c', '+a']],
  ])('shows %s', (_, before, after, expected) => {
    expect(lineDiff(before, after)).toEqual(expected);
  });

  it('has a hunk for each change that stands alone', () => {
    const changed = numbered(30).replace('line 3\n', 'x\n').replace('line 25\n', '');
    expect(lineDiff(numbered(30), changed).filter((line) => line.startsWith('@@'))).toEqual(['@@ -1,6 +1,6 @@', '@@ -22,7 +22,6 @@']);
  });

  it('gives the second text when it is applied to the first', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 25 }).map((lines) => lines.join('\n'));
    fc.assert(fc.property(text, text, (before, after) => {
      expect(patched(before, lineDiff(before, after))).toBe(after);
    }));
  });
});
