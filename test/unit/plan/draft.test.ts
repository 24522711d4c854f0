import { describe, expect, it } from 'vitest';
import { Draft } from '../../../src/plan/draft.ts';
import { noon } from '../../support/builders.ts';

describe('when a plan could differ by itself', () => {
  it.each([
    ['never, when nothing runs out', [], undefined],
    ['never, when nothing runs out by itself', [undefined], undefined],
    ['at the earliest of the times', [noon + 3, undefined, noon + 2], noon + 2],
    ['a time that has come is no reason to plan the same again at once', [noon - 1, noon], undefined],
    ['a time that has come does not hide a later one', [noon, noon + 5], noon + 5],
  ] as const)('%s', (_sentence, times, wakeAt) => {
    const draft = new Draft();
    for (const time of times) draft.wake(time);
    expect(draft.finish(noon)).toEqual({ actions: [], demands: [], statuses: [], wants: 0, wakeAt });
  });
});
