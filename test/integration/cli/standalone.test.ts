/** `job-chief run FILE --standalone` as people start it: a process, a kubeconfig with few rights, a real API server and Job controller. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../../support/cluster.ts';

const sample = 'examples/jobernetes-style';
let cluster: Cluster;
let folder: string;
let namespace: string;
let count = 0;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  cluster = await startCluster({ pods: 'simulated', kcm: 'tuned' });
  folder = mkdtempSync(path.join(tmpdir(), 'standalone-'));
}, 900_000);
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
  await cluster.stop();
});

/** A namespace with an account that may do with Jobs what a run does, and nothing with ConfigMaps. */
beforeEach(() => {
  namespace = `standalone-${(count += 1)}`;
  const metadata = { name: 'runner', namespace };
  cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  cluster.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules: [{ apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] }, { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }] });
  cluster.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'runner' }, subjects: [{ kind: 'ServiceAccount', name: 'runner', namespace }] });
  const token = cluster.adminKubectl('create', 'token', 'runner', '-n', namespace).trim();
  const config = { apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [{ name: 'k', cluster: { server: cluster.server, 'certificate-authority': cluster.caFile } }], users: [{ name: 'u', user: { token } }], contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace } }] };
  writeFileSync(path.join(folder, 'kubeconfig'), JSON.stringify(config));
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly told: { out: string; err: string };
}

function start(file: string, ...flags: string[]): Started {
  const child = spawn(process.execPath, ['src/cli/main.ts', 'run', file, '--standalone', '--kubeconfig', path.join(folder, 'kubeconfig'), ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const told = { out: '', err: '' };
  child.stdout.on('data', (text: Buffer) => { told.out += text.toString(); });
  child.stderr.on('data', (text: Buffer) => { told.err += text.toString(); });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => { resolve(code); }));
  return { child, ended, told };
}

async function run(file: string, ...flags: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { ended, told } = start(file, ...flags);
  const code = await ended;
  return { code, ...told };
}

interface FoundJob {
  readonly metadata: { readonly name: string; readonly uid: string; readonly creationTimestamp: string; readonly labels: Readonly<Record<string, string>>; readonly ownerReferences?: unknown };
  readonly status: { readonly succeeded?: number; readonly completionTime?: string };
}

const list = (kind: string): FoundJob[] => (JSON.parse(cluster.adminKubectl('get', kind, '-n', namespace, '-o', 'json')) as { items: FoundJob[] }).items;
const steps = (): string[] => list('jobs').map(({ metadata }) => metadata.labels['job-chief/step'] ?? '').sort();
const uids = (): string[] => list('jobs').map(({ metadata }) => metadata.uid).sort();

/** A workflow of steps whose pods run for so long, with this exit code. */
function write(name: string, ...pods: readonly { readonly step: string; readonly runs?: string; readonly exit?: number; readonly after?: string; readonly files?: string }[]): string {
  const own = path.join(folder, `${namespace}-${name}`);
  mkdirSync(own);
  const lines = pods.map(({ step, runs = '100ms', exit = 0, after, files }) => `  - {name: ${step}, jobTemplate: {spec: {template: {metadata: {annotations: {fake-kubelet/run-for: ${runs}, fake-kubelet/exit-code: "${exit}"}}, spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}}${after === undefined ? '' : `, dependsOn: [${after}]`}${files === undefined ? '' : `, files: {/app/run.sh: ${files}}`}}`);
  writeFileSync(path.join(own, 'spec.yaml'), ['apiVersion: job-chief/v1', 'kind: Workflow', 'name: wf', 'trigger: {onRequest: true}', 'steps:', ...lines, ''].join('\n'));
  return own;
}

