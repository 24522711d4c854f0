/** Stormy days (chaos.ts) as tests: one share of the seeds for each file, so that the files run side by side. */
import { describe, expect, it } from 'vitest';
import { chaos, type ChaosOptions } from './chaos.ts';

/** In all, of all files: a few hundred in verify, thousands in hack/test. */
const seeds = Number(process.env['JOB_CHIEF_SEEDS'] ?? 200);
const first = Number(process.env['JOB_CHIEF_FIRST_SEED'] ?? 1);
const perTest = 25;

/** Takes the seeds from `from` to `to`, both as parts of the whole (0 to 1). */
export function stormyDays(name: string, share: readonly [from: number, to: number], options: ChaosOptions = {}): void {
  const [begin, beyond] = share.map((part) => first + Math.round(part * seeds)) as [number, number];
  describe(name, () => {
    for (let start = begin; start < beyond; start += perTest) {
      const end = Math.min(start + perTest, beyond) - 1;
      it(`keeps its invariants and converges for seeds ${start} to ${end}`, { timeout: 600_000 }, async () => {
        const problems: string[] = [];
        for (let seed = start; seed <= end; seed += 1) {
          const result = await chaos(seed, options);
          if (result.problems.length > 0) problems.push(...result.problems.slice(0, 3), `replay: hack/simulate ${seed}${options.highAvailability === true ? ' --high-availability' : ''}`);
        }
        expect(problems).toEqual([]);
      });
    }
  });
}
