import { describe, expect, it } from 'vitest';
import { chaos } from '../support/chaos.ts';

/** A few hundred in verify, thousands in hack/test. */
const seeds = Number(process.env['JOB_CHIEF_SEEDS'] ?? 200);
const first = Number(process.env['JOB_CHIEF_FIRST_SEED'] ?? 1);
const perTest = 50;
/** The Lease alone makes thousands of requests an hour: a quarter of the seeds, with two controllers each. */
const leaseSeeds = Math.ceil(seeds / 4);
const modes = [
  { name: 'the whole controller on stormy days', options: {}, end: first + seeds },
  { name: 'two controllers with high availability on stormy days', options: { highAvailability: true }, end: first + leaseSeeds },
];

describe.each(modes)('$name', ({ options, end: beyond }) => {
  for (let start = first; start < beyond; start += perTest) {
    const end = Math.min(start + perTest, beyond) - 1;
    it(`keeps its invariants and converges for seeds ${start} to ${end}`, { timeout: 600_000 }, async () => {
      const problems: string[] = [];
      for (let seed = start; seed <= end; seed += 1) {
        const result = await chaos(seed, options);
        if (result.problems.length > 0) problems.push(...result.problems.slice(0, 3), `replay: hack/simulate ${seed}${'highAvailability' in options ? ' --high-availability' : ''}`);
      }
      expect(problems).toEqual([]);
    });
  }
});
