/** The checker that every component test relies on sees what it is there to see. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import { jobs } from '../../src/simulation/objects.ts';
import * as keys from '../../src/spec/keys.ts';
import { watchInvariants } from '../support/invariants.ts';
import { simulate, type Simulation } from '../support/simulation.ts';

const labels = { [keys.managedByLabel]: keys.managedBy, [keys.instanceLabel]: 'default', [keys.jobKindLabel]: 'queue', [keys.nameLabel]: 'thumbnails', [keys.runLabel]: '1' };

function job(world: Simulation, name: string, metadata: JsonObject = { labels }): void {
  const template = { metadata, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x' }] } };
  world.cluster.registry.create(jobs, { metadata: { ...metadata, name }, spec: { backoffLimit: 0, template } });
}

function deleteJob(world: Simulation, name: string): void {
  world.process(async ({ transport }) => {
    const uid = world.job(name)?.metadata.uid ?? '';
    await transport.request({ method: 'DELETE', path: `/apis/batch/v1/namespaces/default/jobs/${name}`, body: { kind: 'DeleteOptions', propagationPolicy: 'Foreground', preconditions: { uid } } });
  });
}

describe('the invariants', () => {
  it('see two live Jobs of one queue, and not those of two queues', () => {
    const world = simulate();
    const { violations } = watchInvariants(world);
    job(world, 'one');
    job(world, 'other', { labels: { ...labels, [keys.nameLabel]: 'other' } });
    expect(violations).toEqual([]);
    job(world, 'two');
    expect(violations).toEqual([expect.stringMatching(/queue "thumbnails" has 2 live Jobs/u)]);
  });

  it('see a pod that outlives its Job as live', async () => {
    const world = simulate();
    const { violations } = watchInvariants(world);
    job(world, 'one');
    await world.run(1000);
    expect(world.livingPods()).toHaveLength(1);
    world.cluster.registry.delete(jobs, 'one', { propagation: 'Orphan' });
    await world.run(1000);
    expect(world.jobs()).toEqual([]);
    job(world, 'two');
    expect(violations[0]).toMatch(/2 live Jobs/u);
  });

  it('see a Job without its labels', () => {
    const world = simulate();
    const { violations } = watchInvariants(world);
    job(world, 'one', { labels: { ...labels, [keys.runLabel]: undefined } });
    expect(violations).toEqual([expect.stringContaining(`has no label ${keys.runLabel}`)]);
  });

  it('see a Job that is deleted before its outcome is written down, and not after', async () => {
    const world = simulate();
    const { violations } = watchInvariants(world);
    job(world, 'one');
    await world.run(60_000);
    const mark = { annotations: { [keys.outcomeAnnotation]: JSON.stringify({ phase: 'final', outcome: 'succeeded', reason: '', message: '' }) } };
    job(world, 'marked', { labels, ...mark });
    await world.run(60_000);
    deleteJob(world, 'marked');
    await world.run(1000);
    expect(violations).toEqual([]);
    deleteJob(world, 'one');
    await world.run(1000);
    expect(violations).toEqual([expect.stringContaining('Job "one" is deleted before its outcome is written down')]);
  });
});
