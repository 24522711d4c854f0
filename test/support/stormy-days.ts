/** Stormy days (chaos.ts, workflow-storm.ts, request-storm.ts) as tests: one share of the seeds for each file, so that the files run side by side. */
import { describe, expect, it } from 'vitest';
import { chaos, type ChaosOptions, type ChaosResult } from './chaos.ts';
import { firstSeed, seeds } from './effort.ts';
import { stormOfRequests } from './request-storm.ts';
import { stormOfWorkflows } from './workflow-storm.ts';

const perTest = 25;

export interface StormyDaysOptions extends ChaosOptions {
  readonly of: 'queues' | 'workflows' | 'requests';
}

const days: Readonly<Record<StormyDaysOptions['of'], (seed: number, options: ChaosOptions) => Promise<ChaosResult>>> = { queues: chaos, workflows: stormOfWorkflows, requests: stormOfRequests };

/** Takes the seeds from `from` to `to`, both as parts of the whole (0 to 1). */
export function stormyDays(name: string, share: readonly [from: number, to: number], { of, ...options }: StormyDaysOptions): void {
  const [begin, beyond] = share.map((part) => firstSeed + Math.round(part * seeds)) as [number, number];
  const flags = `${of === 'queues' ? '' : ` --${of}`}${options.highAvailability === true ? ' --high-availability' : ''}`;
  describe(name, () => {
    for (let start = begin; start < beyond; start += perTest) {
      const end = Math.min(start + perTest, beyond) - 1;
      it(`keeps its invariants and converges for seeds ${start} to ${end}`, { timeout: 600_000 }, async () => {
        const problems: string[] = [];
        for (let seed = start; seed <= end; seed += 1) {
          const result = await days[of](seed, options);
          if (result.problems.length > 0) problems.push(...result.problems.slice(0, 3), `replay: hack/simulate ${seed}${flags}`);
        }
        expect(problems).toEqual([]);
      });
    }
  });
}
