/** From `kubectl apply -k` to a drained queue, with the example as it stands and Pod Security at its strictest. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repository } from '../../hack/dev/cluster/paths.ts';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { useSite } from './support/site.ts';

const run = promisify(execFile);

describe.skipIf(noRealPods !== undefined)('job-chief, installed by its manifests', () => {
  const box = { applied: '' };
  const site = useSite({ name: 'install', enforce: 'restricted' }, async (opened) => {
    box.applied = await opened.applyOverlay({ resource: 'examples/one-queue' });
    await opened.ready();
  });

  it('needs nothing outside of its namespace', async () => {
    const kinds = box.applied.split('\n').filter((line) => line !== '').map((line) => line.split('/')[0]);
    expect(new Set(kinds)).toEqual(new Set(['serviceaccount', 'role.rbac.authorization.k8s.io', 'rolebinding.rbac.authorization.k8s.io', 'configmap', 'service', 'deployment.apps']));
    const account = `system:serviceaccount:${site().namespace}:job-chief`;
    const bindings = JSON.parse(await site().kubectl('get', 'clusterrolebindings', '-o', 'json')) as { items: { subjects?: { name: string; namespace?: string }[] }[] };
    expect(bindings.items.filter(({ subjects }) => subjects?.some(({ name, namespace }) => name === 'job-chief' && namespace === site().namespace))).toEqual([]);
    const may = (...args: string[]): Promise<boolean> => site().kubectl('auth', 'can-i', ...args, '--as', account).then(() => true, () => false);
    expect(await may('create', 'jobs')).toBe(true);
    for (const right of [['get', 'secrets'], ['create', 'pods'], ['delete', 'pods'], ['update', 'configmaps'], ['update', 'jobs'], ['list', 'jobs', '--all-namespaces'], ['get', 'nodes']]) {
      expect(await may(...right), right.join(' ')).toBe(false);
    }
  });

  it('runs under its own account and is alive, ready and measured', async () => {
    const [pod] = await site().controllers();
    expect(await site().kubectl('get', 'pod', pod?.metadata.name ?? '', '-o', 'jsonpath={.spec.serviceAccountName}')).toBe('job-chief');
    for (const path of ['/livez', '/readyz']) expect(await site().ask(path), path).toMatchObject({ status: 200 });
    expect((await site().ask('/metrics')).body).toContain('job_chief_build_info{');
  });

  it('says that an empty queue is empty', async () => {
    await site().send('thumbnails', 0);
    await site().statusBecomes('thumbnails', { state: 'Idle', reason: 'QueueEmpty', liveJobs: 0 });
    expect((await site().jobs()).length).toBe(0);
  });

  it('drains a queue by a Job, and tells of it in status, events and metrics', async () => {
    // The status is written at most once in ten seconds, and the Job may be over by then: that it shows a running one, other tests see.
    await site().send('thumbnails', 12);
    await site().drained('thumbnails', 12);
    const status = await site().statusBecomes('thumbnails', { state: 'Idle', reason: 'QueueEmpty', liveJobs: 0, lastRun: { outcome: 'succeeded' } });
    expect(await site().kubectl('get', 'configmap', '-l', 'job-chief', '-L', 'job-chief/state')).toMatch(/thumbnails\s.*Idle/);
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Accepted', status: 'True' }));
    expect(status.conditions.find(({ type }) => type === 'Accepted')?.message).toBe('');

    const [job, ...more] = await site().jobs('thumbnails');
    expect(more).toEqual([]);
    expect(job?.metadata.name).toBe(status.lastRun?.job);
    expect(job?.metadata).toMatchObject({
      labels: { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/name': 'thumbnails', 'job-chief/kind': 'queue', 'job-chief/instance': 'default' },
      ownerReferences: [{ kind: 'ConfigMap', name: 'thumbnails', controller: true }],
    });
    expect(JSON.parse(job?.metadata.annotations?.['job-chief/outcome'] ?? '{}')).toMatchObject({ outcome: 'succeeded' });
    expect(JSON.stringify(job)).not.toContain(site().postgres.password);
    expect(await site().kubectl('logs', `job/${job?.metadata.name ?? ''}`)).toContain('nothing left after 12 messages');

    await eventually(async () => {
      const described = await site().kubectl('describe', 'configmap', 'thumbnails');
      expect(described).toMatch(/Normal\s+JobCreated/);
      expect(described).toMatch(/Normal\s+JobSucceeded/);
    });
    await eventually(async () => {
      expect(await site().metric('job_chief_jobs_finished_total{kind="queue",name="thumbnails",outcome="succeeded"}')).toBe(1);
      expect(await site().metric('job_chief_queue_ready_messages{kind="queue",name="thumbnails"}')).toBe(0);
      expect(await site().metric('job_chief_jobs_live{kind="queue",name="thumbnails"}')).toBe(0);
    });
  });

  it('was applied without a complaint of its own lint, nor does its log complain', async () => {
    const all = await site().kubectl('get', 'configmap', '-l', 'job-chief', '-o', 'yaml');
    const linting = run(process.execPath, [join(repository, 'dist/job-chief.mjs'), 'lint', '-']);
    linting.child.stdin?.end(all);
    expect((await linting).stderr).toContain('1 spec, no problems');
    const bad = (await site().logs()).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as { level: string | number }).filter(({ level }) => level !== 'info' && level !== 'debug');
    expect(bad).toEqual([]);
  });

  it('answers `job-chief check connection` in its pod', async () => {
    const said = await site().kubectl('exec', 'deployment/job-chief', '--', 'job-chief', 'check', 'connection', 'main');
    expect(said).toMatch(/pgboss/);
  });
});
