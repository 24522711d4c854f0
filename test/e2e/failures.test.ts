/** What goes wrong with pods on a real kubelet, and what job-chief says and does about it. All of it at the same time. */
import { describe, expect, it } from 'vitest';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { hasEnded } from './support/witness.ts';
import { useSite, type Site } from './support/site.ts';
import { once, restricted, shell, worker } from './support/specs.ts';

const node = (script: string, more: object = {}): object => ({ image: 'job-chief.local/acme/pg-boss-worker:1', command: ['/usr/local/bin/node', '-e', script], ...restricted, ...more });

const specs: Readonly<Record<string, object>> = {
  'bad-image': { job: shell('true', { image: 'registry.invalid/none:1' }) },
  'bad-image-name': { job: shell('true', { image: 'registry.invalid/UPPER:1' }) },
  'never-there': { job: shell('true', { image: 'job-chief.local/none:1', imagePullPolicy: 'Never' }) },
  'missing-secret': { job: shell('true', { env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'nobody-made-it', key: 'token' } } }] }) },
  'bad-command': { job: shell('', { command: ['/no/such/program'] }) },
  'init-fails': {
    jobTemplate: {
      spec: {
        template: {
          spec: {
            securityContext: { ...restricted.podSecurityContext, runAsUser: 65532 },
            initContainers: [{ name: 'prepare', image: 'job-chief.local/busybox:1', command: ['sh', '-c', 'printf "no disk" > /dev/termination-log; exit 7'], securityContext: restricted.securityContext }],
            containers: [{ name: 'work', image: 'job-chief.local/busybox:1', command: ['true'], securityContext: restricted.securityContext }],
          },
        },
      },
    },
  },
  'exit-3': { job: shell('printf "17 rows were refused" > /dev/termination-log; exit 3') },
  oom: { job: node('const all = []; for (;;) all.push(Buffer.alloc(1e6, 1));', { resources: { limits: { memory: '48Mi' } } }) },
  unschedulable: { startTimeout: '5s', job: shell('true', { nodeSelector: { 'example.com/disk': 'fast' } }) },
  // With an image and a user like the others: only Pod Security has something against it.
  'not-allowed': { startTimeout: '30s', job: shell('true', { podSecurityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'Unconfined' } } }) },
  'denied': { startTimeout: '30s', job: { ...shell('true'), hostNetwork: true } },
  'no-account': { startTimeout: '30s', job: shell('true', { serviceAccountName: 'nobody' }) },
  'too-long': { timeout: '3s', job: shell('sleep 600') },
};

const containing = (text: string): unknown => expect.stringContaining(text);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

