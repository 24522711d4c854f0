/** Every file of manifests/examples/workflows, applied as it stands: what it says is what happens. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { repository } from '../../hack/dev/cluster/paths.ts';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import type { ConfigMap } from './support/kubernetes.ts';
import { jobNames, jobsOf, logOf, outcomes, runBecomes, runsOf, stepBecomes, workflowConfigMap } from './support/runs.ts';
import { useSite } from './support/site.ts';
import { shell } from './support/specs.ts';

const folder = join(repository, 'manifests/examples/workflows');
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((name) => parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => (document.toJS() as ConfigMap).metadata.name));

describe.skipIf(noRealPods !== undefined)('the examples of workflows', () => {
  const site = useSite({ name: 'workflows', enforce: 'restricted' }, async (opened) => {
    // Nothing but the base: no connection, and the rights of its own Roles.
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'job-chief-config' }, data: { 'config.yaml': stringify({ jobDefaults: { imageRegistry: 'job-chief.local' } }) } };
    await opened.install({ resource: 'base', patches: [config] });
    await opened.kubectl('apply', '-f', folder);
  });

  it('are these, each with a test', () => {
    expect(examples.toSorted()).toEqual(['approve', 'chain', 'diamond', 'finally', 'for-each', 'for-each-item', 'greet', 'phases', 'region', 'retry', 'revert', 'schedule', 'sub-workflow', 'template-step']);
  });

  it.concurrent('chain', async () => {
    const run = await runBecomes(site(), 'chain', 'Succeeded');
    expect(run.steps).toMatchObject({ extract: { attempts: [{ outcome: 'succeeded' }], outputs: { rows: 42 } }, transform: { outputs: { rows: 84, file: 'part-1' } }, load: { outcome: 'succeeded' } });
    expect(run.result).toMatchObject({ outcome: 'succeeded', message: '3 of 3 steps succeeded', outputs: { rows: 84 } });
    expect(run.request).toMatchObject({ workflow: 'chain', trigger: 'change' });
    expect(run.record.metadata.ownerReferences).toMatchObject([{ kind: 'ConfigMap', name: 'chain', controller: true }]);
    const jobs = await jobsOf(site(), run.name);
    expect(jobs.map(({ metadata }) => metadata.labels?.['job-chief/step'])).toEqual(['extract', 'transform', 'load']);
    for (const { metadata } of jobs) expect(metadata.ownerReferences).toMatchObject([{ kind: 'ConfigMap', name: run.name, controller: true }]);
    expect(await logOf(site(), jobs[2]?.metadata.name)).toBe('load part-1 --rows=84\n');
    // What a user looks at.
    await site().statusBecomes('chain', { state: 'Idle', reason: 'WorkflowIdle', health: 'Healthy', lastRun: { run: run.name, outcome: 'succeeded' } });
    for (const name of ['chain', run.name]) {
      await eventually(async () => {
        expect((await site().events(name)).map(({ reason }) => reason), `events of ${name}`).toEqual(expect.arrayContaining(['RunStarted', 'RunSucceeded']));
      });
    }
    expect(await site().kubectl('get', 'configmaps', '-l', 'job-chief-record=run', '-L', 'job-chief/state')).toMatch(new RegExp(`${run.name}\\s.*Succeeded`));
  });

  it.concurrent('template-step', async () => {
    const run = await runBecomes(site(), 'template-step', 'Succeeded');
    expect(run.result?.outputs).toEqual({ texts: ['hello world', 'hello moon'] });
    const runs = await runsOf(site(), 'greet');
    expect(runs.map(({ request }) => request)).toMatchObject([{ template: 'greet', trigger: 'step' }, { template: 'greet', trigger: 'step' }]);
  });

  it.concurrent('diamond', async () => {
    const run = await runBecomes(site(), 'diamond', 'Succeeded');
    expect(outcomes(run)).toEqual({ fetch: 'succeeded', check: 'failed', convert: 'succeeded', publish: 'succeeded', page: 'omitted' });
    expect(run.steps['check']?.attempts).toMatchObject([{ exitCode: 1 }]);
    expect(run.result).toMatchObject({ message: '3 of 5 steps succeeded, 1 failed as it may, 1 was not needed', failedSteps: [] });
  });

  it.concurrent('finally', async () => {
    const run = await runBecomes(site(), 'finally', 'Failed');
    expect(outcomes(run)).toEqual({ build: 'failed', deploy: 'omitted', tidy: 'succeeded', notify: 'succeeded' });
    expect(run.result).toMatchObject({ outcome: 'failed', reason: 'StepFailed', failedSteps: ['build'] });
    expect(await logOf(site(), jobNames(run, 'notify')[0])).toBe(`${run.name}: failed, because of ["build"]\n`);
    await site().eventOf('finally', { type: 'Warning', reason: 'RunFailed' });
    await site().statusBecomes('finally', { state: 'Idle', health: 'Healthy', lastRun: { outcome: 'failed' } });
  });

  it.concurrent('for-each', async () => {
    const run = await runBecomes(site(), 'for-each', 'Succeeded');
    const names = jobNames(run, 'load');
    expect(names).toHaveLength(1);
    const job = (await jobsOf(site(), run.name)).find(({ metadata }) => metadata.name === names[0]);
    expect(job?.spec).toMatchObject({ completions: 3, parallelism: 2, completionMode: 'Indexed' });
    expect((await logOf(site(), names[0])).trim().split('\n').toSorted()).toEqual(['loading a.csv', 'loading b.csv', 'loading c.csv']);
  });

  it.concurrent('for-each-item', async () => {
    const run = await runBecomes(site(), 'for-each-item', 'Succeeded');
    expect(run.steps['count']).toMatchObject({ items: [{ outcome: 'succeeded' }, { outcome: 'succeeded' }], outputs: { rows: [2, 2] } });
    expect(new Set(jobNames(run, 'count')).size).toBe(2);
    expect(await logOf(site(), jobNames(run, 'report')[0])).toBe('all of them [2,2]\n');
  });

  it.concurrent('phases: Jobs as they stand, in their order', async () => {
    const run = await runBecomes(site(), 'phases', 'Succeeded');
    const jobs = await jobsOf(site(), run.name);
    expect(jobs.map(({ metadata }) => metadata.labels?.['app'])).toEqual(['index', 'fetch', 'load', 'report-sales', 'report-stock']);
    // reports: one at a time.
    const [first, second] = run.steps['reports']?.items ?? [];
    expect(second?.attempts[0]?.at).toBeGreaterThanOrEqual(first?.attempts[0]?.endedAt ?? Infinity);
  });

  it.concurrent('retry: what was killed for its memory gets more, and only exit code 1 is tried again', async () => {
    const run = await runBecomes(site(), 'retry', 'Succeeded');
    expect(run.steps['hungry']).toMatchObject({ outcome: 'succeeded', attempts: [{ outcome: 'failed', reason: 'OOMKilled', exitCode: 137 }, { outcome: 'succeeded', memory: '128Mi' }] });
    expect(run.steps['final']).toMatchObject({ outcome: 'failed', attempts: [{ exitCode: 2 }] });
    const limits = (await jobsOf(site(), run.name)).filter(({ metadata }) => metadata.labels?.['job-chief/step'] === 'hungry').map(({ spec }) => spec.template.spec.containers[0]?.resources?.limits?.['memory']);
    expect(limits).toEqual(['64Mi', '128Mi']);
    await site().eventOf('retry', { type: 'Warning', reason: 'StepRetry', message: expect.stringContaining('OOMKilled') as unknown });
  });

  it.concurrent('revert: the last success is undone first', async () => {
    const run = await runBecomes(site(), 'revert', 'Failed');
    expect(outcomes(run)).toEqual({ bucket: 'succeeded', entry: 'succeeded', activate: 'failed' });
    const { entry, bucket } = run.undo;
    expect([entry?.outcome, bucket?.outcome]).toEqual(['succeeded', 'succeeded']);
    expect(bucket?.attempts?.[0]?.at).toBeGreaterThanOrEqual(entry?.at ?? Infinity);
    expect(await logOf(site(), bucket?.attempts?.[0]?.job)).toBe('delete the bucket b-17\n');
    await eventually(async () => {
      expect((await site().events('revert')).map(({ reason }) => reason)).toEqual(expect.arrayContaining(['StepFailed', 'RunReverting', 'RunFailed']));
    });
  });

  it.concurrent('schedule: the next night is awaited; and one that is due every minute runs', async () => {
    await site().apply(workflowConfigMap('minutely', { trigger: { schedules: ['* * * * *'] }, steps: [{ name: 'tick', job: shell('', { command: ['echo', '$(run.scheduledDate)'] }) }] }));
    const status = await site().statusBecomes('schedule', { state: 'Idle', reason: 'WaitsForSchedule', health: 'Healthy' });
    expect(status.message).toMatch(/^next run at \d{4}-\d\d-\d\dT0[01]:[03]0:00\.000Z$/);
    expect(await runsOf(site(), 'schedule')).toEqual([]);
    const [run] = await eventually(async () => {
      const runs = await runsOf(site(), 'minutely');
      expect(runs[0]?.phase).toBe('Succeeded');
      return runs;
    }, 120_000);
    await site().kubectl('delete', 'configmap', 'minutely');
    const scheduled = run?.request.scheduledAt ?? 0;
    expect([run?.request.trigger, scheduled % 60_000]).toEqual(['schedule', 0]);
    expect(Date.parse(run?.record.metadata.creationTimestamp ?? '')).toBeGreaterThanOrEqual(scheduled);
  });

  it.concurrent('sub-workflow, region: runs of another workflow, with parameters, a file and outputs', async () => {
    const run = await runBecomes(site(), 'sub-workflow', 'Succeeded');
    expect(run.steps).toMatchObject({ europe: { outputs: { rows: 7 } }, america: { outputs: { rows: 5 } } });
    expect(await logOf(site(), jobNames(run, 'report')[0])).toBe('7 and 5\n');
    const children = await runsOf(site(), 'region');
    expect(children.map(({ phase, request }) => [phase, request.trigger, request.parent?.run])).toEqual([['Succeeded', 'step', run.name], ['Succeeded', 'step', run.name]]);
    const files = await site().kubectl('get', 'configmaps', '-l', 'job-chief-record=files', '-o', 'jsonpath={.items[*].metadata.ownerReferences[0].name}');
    expect(files.split(' ')).toEqual(expect.arrayContaining(children.map(({ name }) => name)));
  });

  // Last: it waits for a person, and nobody else does.
  it('approve: by an annotation on the record', async () => {
    const { name } = await stepBecomes(site(), 'approve', 'build', { outcome: 'succeeded', outputs: { changes: 3 } });
    const waiting = await site().statusBecomes('approve', { state: 'Running', reason: 'WaitsForApproval' });
    expect(waiting.message).toContain(`job-chief approve ${name} confirm`);
    await stepBecomes(site(), 'approve', 'confirm', { attempts: [{ job: 'confirm' }] });
    expect((await jobsOf(site(), name)).map(({ metadata }) => metadata.labels?.['job-chief/step'])).toEqual(['build']);
    await eventually(async () => {
      expect(await site().kubectl('describe', 'configmap', 'approve')).toMatch(/Normal\s+WaitsForApproval .*job-chief\/approvals=confirm/);
    });
    await site().kubectl('annotate', 'configmap', name, 'job-chief/approvals=confirm');
    const run = await runBecomes(site(), 'approve', 'Succeeded');
    expect(outcomes(run)).toEqual({ build: 'succeeded', confirm: 'succeeded', publish: 'succeeded' });
  });

  it('needed no right that the manifests do not give', async () => {
    const { body } = await site().ask('/metrics');
    expect(body).not.toMatch(/rest_client_requests_total\{code="403"/);
    expect(body).toMatch(/^job_chief_runs_total\{kind="workflow",name="chain",trigger="change",outcome="succeeded"\} 1$/m);
    const bad = (await site().logs()).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as { level: string }).filter(({ level }) => level !== 'info' && level !== 'debug');
    expect(bad).toEqual([]);
  });
});
