import { describe, expect, it } from 'vitest';
import { metrics as definitions } from '../../../../src/adapters/metrics/names.ts';
import { createMetrics, type Metrics } from '../../../../src/adapters/metrics/metrics.ts';
import type { Clock } from '../../../../src/lib/clock.ts';
import { messageResults } from '../../../../src/reconcile/meter.ts';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { parseExposition, type Sample } from './exposition.ts';

const key: SpecKey = { kind: 'queue', name: 'thumbnails' };
const workflow: SpecKey = { kind: 'workflow', name: 'etl' };
const idle = { state: 'Idle', accepted: true, liveJobs: 0, claims: 1 } as const;

function aClock(): Clock & { at: number } {
  const clock = { at: 1_000_000, now: () => clock.at, monotonic: () => clock.at, timer: () => ({ cancel: () => undefined }) };
  return clock;
}

function someMetrics(withProcess = false): { metrics: Metrics; clock: { at: number } } {
  const clock = aClock();
  return { clock, metrics: createMetrics({ clock, version: '1.2.3', apiServer: 'kubernetes.test:443', process: withProcess }) };
}

async function samples(metrics: Metrics): Promise<Sample[]> {
  return parseExposition((await metrics.expose(undefined)).body);
}

const named = (all: Sample[], name: string): Sample[] => all.filter((sample) => sample.name === name);
const ofSpec = (all: Sample[]): Sample[] => all.filter((sample) => sample.labels['name'] === key.name);

/** Calls every hook once, so that every metric has a series. */
function touchAll({ meter, runs, messages, workQueue, client, watch, leader, feature, capacity, http }: Metrics): void {
  capacity({ view: () => [{ group: '', used: 1, limit: 10 }], waiting: 2 });
  runs.active(workflow, 1);
  runs.finished(workflow, { trigger: 'change', outcome: 'succeeded', seconds: 3 });
  runs.edge(0.01);
  runs.recordWrite('done');
  messages.message(key, 'created');
  messages.inHand(key, 2);
  messages.oldest(key, 30);
  messages.stage('leased_to_created', 0.01);
  meter.spec(key, idle);
  meter.round('queue', 'success', 0.004);
  meter.action(key, 'create', 'JobCreated', 'done');
  meter.created(key, 0.02);
  meter.depth(key, 3, 0.001);
  meter.finished(key, 'succeeded', 'Completed', { ran: 12, startup: 1.5 });
  meter.finished(key, 'failed', 'OOMKilled', { ran: 3, startup: undefined });
  workQueue.depth(1);
  workQueue.waited(0.001);
  workQueue.worked(0.002);
  client.request('POST', 201, 0.03);
  client.retry('POST', 429);
  watch('jobs').size(2);
  leader('job-chief')(true);
  feature('jobs', 'on');
  http('/api/v1/runs', 202, 0.01);
}

describe('exposition', () => {
  it('shows every defined metric, and nothing that is not defined but the process metrics', async () => {
    const { metrics } = someMetrics(true);
    touchAll(metrics);
    const families = new Set((await samples(metrics)).map((sample) => sample.family));
    const own = [...families].filter((family) => !/^(process|nodejs)_/.test(family));
    expect(own.toSorted()).toEqual(Object.values(definitions).map((definition) => definition.name).toSorted());
    expect([...families].some((family) => family === 'process_cpu_seconds_total')).toBe(true);
  });

  it('gives each family the type and the labels of its definition', async () => {
    const { metrics } = someMetrics();
    touchAll(metrics);
    const all = await samples(metrics);
    for (const definition of Object.values(definitions)) {
      for (const sample of all.filter(({ family }) => family === definition.name)) {
        expect(sample.type).toBe(definition.type);
        expect(Object.keys(sample.labels).filter((label) => label !== 'le').toSorted(), sample.name).toEqual([...definition.labels].toSorted());
      }
    }
  });

  it('answers plain text unless OpenMetrics is asked for and weighs as much', async () => {
    const { metrics } = someMetrics();
    const type = async (accept: string | undefined) => (await metrics.expose(accept)).contentType.split(';')[0];
    expect(await type(undefined)).toBe('text/plain');
    expect(await type('*/*')).toBe('text/plain');
    expect(await type('application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1')).toBe('application/openmetrics-text');
    expect(await type('text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5')).toBe('text/plain');
    expect(await type('application/openmetrics-text;q=0,text/plain')).toBe('text/plain');
  });

  it('names counter families without _total in OpenMetrics, and leaves the plain text as it was', async () => {
    const { metrics } = someMetrics();
    touchAll(metrics);
    const plain = (await metrics.expose(undefined)).body;
    const open = (await metrics.expose('application/openmetrics-text; version=1.0.0')).body;
    expect(open).toContain('# TYPE job_chief_jobs_created counter\n');
    expect(open).toContain('job_chief_jobs_created_total{kind="queue",name="thumbnails"} 1\n');
    expect(open).not.toMatch(/\n\n/);
    expect(open.endsWith('\n# EOF\n')).toBe(true);
    expect((await metrics.expose(undefined)).body).toBe(plain);
  });
});

