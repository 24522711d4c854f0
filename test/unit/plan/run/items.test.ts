import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../src/lib/json.ts';
import { itemsOf, type Items, type Resolve } from '../../../../src/plan/run/items.ts';
import type { ForEachSource } from '../../../../src/spec/workflow.ts';

const values: Readonly<Record<string, Json>> = {
  '$(params.regions)': ['eu', 'us'],
  '$(steps.list.outputs.files)': [{ path: 'a' }, 3, null],
  '$(params.shards)': 4,
  '$(params.text)': '4',
  '$(params.name)': 'eu',
};
const resolve: Resolve = (value) => {
  if (Array.isArray(value)) return { kind: 'value', value: value.map((each) => (typeof each === 'string' ? (values[each] ?? each) : each)) };
  if (typeof value !== 'string') return { kind: 'value', value };
  const found = values[value];
  return found === undefined ? { kind: 'problem', message: `${value} is not known` } : { kind: 'value', value: found };
};
const items = (source: ForEachSource): Items => itemsOf({ source, maxParallel: undefined, shape: 'indexed' }, resolve);
const count = (of: number | string): Items => items({ kind: 'count', count: of });
const from = (reference: string): Items => items({ kind: 'from', reference });
const list = (of: readonly Json[]): Items => items({ kind: 'items', items: of });
const problem = (message: string): Items => ({ kind: 'problem', message });

describe('the items of a forEach', () => {
  it.each<[string, Items, Items]>([
    ['are what is written, with references replaced', list(['eu', '$(params.name)', 3]), { kind: 'each', each: { count: 3, values: ['eu', 'eu', 3] } }],
    ['are the list that a reference gives', from('$(params.regions)'), { kind: 'each', each: { count: 2, values: ['eu', 'us'] } }],
    ['are of any type', from('$(steps.list.outputs.files)'), { kind: 'each', each: { count: 3, values: [{ path: 'a' }, 3, null] } }],
    ['are numbers from 0 on', count(3), { kind: 'each', each: { count: 3 } }],
    ['are as many as a reference says', count('$(params.shards)'), { kind: 'each', each: { count: 4 } }],
    ['are as many as a text says that is a whole number', count('$(params.text)'), { kind: 'each', each: { count: 4 } }],
    ['may be none', list([]), { kind: 'each', each: { count: 0, values: [] } }],
    ['may be none by number', count(0), { kind: 'each', each: { count: 0 } }],
    ['may be ten thousand', count(10_000), { kind: 'each', each: { count: 10_000 } }],
    ['must be a list', from('$(params.name)'), problem('$(params.name) is "eu", not a list')],
    ['must be known', from('$(params.nothing)'), problem('$(params.nothing) is not known')],
    ['must be counted', count('$(params.name)'), problem('forEach.count $(params.name) is "eu", not a whole number from 0 on')],
    ['must be counted in whole numbers', count(1.5), problem('forEach.count 1.5 is 1.5, not a whole number from 0 on')],
    ['must not be fewer than none', count(-1), problem('forEach.count -1 is -1, not a whole number from 0 on')],
    ['must not be more than ten thousand', count(10_001), problem('10001 gives 10001 items, more than the 10000 that one step may have: let each item stand for a range')],
    ['must not be more than ten thousand when written out', list(Array.from({ length: 10_001 }, () => 0)), problem('forEach.items gives 10001 items, more than the 10000 that one step may have: let each item stand for a range')],
  ])('%s', (_sentence, found, expected) => {
    expect(found).toEqual(expected);
  });

  it('must fit a ConfigMap, in bytes', () => {
    expect(list(Array.from({ length: 900 }, () => 'ä'.repeat(512)))).toMatchObject({ kind: 'each' });
    expect(list([...Array.from({ length: 900 }, () => 'ä'.repeat(512)), 'x'])).toEqual(problem('the 901 items of forEach.items are 921601 bytes in all, more than the 921600 that can be handed to pods: pass names of files or ranges instead of content'));
  });
});
