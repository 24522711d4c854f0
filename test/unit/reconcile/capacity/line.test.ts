import { describe, expect, it } from 'vitest';
import { Line } from '../../../../src/reconcile/capacity/line.ts';

type Put = readonly [name: string, priority: number, group?: string];

function lineOf(...puts: readonly Put[]): Line {
  const line = new Line();
  for (const [name, priority, group] of puts) line.put({ key: { kind: 'queue', name }, group, priority, holder: `queue ${name}` }, 1, false);
  return line;
}

/** Names in the order in which they would be served. */
function served(line: Line, isOpen: (group: string | undefined) => boolean = () => true): string {
  const names: string[] = [];
  for (let next = line.next(isOpen); next; next = line.next(isOpen)) {
    names.push(next.key.name);
    line.remove(next.key);
  }
  return names.join(' ');
}

describe('who is next', () => {
  const cases: readonly [what: string, puts: readonly Put[], order: string][] = [
    ['nobody, where nobody waits', [], ''],
    ['who came first', [['a', 0], ['b', 0], ['c', 0]], 'a b c'],
    ['who matters most, then who came first', [['a', 0], ['b', 5], ['c', -1], ['d', 5]], 'b d a c'],
    ['the same over all groups', [['a', 0, 'x'], ['b', 1, 'y'], ['c', 0], ['d', 1, 'x']], 'b d a c'],
    ['whoever came first, also where it came again', [['a', 0], ['b', 0], ['a', 0]], 'a b'],
    ['whoever matters more now', [['a', 0], ['b', 1], ['a', 2]], 'a b'],
    ['whoever waits longest for what it waits for now', [['a', 0], ['b', 0], ['a', 0, 'x']], 'b a'],
  ];
  it.each(cases)('%s', (_, puts, order) => {
    expect(served(lineOf(...puts))).toBe(order);
  });

  it('is nobody of a group that is closed', () => {
    const line = lineOf(['a', 9, 'x'], ['b', 0, 'y'], ['c', 0]);
    expect([served(line, (group) => group !== 'x'), line.size]).toEqual(['b c', 1]);
  });

  it('is last who was served and wants more', () => {
    const line = lineOf(['a', 0], ['b', 0]);
    line.put({ key: { kind: 'queue', name: 'a' }, group: undefined, priority: 0, holder: 'queue a' }, 3, true);
    expect(served(line)).toBe('b a');
  });
});