describe('series of messages', () => {
  it('stand at zero from the first call on, and go with the queue', async () => {
    const { metrics } = someMetrics();
    const other: SpecKey = { kind: 'queue', name: 'invoices' };
    metrics.messages.inHand(other, 1);
    const before = await samples(metrics);
    metrics.messages.inHand(key, 3);
    metrics.messages.message(key, 'lease_lost');
    metrics.messages.oldest(key, 7);
    metrics.messages.oldest(key, undefined);
    expect(named(await samples(metrics), 'job_chief_queue_oldest_message_seconds')).toEqual([]);
    metrics.messages.oldest(key, 7);
    const all = (await samples(metrics)).filter(({ labels }) => labels['name'] === key.name);
    expect(named(all, 'job_chief_messages_in_hand').map(({ value }) => value)).toEqual([3]);
    expect(named(all, 'job_chief_messages_total').filter(({ value }) => value === 0)).toHaveLength(messageResults.length - 1);
    metrics.messages.forget(key);
    metrics.messages.forget(key);
    expect(await samples(metrics)).toEqual(before);
  });
});

describe('series of a spec', () => {
  it('stand at zero from the first call on', async () => {
    const { metrics } = someMetrics();
    metrics.meter.spec(key, idle);
    const all = await samples(metrics);
    expect(named(all, 'job_chief_jobs_finished_total').map(({ labels, value }) => [labels['outcome'], value])).toEqual([
      ['succeeded', 0], ['failed', 0], ['errored', 0], ['notStarted', 0], ['refused', 0],
    ]);
    expect(named(all, 'job_chief_jobs_created_total')).toMatchObject([{ value: 0 }]);
  });

  it('go with the spec, those of other specs stay', async () => {
    const { metrics } = someMetrics();
    const other: SpecKey = { kind: 'queue', name: 'invoices' };
    metrics.meter.spec(other, idle);
    const before = await samples(metrics);
    metrics.meter.spec(key, idle);
    metrics.meter.spec(key, { ...idle, state: 'Running', liveJobs: 1 });
    metrics.meter.created(key, 1);
    metrics.meter.depth(key, 4, 1);
    metrics.meter.depth(key, undefined, 1);
    metrics.meter.finished(key, 'succeeded', 'Completed', { ran: 1, startup: 1 });
    expect(ofSpec(await samples(metrics))).not.toEqual([]);
    metrics.meter.forget(key);
    metrics.meter.forget(key);
    const after = await samples(metrics);
    expect(ofSpec(after)).toEqual([]);
    expect(after.filter(({ labels }) => labels['name'] === 'invoices')).toEqual(before.filter(({ labels }) => labels['name'] === 'invoices'));
  });

  it('show one state at a time', async () => {
    const { metrics } = someMetrics();
    metrics.meter.spec(key, idle);
    metrics.meter.spec(key, { ...idle, state: 'Rejected', accepted: false });
    const all = await samples(metrics);
    expect(named(all, 'job_chief_spec_state').map(({ labels }) => labels['state'])).toEqual(['Rejected']);
    expect(named(all, 'job_chief_spec_accepted')).toMatchObject([{ value: 0 }]);
  });

  it('show no depth where none is known', async () => {
    const { metrics } = someMetrics();
    metrics.meter.depth(key, 7, 0.01);
    expect(named(await samples(metrics), 'job_chief_queue_ready_messages')).toMatchObject([{ value: 7 }]);
    metrics.meter.depth(key, undefined, 5);
    expect(named(await samples(metrics), 'job_chief_queue_ready_messages')).toEqual([]);
  });

  it('date the last success by the clock', async () => {
    const { metrics, clock } = someMetrics();
    metrics.meter.finished(key, 'failed', 'Error', { ran: 1, startup: 1 });
    expect(named(await samples(metrics), 'job_chief_last_success_timestamp_seconds')).toEqual([]);
    clock.at = 5_000;
    metrics.meter.finished(key, 'succeeded', 'Completed', { ran: 1, startup: 1 });
    expect(named(await samples(metrics), 'job_chief_last_success_timestamp_seconds')).toMatchObject([{ value: 5 }]);
  });
});

