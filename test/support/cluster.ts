/**
 * A real cluster for a test file: started here, gone with `stop()`, with `await using`, and with the test process
 * itself, however that ends.
 *
 *   await using cluster = await startCluster({ pods: 'real' });
 *   cluster.adminKubectl('apply', '-f', 'job.yaml');
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { kubectlPath } from '../../hack/dev/cluster/binaries.ts';
import { askControl } from '../../hack/dev/cluster/control.ts';
import { type Token } from '../../hack/dev/cluster/credentials.ts';
import { loadImage } from '../../hack/dev/cluster/image.ts';
import { down, up } from '../../hack/dev/cluster/lifecycle.ts';
import { processRef } from '../../hack/dev/cluster/process.ts';
import { toStderr } from '../../hack/dev/cluster/progress.ts';
import { whyNoRealPods } from '../../hack/dev/cluster/tools.ts';

export interface ClusterOptions {
  /** `none`: the test plays the kubelet itself. */
  pods: 'real' | 'simulated' | 'none';
  name?: string;
  kcm?: 'default' | 'tuned';
  durable?: boolean;
  /** Further static bearer tokens, beside the admin's. */
  tokens?: Token[];
  /** Of the simulated kubelet: `['--phase-delay', '1s']`, `['--fast']`. */
  fakeKubelet?: string[];
}

export interface Cluster extends AsyncDisposable {
  name: string;
  kubeconfigPath: string;
  server: string;
  /** Of an administrator (system:masters). */
  token: string;
  caFile: string;
  realPods: boolean;
  version: string;
  /** This machine, as pods see it; undefined without real pods. */
  hostAddress: string | undefined;
  /** The first process that owns the others, for tests of crashes. */
  supervisorPid: number;
  /** Runs kubectl as administrator; throws with its stderr. */
  adminKubectl(...args: string[]): string;
  /** The same with a manifest on stdin. */
  apply(manifest: object): void;
  loadImage(archive: string): void;
  stopApiServer(): Promise<void>;
  /** On the same port, with everything etcd holds. */
  startApiServer(): Promise<void>;
  stop(): Promise<void>;
}

/** Why `pods: 'real'` cannot work here, for `describe.skipIf`. */
export const noRealPods: string | undefined = whyNoRealPods();

function runKubectl(kubeconfig: string, args: string[], input?: string): string {
  const env = { ...process.env, KUBECACHEDIR: join(dirname(kubeconfig), 'kubectl-cache') };
  const ran = spawnSync(kubectlPath(), ['--kubeconfig', kubeconfig, ...args], { encoding: 'utf8', input, env, maxBuffer: 256 * 1024 * 1024 });
  if (ran.error) throw ran.error;
  if (ran.status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${ran.stderr.trim()}`);
  return ran.stdout;
}

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const name = options.name ?? `test-${randomBytes(3).toString('hex')}`;
  const state = await up({ ...options, name, owner: processRef(process.pid) }, toStderr);
  const { server, token, caFile, control, supervisor, kubeconfig } = state;
  if (server === undefined || token === undefined || caFile === undefined || control === undefined || supervisor === undefined) {
    throw new Error(`cluster "${name}" is not one of our own processes`);
  }
  const stop = (): Promise<void> => down(name, toStderr);
  return {
    name, server, token, caFile, stop,
    kubeconfigPath: kubeconfig,
    realPods: state.pods === 'real',
    version: state.version ?? '',
    hostAddress: state.hostAddress,
    supervisorPid: supervisor.pid,
    adminKubectl: (...args) => runKubectl(kubeconfig, args),
    apply: (manifest) => void runKubectl(kubeconfig, ['apply', '-f', '-'], JSON.stringify(manifest)),
    loadImage: (archive) => loadImage(name, archive),
    stopApiServer: () => askControl(control, '/api-server/stop'),
    startApiServer: () => askControl(control, '/api-server/start'),
    [Symbol.asyncDispose]: stop,
  };
}
