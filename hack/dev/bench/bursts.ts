/** Many Jobs at the same moment, by the controller and by a bare client that creates the same ones. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repository } from '../cluster/paths.ts';
import { signal } from '../cluster/process.ts';
import { sleep, type Progress } from '../cluster/progress.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { ControllerProcess, cpuSeconds } from './controller.ts';
import { JobWatch } from './job-watch.ts';
import type { MessageQueues } from './message-queues.ts';
import { ask, clear, clearJobs, jobsPath, listAll } from './requests.ts';
import type { World } from './world.ts';

export interface Burst {
  /** Jobs per second between the first and the last seen. */
  readonly rate: number;
  /** Milliseconds from the commit (or the first POST) until the first and the last Job were seen. */
  readonly first: number;
  readonly last: number;
  /** CPU seconds from then until then. */
  readonly cpu: { readonly client: number; readonly apiServer: number };
}
export interface RatePair {
  readonly controller: Burst;
  readonly bare: Burst;
}

/** What is to happen at once. */
export interface BurstSetting {
  readonly world: World;
  readonly queues: MessageQueues;
  readonly namespace: string;
  /** Specs that the controller has accepted before it begins. */
  readonly specs: number;
  readonly jobs: number;
  /** What the controller does before, so that its code is as warm as the bare client's. It leaves nothing behind that goes on. */
  readonly warmUp?: (controller: ControllerProcess) => Promise<void>;
  /** Sends all messages; the moment from which the first can be seen, Date.now(). */
  readonly send: () => Promise<number>;
  /** Given what the controller created: what the bare client is to create. Throws where something is not as it must be. */
  readonly manifests: (stored: readonly unknown[]) => readonly JsonObject[];
}

/** Alternating, so that a neighbour's load hits both. */
export async function measurePairs(what: string, setting: BurstSetting): Promise<RatePair[]> {
  const { options, say } = setting.world;
  const pairs: RatePair[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    const { burst: controller, manifests } = await burstOfController(setting);
    const bare = await burstOfBareClient(setting, manifests);
    pairs.push({ controller, bare });
    say(`  ${what}, run ${run} of ${options.runs}: ${line(controller)} (controller), ${line(bare)} (bare), ratio ${(controller.rate / bare.rate).toFixed(3)}`);
  }
  return pairs;
}

const line = ({ rate, first, last, cpu }: Burst): string => `${rate.toFixed(0)}/s, first ${first.toFixed(0)} ms, last ${last.toFixed(0)} ms, CPU ${cpu.client.toFixed(2)} + ${cpu.apiServer.toFixed(2)} s`;

async function burstOfController(setting: BurstSetting): Promise<{ readonly burst: Burst; readonly manifests: readonly JsonObject[] }> {
  const { world, queues, namespace } = setting;
  const controller = await ControllerProcess.start(world, { namespace, connectionsFolder: queues.connectionsFolder, connectionType: queues.connectionType, concurrency: world.options.concurrency });
  try {
    await controller.ready();
    await controller.quiet(setting.specs);
    await setting.warmUp?.(controller);
    return await withoutManager(setting, async () => {
      using watch = await JobWatch.open(world.api.transport, namespace, false);
      const cpu = cpuOf(world, controller.pid);
      const burst = await see(watch, { jobs: setting.jobs, since: setting.send(), cpu, say: world.say });
      const manifests = setting.manifests(await listAll(world.api.transport, jobsPath(namespace)));
      await controller.stop();
      return { burst, manifests };
    });
  } finally {
    await controller.stop();
    await queues.empty();
  }
}

