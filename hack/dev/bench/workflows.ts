/** Runs of workflows on real Jobs with simulated pods; beside each the same Jobs by a bare script, taking turns. */
import { sleep } from '../cluster/progress.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { recordLabel } from '../../../src/spec/keys.ts';
import { perStep, readWrites, type Writes } from './api-writes.ts';
import { startBareScript, type BareScript } from './bare-script.ts';
import { ControllerProcess, cpuSeconds, total } from './controller.ts';
import { median } from './numbers.ts';
import { ask, clear, configMapsPath, inParallel, makeNamespace } from './requests.ts';
import { RunWatch } from './run-watch.ts';
import { bareJobs, chainSteps, fanOutSteps, request, workflowMap } from './workflow-specs.ts';
import type { World } from './world.ts';

/** Milliseconds from the first request on: to the first Job, the last pod's success, the last record that says so, as a watch beside shows them. */
export interface Turn {
  readonly first: number;
  readonly last: number;
  /** NaN for the bare script. */
  readonly record: number;
  /** CPU seconds of the controller or the script, and of the API server, until the last of these. */
  readonly cpu: { readonly client: number; readonly apiServer: number };
}
export interface TurnPair {
  readonly controller: Turn;
  readonly bare: Turn;
}
export interface WorkflowResult {
  readonly what: string;
  readonly kcm: 'default' | 'tuned';
  readonly steps: number;
  readonly pairs: readonly TurnPair[];
  /** Writes for each step of a run of the controller: all that the API server counted, and the controller's own. */
  readonly writes: { readonly all: Readonly<Record<string, number>>; readonly own: Readonly<Record<string, number>> };
}

const chainLength = 10;
const manyRuns = 30;

export async function measureChain(world: World): Promise<WorkflowResult> {
  await using bench = await Bench.start(world, 'bench-chain', chainSteps(chainLength));
  return await bench.measure({ what: `chain of ${chainLength} instant steps, one run`, runs: 1, pods: chainLength, pairs: world.options.chains });
}

export async function measureFanOut(world: World): Promise<WorkflowResult[]> {
  const results: WorkflowResult[] = [];
  for (const items of world.options.items) {
    for (const shape of ['indexed', 'jobs'] as const) {
      await using bench = await Bench.start(world, `bench-fan-out-${items}-${shape}`, fanOutSteps(items, shape));
      results.push(await bench.measure({ what: `fan-out of ${items}, ${shape === 'indexed' ? 'one Indexed Job' : 'a Job for each'}`, runs: 1, pods: items, pairs: world.options.runs }));
    }
  }
  return results;
}

/** At its default limits the controller manager takes minutes: one pair must do. */
export async function measureRuns(world: World): Promise<WorkflowResult> {
  await using bench = await Bench.start(world, 'bench-runs', chainSteps(chainLength));
  const pairs = world.cluster.kcm === 'tuned' ? world.options.runs : 1;
  return await bench.measure({ what: `${manyRuns} runs of a chain of ${chainLength} at once`, runs: manyRuns, pods: chainLength, pairs });
}

interface Scenario {
  readonly what: string;
  readonly runs: number;
  /** Of each run. */
  readonly pods: number;
  readonly pairs: number;
}

class Bench implements AsyncDisposable {
  readonly #world: World;
  readonly #namespace: string;
  readonly #spec: JsonObject;
  readonly #controller: ControllerProcess;
  readonly #script: BareScript;
  #turns = 0;

  private constructor(world: World, parts: { namespace: string; spec: JsonObject; controller: ControllerProcess; script: BareScript }) {
    this.#world = world;
    this.#namespace = parts.namespace;
    this.#spec = parts.spec;
    this.#controller = parts.controller;
    this.#script = parts.script;
  }

  static async start(world: World, namespace: string, steps: string): Promise<Bench> {
    const { transport } = world.api;
    await makeNamespace(transport, namespace);
    const spec = await ask(transport, { method: 'POST', path: configMapsPath(namespace), body: workflowMap(namespace, 'bench', steps) });
    const controller = await ControllerProcess.start(world, { namespace, concurrency: world.options.concurrency });
    await controller.ready();
    await controller.quiet(1);
    return new Bench(world, { namespace, spec: { ...spec, kind: 'ConfigMap' }, controller, script: await startBareScript(world, namespace) });
  }

  async measure({ what, runs, pods, pairs }: Scenario): Promise<WorkflowResult> {
    const { say, cluster } = this.#world;
    const found: TurnPair[] = [];
    let writes: WorkflowResult['writes'] = { all: {}, own: {} };
    // The first ones warm up code paths and connections, as a controller that has run for an hour has them warm.
    const warm = cluster.kcm === 'default' ? 0 : pods > 100 ? 1 : 3;
    for (let i = -warm; i < pairs; i += 1) {
      const before = await this.#writes();
      const controller = await this.#controllerTurn(runs, pods);
      writes = this.#perStep(before, await this.#writes(), runs * pods);
      const bare = await this.#bareTurn(runs, pods);
      if (i >= 0) found.push({ controller, bare });
      say(`  ${what}${i < 0 ? ' (warm-up)' : ''}: ${line(controller)} (controller), ${line(bare)} (bare), ratio ${(controller.last / bare.last).toFixed(2)}`);
    }
    say(`${what}: median ${median(found.map(({ controller }) => controller.last)).toFixed(0)} ms, beside ${median(found.map(({ bare }) => bare.last)).toFixed(0)} ms`);
    return { what, kcm: cluster.kcm, steps: runs * pods, pairs: found, writes };
  }

