/** Two instances in one namespace, and two copies of the same one. */
import { describe, expect, it } from 'vitest';
import { noRealPods } from '../support/cluster.ts';
import { useSite } from './support/site.ts';
import { eager, worker } from './support/specs.ts';

describe.skipIf(noRealPods !== undefined)('several job-chiefs in one namespace', () => {
  const site = useSite({ name: 'instances' }, async (opened) => {
    await Promise.all([opened.install({ replicas: 2 }), opened.install({ namePrefix: 'blue-', config: { instance: 'blue' } })]);
  });
  const spec = { drain: eager, injectConnection: true, job: worker(50) };

  it('as two instances, leave each other alone, even under the same logical name', async () => {
    await site().send('shared', 20);
    await site().queue('shared', spec);
    await site().queue('shared', spec, { name: 'blue-shared', labels: { 'job-chief/instance': 'blue' } });
    await site().drained('shared', 20);
    for (const name of ['shared', 'blue-shared']) await site().statusBecomes(name, { state: 'Idle', liveJobs: 0, lastRun: { outcome: 'succeeded' } });
    const jobs = await site().jobs('shared');
    const owners = jobs.map(({ metadata }) => [metadata.labels?.['job-chief/instance'], metadata.ownerReferences?.[0]?.name]);
    expect(new Set(owners.map(String))).toEqual(new Set(['default,shared', 'blue,blue-shared']));
  });

  it('as two copies of one instance, never have two live Jobs', async () => {
    expect(await site().controllers()).toHaveLength(2);
    await site().queue('raced', spec);
    for (let sent = 1; sent <= 5; sent += 1) {
      await site().send('raced', 2);
      await site().drained('raced', sent * 2);
    }
    await site().statusBecomes('raced', { state: 'Idle', liveJobs: 0, lastRun: { outcome: 'succeeded' } });
    expect(site().witness.overlaps()).toEqual([]);
    expect(site().witness.jobsOf('default/raced').length).toBeGreaterThan(1);
  });
});
