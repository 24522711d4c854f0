/** kill -9 at every single request of a standalone run, and a bad network: the Jobs are all that is left, and they are enough. */
import { describe, expect, it } from 'vitest';
import { finalOf } from '../../support/standalone-end.ts';
import { randomFaults } from '../../../src/simulation/fault-plans.ts';
import { FaultyTransport } from '../../../src/simulation/faults.ts';
import type { KillPoint } from '../../../src/simulation/process.ts';
import { busyPods as pods, busySpec, works } from '../../support/busy-workflow.ts';
import { finished, loaded, startRun, type StartedRun } from '../../support/standalone-scene.ts';
import { useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const workflow = loaded(busySpec);

/** Changes while the world runs. */
const isOver = ({ code }: StartedRun): boolean => code !== undefined;

interface Life {
  readonly scene: WorkflowScene;
  readonly requests: number;
  readonly end: string;
}

async function live(kill?: KillPoint): Promise<Life> {
  const scene = stage({ seed: 5, spec: 'none', controller: 'none', pods });
  const first = startRun(scene, workflow, { output: 'json', ...(kill && { kill }) });
  await scene.world.runUntil(() => first.code !== undefined || first.error !== undefined || !first.process.alive, 300_000);
  let last = first;
  if (!first.process.alive) {
    await scene.world.run(1500);
    last = startRun(scene, workflow, { output: 'json' });
  }
  const code = await finished(scene, last);
  await scene.world.run(2000);
  return { scene, requests: first.process.requests, end: JSON.stringify([code, finalOf(last.out), works(scene)]) };
}

describe('kill -9 of a standalone run', () => {
  it('at every request leads to the same end, with no Job more or less', { timeout: 120_000 }, async () => {
    const calm = await live();
    expect(calm.end).toMatch(/^\[0,/);
    expect(calm.requests).toBeGreaterThan(20);
    const different: string[] = [];
    for (let request = 1; request <= calm.requests; request += 1) {
      for (const when of ['before', 'after'] as const) {
        const { end } = await live({ request, when });
        if (end !== calm.end) different.push(`killed ${when} request ${request}: ${end} instead of ${calm.end}`);
      }
    }
    expect(different).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5, 6])('again and again leads to the same end (seed %i)', async (seed) => {
    const calm = await live();
    const scene = stage({ seed, spec: 'none', controller: 'none', pods });
    const random = scene.world.random.split('kills');
    let run = startRun(scene, workflow, { output: 'json' });
    for (let deaths = 0; deaths < 12 && !isOver(run); deaths += 1) {
      await scene.world.run(random.between(20, 1500));
      if (isOver(run)) break;
      run.process.kill();
      run = startRun(scene, workflow, { output: 'json' });
    }
    const code = await finished(scene, run);
    expect(JSON.stringify([code, finalOf(run.out), works(scene)])).toBe(calm.end);
  });
});

describe('a bad network', () => {
  it.each(Array.from({ length: 8 }, (_, index) => index + 1))('refused requests, lost answers, late and broken watches: the run comes to the same end (seed %i)', async (seed) => {
    const calm = await live();
    const scene = stage({ seed, spec: 'none', controller: 'none', pods });
    const until = scene.world.clock.now() + 60_000;
    const plan = randomFaults({ random: scene.world.random.split('faults'), clock: scene.world.clock, rates: { refused: 0.15, answerLost: 0.1, slow: 0.1, watch: 0.3 }, until });
    let run = startRun(scene, workflow, { output: 'json', process: { wrap: (transport, clock) => new FaultyTransport(transport, clock, plan) } });
    // What cannot be found out before the start ends the command; people start it again.
    for (let tries = 0; typeof (await finished(scene, run, 1_200_000)) === 'string' && tries < 20; tries += 1) run = startRun(scene, workflow, { output: 'json', process: { wrap: (transport, clock) => new FaultyTransport(transport, clock, plan) } });
    expect(JSON.stringify([run.code, finalOf(run.out), works(scene)])).toBe(calm.end);
  });
});