  /** Asks for runs, all at once. */
  async #controllerTurn(runs: number, pods: number): Promise<Turn> {
    const { transport } = this.#world.api;
    const requests = Array.from({ length: runs }, (_, i) => request(this.#spec, `${this.#turn()}-${i}`));
    const names = requests.map(({ run }) => run);
    using watch = await RunWatch.open(transport, this.#namespace);
    const cpu = this.#cpu(() => cpuSeconds(this.#controller.pid));
    const began = now();
    await inParallel(requests, 32, ({ manifest }) => ask(transport, { method: 'POST', path: configMapsPath(this.#namespace), body: manifest }));
    await watch.pods(names, pods, 900_000);
    await watch.records(names);
    const used = cpu();
    await this.#settle(watch, names);
    return { ...times(watch, names, began), cpu: used };
  }

  async #bareTurn(runs: number, pods: number): Promise<Turn> {
    const turn = this.#turn();
    const names = Array.from({ length: runs }, (_, i) => `bare-${turn}-${i}`);
    const chains = names.flatMap((name) => this.#chainsOf(name));
    using watch = await RunWatch.open(this.#world.api.transport, this.#namespace);
    const cpu = this.#cpu(() => this.#script.cpu());
    const { began } = await this.#script.run(chains);
    await watch.pods(names, pods);
    const used = cpu();
    await this.#settle(watch, names);
    return { ...times(watch, names, began), cpu: used };
  }

  /** A step for many items is as many chains of one. */
  #chainsOf(run: string): JsonObject[][] {
    const jobs = [...bareJobs(this.#spec, this.#namespace, run)];
    const names = new Set(jobs.map((job) => JSON.stringify((job['metadata'] as { labels: JsonObject }).labels['job-chief/step'])));
    return names.size > 1 ? [jobs] : jobs.map((job) => [job]);
  }

  /** The Job controller works on for a second after the last pod; nobody else's turn begins before. */
  async #settle(watch: RunWatch, runs: readonly string[]): Promise<void> {
    const { transport } = this.#world.api;
    await watch.finished(runs, 900_000);
    await sleep(500);
    if (runs.reduce((sum, run) => sum + watch.of(run).pods.size, 0) < 50) return;
    await ask(transport, { method: 'DELETE', path: configMapsPath(this.#namespace), query: { labelSelector: recordLabel }, body: { apiVersion: 'v1', kind: 'DeleteOptions' } });
    await clear(transport, this.#namespace);
    await sleep(2000);
  }

  #cpu(client: () => number): () => Turn['cpu'] {
    const server = this.#world.cluster.children['api-server']?.pid;
    const read = (): Turn['cpu'] => ({ client: client(), apiServer: server === undefined ? Number.NaN : cpuSeconds(server) });
    const before = read();
    return () => {
      const after = read();
      return { client: after.client - before.client, apiServer: after.apiServer - before.apiServer };
    };
  }

  async #writes(): Promise<{ readonly all: Writes; readonly own: Writes }> {
    const samples = await this.#controller.metrics();
    const own = ['POST', 'PUT', 'PATCH', 'DELETE'].map((method): [string, number] => [method, total(new Map([...samples].filter(([series]) => series.includes(`method="${method}"`))), 'rest_client_requests_total')]);
    return { all: await readWrites(this.#world.cluster), own: new Map(own) };
  }

  #perStep(before: { all: Writes; own: Writes }, after: { all: Writes; own: Writes }, steps: number): WorkflowResult['writes'] {
    return { all: Object.fromEntries(perStep(before.all, after.all, steps)), own: Object.fromEntries(perStep(before.own, after.own, steps)) };
  }

  #turn(): number {
    this.#turns += 1;
    return this.#turns;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#script[Symbol.dispose]();
    await this.#controller.stop();
  }
}

const now = (): number => performance.timeOrigin + performance.now();

function times(watch: RunWatch, runs: readonly string[], began: number): Pick<Turn, 'first' | 'last' | 'record'> {
  const sights = runs.map((run) => watch.of(run));
  return {
    first: Math.min(...sights.flatMap(({ jobs }) => [...jobs.values()])) - began,
    last: Math.max(...sights.flatMap(({ pods }) => [...pods.values()])) - began,
    record: Math.max(...sights.map(({ succeeded = Number.NaN }) => succeeded)) - began,
  };
}

function line({ first, last, record, cpu }: Turn): string {
  const said = Number.isNaN(record) ? '' : `, record ${record.toFixed(0)}`;
  return `first ${first.toFixed(0)}, last ${last.toFixed(0)}${said} ms, CPU ${cpu.client.toFixed(2)} + ${cpu.apiServer.toFixed(2)} s`;
}
