/** A process whose view of specs is behind must not take a Run for gone that it has not seen yet, nor run one twice. */
import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../../src/adapters/kubernetes/transport.ts';
import { plannedFaults } from '../../../src/simulation/fault-plans.ts';
import { FaultyTransport } from '../../../src/simulation/faults.ts';
import type { SimulatedProcess } from '../../../src/simulation/process.ts';
import * as keys from '../../../src/spec/keys.ts';
import { applySpec, applyTemplate } from '../../support/asking.ts';
import type { ControllerOptions } from '../../support/controller.ts';
import { useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const isWatchOfSpecs = ({ query }: ApiRequest): boolean => query?.['watch'] === 'true' && query['labelSelector'] === keys.kindLabel;

/** A controller that is told of specs so many milliseconds late, from the first watch on. */
const behind = (by: number): ControllerOptions => ({
  wrap: (transport, clock) => new FaultyTransport(transport, clock, plannedFaults([], [{ when: isWatchOfSpecs, fault: { kind: 'late', by }, times: 1000 }])),
});

/** Two controllers without a Lease, of a template that keeps no record; one of them sees specs late. */
async function play(): Promise<{ readonly scene: WorkflowScene; readonly quick: SimulatedProcess }> {
  const scene = stage({ spec: 'none', controller: 'none', pods: { job: { runs: 1_000 } } });
  applyTemplate(scene, { retention: { succeeded: { count: 0 } } });
  const quick = scene.start();
  scene.start(behind(600_000));
  await scene.world.run(10_000);
  return { scene, quick };
}

describe('the record of a Run', () => {
  it('stays as long as the Run is there, whoever has not heard of it yet', async () => {
    const { scene } = await play();
    applySpec(scene, 'once', { kind: 'Run', template: 'resize' });
    await scene.finished();
    await scene.world.run(900_000);
    expect([scene.started, scene.runs.map(({ phase }) => phase)]).toEqual([['job'], ['Succeeded']]);
  });

  it('goes when the Run has gone, however late that is known', async () => {
    const { scene, quick } = await play();
    applySpec(scene, 'once', { kind: 'Run', template: 'resize' });
    await scene.finished();
    quick.kill();
    scene.world.deleteConfigMap('once');
    await scene.world.run(30_000);
    expect(scene.runs).toHaveLength(1);
    await scene.world.run(600_000);
    expect(scene.runs).toEqual([]);
  });
});

describe('a Run whose record somebody deletes', () => {
  it('does not run again, although its own status is not in view yet', async () => {
    const scene = stage({ spec: 'none', controller: 'none', pods: { job: { runs: 1_000 } } });
    applyTemplate(scene);
    applySpec(scene, 'once', { kind: 'Run', template: 'resize' });
    scene.start(behind(600_000));
    await scene.finished();
    await scene.world.run(5_000);
    scene.world.deleteConfigMap(scene.runs[0]?.name ?? '', { propagation: 'Background' });
    await scene.world.run(900_000);
    expect([scene.started, scene.runs, scene.world.status('once')]).toMatchObject([['job'], [], { state: 'Succeeded', reason: 'RunForgotten' }]);
  });
});
