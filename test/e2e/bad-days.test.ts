/** job-chief killed, the API server gone, the database gone, the password wrong. Each time everything comes right by itself. */
import { afterAll, describe, expect, it } from 'vitest';
import { askControl } from '../../hack/dev/cluster/control.ts';
import { readState } from '../../hack/dev/cluster/state.ts';
import { startPostgres, type Postgres } from '../../hack/dev/postgres.ts';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { useSite } from './support/site.ts';
import { eager, worker } from './support/specs.ts';

describe.skipIf(noRealPods !== undefined)('bad days of the cluster', () => {
  const site = useSite({ name: 'bad-days' }, (opened) => opened.install());

  it('job-chief is killed whenever something happens: one Job at a time, and the queue is drained', async () => {
    await site().queue('killed', { drain: eager, injectConnection: true, job: worker(150) });
    const kill = (): Promise<unknown> =>
      eventually(async () => {
        const [pod] = await site().controllers();
        expect(pod?.status.phase).toBe('Running');
        await site().kubectl('delete', 'pod', pod?.metadata.name ?? '', '--force', '--grace-period=0');
      });
    await site().send('killed', 20);
    // While the Job is being created, in its middle, and when it has ended and that may or may not be written down.
    await kill();
    await site().running('killed');
    await kill();
    await site().drained('killed', 20);
    await kill();
    await site().send('killed', 5);
    await site().ready();
    await site().drained('killed', 25);
    await site().statusBecomes('killed', { state: 'Idle', liveJobs: 0, lastRun: { outcome: 'succeeded' } });
    expect(site().witness.overlaps()).toEqual([]);
  });

  it('the API server goes away and comes back: nothing restarts, waiting messages get their Job', async () => {
    await site().queue('outage', { drain: eager, injectConnection: true, job: worker() });
    await site().send('outage', 0);
    await site().statusBecomes('outage', { state: 'Idle' });
    const [before] = await site().controllers();
    const control = readState(site().place.cluster)?.control;
    if (control === undefined) throw new Error('the cluster is not one of ours');
    await askControl(control, '/api-server/stop');
    try {
      await site().send('outage', 5);
    } finally {
      await askControl(control, '/api-server/start');
    }
    await site().drained('outage', 5);
    await site().statusBecomes('outage', { state: 'Idle', lastRun: { outcome: 'succeeded' } });
    const [after] = await site().controllers();
    expect(after?.metadata.uid).toBe(before?.metadata.uid);
    expect(after?.status.containerStatuses?.[0]?.restartCount).toBe(0);
  });
});

describe.skipIf(noRealPods !== undefined)('bad days of the database', () => {
  const own: { server?: Postgres } = {};
  const site = useSite({ name: 'bad-database', postgres: async () => (own.server = await startPostgres({ listenAll: true })) }, (opened) => opened.install());
  afterAll(() => own.server?.[Symbol.asyncDispose]());

  it('it stops and starts again: the depth is unknown, not zero, and then known again', async () => {
    await site().send('stopped', 0);
    await site().queue('stopped', { drain: eager, injectConnection: true, job: worker() });
    await site().statusBecomes('stopped', { state: 'Idle', reason: 'QueueEmpty' });
    await own.server?.stop();
    await site().statusBecomes('stopped', { state: 'Blocked', reason: 'QueueUnreachable', liveJobs: 0 });
    expect(await site().ask('/readyz')).toMatchObject({ status: 200 });
    expect(await site().metric('job_chief_queue_ready_messages{kind="queue",name="stopped"}')).toBeUndefined();
    await own.server?.start();
    await site().send('stopped', 3);
    await site().drained('stopped', 3);
    await site().statusBecomes('stopped', { state: 'Idle', lastRun: { outcome: 'succeeded' } });
  });

  it('its password is wrong: said, and mended as soon as the Secret is', async () => {
    await site().send('locked-out', 0);
    await site().queue('locked-out', { drain: eager, injectConnection: true, job: worker() });
    await site().statusBecomes('locked-out', { state: 'Idle' });
    await site().connectionSecret('main-database', { password: 'wrong' });
    await site().refreshMounts();
    const blocked = await site().statusBecomes('locked-out', { state: 'Blocked', reason: 'QueueForbidden' });
    expect(blocked.message).not.toContain('wrong');
    await site().eventOf('locked-out', { type: 'Warning', reason: 'QueueForbidden' });
    await site().send('locked-out', 3);
    await site().connectionSecret('main-database');
    await site().refreshMounts();
    await site().drained('locked-out', 3);
    await site().statusBecomes('locked-out', { state: 'Idle', lastRun: { outcome: 'succeeded' } });
  });
});
