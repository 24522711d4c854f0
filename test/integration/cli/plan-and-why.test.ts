/** `job-chief plan` and `why` as people start them: processes with few rights, a real API server, a controller beside them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startCluster, type Cluster } from '../../support/cluster.ts';
import type { JsonObject } from '../../../src/lib/json.ts';

let cluster: Cluster;
let folder: string;
let namespace: string;
let count = 0;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  cluster = await startCluster({ pods: 'simulated', kcm: 'tuned' });
  folder = mkdtempSync(path.join(tmpdir(), 'plan-and-why-'));
}, 900_000);
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
  await cluster.stop();
});

/** A namespace with the Role for viewers, and an account that has it. */
beforeEach(() => {
  namespace = `plan-${(count += 1)}`;
  cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/warn': 'restricted' } } });
  cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'viewer', namespace } });
  const role = parse(readFileSync('manifests/roles/viewer.yaml', 'utf8')) as JsonObject;
  cluster.apply({ ...role, metadata: { name: 'job-chief-viewer', namespace } });
  cluster.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'viewer', namespace }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'job-chief-viewer' }, subjects: [{ kind: 'ServiceAccount', name: 'viewer', namespace }] });
  const token = cluster.adminKubectl('create', 'token', 'viewer', '-n', namespace).trim();
  const config = { apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [{ name: 'k', cluster: { server: cluster.server, 'certificate-authority': cluster.caFile } }], users: [{ name: 'u', user: { token } }], contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace } }] };
  writeFileSync(path.join(folder, 'viewer'), JSON.stringify(config));
});

function start(...args: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; out: string; err: string }> } {
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const told = { out: '', err: '' };
  child.stdout.on('data', (text: Buffer) => { told.out += text.toString(); });
  child.stderr.on('data', (text: Buffer) => { told.err += text.toString(); });
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => child.on('close', (code) => { resolve({ code, ...told }); }));
  return { child, ended };
}

const asAdmin = (...args: string[]): ReturnType<typeof start>['ended'] => start(...args, '--kubeconfig', cluster.kubeconfigPath, '-n', namespace).ended;
const asViewer = (...args: string[]): ReturnType<typeof start>['ended'] => start(...args, '--kubeconfig', path.join(folder, 'viewer')).ended;

function configMap(name: string, kind: string, text: string): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { 'job-chief': kind } }, data: { 'spec.yaml': `apiVersion: job-chief/v1\n${text}` } };
}

const etl = (image = 'busybox:1'): JsonObject => configMap('etl', 'workflow', `kind: Workflow\ntrigger: {onChange: true}\nsteps:\n  - {name: a, job: {image: "${image}"}}\n  - {name: go, approve: {message: "really?"}}\n`);

function fileOf(...manifests: readonly JsonObject[]): string {
  const file = path.join(folder, `${namespace}.json`);
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
  return file;
}

/** Asks until the answer matches; each answer takes a process, and so a while. */
async function until(ask: () => Promise<string>, wanted: RegExp): Promise<string> {
  let text = '';
  for (let asked = 0; asked < 40 && !wanted.test(text); asked += 1) text = await ask();
  expect(text).toMatch(wanted);
  return text;
}

/** A controller of this namespace, with all rights. */
function controller(): ChildProcess {
  const file = path.join(folder, 'config.yaml');
  writeFileSync(file, 'listen: 127.0.0.1:0\n');
  return start('controller', '--config', file, '--kubeconfig', cluster.kubeconfigPath, '-n', namespace).child;
}

const objects = (): string => cluster.adminKubectl('get', 'jobs,configmaps', '-n', namespace, '-o', 'name');

describe('plan', () => {
  it('asks the API server about the Jobs, and leaves nothing behind', async () => {
    const before = objects();
    const { code, out } = await asAdmin('plan', fileOf(etl()));
    expect({ code, before }).toEqual({ code: 0, before: objects() });
    expect(out).toMatch(/^workflow\/etl {2}new/);
    expect(out).toMatch(/dry run: the API server takes the Jobs, and warns: .*restricted/);
    expect(out).toMatch(/it begins with "a"/);
  });

  it('works with the Role for viewers, which may not ask that', async () => {
    const { code, out } = await asViewer('plan', fileOf(etl()), '--all');
    expect(code).toBe(0);
    expect(out).toMatch(/dry run: not asked, for want of the right to create Jobs/);
  });

  it('finds no drift in what has been applied, and all of it in what has been changed', async () => {
    cluster.apply(etl());
    expect(await asViewer('plan', fileOf(etl()), '--fail-on-changes')).toMatchObject({ code: 0, out: 'unchanged: workflow/etl\n' });
    const { code, out } = await asViewer('plan', fileOf(etl('busybox:2')), '--fail-on-changes', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ specs: [{ change: 'changed', fields: [{ path: 'steps.a.job.image', before: 'busybox:1', after: 'busybox:2' }] }] });
  });
});

describe('why', () => {
  it('says what a run waits for, with the Role for viewers', async () => {
    const child = controller();
    cluster.apply(etl());
    const out = await until(async () => (await asViewer('why', 'etl')).out, /WaitsForApproval/);
    expect(out).toMatch(new RegExp(`to do: {4}job-chief approve etl-\\w+ go -n ${namespace}`));
    child.kill();
  });

  it("has the controller's word, and how old it is", async () => {
    const child = controller();
    cluster.apply(configMap('mails', 'queue', 'kind: Queue\nsource: {pgBoss: {connection: nowhere, queue: q}}\ndrain: {}\njob: {image: "busybox:1"}\n'));
    const out = await until(async () => (await asViewer('why', 'mails')).out, /is Rejected/);
    expect(out).toMatch(/there is no connection "nowhere"/);
    expect(out).toMatch(/told by: {2}the controller, \d+s ago/);
    child.kill();
  });

  it('names the quota that keeps a Job away', async () => {
    cluster.apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none', namespace }, spec: { hard: { 'count/jobs.batch': '0' } } });
    const child = controller();
    cluster.apply(etl());
    const out = await until(async () => (await asViewer('why', 'etl')).out, /resourcequota\//);
    expect(out).toMatch(/resourcequota\/none is Full\n\s+count\/jobs\.batch: 0 of 0/);
    child.kill();
  });
});