describe('series of a workflow', () => {
  const ofWorkflow = (all: Sample[]): Sample[] => all.filter((sample) => sample.labels['name'] === workflow.name);

  it('stand at zero from the first call on: each trigger with each outcome, each outcome of a step, each way to miss a time', async () => {
    const { metrics } = someMetrics();
    metrics.runs.active(workflow, 0);
    const all = ofWorkflow(await samples(metrics));
    expect(Object.fromEntries(['job_chief_runs_active', 'job_chief_runs_total', 'job_chief_steps_total', 'job_chief_schedule_missed_total'].map((name) => [name, named(all, name).length]))).toEqual({
      job_chief_runs_active: 1, job_chief_runs_total: 15, job_chief_steps_total: 8, job_chief_schedule_missed_total: 3,
    });
    expect(all.filter(({ value }) => value !== 0)).toEqual([]);
  });

  it('count what is told', async () => {
    const { metrics } = someMetrics();
    metrics.runs.finished(workflow, { trigger: 'schedule', outcome: 'failed', seconds: 70 });
    metrics.runs.step(workflow, 'skipped');
    metrics.runs.missed(workflow, 'down');
    metrics.runs.edge(0.012);
    metrics.runs.recordWrite('conflict');
    const all = await samples(metrics);
    const told = all.filter(({ labels, value }) => labels['name'] === 'etl' && value > 0).map(({ name, labels }) => [name, labels['trigger'] ?? labels['outcome'] ?? labels['why']]);
    expect(told).toEqual([['job_chief_runs_total', 'schedule'], ['job_chief_steps_total', 'skipped'], ['job_chief_schedule_missed_total', 'down']]);
    expect(named(all, 'job_chief_run_duration_seconds_sum')).toMatchObject([{ labels: { kind: 'workflow', outcome: 'failed' }, value: 70 }]);
    expect(named(all, 'job_chief_step_edge_seconds_count')).toMatchObject([{ value: 1 }]);
    expect(named(all, 'job_chief_record_writes_total')).toMatchObject([{ labels: { result: 'conflict' }, value: 1 }]);
  });

  it('go with the workflow', async () => {
    const { metrics } = someMetrics();
    touchAll(metrics);
    metrics.runs.missed(workflow, 'deadline');
    metrics.runs.forget(workflow);
    metrics.runs.forget(workflow);
    expect(ofWorkflow(await samples(metrics))).toEqual([]);
  });
});

