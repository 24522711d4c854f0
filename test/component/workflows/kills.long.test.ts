/** kill -9 at every single request of a controller, before it is sent and after it took effect: no step runs twice, and none is lost. */
import { describe, expect, it } from 'vitest';
import type { KillPoint } from '../../../src/simulation/process.ts';
import { busyPods as pods, busySpec as spec, ending, works } from '../../support/busy-workflow.ts';
import { useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

async function live(killPoint?: KillPoint): Promise<WorkflowScene> {
  const scene = stage({ seed: 3, spec, pods });
  const first = scene.controller;
  if (killPoint && first) {
    first.killAt(killPoint);
    first.onDeath(() => { scene.world.clock.timer(1500, () => { scene.start(); }); });
  }
  await scene.finished(120_000);
  await scene.world.run(2000);
  if (killPoint) expect(first?.alive).toBe(false);
  return scene;
}

describe('kill -9', () => {
  it('at every request of a run leads to the same end, with no Job more or less', { timeout: 120_000 }, async () => {
    const calm = await live();
    const expected = JSON.stringify([ending(calm), works(calm)]);
    expect(calm.run.phase).toBe('Succeeded');
    const requests = calm.controller?.requests ?? 0;
    expect(requests).toBeGreaterThan(25);
    const different: string[] = [];
    for (let request = 1; request <= requests; request += 1) {
      for (const when of ['before', 'after'] as const) {
        const scene = await live({ request, when });
        const came = JSON.stringify([ending(scene), works(scene)]);
        if (came !== expected) different.push(`killed ${when} request ${request}: ${came} instead of ${expected} ${scene.explain()}`);
      }
    }
    expect(different).toEqual([]);
  });
});

