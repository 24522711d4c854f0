import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeImage } from '../../../hack/dev/cluster/image.ts';
import { noRealPods, startCluster, type Cluster } from '../../support/cluster.ts';
import { image, job, podOf } from './jobs.ts';

describe.skipIf(noRealPods !== undefined)('a cluster with a real kubelet', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ pods: 'real' });
  });
  afterAll(() => cluster.stop());

  it('runs a container whose log and termination message can be read', () => {
    cluster.apply(job('hello', { container: { image, command: ['sh', '-c', 'echo hello; printf rows=3 > /dev/termination-log'] } }));
    cluster.adminKubectl('wait', '--for=condition=Complete', 'job/hello', '--timeout=60s');
    expect(cluster.adminKubectl('logs', 'job/hello')).toBe('hello\n');
    expect(podOf(cluster, 'hello').status.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 0, message: 'rows=3' });
  });

  it('reports an image that cannot be pulled', async () => {
    cluster.apply(job('bad-image', { container: { image: 'registry.invalid/none:1' } }));
    const reason = (): string => podOf(cluster, 'bad-image').status.containerStatuses?.[0]?.state?.waiting?.reason ?? '';
    await expect.poll(reason, { timeout: 60_000 }).toMatch(/^(ErrImagePull|ImagePullBackOff)$/);
  });

  it('lets a pod reach the API server with its own ServiceAccount, through the ClusterIP', () => {
    const script = `
      const fs = require('node:fs'), https = require('node:https');
      const dir = '/var/run/secrets/kubernetes.io/serviceaccount/';
      const headers = {authorization: 'Bearer ' + fs.readFileSync(dir + 'token')};
      https.get({host: process.env.KUBERNETES_SERVICE_HOST, path: '/api/v1/namespaces/default/pods', headers, ca: fs.readFileSync(dir + 'ca.crt')},
        (r) => { console.log(r.statusCode); r.resume(); }).on('error', (e) => { console.error(e); process.exit(1); });`;
    cluster.loadImage(nodeImage());
    const container = { image: 'job-chief.local/node:24', command: ['/usr/local/bin/node', '-e', script] };
    cluster.apply(job('api', { container }));
    cluster.adminKubectl('wait', '--for=condition=Complete', 'job/api', '--timeout=90s');
    // Known, but without any right: RBAC says no.
    expect(cluster.adminKubectl('logs', 'job/api')).toBe('403\n');
  });
});