describe('labels are closed', () => {
  it('counts what nobody foresaw as other', async () => {
    const { metrics } = someMetrics();
    metrics.meter.finished(key, 'failed', 'Job thumbnails-x7 exited with 3', { ran: undefined, startup: undefined });
    metrics.meter.action(key, 'end', 'Timeout', 'HTTP 418 from the proxy');
    const watch = metrics.watch('pods');
    watch.event('SURPRISE');
    watch.relist('the moon');
    const all = await samples(metrics);
    expect(named(all, 'job_chief_job_failures_total').map(({ labels }) => labels['reason'])).toEqual(['other']);
    expect(named(all, 'job_chief_actions_total').map(({ labels }) => labels['result'])).toEqual(['other']);
    expect(named(all, 'job_chief_watch_events_total').filter(({ value }) => value > 0).map(({ labels }) => labels['type'])).toEqual(['other']);
    expect(named(all, 'job_chief_watch_relists_total').filter(({ value }) => value > 0).map(({ labels }) => labels['reason'])).toEqual(['other']);
  });

  it('escapes a name that holds quotes and line ends', async () => {
    const { metrics } = someMetrics();
    metrics.meter.created({ kind: 'queue', name: 'a"b\\c\nd' }, 1);
    expect(named(await samples(metrics), 'job_chief_jobs_created_total')).toMatchObject([{ labels: { name: 'a"b\\c\nd' }, value: 1 }]);
  });

  it('has no label for a run, a Job, a Pod, a namespace or a message', () => {
    const labels = new Set(Object.values(definitions).flatMap((definition): readonly string[] => definition.labels));
    expect([...labels].filter((label) => /job|pod|run|message|uid|namespace|id$/.test(label))).toEqual([]);
  });
});

describe('work queue', () => {
  it('reads the rounds under way at scrape time', async () => {
    const { metrics } = someMetrics();
    const all = await samples(metrics);
    expect(named(all, 'workqueue_longest_running_processor_seconds')).toMatchObject([{ value: 0, labels: { name: 'job-chief' } }]);
    metrics.workQueue.unfinished(() => [1, 4]);
    const later = await samples(metrics);
    expect(named(later, 'workqueue_unfinished_work_seconds')).toMatchObject([{ value: 5 }]);
    expect(named(later, 'workqueue_longest_running_processor_seconds')).toMatchObject([{ value: 4 }]);
  });
});

describe('Kubernetes client and watches', () => {
  it('counts requests by status, and those without an answer', async () => {
    const { metrics } = someMetrics();
    metrics.client.request('POST', 201, 0.1);
    metrics.client.request('GET', undefined, 10);
    metrics.client.watch(200);
    const all = await samples(metrics);
    expect(named(all, 'rest_client_requests_total').map(({ labels, value }) => [labels['method'], labels['code'], value])).toEqual([
      ['POST', '201', 1], ['GET', '<error>', 1], ['GET', '200', 1],
    ]);
    expect(named(all, 'rest_client_request_duration_seconds_count').map(({ labels, value }) => [labels['verb'], value])).toEqual([['POST', 1], ['GET', 1]]);
  });

  it('shows how long each watch has been silent', async () => {
    const { metrics, clock } = someMetrics();
    const jobs = metrics.watch('jobs');
    metrics.watch('pods');
    clock.at += 30_000;
    jobs.event('BOOKMARK');
    clock.at += 1_000;
    expect(named(await samples(metrics), 'job_chief_watch_age_seconds').map(({ labels, value }) => [labels['resource'], value])).toEqual([['jobs', 1], ['pods', 31]]);
  });
});

it('features have a series where it is known whether they have their rights', async () => {
  const { metrics } = someMetrics();
  metrics.feature('jobs', 'on');
  metrics.feature('events', 'off');
  metrics.feature('records', 'unknown');
  const { body } = await metrics.expose(undefined);
  expect(body.match(/^job_chief_feature_rights\{.*$/gm)).toEqual(['job_chief_feature_rights{feature="jobs"} 1', 'job_chief_feature_rights{feature="events"} 0']);
});

describe('the limits of the instance', () => {
  it('are read at each scrape: what is used by group, what is limited, and who waits', async () => {
    const { metrics } = someMetrics();
    const reading = { view: () => [{ group: '', used: 7, limit: undefined }, { group: 'gpu', used: 3, limit: 4 }], waiting: 2 };
    metrics.capacity(reading);
    const series = async (): Promise<string[]> => (await samples(metrics)).filter(({ name }) => name.startsWith('job_chief_capacity')).map(({ name, labels, value }) => `${name.slice('job_chief_capacity_'.length)} ${labels['group'] ?? '-'} ${value}`);
    expect(await series()).toEqual(['used  7', 'used gpu 3', 'limit gpu 4', 'waiting - 2']);
    reading.view = () => [{ group: '', used: 0, limit: undefined }];
    expect(await series()).toEqual(['used  0', 'waiting - 2']);
  });
});
