/** The bundled controller as a process of its own, and what can be seen of it from outside. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { JsonObject } from '../../../src/lib/json.ts';
import { freePorts } from '../cluster/ports.ts';
import { sleep, until } from '../cluster/progress.ts';
import { stopChild } from '../cluster/process.ts';
import { imageSettings } from '../image-settings.ts';
import { connection } from './specs.ts';
import type { World } from './world.ts';

/** As the image starts Node.js. Its share of the container's memory is said in MiB here: of the Deployment's limit. */
export const asDeployed: NodeSetting = {
  flags: imageSettings().flags.map((flag) => flag.replace(/^--max-old-space-size-percentage=(\d+)$/, (_, share: string) => `--max-old-space-size=${256 * Number(share) / 100}`)),
  env: imageSettings().env,
};

export interface NodeSetting {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface ControllerOptions {
  readonly namespace: string;
  readonly connectionsFolder?: string;
  /** Of the connection in that folder; pgBoss if it is left out. */
  readonly connectionType?: string;
  /** Requests at once. Rounds have their default: most of them wait for others' requests. */
  readonly concurrency: number;
  readonly node?: NodeSetting;
  /** The section `httpApi` of the configuration. */
  readonly httpApi?: JsonObject;
}

/** Samples of /metrics: `name{labels}` and value. */
export type Samples = ReadonlyMap<string, number>;

export class ControllerProcess {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #tail: string[] = [];
  readonly #startedAt: number;
  /** By Job: when the log said that its create was confirmed. */
  readonly confirmed = new Map<string, number>();

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
    this.#startedAt = performance.now();
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on('line', (line) => { this.#line(line); });
  }

  static async start({ bundle, folder, cluster, options: { profile } }: World, options: ControllerOptions): Promise<ControllerProcess> {
    const [port] = await freePorts(1);
    if (port === undefined) throw new Error('no free port');
    const { concurrency, node = asDeployed } = options;
    const file = join(folder, `config-${port}.yaml`);
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({
      namespace: options.namespace,
      kubeconfig: cluster.kubeconfig,
      ...(options.connectionsFolder !== undefined && { connectionsFolder: options.connectionsFolder }),
      ...(options.connectionType !== undefined && { connections: { [connection]: { type: options.connectionType } } }),
      api: { qps: 0, concurrency },
      listen: `127.0.0.1:${port}`,
      ...(options.httpApi !== undefined && { httpApi: options.httpApi }),
    }));
    const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`];
    const child = spawn(process.execPath, [...node.flags, ...profiling, bundle, 'controller', '--config', file], { env: { ...process.env, ...node.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const controller = new ControllerProcess(child, port);
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    return controller;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Milliseconds from the start of the process to ready. */
  async ready(): Promise<number> {
    await until('the controller to be synced', 120_000, () => this.#isReady(), 10);
    return performance.now() - this.#startedAt;
  }

  /** Every spec is accepted and nothing has been asked of the API server for three seconds; never before 12 s, when the first status writes may repeat. Rejects as soon as a spec is rejected. */
  async quiet(specs: number): Promise<void> {
    const earliest = performance.now() + 12_000;
    let [requests, since] = [-1, performance.now()];
    await until('the controller to be quiet', 300_000, async () => {
      const samples = await this.metrics();
      const rejected = [...samples].find(([series, value]) => value === 1 && series.startsWith('job_chief_spec_state{') && series.includes('state="Rejected"'));
      if (rejected) throw new Error(`a spec of this bench is rejected: ${rejected[0]}\n${this.#tail.join('\n')}`);
      const now = total(samples, 'rest_client_requests_total');
      if (now !== requests) [requests, since] = [now, performance.now()];
      return total(samples, 'job_chief_spec_accepted') === specs && performance.now() - since > 3000 && performance.now() > earliest;
    }, 1000);
  }

  async metrics(): Promise<Samples> {
    const text = await (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(lines.map((line): [string, number] => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }));
  }

  /** MiB: resident now, and at most so far. */
  memory(): { resident: number; peak: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
    return { resident: field('VmRSS'), peak: field('VmHWM') };
  }

  async stop(): Promise<void> {
    await stopChild(this.#child, 25_000);
  }

  async #isReady(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error(`the controller ended: ${this.#tail.join('\n')}`);
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#port}/readyz`);
      await answer.text();
      return answer.ok;
    } catch {
      await sleep(1);
      return false;
    }
  }

  #line(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > 20) this.#tail.shift();
    if (!/"action":"(?:create|startMessage)"/.test(line) || !line.includes('"result":"done"')) return;
    const { job, time } = JSON.parse(line) as { job: string; time: string };
    this.confirmed.set(job, Date.parse(time));
  }
}

/** The sum of all series of a metric. */
export function total(samples: Samples, name: string): number {
  let sum = 0;
  for (const [series, value] of samples) if (series === name || series.startsWith(`${name}{`)) sum += value;
  return sum;
}

/** CPU seconds that a process has used (Linux). */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
