/** kill -9 at every single request while a Run is asked for and runs: there is one record, one Job, and one end. */
import { expect, it } from 'vitest';
import type { KillPoint } from '../../../src/simulation/process.ts';
import { applySpec, applyTemplate } from '../../support/asking.ts';
import { useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

async function live(killPoint?: KillPoint): Promise<WorkflowScene> {
  const scene = stage({ seed: 3, spec: 'none', pods: { job: { exit: { code: 0, message: 'bytes=17' } } } });
  const first = scene.controller;
  if (killPoint && first) {
    first.killAt(killPoint);
    first.onDeath(() => { scene.world.clock.timer(1500, () => { scene.start(); }); });
  }
  applyTemplate(scene, { parameters: { size: { type: 'integer' } }, outputs: { bytes: { type: 'integer' } }, retention: { succeeded: { count: 0 } } });
  applySpec(scene, 'first', { kind: 'Run', template: 'resize', parameters: { size: 3 } });
  await scene.finished(120_000);
  await scene.world.run(180_000);
  return scene;
}

it('is the same as a calm life', { timeout: 120_000 }, async () => {
  const told = (scene: WorkflowScene): string => JSON.stringify([scene.births.length, scene.runs.map(({ name, phase, outputs }) => [name.length, phase, outputs]), (scene.world.status('first') as { state?: string } | undefined)?.state]);
  const calm = await live();
  expect(told(calm)).toBe(JSON.stringify([1, [[calm.runOf('resize').name.length, 'Succeeded', { bytes: 17 }]], 'Succeeded']));
  const requests = calm.controller?.requests ?? 0;
  expect(requests).toBeGreaterThan(12);
  const different: string[] = [];
  for (let request = 1; request <= requests; request += 1) {
    for (const when of ['before', 'after'] as const) {
      const scene = await live({ request, when });
      if (told(scene) !== told(calm)) different.push(`killed ${when} request ${request}: ${told(scene)} ${scene.explain()}`);
    }
  }
  expect(different).toEqual([]);
});
