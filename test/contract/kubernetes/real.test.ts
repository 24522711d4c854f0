/** The Kubernetes contract on a real API server with a real controller-manager. The cases play the kubelet. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe } from 'vitest';
import { type ClusterAccess } from '../../../src/adapters/kubernetes/access.ts';
import { UndiciTransport } from '../../../src/adapters/kubernetes/undici-transport.ts';
import { type Cluster, startCluster } from '../../support/cluster.ts';
import { apiServerContract } from './api-server.contract.ts';
import { controllersContract } from './controllers.contract.ts';
import { recordsContract } from './records.contract.ts';
import { realBench } from './real.ts';
import type { Bench } from './subject.ts';

let cluster: Cluster;
let transport: UndiciTransport;
let bench: Bench;

beforeAll(async () => {
  cluster = await startCluster({ pods: 'none' });
  const ca = readFileSync(cluster.caFile, 'utf8');
  const access: ClusterAccess = {
    server: cluster.server,
    namespace: undefined,
    credentials: () => Promise.resolve({ headers: { authorization: `Bearer ${cluster.token}` }, tls: { ca } }),
    forget: () => undefined,
  };
  transport = new UndiciTransport({ access, userAgent: 'job-chief/contract' });
  bench = realBench(transport);
});

afterAll(async () => {
  await transport.close();
  await cluster.stop();
});

describe('API server', () => { apiServerContract(() => bench, { forgetful: false }); });
describe('controllers', () => { controllersContract(() => bench); });
describe('records', () => { recordsContract(() => bench); });
