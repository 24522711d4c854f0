/** Stormy days of workflows: what the records say is held against what the pods did, and against an oracle of its own. */
import { describe, expect, it } from 'vitest';
import { stormOfWorkflows } from '../../support/workflow-storm.ts';

const perTest = 10;

describe('workflows on stormy days', () => {
  it.each([1, 11, 21, 31])('keep their invariants and come to their end for ten seeds from %i', { timeout: 600_000 }, async (from) => {
    const problems: string[] = [];
    for (let seed = from; seed < from + perTest; seed += 1) {
      const result = await stormOfWorkflows(seed);
      if (result.problems.length > 0) problems.push(...result.problems.slice(0, 3), `replay: hack/simulate ${seed} --workflows`);
    }
    expect(problems).toEqual([]);
  });
});