describe('the sample of jobernetes', () => {
  it('runs with rights on Jobs and pods only, phase after phase; again it is done at once; cleaned up nothing is left', async () => {
    const first = await run(sample);
    expect(first).toMatchObject({ code: 0 });
    expect(steps()).toEqual(['fetch_a', 'fetch_b', 'load_a', 'make_index', 'reports', 'reports', 'reports']);
    const all = list('jobs');
    const of = (step: string): FoundJob[] => all.filter(({ metadata }) => metadata.labels['job-chief/step'] === step);
    expect(all.every(({ metadata }) => metadata.ownerReferences === undefined)).toBe(true);
    // A Job with three completions is not done after its first pod.
    expect(JSON.parse(cluster.adminKubectl('get', 'pods', '-n', namespace, '-l', 'job-chief/step=load_a', '-o', 'json'))).toMatchObject({ items: [{}, {}, {}] });
    for (const report of of('reports')) for (const step of ['make_index', 'fetch_a', 'fetch_b', 'load_a']) expect(of(step)[0]!.metadata.creationTimestamp <= report.metadata.creationTimestamp).toBe(true);
    expect(first.out).toMatch(/Critical path/);
    const before = uids();

    const second = await run(sample, '-o', 'json');
    expect(second).toMatchObject({ code: 0, err: '' });
    expect(second.out).toContain('already done');
    expect(uids()).toEqual(before);

    const third = await run(sample, '--clean-up');
    expect(third.code).toBe(0);
    expect(third.err).toContain('clean-up: 7 objects deleted');
    await expect.poll(() => [list('jobs').length, list('pods').length], { timeout: 30_000 }).toEqual([0, 0]);
    expect(list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['kube-root-ca.crt']);
  });
});

describe('a process that does not live to see the end', () => {
  it('killed with -9 and started again: every step has the Job that it had', async () => {
    const file = write('kill', { step: 'a' }, { step: 'b', runs: '4s', after: 'a' }, { step: 'c', after: 'b' });
    const first = start(file);
    await expect.poll(steps, { timeout: 30_000 }).toEqual(['a', 'b']);
    const before = uids();
    first.child.kill('SIGKILL');
    await first.ended;
    const second = await run(file);
    expect(second.code).toBe(0);
    expect(second.err).toMatch(/goes on, 1 of 3 steps already done, 1 under way/);
    expect(uids()).toEqual(expect.arrayContaining(before));
    expect(steps()).toEqual(['a', 'b', 'c']);
  });

  it('interrupted with SIGINT leaves its Jobs running; --cancel ends them', async () => {
    const file = write('interrupt', { step: 'a', runs: '1h' }, { step: 'b', after: 'a' });
    const first = start(file);
    await expect.poll(steps, { timeout: 30_000 }).toEqual(['a']);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(2);
    expect(first.told.err).toContain('1 Job goes on by itself. To go on start the same command again; to end it add --cancel');
    expect((await run(file, '--cancel')).code).toBe(0);
    await expect.poll(() => cluster.adminKubectl('get', 'jobs', '-n', namespace, '-o', 'jsonpath={.items[*].status.conditions[?(@.type=="Failed")].status}'), { timeout: 30_000 }).toBe('True');
    expect(steps()).toEqual(['a']);
  });
});

describe('a run that cannot succeed', () => {
  it('says 1 and which step failed, and starts nothing after it', async () => {
    const { code, err, out } = await run(write('fail', { step: 'a' }, { step: 'b', exit: 3, after: 'a' }, { step: 'c', after: 'b' }));
    expect(code).toBe(1);
    expect(err).toMatch(/ b +Failed/);
    expect(out).toContain('step "b" failed');
    expect(steps()).toEqual(['a', 'b']);
  });

  it('that needs a ConfigMap without the right says so at the start, with 2', async () => {
    const file = write('files', { step: 'a', files: 'run.sh' });
    writeFileSync(path.join(file, 'run.sh'), 'true\n');
    const { code, err } = await run(file);
    expect(code).toBe(2);
    expect(err).toContain('the right to get configmaps, create configmaps is needed by this workflow, since step "a" mounts its files from a ConfigMap');
    expect(steps()).toEqual([]);
  });

  it('in a namespace that does not exist, or with a Job that the API server refuses, starts nothing', async () => {
    expect(await run(write('nowhere', { step: 'a' }), '-n', 'nowhere')).toMatchObject({ code: 2, err: expect.stringContaining('rights are missing in namespace "nowhere"') as unknown });
    const file = write('bad', { step: 'a' }, { step: 'b', after: 'a' });
    writeFileSync(path.join(file, 'spec.yaml'), 'apiVersion: job-chief/v1\nkind: Workflow\ntrigger: {onRequest: true}\nname: wf\nsteps:\n  - {name: a, job: {image: x}}\n  - {name: b, job: {image: x, serviceAccountName: Not_A_Name}, dependsOn: [a]}\n');
    expect((await run(file)).err).toMatch(/nothing was started, since the API server would not take these Jobs:\s+step "b": .*serviceAccountName|error \w+ steps\[1\]/);
    expect(steps()).toEqual([]);
  });
});