describe.skipIf(noRealPods !== undefined)('pods that fail', () => {
  const site = useSite({ name: 'failures', enforce: 'restricted', warn: 'restricted' }, async (opened) => {
    await opened.install();
    for (const name of Object.keys(specs)) await opened.send(name);
    for (const [name, spec] of Object.entries(specs)) await opened.queue(name, { drain: once, ...spec });
  });

  /** One Job, kept as the record; none of its pods lives; the wait runs. */
  async function givenUp(name: string, lastRun: object): Promise<void> {
    await site().statusBecomes(name, { state: 'Waiting', liveJobs: 0, lastRun }, 180_000);
    const jobs = await site().jobs(name);
    expect(jobs.map(hasEnded)).toEqual([true]);
    expect((await site().pods(name)).filter(({ status }) => status.phase === 'Pending' || status.phase === 'Running')).toEqual([]);
  }

  it.concurrent.each([
    ['bad-image', { outcome: 'notStarted', reason: matching(/^(ErrImagePull|ImagePullBackOff)$/), message: containing('registry.invalid') }],
    ['bad-image-name', { outcome: 'notStarted', reason: 'InvalidImageName' }],
    ['never-there', { outcome: 'notStarted', reason: 'ErrImageNeverPull' }],
    ['missing-secret', { outcome: 'notStarted', reason: 'CreateContainerConfigError', message: containing('nobody-made-it') }],
  ])('%s: the pod is given up, the Job is kept', async (name, lastRun) => {
    await givenUp(name, lastRun);
    await site().eventOf(name, { type: 'Warning', reason: 'PodFatal' });
    expect(await site().status(name)).toMatchObject({ reason: 'WaitAfterNotStarted' });
  });

  it.concurrent('a program that is not there was never started', async () => {
    await givenUp('bad-command', { outcome: 'notStarted', message: containing('/no/such/program') });
  });

  it.concurrent('an init container that fails is named', async () => {
    await givenUp('init-fails', { outcome: 'failed', message: 'container "prepare" exited with 7: no disk' });
  });

  it.concurrent('an exit code and what the container said last are in status, event and metrics', async () => {
    const message = 'container "main" exited with 3: 17 rows were refused';
    await givenUp('exit-3', { outcome: 'failed', reason: 'Error', message });
    await site().eventOf('exit-3', { type: 'Warning', reason: 'JobFailed', message: containing(message) });
    await eventually(async () => {
      expect(await site().metric('job_chief_jobs_finished_total{kind="queue",name="exit-3",outcome="failed"}')).toBe(1);
      expect((await site().ask('/metrics')).body).toMatch(/job_chief_job_failures_total\{kind="queue",reason="Error"\} \d/);
    });
    expect(await site().kubectl('describe', 'configmap', 'exit-3')).toContain('17 rows were refused');
  });

  it.concurrent('memory beyond the limit is called by its name', async () => {
    await givenUp('oom', { outcome: 'failed', reason: 'OOMKilled', message: 'container "main" exited with 137 (OOMKilled)' });
  });

  it.concurrent('a pod without a node is ended after startTimeout, in the words of the scheduler', async () => {
    await givenUp('unschedulable', { outcome: 'notStarted', reason: 'StartTimeout', message: containing('node affinity/selector') });
  });

  it.concurrent('a pod that Pod Security denies is warned of, and its absence explained', async () => {
    // A status that says so may be skipped: the next one may be due before it is written.
    await site().eventOf('not-allowed', { type: 'Warning', reason: 'NoPodCreated', message: matching(/violates PodSecurity "restricted/) });
    await givenUp('not-allowed', { outcome: 'notStarted', message: matching(/violates PodSecurity "restricted/) });
    const { conditions = [] } = (await site().status('not-allowed')) ?? {};
    expect(conditions.find(({ type }) => type === 'Accepted')?.message).toMatch(/would violate PodSecurity "restricted:latest": seccompProfile/);
    expect(await site().pods('not-allowed')).toEqual([]);
  });

  it.concurrent('what no policy allows is denied before there is a Job', async () => {
    await site().statusBecomes('denied', { state: 'Rejected', reason: 'PolicyDenied', message: containing('spec.template.spec.hostNetwork: "hostNetwork" must not be set') });
    expect(await site().jobs('denied')).toEqual([]);
  });

  it.concurrent('an account that does not exist is named', async () => {
    await site().eventOf('no-account', { type: 'Warning', reason: 'NoPodCreated', message: containing('serviceaccount "nobody" not found') });
    await givenUp('no-account', { outcome: 'notStarted', message: containing('serviceaccount "nobody" not found') });
  });

  it.concurrent('a Job that runs for too long is ended', async () => {
    await givenUp('too-long', { outcome: 'failed', reason: 'Timeout' });
  });
});

describe.skipIf(noRealPods !== undefined)('a quota', () => {
  const quota = (jobs: number): object => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'jobs' }, spec: { hard: { 'count/jobs.batch': String(jobs) } } });
  const site = useSite({ name: 'quota' }, async (opened: Site) => {
    await opened.apply(quota(0));
    await opened.install();
    await opened.queue('metered', { drain: { checkInterval: '1s', waitAfter: { refused: '1s' } }, injectConnection: true, job: worker() });
  });

  it('that is full is said, and work goes on as soon as it is raised', async () => {
    await site().send('metered', 3);
    const blocked = await site().statusBecomes('metered', { state: 'Blocked', reason: 'QuotaExceeded' });
    expect(blocked.message).toContain('exceeded quota: jobs');
    await site().eventOf('metered', { type: 'Warning', reason: 'QuotaExceeded' });
    await site().apply(quota(5));
    await site().drained('metered', 3);
    await site().statusBecomes('metered', { state: 'Idle', lastRun: { outcome: 'succeeded' } });
  });
});
