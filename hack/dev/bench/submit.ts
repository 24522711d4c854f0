/** Runs of a template asked for over HTTP; beside it a bare client that creates the same Jobs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, objectAt, type JsonObject } from '../../../src/lib/json.ts';
import { kindLabel, specKey } from '../../../src/spec/keys.ts';
import { freePorts } from '../cluster/ports.ts';
import { until } from '../cluster/progress.ts';
import { ControllerProcess, total } from './controller.ts';
import { JobWatch } from './job-watch.ts';
import { ask, clear, configMapsPath, createAll, inParallel, jobsPath, listAll, makeNamespace } from './requests.ts';
import type { World } from './world.ts';

/** Milliseconds, one each. */
export interface SubmitLatency {
  /** Request sent → answered. */
  readonly answered: readonly number[];
  /** Request sent → Job seen by a watcher. */
  readonly seen: readonly number[];
}

export interface SubmitResult {
  readonly controller: SubmitLatency;
  readonly bare: SubmitLatency;
  /** Per second, by the last answer, and by the last Job seen; one for each pair. */
  readonly rates: readonly { readonly submits: number; readonly jobs: number; readonly bare: number }[];
}

const namespace = 'bench-submit';
const token = 'bench-bench-bench-bench';

/** The most that a Template may have at once. */
const mostAtOnce = 1000;

type Send = (number: number) => Promise<unknown>;

/** One at a time for latencies, then as many at once as there are connections. */
export async function measureSubmit(world: World): Promise<SubmitResult> {
  const { options, say, api, folder } = world;
  if (options.count > mostAtOnce) throw new Error(`--count is at most ${mostAtOnce} in submit: runs beyond that would wait for others of their template`);
  say('submit: one run after the other');
  await makeNamespace(api.transport, namespace);
  await createAll(api.transport, configMapsPath(namespace), [template()]);
  const tokens = join(folder, 'api-tokens');
  writeFileSync(tokens, `submit bench ${token}\n`);
  const [port = 0] = await freePorts(1);
  const controller = await ControllerProcess.start(world, { namespace, concurrency: options.concurrency, httpApi: { enabled: true, listen: `127.0.0.1:${port}`, tokens, rateLimit: { perSecond: 0 } } });
  try {
    await controller.ready();
    await controller.quiet(1);
    const send = submitTo(port);
    const latency = await oneByOne(world, send, 0);
    const manifests = await manifestsOf(world);
    await settled(controller);
    await clear(api.transport, namespace);
    const bare = await oneByOne(world, bareClient(world, manifests), 0);
    const rates = [];
    for (let run = 1; run <= options.runs; run += 1) {
      await clear(api.transport, namespace);
      const mine = await allAtOnce(world, send, run * options.count);
      await settled(controller);
      await clear(api.transport, namespace);
      const { jobs } = await allAtOnce(world, bareClient(world, manifests), run * options.count);
      rates.push({ ...mine, bare: jobs });
      say(`  submit, run ${run} of ${options.runs}: ${mine.submits.toFixed(0)} submits/s, ${mine.jobs.toFixed(0)} Jobs/s, bare ${jobs.toFixed(0)} Jobs/s`);
    }
    return { controller: latency, bare, rates };
  } finally {
    await controller.stop();
    await clear(api.transport, namespace);
  }
}

/** No run is under way, whose Jobs could be taken from it, and retention has deleted what it deletes: neither costs the next turn anything. */
async function settled(controller: ControllerProcess): Promise<void> {
  await until('all runs to be over', 300_000, async () => total(await controller.metrics(), 'job_chief_runs_active') === 0, 200);
  await controller.quiet(1);
}

function template(): JsonObject {
  const spec = { apiVersion: 'job-chief/v1', kind: 'Template', parameters: { number: { type: 'integer' } }, concurrency: { max: mostAtOnce }, job: { image: 'registry.example/worker:1', args: ['$(params.number)'] } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'report', namespace, labels: { [kindLabel]: 'template' } }, data: { [specKey]: JSON.stringify(spec) } };
}

function submitTo(port: number): Send {
  return async (number) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': `bench-${number}` },
      body: JSON.stringify({ template: 'report', parameters: { number } }),
    });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`submit ${number}: ${answer.status} ${text}`);
  };
}

/** The Jobs as the controller made them, under names of their own. */
async function manifestsOf({ api }: World): Promise<readonly JsonObject[]> {
  const jobs = (await listAll(api.transport, jobsPath(namespace))).filter(isObject);
  return jobs.map((job) => {
    const { selector: _selector, ...spec } = objectAt(job, 'spec');
    const { labels = {}, annotations = {} } = objectAt(job, 'metadata');
    const pod = objectAt(spec, 'template');
    const podLabels = Object.fromEntries(Object.entries(objectAt(objectAt(pod, 'metadata'), 'labels')).filter(([name]) => !/(^|\/)(controller-uid|job-name)$/.test(name)));
    return { apiVersion: 'batch/v1', kind: 'Job', metadata: { labels, annotations }, spec: { ...spec, template: { ...pod, metadata: { ...objectAt(pod, 'metadata'), labels: podLabels } } } };
  });
}

function bareClient({ api }: World, manifests: readonly JsonObject[]): Send {
  return (number) => {
    const manifest = manifests[number % manifests.length] ?? {};
    const body = { ...manifest, metadata: { ...objectAt(manifest, 'metadata'), name: `bare-${number}` } };
    return ask(api.transport, { method: 'POST', path: jobsPath(namespace), query: { fieldManager: 'job-chief' }, body });
  };
}

async function oneByOne({ api, options }: World, send: Send, first: number): Promise<SubmitLatency> {
  using watch = await JobWatch.open(api.transport, namespace, false);
  const [answered, seen]: [number[], number[]] = [[], []];
  for (let number = 0; number < options.messages; number += 1) {
    const [count, began] = [watch.added.size, Date.now()];
    const beganExactly = performance.now();
    await send(first + number);
    answered.push(performance.now() - beganExactly);
    await watch.until('the Job', () => watch.added.size > count);
    seen.push(Math.max(...watch.added.values()) - began);
  }
  return { answered, seen };
}

async function allAtOnce({ api, options }: World, send: Send, first: number): Promise<{ readonly submits: number; readonly jobs: number }> {
  using watch = await JobWatch.open(api.transport, namespace, false);
  const began = Date.now();
  await inParallel(Array.from({ length: options.count }, (_, index) => first + index), options.concurrency, send);
  const answered = Date.now();
  await watch.until(`${options.count} Jobs`, () => watch.added.size >= options.count);
  return { submits: options.count / ((answered - began) / 1000), jobs: options.count / ((Math.max(...watch.added.values()) - began) / 1000) };
}
