/** A sub-run that is over, as long as its outcome is not in the record of the run that waits for it. */
import { describe, expect, it } from 'vitest';
import { plannedFaults } from '../../../src/simulation/fault-plans.ts';
import { applyTemplate, ask } from '../../support/asking.ts';
import { step, useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

/** A workflow whose step is a run of a template, of which nothing is kept. */
function play(): WorkflowScene {
  const scene = stage({ spec: 'none', controller: 'none', pods: { job: { runs: 20_000 } } });
  applyTemplate(scene, { retention: { succeeded: { count: 0 } } });
  scene.apply({ trigger: { onChange: true }, steps: [{ name: 'resize', template: { name: 'resize' } }, step('after', { dependsOn: ['resize'] })] });
  scene.start();
  return scene;
}

describe('a sub-run that is over', () => {
  it('stays until the run that waits for it has written down how it came out: it would run once more', async () => {
    const scene = play();
    await scene.world.runUntil(() => scene.runs.some(({ workflow, isOver }) => workflow === 'resize' && isOver), 60_000);
    const parent = scene.runOf('etl');
    expect(parent.outcomes['resize']).toBeUndefined();
    scene.controller?.kill();
    await scene.world.run(600_000);
    scene.startWith(plannedFaults([{ when: ({ method, path }) => method === 'GET' && path.endsWith(`/${parent.name}`), fault: { kind: 'status', code: 500 }, times: 5 }]));
    await scene.finished();
    await scene.world.run(5_000);
    expect(scene.started).toEqual(['job', 'after']);
    expect(scene.runOf('etl').phase).toBe('Succeeded');
  });

  it('goes as its own retention says once that is written down, also while the run that waited for it goes on', async () => {
    const scene = play();
    scene.pods['after'] = { runs: 900_000 };
    await scene.world.run(60_000);
    expect(scene.started).toEqual(['job', 'after']);
    await scene.world.run(200_000);
    expect(scene.runs.map(({ workflow, phase }) => [workflow, phase])).toEqual([['etl', 'Running']]);
  });

  it('that somebody has edited into its own ancestor holds up nobody else', async () => {
    const scene = play();
    scene.pods['after'] = { runs: 900_000 };
    await scene.world.runUntil(() => scene.started.includes('after'), 60_000);
    const { name, uid, request } = scene.runOf('resize');
    scene.annotate(name, { 'job-chief/request': JSON.stringify({ ...request, parent: { ...request.parent, run: name, uid } }) });
    await scene.world.run(10_000);
    expect(scene.lines.filter(({ message }) => message.includes('unexpectedly'))).toEqual([]);
    ask(scene, 'resize');
    await scene.world.runUntil(() => scene.started.length === 3, 60_000);
    expect(scene.started).toEqual(['job', 'after', 'job']);
  });
});
