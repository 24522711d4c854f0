import { describe, expect, it } from 'vitest';
import { chaos } from '../support/chaos.ts';

/** A few hundred in verify, thousands in hack/test. */
const seeds = Number(process.env['JOB_CHIEF_SEEDS'] ?? 200);
const first = Number(process.env['JOB_CHIEF_FIRST_SEED'] ?? 1);
const perTest = 50;

describe('the whole controller on stormy days', () => {
  for (let start = first; start < first + seeds; start += perTest) {
    const end = Math.min(start + perTest, first + seeds) - 1;
    it(`keeps its invariants and converges for seeds ${start} to ${end}`, { timeout: 600_000 }, async () => {
      const problems: string[] = [];
      for (let seed = start; seed <= end; seed += 1) {
        const result = await chaos(seed);
        if (result.problems.length > 0) problems.push(...result.problems.slice(0, 3), `replay: hack/simulate ${seed}`);
      }
      expect(problems).toEqual([]);
    });
  }
});
