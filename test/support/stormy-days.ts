/** Stormy days (storm.ts) as tests: one share of the seeds for each file, so that the files run side by side. */
import { describe, expect, it } from 'vitest';
import { firstSeed, seeds } from './effort.ts';
import type { StormOptions } from './storm.ts';
import { type StormKind, storms } from './storms.ts';

/** Days of messages take longer. */
const perTest: Readonly<Record<StormKind, number>> = { queues: 25, messages: 10, workflows: 25, requests: 25 };

export interface StormyDaysOptions extends StormOptions {
  readonly of: StormKind;
}

/** What tells such a day to hack/simulate, after the seed. */
export function flagsOf({ of, highAvailability = false }: StormyDaysOptions): string[] {
  return [...(of === 'queues' ? [] : [`--${of}`]), ...(highAvailability ? ['--high-availability'] : [])];
}

/** Takes the seeds from `from` to `to`, both as parts of the whole (0 to 1). */
export function stormyDays(name: string, [from, to]: readonly [from: number, to: number], options: StormyDaysOptions): void {
  const { of, ...others } = options;
  const [begin, beyond] = [firstSeed + Math.round(from * seeds), firstSeed + Math.round(to * seeds)];
  describe(name, () => {
    for (let start = begin; start < beyond; start += perTest[of]) {
      const end = Math.min(start + perTest[of], beyond) - 1;
      it(`keeps its invariants and converges for seeds ${start} to ${end}`, { timeout: 600_000 }, async () => {
        const problems: string[] = [];
        for (let seed = start; seed <= end; seed += 1) {
          const result = await storms[of](seed, others);
          if (result.problems.length > 0) problems.push(...result.problems.slice(0, 3), `replay: ${['hack/simulate', seed, ...flagsOf(options)].join(' ')}`);
        }
        expect(problems).toEqual([]);
      });
    }
  });
}
