/** Size, cold start and idle requests with many specs and many finished Jobs. */
import { sleep } from '../cluster/progress.ts';
import { isObject, type JsonObject } from '../../../src/lib/json.ts';
import { outcomeAnnotation } from '../../../src/spec/keys.ts';
import { asDeployed, ControllerProcess, total, type NodeSetting } from './controller.ts';
import { openQueues, type Queues } from './queues.ts';
import { ask, configMapsPath, createAll, inParallel, jobsPath, listAll, makeNamespace, nameOf } from './requests.ts';
import { jobOf, specMap } from './specs.ts';
import type { World } from './world.ts';

export interface MemoryResult {
  readonly setting: string;
  /** Milliseconds from the start of the process to ready, one for each start. */
  readonly coldStart: readonly number[];
  /** MiB, one for each start: after the first rounds and a pause, and at most until then. */
  readonly resident: readonly number[];
  readonly peak: readonly number[];
}
export interface IdleResult {
  readonly seconds: number;
  /** Requests in that time, watches opened anew included. */
  readonly requests: number;
  readonly watches: number;
}

const namespace = 'bench-memory';
const settings: readonly (readonly [string, NodeSetting])[] = [
  ['started as deployed', asDeployed],
  ['Node.js without flags', { flags: [], env: {} }],
];

export async function measureMemory(world: World): Promise<{ memory: MemoryResult[]; idle: IdleResult | undefined }> {
  const { options } = world;
  await using queues = await openQueues(world, 'memory');
  await fill(world, queues);
  const memory: MemoryResult[] = [];
  if (options.scenarios.includes('memory')) for (const [setting, node] of settings) memory.push(await starts({ world, queues }, setting, node));
  return { memory, idle: options.scenarios.includes('idle') ? await measureIdle({ world, queues }) : undefined };
}

async function fill(world: World, queues: Queues): Promise<void> {
  const { options, say, api } = world;
  const names = Array.from({ length: options.count }, (_, i) => `queue-${String(i).padStart(4, '0')}`);
  say(`memory: making ${options.count} specs and ${options.jobs} finished Jobs`);
  await queues.create(names, true);
  await makeNamespace(api.transport, namespace);
  await createAll(api.transport, configMapsPath(namespace), names.map((name) => specMap(namespace, { name, checkInterval: '10s', runFor: '0s' })));
  const specs = (await listAll(api.transport, configMapsPath(namespace))).filter(isObject).filter((map) => nameOf(map).startsWith('queue-'));
  const numbers = Array.from({ length: options.jobs }, (_, i) => i);
  await inParallel(numbers, 32, async (i) => {
    const spec = specs[i % specs.length];
    if (!spec) return;
    const job = finishedJob(jobOf({ ...spec, kind: 'ConfigMap' }, Math.floor(i / specs.length) + 1));
    await ask(api.transport, { method: 'POST', path: jobsPath(namespace), body: job });
    await ask(api.transport, { method: 'PATCH', path: `${jobsPath(namespace)}/${nameOf(job)}/status`, contentType: 'application/merge-patch+json', body: complete() });
    if (i % 2000 === 1999) say(`  ${i + 1} Jobs`);
  });
}

/** Of another Job controller that does not run: so it needs no pods, and its status is ours to write. */
function finishedJob(job: JsonObject): JsonObject {
  const [metadata, spec] = [job['metadata'], job['spec']];
  if (!isObject(metadata) || !isObject(spec)) throw new Error('not a Job');
  const annotations = { ...(isObject(metadata['annotations']) ? metadata['annotations'] : {}), [outcomeAnnotation]: JSON.stringify({ outcome: 'succeeded', reason: 'Completed', message: '', phase: 'final' }) };
  return { ...job, metadata: { ...metadata, annotations }, spec: { ...spec, managedBy: 'bench.example.com/finished' } };
}

function complete(): JsonObject {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const condition = (type: string): JsonObject => ({ type, status: 'True', lastProbeTime: now, lastTransitionTime: now, reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' });
  return { status: { startTime: now, completionTime: now, succeeded: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {}, conditions: [condition('SuccessCriteriaMet'), condition('Complete')] } };
}

async function starts({ world, queues }: { world: World; queues: Queues }, setting: string, node: NodeSetting): Promise<MemoryResult> {
  const { options, say } = world;
  const [coldStart, resident, peak]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < Math.min(options.runs, 2); run += 1) {
    const controller = await startWith({ world, queues }, node);
    try {
      coldStart.push(await controller.ready());
      await controller.quiet(options.count);
      await sleep(10_000);
      const memory = controller.memory();
      resident.push(memory.resident);
      peak.push(memory.peak);
      say(`  memory, ${setting}: synced in ${coldStart.at(-1)?.toFixed(0) ?? ''} ms, ${memory.resident.toFixed(0)} MiB, at most ${memory.peak.toFixed(0)} MiB`);
    } finally {
      await controller.stop();
    }
  }
  return { setting, coldStart, resident, peak };
}

function startWith({ world, queues }: { world: World; queues: Queues }, node: NodeSetting): Promise<ControllerProcess> {
  return ControllerProcess.start(world, { namespace, connectionsFolder: queues.connectionsFolder, concurrency: 32, node });
}

async function measureIdle({ world, queues }: { world: World; queues: Queues }): Promise<IdleResult> {
  const controller = await startWith({ world, queues }, asDeployed);
  try {
    await controller.ready();
    await controller.quiet(world.options.count);
    const seconds = 60;
    const before = await controller.metrics();
    await sleep(seconds * 1000);
    const after = await controller.metrics();
    const grown = (name: string): number => total(after, name) - total(before, name);
    const requests = grown('rest_client_requests_total');
    // Only watches are counted there and have no duration.
    return { seconds, requests, watches: requests - grown('rest_client_request_duration_seconds_count') };
  } finally {
    await controller.stop();
  }
}
