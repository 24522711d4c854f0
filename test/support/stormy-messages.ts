/** Stormy days of messages (message-storm.ts) as tests, for a share of the seeds. */
import { describe, expect, it } from 'vitest';
import type { ChaosOptions } from './chaos.ts';
import { firstSeed, seeds } from './effort.ts';
import { stormOfMessages } from './message-storm.ts';

const perTest = 10;

/** Takes the seeds from `from` to `to`, both as parts of the whole (0 to 1). */
export function stormyMessages(name: string, [from, to]: readonly [from: number, to: number], options: ChaosOptions = {}): void {
  const [begin, beyond] = [firstSeed + Math.round(from * seeds), firstSeed + Math.round(to * seeds)];
  describe(name, () => {
    for (let start = begin; start < beyond; start += perTest) {
      const end = Math.min(start + perTest, beyond) - 1;
      it(`keep their invariants and are settled for seeds ${start} to ${end}`, { timeout: 600_000 }, async () => {
        const problems: string[] = [];
        for (let seed = start; seed <= end; seed += 1) {
          const result = await stormOfMessages(seed, options);
          if (result.problems.length > 0) problems.push(...result.problems.slice(0, 3));
        }
        expect(problems).toEqual([]);
      });
    }
  });
}
