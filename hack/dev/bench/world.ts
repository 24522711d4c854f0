/** What all scenarios share: a control plane, a PostgreSQL with pg-boss and a RabbitMQ where queues are measured, and a bundle of this checkout. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { down, up } from '../cluster/lifecycle.ts';
import { repository } from '../cluster/paths.ts';
import { processRef } from '../cluster/process.ts';
import type { Progress } from '../cluster/progress.ts';
import type { ClusterState } from '../cluster/state.ts';
import { startPostgres, type Postgres } from '../postgres.ts';
import { startRabbitMq, type RabbitMq } from '../rabbitmq.ts';
import { openCluster, type Cluster } from '../../../src/adapters/kubernetes/open-cluster.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { lazy } from '../../../src/lib/lazy.ts';
import type { BenchOptions } from './options.ts';

export interface World {
  readonly options: BenchOptions;
  readonly say: Progress;
  readonly cluster: ClusterState;
  /** The API server, for what the bench itself does and watches. */
  readonly api: Cluster;
  /** Started when it is first asked for. */
  readonly postgres: () => Promise<Postgres>;
  /** The same. */
  readonly rabbitMq: () => Promise<RabbitMq>;
  /** A copy, so that a build beside us changes nothing in mid-run. */
  readonly bundle: string;
  readonly folder: string;
  stop(): Promise<void>;
}

export async function startWorld(options: BenchOptions, say: Progress): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'job-chief-bench-'));
  const closing: Closing = [() => { rmSync(folder, { recursive: true, force: true }); }];
  const stop = async (): Promise<void> => {
    for (let close = closing.pop(); close; close = closing.pop()) await close();
  };
  try {
    const bundle = bundled(folder, say);
    const { cluster, api } = await startCluster({ options, say, kcm: 'tuned' }, closing);
    const server = <Server extends AsyncDisposable>(name: string, start: () => Promise<Server>): (() => Promise<Server>) => lazy(async () => {
      const started = await start();
      closing.push(async () => { await started[Symbol.asyncDispose](); });
      say(`${name} is ready`);
      return started;
    });
    return { options, say, cluster, api, postgres: server('PostgreSQL', startPostgres), rabbitMq: server('RabbitMQ', startRabbitMq), bundle, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Closing = (() => Promise<void> | void)[];

async function startCluster({ options, say, kcm }: Pick<World, 'options' | 'say'> & { readonly kcm: 'default' | 'tuned' }, closing: Closing): Promise<Pick<World, 'cluster' | 'api'>> {
  const name = `bench-${randomBytes(3).toString('hex')}`;
  closing.push(options.keep ? () => { say(`cluster "${name}" is kept: hack/cluster down --name ${name}`); } : () => down(name, say));
  const owner = options.keep ? {} : { owner: processRef(process.pid) };
  const cluster = await up({ name, pods: 'simulated', kcm, durable: options.durable, fakeKubelet: ['--fast', '--unbound'], ...owner }, say);
  say(`Kubernetes ${cluster.version ?? '?'} is ready`);
  const api = await openCluster({ clock: systemClock, env: {}, kubeconfig: cluster.kubeconfig, context: undefined, connections: 64, version: 'bench' });
  closing.push(() => api.close());
  return { cluster, api };
}

/** Measures in a cluster of its own whose controller manager has the limits that it comes with. */
export async function withDefaultManager<Result>(world: World, measure: (world: World) => Promise<Result>): Promise<Result> {
  const closing: Closing = [];
  try {
    return await measure({ ...world, ...(await startCluster({ ...world, kcm: 'default' }, closing)) });
  } finally {
    for (let close = closing.pop(); close; close = closing.pop()) await close();
  }
}

function bundled(folder: string, say: Progress): string {
  const built = spawnSync(process.execPath, [join(repository, 'hack/dev/build.ts')], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the bundle could not be built: ${built.stderr}`);
  say(built.stdout.trim());
  const copy = join(folder, 'job-chief.mjs');
  copyFileSync(join(repository, 'dist/job-chief.mjs'), copy);
  // Optional packages that the bundle looks for beside itself.
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  return copy;
}
