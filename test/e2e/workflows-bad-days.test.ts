/** Runs on good and on bad days: what fails, what is stopped, deleted, edited or killed half-way, on real containers. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { repository } from '../../hack/dev/cluster/paths.ts';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { jobNames, jobsOf, logOf, outcomes, podsOf, runBecomes, runsOf, stepBecomes, stepRuns, workflowConfigMap } from './support/runs.ts';
import { useSite } from './support/site.ts';
import { restricted, shell, stubborn } from './support/specs.ts';
import { hasEnded } from './support/witness.ts';

const step = (name: string, script: string, more: object = {}): object => ({ name, job: shell(script), ...more });
/** Long enough for whoever does something meanwhile; ends at once when told to. */
const long = "trap 'exit 1' TERM; for i in $(seq 600); do sleep 0.2; done";
const until = (seconds: number): string => `sleep ${seconds}`;
const containing = (text: string): unknown => expect.stringContaining(text);

describe.skipIf(noRealPods !== undefined)('runs', () => {
  const site = useSite({ name: 'runs', enforce: 'restricted' }, (opened) => opened.install({ resource: 'base' }));
  const start = (name: string, spec: object, files?: Readonly<Record<string, string>>): Promise<string> => site().apply(workflowConfigMap(name, spec, files));

  it.concurrent('a step starts as soon as its expression is true, beside what else still runs', async () => {
    await start('early', { steps: [step('fast', 'true'), step('slow', until(12)), step('next', 'true', { dependsOn: 'fast.ok || slow.ok' }), step('both', 'true', { dependsOn: ['next', 'slow'] })] });
    const run = await runBecomes(site(), 'early', 'Succeeded');
    const at = (name: string): number => run.steps[name]?.at ?? Infinity;
    expect(run.steps['next']?.attempts?.[0]?.at).toBeLessThan(at('slow'));
    expect(run.steps['both']?.attempts?.[0]?.at).toBeGreaterThanOrEqual(Math.max(at('slow'), at('next')));
  });

  it.concurrent('a chain: how long it takes from the end of a container to the next Job', async () => {
    // The last thing that each container does is to write down when that was.
    const timed = (name: string, ...dependsOn: string[]): object => ({
      name, dependsOn,
      job: { image: 'job-chief.local/acme/pg-boss-worker:1', command: ['/usr/local/bin/node', '-e', 'fs.writeFileSync(process.env.JOB_CHIEF_OUTPUT, `at=${Date.now()}`)'], ...restricted },
      outputs: { at: { type: 'integer' } },
    });
    await start('timed', { steps: [timed('a'), timed('b', 'a'), timed('c', 'b'), timed('d', 'c'), timed('e', 'd')] });
    const run = await runBecomes(site(), 'timed', 'Succeeded');
    const edges = [['a', 'b'], ['b', 'c'], ['c', 'd'], ['d', 'e']].map(([from = '', to = '']) => (site().witness.madeAt(jobNames(run, to)[0] ?? '') ?? NaN) - Number(run.steps[from]?.outputs?.['at']));
    // Not asserted: most of it is the kubelet's, and the machine may be busy.
    console.info(`end of a container -> next Job seen: ${edges.join(', ')} ms`);
    expect(edges.every(Number.isFinite)).toBe(true);
  });

  it.concurrent('an exit code that is worth it is tried again, and the attempt that succeeds has the outputs', async () => {
    const script = 'if [ "$JOB_CHIEF_ATTEMPT" = 1 ]; then exit 75; fi; echo "tries=$JOB_CHIEF_ATTEMPT" > "$JOB_CHIEF_OUTPUT"';
    await start('again', { steps: [step('try', script, { retry: { attempts: 3, delay: '1s', exitCodes: { retry: [75] } }, outputs: { tries: { type: 'integer' } } })] });
    const run = await runBecomes(site(), 'again', 'Succeeded');
    expect(run.steps['try']).toMatchObject({ attempts: [{ outcome: 'failed', exitCode: 75 }, { outcome: 'succeeded' }], outputs: { tries: 2 } });
  });

  it.concurrent('an image that cannot be pulled fails its step long before startTimeout', async () => {
    await start('no-image', { steps: [{ name: 'pull', job: shell('true', { image: 'registry.invalid/none:1' }) }, step('after', 'true', { dependsOn: ['pull'] })] });
    const run = await runBecomes(site(), 'no-image', 'Failed');
    expect(outcomes(run)).toEqual({ pull: 'notStarted', after: 'omitted' });
    expect(run.result).toMatchObject({ failedSteps: ['pull'], message: containing('registry.invalid') });
    // The Job is ended and kept, its pod is gone.
    const jobs = await jobsOf(site(), run.name);
    expect(jobs.map(hasEnded)).toEqual([true]);
    await site().eventOf('no-image', { type: 'Warning', reason: 'StepFailed', message: containing('registry.invalid') });
  });

  it.concurrent('a step has succeeded when its containers have, whatever its sidecar still does', async () => {
    const container = { image: 'job-chief.local/busybox:1', securityContext: restricted.securityContext };
    const sidecar = { name: 'proxy', restartPolicy: 'Always', command: ['sh', '-c', "trap '' TERM; while true; do sleep 0.2; done"], ...container };
    const pod = { securityContext: { ...restricted.podSecurityContext, runAsUser: 65532 }, terminationGracePeriodSeconds: 15, initContainers: [sidecar], containers: [{ name: 'work', command: ['true'], ...container }] };
    await start('sidecar', { steps: [{ name: 'work', jobTemplate: { spec: { template: { spec: pod } } } }, step('next', 'true', { dependsOn: ['work'] })] });
    const run = await runBecomes(site(), 'sidecar', 'Succeeded');
    const [first] = (await podsOf(site(), 'sidecar')).filter(({ metadata }) => metadata.labels?.['job-chief/step'] === 'work');
    const stopped = await eventually(async () => {
      const [now] = (await podsOf(site(), 'sidecar')).filter(({ metadata }) => metadata.name === first?.metadata.name);
      const at = now?.status.initContainerStatuses?.[0]?.state?.terminated?.finishedAt;
      expect(at).toBeDefined();
      return Date.parse(at ?? '');
    });
    expect(run.steps['next']?.attempts?.[0]?.at).toBeLessThan(stopped);
  });

  it.concurrent('cancelled by an annotation: what runs is ended, finally runs and knows', async () => {
    await start('cancelled', {
      steps: [step('wait', long), { name: 'ask', approve: {} }, step('never', 'true', { dependsOn: ['wait'] })],
      finally: [{ name: 'tell', job: shell('', { command: ['echo', '$(run.outcome)'] }) }],
    });
    const job = await stepRuns(site(), 'cancelled', 'wait');
    const [{ name } = { name: '' }] = await runsOf(site(), 'cancelled');
    await site().kubectl('annotate', 'configmap', name, 'job-chief/cancel=no longer needed');
    const run = await runBecomes(site(), 'cancelled', 'Cancelled');
    expect(outcomes(run)).toEqual({ wait: 'cancelled', ask: 'cancelled', never: 'omitted', tell: 'succeeded' });
    expect(run.result?.message).toContain('no longer needed');
    expect(await logOf(site(), jobNames(run, 'tell')[0])).toBe('cancelled\n');
    // Ended, not deleted: it stays as the record of its attempt.
    const ended = (await jobsOf(site(), name)).find(({ metadata }) => metadata.name === job);
    expect(ended?.status.conditions).toContainEqual(expect.objectContaining({ type: 'Failed', status: 'True' }));
  });

  it.concurrent('its ConfigMap is deleted: the run goes with it, Jobs and pods as well', async () => {
    await start('deleted', { steps: [step('wait', long), step('after', 'true', { dependsOn: ['wait'] })] });
    await stepRuns(site(), 'deleted', 'wait');
    await site().kubectl('delete', 'configmap', 'deleted');
    await eventually(async () => {
      expect(await runsOf(site(), 'deleted')).toEqual([]);
      expect(await podsOf(site(), 'deleted')).toEqual([]);
      expect(await site().jobs('deleted')).toEqual([]);
    });
  });

  it.concurrent('its ConfigMap is deleted, with onSpecDelete: finish: the run goes on to its end, with the text and the file it began with', async () => {
    await start('finished', {
      onSpecDelete: 'finish',
      steps: [step('wait', until(6)), { name: 'after', dependsOn: ['wait'], job: shell('', { command: ['sh', '/app/say.sh'] }), files: { '/app/say.sh': 'say.sh' } }],
    }, { 'say.sh': 'echo from the file' });
    await stepRuns(site(), 'finished', 'wait');
    await site().kubectl('delete', 'configmap', 'finished');
    const run = await runBecomes(site(), 'finished', 'Succeeded');
    expect(await logOf(site(), jobNames(run, 'after')[0])).toBe('from the file\n');
  });

  it.concurrent('its ConfigMap is edited: the run goes on with the text that it began with, and the next one has the new text', async () => {
    const spec = { steps: [step('wait', until(6)), { name: 'say', dependsOn: ['wait'], job: shell('', { command: ['sh', '/app/say.sh'] }), files: { '/app/say.sh': 'say.sh' } }] };
    await start('edited', spec, { 'say.sh': 'echo old' });
    await stepRuns(site(), 'edited', 'wait');
    await start('edited', spec, { 'say.sh': 'echo new' });
    const runs = await eventually(async () => {
      const all = await runsOf(site(), 'edited');
      expect(all.map(({ phase }) => phase)).toEqual(['Succeeded', 'Succeeded']);
      return all;
    });
    expect(await Promise.all(runs.map((run) => logOf(site(), jobNames(run, 'say')[0])))).toEqual(['old\n', 'new\n']);
    // One at a time.
    expect(runs[1]?.steps['wait']?.attempts?.[0]?.at).toBeGreaterThanOrEqual(runs[0]?.result?.finishedAt ?? Infinity);
  });

  it.concurrent('a Job is deleted by somebody: the attempt is lost, and the next one waits until its pod is gone', async () => {
    const slow = { name: 'work', job: stubborn(6), retry: { attempts: 2, delay: '0s' } };
    await start('lost', { steps: [slow] });
    const job = await stepRuns(site(), 'lost', 'work');
    await site().kubectl('delete', 'job', job, '--cascade=background', '--wait=false');
    await stepBecomes(site(), 'lost', 'work', { attempts: [{ job, outcome: 'errored', reason: 'JobDeleted' }, {}] });
    // That the pod of the first was gone by then, the site's witness says at the end.
    const [{ name } = { name: '' }] = await runsOf(site(), 'lost');
    await site().kubectl('annotate', 'configmap', name, 'job-chief/cancel=enough');
    await runBecomes(site(), 'lost', 'Cancelled');
  });

  it.concurrent('phases of folders of Jobs, as jobernetes had them: dependencies inside a phase, completions, and a failure that ends the run', async () => {
    const manifest = (name: string, script: string, more: object = {}): string =>
      stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, labels: { app: name } }, spec: { backoffLimit: 0, ...more, template: { spec: {
        restartPolicy: 'Never', securityContext: { ...restricted.podSecurityContext, runAsUser: 65532 },
        containers: [{ name: 'main', image: 'job-chief.local/busybox:1', command: ['sh', '-c', script], securityContext: restricted.securityContext }],
      } } } });
    const spec = {
      apiVersion: 'job-chief/v1', kind: 'Workflow', name: 'model', trigger: { onChange: true }, maxParallel: 3,
      phases: [
        { name: 'prepare', steps: [{ name: 'make_index', jobFile: 'index.yaml' }] },
        { name: 'gather', steps: [{ name: 'fetch_a', jobFile: 'fetch-a.yaml' }, { name: 'load_a', jobFile: 'load-a.yaml', dependsOn: ['fetch_a'] }, { name: 'fetch_b', jobFile: 'fetch-b.yaml' }] },
        { name: 'finish', steps: [{ name: 'reports', jobFiles: 'report-*.yaml' }] },
        { name: 'never', steps: [{ name: 'last', jobFile: 'index.yaml' }] },
      ],
    };
    const wrapped = await wrap({
      'spec.yaml': stringify(spec),
      // Its first pod is not its end.
      'jobs/index.yaml': manifest('index', 'sleep 1', { completions: 2, parallelism: 2 }),
      'jobs/fetch-a.yaml': manifest('fetch-a', 'true'),
      'jobs/load-a.yaml': manifest('load-a', 'true'),
      'jobs/fetch-b.yaml': manifest('fetch-b', until(4)),
      'jobs/reports/report-good.yaml': manifest('good', 'true'),
      'jobs/reports/report-bad.yaml': manifest('bad', 'exit 3'),
    });
    await site().kubernetes.kubectl(['-n', site().namespace, 'apply', '-f', '-'], wrapped);
    const run = await runBecomes(site(), 'model', 'Failed');
    expect(outcomes(run)).toEqual({ make_index: 'succeeded', fetch_a: 'succeeded', load_a: 'succeeded', fetch_b: 'succeeded', reports: 'failed', last: 'omitted' });
    expect(run.steps['reports']?.items?.map(({ outcome }) => outcome)).toEqual(['failed', 'succeeded']);
    const jobs = new Map((await jobsOf(site(), run.name)).map((job) => [job.metadata.labels?.['app'], job]));
    expect(jobs.get('index')?.status.succeeded).toBe(2);
    const made = (app: string): number => site().witness.madeAt(jobs.get(app)?.metadata.name ?? '') ?? NaN;
    expect(made('load-a')).toBeLessThan(run.steps['fetch_b']?.at ?? 0);
    expect(made('good')).toBeGreaterThan(made('load-a'));
  });

  it('job-chief is killed at every turn: each Job runs once, and the run ends as if nothing had been', async () => {
    const kill = (): Promise<void> =>
      eventually(async () => {
        const [pod] = await site().controllers();
        expect(pod?.status.phase).toBe('Running');
        await site().kubectl('delete', 'pod', pod?.metadata.name ?? '', '--force', '--grace-period=0');
      });
    await start('killed', {
      steps: [
        step('list', `${until(2)}; echo '{"names": ["a", "b"]}' > "$JOB_CHIEF_OUTPUT"`, { outputs: { names: { type: 'array' } } }),
        { name: 'each', forEach: { from: '$(steps.list.outputs.names)' }, job: shell('', { command: ['sh', '-c', `${until(2)}; echo "name=$0" > "$JOB_CHIEF_OUTPUT"`, '$(item)'] }), outputs: { name: { type: 'string' } } },
        { name: 'sub', workflow: { name: 'killed-sub', parameters: { names: '$(steps.each.outputs.name)' } }, outputs: { said: { type: 'string' } } },
      ],
      outputs: { said: '$(steps.sub.outputs.said)' },
    });
    await start('killed-sub', {
      trigger: { onRequest: true },
      parameters: { names: { type: 'array' } },
      steps: [{ name: 'say', job: shell(`${until(2)}; echo "said=$SAY" > "$JOB_CHIEF_OUTPUT"`, { env: [{ name: 'SAY', value: '$(params.names)' }] }), outputs: { said: { type: 'string' } } }],
      outputs: { said: '$(steps.say.outputs.said)' },
    });
    await stepRuns(site(), 'killed', 'list');
    await kill();
    await stepRuns(site(), 'killed', 'each');
    await kill();
    await stepRuns(site(), 'killed-sub', 'say');
    await kill();
    const run = await runBecomes(site(), 'killed', 'Succeeded');
    await kill();
    expect(run.result?.outputs).toEqual({ said: '["a","b"]' });
    const all = [...(await runsOf(site(), 'killed')), ...(await runsOf(site(), 'killed-sub'))];
    const jobs = (await Promise.all(all.map(({ name }) => jobsOf(site(), name)))).flat();
    expect(jobs.map(({ metadata }) => [metadata.labels?.['job-chief/step'], metadata.labels?.['job-chief/attempt']])).toEqual([['list', '1'], ['each', '1'], ['each', '1'], ['say', '1']]);
    await site().ready();
    await site().statusBecomes('killed', { state: 'Idle', health: 'Healthy', lastRun: { outcome: 'succeeded' } });
  });
});

/** What `job-chief wrap FOLDER` makes of these files. */
async function wrap(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'job-chief-e2e-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return (await promisify(execFile)(process.execPath, [join(repository, 'dist/job-chief.mjs'), 'wrap', folder])).stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
