/** Every file of manifests/examples/queues, applied as it stands: what it says is what happens. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../../hack/dev/cluster/paths.ts';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import type { ConfigMap } from './support/kubernetes.ts';
import { useSite } from './support/site.ts';
import { hasEnded } from './support/witness.ts';

const folder = join(repository, 'manifests/examples/queues');
const examples = readdirSync(folder).filter((name) => name.endsWith('.yaml')).map((name) => (parse(readFileSync(join(folder, name), 'utf8')) as ConfigMap).metadata.name);

describe.skipIf(noRealPods !== undefined)('the examples', () => {
  const site = useSite({ name: 'examples', enforce: 'restricted' }, async (opened) => {
    await opened.install({ config: { jobDefaults: { imageRegistry: 'job-chief.local' } } });
    for (const name of examples) await opened.send(name, name === 'pods-by-depth' ? 40 : 5);
    await opened.kubectl('apply', '-f', folder);
  });

  it('are these, each with a test', () => {
    expect(examples.toSorted()).toEqual(['drain', 'finish-on-delete', 'init-container', 'observed', 'pods-by-depth', 'retention-and-breaker', 'suspended', 'timeouts']);
  });

  // First, since it must meet its Job while that runs.
  it.concurrent('finish-on-delete', async () => {
    const { metadata } = await site().running('finish-on-delete');
    await site().kubectl('delete', 'configmap', 'finish-on-delete');
    expect(metadata.ownerReferences ?? []).toEqual([]);
    await site().drained('finish-on-delete', 5);
    await eventually(async () => {
      const [job] = await site().jobs('finish-on-delete');
      expect(job?.status.conditions).toContainEqual(expect.objectContaining({ type: 'Complete', status: 'True' }));
    });
  });

  it.concurrent('drain', async () => {
    await site().drained('drain', 5);
    await site().statusBecomes('drain', { state: 'Idle', lastRun: { outcome: 'succeeded' } });
    const [job] = await site().jobs('drain');
    expect(job?.spec.template.spec.containers[0]?.image).toBe('job-chief.local/acme/pg-boss-worker:1');
    const password = job?.spec.template.spec.containers[0]?.env?.find(({ name }) => name === 'DB_PASSWORD');
    expect(password).toEqual({ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'main-database', key: 'password' } } });
  });

  it.concurrent('pods-by-depth', async () => {
    await site().drained('pods-by-depth', 40);
    await site().statusBecomes('pods-by-depth', { state: 'Idle', lastRun: { outcome: 'succeeded' } });
    expect(site().witness.jobsOf('default/pods-by-depth')).toHaveLength(1);
    expect((await site().jobs('pods-by-depth'))[0]?.spec.parallelism).toBe(5);
  });

  it.concurrent('retention-and-breaker', async () => {
    await site().drained('retention-and-breaker', 5);
    await site().statusBecomes('retention-and-breaker', { state: 'Idle', lastRun: { outcome: 'succeeded' } });
    const [first] = await site().jobs('retention-and-breaker');
    await site().send('retention-and-breaker', 1);
    await site().drained('retention-and-breaker', 6);
    // Not sooner than two minutes after its end: until then a late request could bring its name back.
    await eventually(async () => {
      const jobs = await site().jobs('retention-and-breaker');
      expect(jobs.map(hasEnded)).toEqual([true]);
      expect(jobs[0]?.metadata.uid).not.toBe(first?.metadata.uid);
    }, 200_000);
  });

  it.concurrent('timeouts', async () => {
    await site().statusBecomes('timeouts', { state: 'Waiting', reason: 'WaitAfterFailed', lastRun: { outcome: 'failed', reason: 'Timeout' } });
  });

  it.concurrent('suspended', async () => {
    await site().statusBecomes('suspended', { state: 'Suspended', reason: 'SpecSuspended', liveJobs: 0 });
    expect(site().witness.jobsOf('default/suspended')).toEqual([]);
    const text = (await site().configMap('suspended'))?.data?.['spec.yaml'] ?? '';
    await site().kubectl('patch', 'configmap', 'suspended', '--type=merge', '-p', JSON.stringify({ data: { 'spec.yaml': text.replace('suspend: true', 'suspend: false') } }));
    await site().drained('suspended', 5);
  });

  it.concurrent('init-container', async () => {
    await site().drained('init-container', 5);
    await site().statusBecomes('init-container', { state: 'Idle', lastRun: { outcome: 'succeeded' } });
  });

  // Last, when the others have given it time enough to go wrong.
  it('observed', async () => {
    await site().statusBecomes('observed', { state: 'Idle', reason: 'SpecObserved', liveJobs: 0 });
    expect(site().witness.jobsOf('default/observed')).toEqual([]);
    expect(await site().messages('observed')).toEqual({ created: 5 });
  });
});
