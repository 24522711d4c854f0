/** A thousand requests at once: what a group of five makes of them. */
import { describe, expect, it } from 'vitest';
import { silentWorkQueueMeter } from '../support/controller.ts';
import { applyLimits, askFor, Peak } from '../support/limits.ts';
import { step, useWorkflows } from '../support/workflow-scene.ts';

const stage = useWorkflows();

/** How many rounds there were. */
function countRounds(): { readonly rounds: () => number; readonly worked: () => void } {
  let count = 0;
  return { rounds: () => count, worked: () => { count += 1; } };
}

describe('a thousand requests at once, and a group of five', () => {
  it('never have more than five Jobs, are all done, and go by priority', async () => {
    const scene = stage({ spec: 'none', controller: 'none' });
    const peak = new Peak(scene.world);
    applyLimits(scene.world, { groups: { gpu: 5 } });
    const retention = { succeeded: { count: 10_000 }, failed: { count: 10_000 } };
    scene.apply({ trigger: { onRequest: true }, retention, steps: [step('work')], concurrency: { max: 1000, group: 'gpu' } });
    for (let index = 0; index < 1000; index += 1) askFor(scene.world, `run-${index}`, { priority: index % 3 });
    const { rounds, worked } = countRounds();
    scene.start({ engine: { workQueueMeter: { ...silentWorkQueueMeter, worked } } });
    await scene.world.runUntil(() => peak.births.length === 1000 && scene.unfinished().length === 0, 3_600_000);
    await scene.finished(60_000, 1000);
    // No herd: whoever waits is woken when there is a place for it.
    expect(rounds()).toBeLessThan(25_000);
    expect(peak.of('gpu')).toBe(5);
    expect(peak.births).toHaveLength(1000);
    expect(scene.runs.every(({ phase }) => phase === 'Succeeded')).toBe(true);
    // The first come when nobody waits yet.
    const order = peak.births.slice(20).map(({ run }) => Number(run.slice('run-'.length)) % 3);
    expect(order).toEqual([...order].sort((left, right) => right - left));
  }, 120_000);
});
