import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../../support/cluster.ts';
import { job, podOf } from './jobs.ts';

describe('a cluster with a simulated kubelet', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ pods: 'simulated', kcm: 'tuned', fakeKubelet: ['--phase-delay', '300ms'] });
  });
  afterAll(() => cluster.stop());

  const finished = (name: string, condition: string): void => {
    cluster.adminKubectl('wait', `--for=condition=${condition}`, `job/${name}`, '--timeout=30s');
  };

  it('completes a Job and shows exit code and termination message', () => {
    cluster.apply(job('done', { annotations: { 'fake-kubelet/message': 'rows=3' } }));
    finished('done', 'Complete');
    expect(podOf(cluster, 'done').status.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed', message: 'rows=3' });
  });

  it('fails a Job with the exit code and the reason that its pod asks for', () => {
    cluster.apply(job('oom', { annotations: { 'fake-kubelet/exit-code': '137', 'fake-kubelet/reason': 'OOMKilled' } }));
    finished('oom', 'Failed');
    expect(podOf(cluster, 'oom').status.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  it('evicts with the condition that podFailurePolicy knows', () => {
    cluster.apply(job('evicted', { annotations: { 'fake-kubelet/run-for': '1h', 'fake-kubelet/evict-after': '200ms' } }));
    finished('evicted', 'Failed');
    const { status } = podOf(cluster, 'evicted');
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True' }));
  });

  it('holds pods back: never scheduled, or waiting for an image in an init container', async () => {
    cluster.apply(job('unschedulable', { annotations: { 'fake-kubelet/never-schedule': 'true' } }));
    cluster.apply(job('no-image', { annotations: { 'fake-kubelet/waiting': 'ImagePullBackOff', 'fake-kubelet/init': 'true' }, init: [{ name: 'first', image: 'x' }] }));
    await expect.poll(() => podOf(cluster, 'unschedulable').status.conditions, { timeout: 10_000 }).toContainEqual(expect.objectContaining({ type: 'PodScheduled', reason: 'Unschedulable' }));
    await expect.poll(() => podOf(cluster, 'no-image').status.initContainerStatuses?.[0]?.state?.waiting?.reason, { timeout: 10_000 }).toBe('ImagePullBackOff');
  });

  it('gives a deleted pod its grace', async () => {
    cluster.apply(job('slow', { annotations: { 'fake-kubelet/run-for': '1h', 'fake-kubelet/grace': '2s' } }));
    await expect.poll(() => podOf(cluster, 'slow').status.phase, { timeout: 10_000 }).toBe('Running');
    cluster.adminKubectl('delete', 'job', 'slow', '--cascade=foreground', '--wait=false');
    const began = Date.now();
    await expect.poll(() => cluster.adminKubectl('get', 'pods', '-l', 'job-name=slow', '-o', 'name'), { timeout: 15_000 }).toBe('');
    expect(Date.now() - began).toBeGreaterThan(1000);
  });

  it('ends a native sidecar after the regular containers', () => {
    cluster.apply(job('sidecar', { init: [{ name: 'proxy', image: 'x', restartPolicy: 'Always' }], annotations: { 'fake-kubelet/run-for': '100ms' } }));
    finished('sidecar', 'Complete');
    expect(podOf(cluster, 'sidecar').status.initContainerStatuses?.[0]?.state?.terminated?.exitCode).toBe(143);
  });

  it('survives the API server: same port, same objects, and the kubelet goes on', async () => {
    await cluster.stopApiServer();
    expect(() => cluster.adminKubectl('get', 'jobs', '--request-timeout=2s')).toThrow();
    await cluster.startApiServer();
    await expect.poll(() => { try { return cluster.adminKubectl('get', 'job', 'done', '-o', 'name').trim(); } catch { return ''; } }, { timeout: 30_000 }).toBe('job.batch/done');
    // The controllers need a moment until their watches are back.
    await sleep(500);
    cluster.apply(job('after'));
    finished('after', 'Complete');
  });

  it('issues tokens of ServiceAccounts that the API server believes', () => {
    const token = cluster.adminKubectl('create', 'token', 'default').trim();
    const user = cluster.adminKubectl('--token', token, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}');
    expect(user).toBe('system:serviceaccount:default:default');
  });
});
