/** A thousand queues get a message at the same moment; beside it a bare client creates the same Jobs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repository } from '../cluster/paths.ts';
import { signal } from '../cluster/process.ts';
import { sleep } from '../cluster/progress.ts';
import { isObject, type JsonObject } from '../../../src/lib/json.ts';
import { ControllerProcess, cpuSeconds } from './controller.ts';
import { JobWatch } from './job-watch.ts';
import { openQueues, type Queues } from './queues.ts';
import { clear, configMapsPath, createAll, jobsPath, listAll, makeNamespace, nameOf } from './requests.ts';
import { contains, jobOf, specMap } from './specs.ts';
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

const namespace = 'bench-rate';

interface Setting {
  readonly world: World;
  readonly queues: Queues;
  readonly names: readonly string[];
  readonly manifests: readonly JsonObject[];
}

/** Alternating, so that a neighbour's load hits both. */
export async function measureRate(world: World): Promise<RatePair[]> {
  const { options, say } = world;
  await using queues = await openQueues(world, 'rate');
  const names = Array.from({ length: options.count }, (_, i) => `queue-${String(i).padStart(4, '0')}`);
  say(`rate: making ${options.count} queues and specs`);
  await queues.create(names, true);
  await makeNamespace(world.api.transport, namespace);
  await createAll(world.api.transport, configMapsPath(namespace), names.map((name) => specMap(namespace, { name, checkInterval: '10s', runFor: '10m' })));
  const specs = (await listAll(world.api.transport, configMapsPath(namespace))).filter(isObject).filter((map) => nameOf(map).startsWith('queue-'));
  const setting: Setting = { world, queues, names, manifests: specs.map((map) => jobOf({ ...map, kind: 'ConfigMap' }, 1)) };
  const pairs: RatePair[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    const controller = await burstOfController(setting);
    const bare = await burstOfBareClient(setting);
    pairs.push({ controller, bare });
    say(`  rate, run ${run} of ${options.runs}: ${line(controller)} (controller), ${line(bare)} (bare), ratio ${(controller.rate / bare.rate).toFixed(3)}`);
  }
  return pairs;
}

const line = ({ rate, first, last, cpu }: Burst): string => `${rate.toFixed(0)}/s, first ${first.toFixed(0)} ms, last ${last.toFixed(0)} ms, CPU ${cpu.client.toFixed(2)} + ${cpu.apiServer.toFixed(2)} s`;

async function burstOfController({ world, queues, names, manifests }: Setting): Promise<Burst> {
  const controller = await ControllerProcess.start(world, { namespace, connectionsFolder: queues.connectionsFolder, concurrency: world.options.concurrency });
  try {
    await controller.ready();
    await controller.quiet(names.length);
    using watch = await JobWatch.open(world.api.transport, namespace, false);
    using _paused = pausePods(world);
    const cpu = cpuOf(world, controller.pid);
    const committed = await queues.sendToAll(names);
    const burst = await see(watch, names.length, () => committed, cpu);
    await verify(world, manifests);
    // While nobody has made pods for them: a thousand pods take a minute to go.
    await controller.stop();
    await clear(world.api.transport, namespace);
    return burst;
  } finally {
    await controller.stop();
    await queues.empty();
    await clear(world.api.transport, namespace);
  }
}

async function burstOfBareClient({ world, names, manifests }: Setting): Promise<Burst> {
  const { cluster, folder, options, api } = world;
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
    using watch = await JobWatch.open(api.transport, namespace, false);
    using _paused = pausePods(world);
    const cpu = cpuOf(world, child.pid ?? 0);
    const told = once(lines, 'line') as Promise<[string]>;
    child.stdin.write('go\n');
    let began = Number.NaN;
    const all = see(watch, names.length, () => began, cpu);
    began = (JSON.parse((await told)[0]) as { began: number }).began;
    const burst = await all;
    await clear(api.transport, namespace);
    return burst;
  } finally {
    child.stdin.end();
    await ended;
    await clear(api.transport, namespace);
  }
}

async function see(watch: JobWatch, count: number, since: () => number, cpu: () => Burst['cpu']): Promise<Burst> {
  await watch.until(`${count} Jobs`, () => watch.added.size >= count);
  const used = cpu();
  const times = [...watch.added.values()];
  const [first, last] = [Math.min(...times), Math.max(...times)];
  await sleep(50);
  return { rate: (count - 1) / ((last - first) / 1000), first: first - since(), last: last - since(), cpu: used };
}

/**
 * The controller manager stops for as long as creates are counted. What it does for each Job takes the API server longer
 * than the create, at whatever pace it happens to have: it would be most of the figure, and most of its noise.
 */
function pausePods({ cluster, options }: World): Disposable {
  const manager = options.withPods ? undefined : cluster.children['controller-manager'];
  if (manager) signal(manager, 'SIGSTOP');
  return { [Symbol.dispose]: () => { if (manager) signal(manager, 'SIGCONT'); } };
}

function cpuOf({ cluster }: World, client: number): () => Burst['cpu'] {
  const server = cluster.children['api-server']?.pid;
  const read = (): Burst['cpu'] => ({ client: cpuSeconds(client), apiServer: server === undefined ? Number.NaN : cpuSeconds(server) });
  const before = read();
  return () => {
    const now = read();
    return { client: now.client - before.client, apiServer: now.apiServer - before.apiServer };
  };
}

/** The bare client must create the same Jobs, or the comparison is worth nothing. */
async function verify({ api }: World, manifests: readonly JsonObject[]): Promise<void> {
  const stored = new Map((await listAll(api.transport, jobsPath(namespace))).map((job) => [nameOf(job), job]));
  const other = manifests.find((manifest) => {
    const { apiVersion: _version, kind: _kind, ...rest } = manifest;
    return !contains(stored.get(nameOf(manifest)), rest);
  });
  if (other) throw new Error(`Job ${nameOf(other)} of the controller differs from the bare client's`);
  if (stored.size !== manifests.length) throw new Error(`${stored.size} Jobs for ${manifests.length} messages`);
}