async function burstOfBareClient(setting: BurstSetting, manifests: readonly JsonObject[]): Promise<Burst> {
  const { world: { cluster, folder, options, api, say }, world, namespace, jobs } = setting;
  const file = join(folder, 'manifests.json');
  writeFileSync(file, JSON.stringify(manifests));
  const child = spawn(process.execPath, [join(repository, 'hack/dev/bench/bare-client.ts'), cluster.kubeconfig, file, namespace, String(options.concurrency)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').finally(() => process.off('exit', kill));
  try {
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line');
    // What the dry runs left behind settles, as it has when the controller is quiet.
    await sleep(3000);
    return await withoutManager(setting, async () => {
      using watch = await JobWatch.open(api.transport, namespace, false);
      const cpu = cpuOf(world, child.pid ?? 0);
      const told = once(lines, 'line') as Promise<[string]>;
      child.stdin.write('go\n');
      return await see(watch, { jobs, since: told.then(([text]) => (JSON.parse(text) as { began: number }).began), cpu, say });
    });
  } finally {
    child.stdin.end();
    await ended;
  }
}

/**
 * The controller manager stops for as long as creates are counted. What it does for each Job takes the API server longer
 * than the create, at whatever pace it happens to have: it would be most of the figure, and most of its noise.
 *
 * The Jobs go before it runs again, so that it makes no pods for them, which take a minute to go for each thousand. It has
 * heard of each nevertheless, and makes some pods for Jobs that are gone: nobody else's turn begins before it is through.
 */
async function withoutManager<Result>({ world, namespace }: BurstSetting, run: () => Promise<Result>): Promise<Result> {
  const { api: { transport }, say } = world;
  try {
    using _paused = pausePods(world);
    const result = await run();
    if (!world.options.withPods) await clearJobs(transport, namespace, say);
    return result;
  } finally {
    await clear(transport, namespace, say);
    await managerIsThrough(world, namespace);
    await clear(transport, namespace, say);
  }
}

function pausePods({ cluster, options }: World): Disposable {
  const manager = options.withPods ? undefined : cluster.children['controller-manager'];
  if (manager) signal(manager, 'SIGSTOP');
  return { [Symbol.dispose]: () => { if (manager) signal(manager, 'SIGCONT'); } };
}

/** It hears of Jobs in the order in which they come and go: when it has finished this one, it knows of all that went before. */
async function managerIsThrough({ api: { transport } }: World, namespace: string): Promise<void> {
  using watch = await JobWatch.open(transport, namespace, true);
  const pod = { metadata: { annotations: { 'fake-kubelet/run-for': '0s' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.example.com/none:1' }] } };
  await ask(transport, { method: 'POST', path: jobsPath(namespace), body: { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'last' }, spec: { template: pod } } });
  await watch.until('the end of what the controller manager has heard of', () => watch.finished.has('last'), 600_000);
}

interface Seeing {
  readonly jobs: number;
  /** Date.now() when it began. */
  readonly since: Promise<number>;
  readonly cpu: () => Burst['cpu'];
  readonly say: Progress;
}

async function see(watch: JobWatch, { jobs, since, cpu, say }: Seeing): Promise<Burst> {
  const telling = setInterval(() => { say(`    ${watch.added.size} of ${jobs} Jobs`); }, 5000);
  const all = watch.until(`${jobs} Jobs`, () => watch.added.size >= jobs, slowest(jobs)).then(cpu);
  const [began, used] = await Promise.all([since, all]).finally(() => { clearInterval(telling); });
  const times = watch.added.values().toArray();
  const [first, last] = [Math.min(...times), Math.max(...times)];
  await sleep(50);
  return { rate: (jobs - 1) / ((last - first) / 1000), first: first - began, last: last - began, cpu: used };
}

/** Milliseconds after which something is wrong: a machine that is busy with others creates fifty in a second. */
const slowest = (jobs: number): number => Math.max(120_000, jobs * 20);

function cpuOf({ cluster }: World, client: number): () => Burst['cpu'] {
  const server = cluster.children['api-server']?.pid;
  const read = (): Burst['cpu'] => ({ client: cpuSeconds(client), apiServer: server === undefined ? Number.NaN : cpuSeconds(server) });
  const before = read();
  return () => {
    const now = read();
    return { client: now.client - before.client, apiServer: now.apiServer - before.apiServer };
  };
}

