/** ConfigMaps and Jobs deleted, renamed, edited under way. No two Jobs of a queue live at once: the site watches. */
import { describe, expect, it } from 'vitest';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { workflowConfigMap } from './support/runs.ts';
import { useSite } from './support/site.ts';
import { eager, stubborn, worker } from './support/specs.ts';
import { hasEnded } from './support/witness.ts';

const jobOutcome = (annotations: Record<string, string> | undefined): unknown => JSON.parse(annotations?.['job-chief/outcome'] ?? '{}');

describe.skipIf(noRealPods !== undefined)('specs and Jobs that change while a pod runs', () => {
  const site = useSite({ name: 'changes' }, (opened) => opened.install({ components: ['queues-only'] }));

  async function start(queue: string, spec: object, { messages = 20, ...metadata }: { name?: string; messages?: number } = {}): Promise<string> {
    await site().send(queue, messages);
    await site().queue(queue, { drain: eager, injectConnection: true, ...spec }, metadata);
    return (await site().running(queue)).metadata.name;
  }

  it('need no right to make ConfigMaps', async () => {
    const account = `system:serviceaccount:${site().namespace}:job-chief`;
    for (const verb of ['create', 'update', 'delete']) await expect(site().kubectl('auth', 'can-i', verb, 'configmaps', '--as', account), verb).rejects.toThrow();
    await site().apply(workflowConfigMap('no-records', { steps: [{ name: 'a', job: worker() }] }));
    await site().statusBecomes('no-records', { state: 'Blocked', reason: 'RecordsOff' });
    expect(await site().kubectl('describe', 'configmap', 'no-records')).toMatch(/Warning\s+RecordsOff/);
  });

  it.concurrent('a Job deleted in the background: the next waits until its pod, slow to stop, is gone', async () => {
    // Longer than a status may be late: it gives way to other writes.
    const first = await start('deleted-job', { job: stubborn(30) });
    await site().kubectl('delete', 'job', first, '--cascade=background', '--wait=false');
    await site().statusBecomes('deleted-job', { state: 'Ending', reason: 'PodsRemain' });
    await site().eventOf('deleted-job', { type: 'Warning', reason: 'JobDeleted' });
    await site().statusBecomes('deleted-job', { state: 'Running', liveJobs: 1 });
    expect(await site().kubectl('get', 'configmap', '-l', 'job-chief', '-L', 'job-chief/state')).toMatch(/deleted-job\s.*Running/);
    expect((await site().pods('deleted-job')).filter(({ metadata }) => metadata.deletionTimestamp !== undefined)).toEqual([]);
    await site().kubectl('delete', 'configmap', 'deleted-job');
  });

  it.concurrent('a ConfigMap deleted and made again: its Job goes with it, and the next waits for the pod', async () => {
    const spec = { job: stubborn(8) };
    await start('made-again', spec);
    const before = (await site().jobs('made-again'))[0];
    await site().kubectl('delete', 'configmap', 'made-again');
    await site().queue('made-again', { drain: eager, injectConnection: true, ...spec });
    await eventually(async () => {
      const jobs = await site().jobs('made-again');
      expect(jobs.map(({ metadata }) => metadata.uid)).not.toContain(before?.metadata.uid);
      expect(jobs).toHaveLength(1);
    });
    await site().statusBecomes('made-again', { state: 'Running', liveJobs: 1 });
    await site().kubectl('delete', 'configmap', 'made-again');
    await eventually(async () => { expect([...(await site().jobs('made-again')), ...(await site().pods('made-again'))]).toEqual([]); });
  });

  it.concurrent('another ConfigMap of the same logical name takes the running Job over before the old one goes', async () => {
    const spec = { job: worker(1000) };
    const running = await start('renamed', spec);
    await site().queue('renamed', { drain: eager, injectConnection: true, ...spec }, { name: 'renamed-v2' });
    await site().statusBecomes('renamed', { state: 'Superseded', reason: 'SpecSuperseded' });
    await eventually(async () => {
      expect((await site().jobs('renamed'))[0]?.metadata.ownerReferences).toMatchObject([{ name: 'renamed-v2', controller: true }]);
    });
    await site().kubectl('delete', 'configmap', 'renamed');
    await site().drained('renamed', 20);
    await site().statusBecomes('renamed-v2', { state: 'Idle', lastRun: { job: running, outcome: 'succeeded' } });
  });

  it.concurrent("a ConfigMap under kustomize's next hash: the Job has no owner, and goes on", async () => {
    const spec = { job: worker(1000) };
    const running = await start('hashed', spec, { name: 'hashed-2g7h4kbf9t' });
    expect((await site().jobs('hashed'))[0]?.metadata.ownerReferences ?? []).toEqual([]);
    await site().queue('hashed', { drain: { ...eager, checkInterval: '2s' }, injectConnection: true, ...spec }, { name: 'hashed-5c8d6m4tbk' });
    await site().kubectl('delete', 'configmap', 'hashed-2g7h4kbf9t');
    await site().drained('hashed', 20);
    await site().statusBecomes('hashed-5c8d6m4tbk', { state: 'Idle', lastRun: { job: running, outcome: 'succeeded' } });
  });

  it.concurrent('an edit leaves the running Job alone', async () => {
    // Its Job must live until the status is written.
    const running = await start('edited', { job: worker(1000) }, { messages: 40 });
    await site().queue('edited', { drain: eager, injectConnection: true, job: worker(100) });
    await site().statusBecomes('edited', { state: 'Running', liveJobs: 1, oldJobs: 1 });
    await site().drained('edited', 40);
    await site().statusBecomes('edited', { state: 'Idle', lastRun: { job: running, outcome: 'succeeded' } });
  });

  it.concurrent('an edit with onSpecChange: replace ends it first', async () => {
    const running = await start('replaced', { onSpecChange: 'replace', job: stubborn(3) });
    await site().queue('replaced', { onSpecChange: 'replace', drain: eager, injectConnection: true, job: worker(50) });
    await site().drained('replaced', 20);
    await site().statusBecomes('replaced', { state: 'Idle', lastRun: { outcome: 'succeeded' } });
    const [old, next] = await site().jobs('replaced');
    expect(old?.metadata.name).toBe(running);
    expect(jobOutcome(old?.metadata.annotations)).toMatchObject({ outcome: 'errored', reason: 'SpecChanged' });
    expect(next && hasEnded(next)).toBe(true);
  });
});
