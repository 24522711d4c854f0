/** manifests/examples/limits.yaml, applied as it stands: as many at once as it says, and what waits says for whom. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { repository } from '../../hack/dev/cluster/paths.ts';
import { noRealPods } from '../support/cluster.ts';
import { jobsOf, podsOf, runBecomes } from './support/runs.ts';
import { useSite } from './support/site.ts';

const file = join(repository, 'manifests/examples/limits.yaml');
const request = { apiVersion: 'job-chief/v1', kind: 'Run', workflow: 'heavy-work' };

describe.skipIf(noRealPods !== undefined)('the example of limits', () => {
  const site = useSite({ name: 'limits', enforce: 'restricted' }, async (opened) => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'job-chief-config' }, data: { 'config.yaml': stringify({ jobDefaults: { imageRegistry: 'job-chief.local' } }) } };
    await opened.install({ resource: 'base', patches: [config] });
    await opened.kubectl('apply', '-f', file);
  });

  it('is in force, and says what it bounds', async () => {
    const { message } = await site().statusBecomes('limits', { state: 'Idle', reason: 'LimitsInForce' });
    expect(message).toBe('at most 20 live Jobs; groups: heavy 2; at most 60 new in 1m');
    expect((await site().ask('/metrics')).body).toMatch(/job_chief_capacity_limit\{[^}]*heavy[^}]*\} 2/);
  });

  it('lets two Jobs of the group live at once, and all four run', async () => {
    await site().apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'heavy', labels: { 'job-chief': 'run' } }, data: { 'spec.yaml': stringify(request) } });
    const run = await runBecomes(site(), 'heavy-work', 'Succeeded');
    const ended = new Map((await podsOf(site(), 'heavy-work')).map(({ metadata, status }) => [metadata.labels?.['job-name'], status.containerStatuses?.[0]?.state?.terminated?.finishedAt]));
    const jobs = await jobsOf(site(), run.name);
    expect(jobs).toHaveLength(4);
    for (const [index, { metadata }] of jobs.entries()) {
      // Times have whole seconds: what ended later by them ended later.
      const living = jobs.slice(0, index).filter((earlier) => (ended.get(earlier.metadata.name) ?? '') > metadata.creationTimestamp);
      expect(living.length, `${metadata.name} was made while these ran: ${living.map((one) => one.metadata.name).join(', ')}`).toBeLessThan(2);
    }
  });

  it('starts nothing while the Limits is suspended, and goes on afterwards', async () => {
    const limits = (spec: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'limits', labels: { 'job-chief': 'limits' } }, data: { 'spec.yaml': stringify({ apiVersion: 'job-chief/v1', kind: 'Limits', groups: { heavy: 1 }, ...spec }) } });
    await site().apply(limits({ suspend: true }));
    await site().statusBecomes('limits', { state: 'Suspended', reason: 'InstanceSuspended' });
    await site().apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'again', labels: { 'job-chief': 'run' } }, data: { 'spec.yaml': stringify(request) } });
    await site().statusBecomes('again', { state: 'Queued' });
    await site().statusBecomes('heavy-work', { state: 'Suspended', reason: 'InstanceSuspended' });
    const held = await runBecomes(site(), 'heavy-work', 'Queued');
    await site().apply(limits({}));
    expect(await runBecomes(site(), 'heavy-work', 'Succeeded')).toMatchObject({ name: held.name });
  });
});
