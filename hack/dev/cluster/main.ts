/**
 * hack/cluster: a real Kubernetes for demo and tests.
 *
 * Which one: a cluster named by --context (never the current context by accident); else kind, when kind is installed
 * and a Docker engine answers; else our own processes, from binaries in the cache or in KUBEBUILDER_ASSETS, or built
 * from Go modules (hack/go; about 10 minutes on two cores the first time, then kept in ~/.cache/job-chief).
 *
 * Our own cluster is etcd, kube-apiserver and kube-controller-manager, and for pods one of:
 *   real       kube-scheduler, kubelet and containerd, in process, mount and network namespaces of their own (Linux,
 *              root). Images come by `hack/cluster load` (image.ts builds them without Docker). Pods reach the API
 *              server through the ClusterIP, as everywhere, and this machine by the address that `status -o json`
 *              calls hostAddress. There is no DNS, no kube-proxy and no way out to the internet.
 *   simulated  a program that plays scheduler and kubelet as annotations say (fake-pod.ts): no containers, any machine.
 *   none       nobody; whoever uses the cluster plays the kubelet.
 *
 * Nothing of it touches ~/.kube/config. Several run side by side: everything is named after --name. A supervisor in
 * the background owns all processes; `down`, Ctrl-C during `up`, and even kill -9 of the supervisor leave nothing.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kubectlPath } from './binaries.ts';
import { downKind, kindAnswers, upKind, useContext } from './existing.ts';
import { loadImage } from './image.ts';
import { down, up, type UpOptions } from './lifecycle.ts';
import { clusterFolder, defaultName } from './paths.ts';
import { messageOf, seconds, toStderr } from './progress.ts';
import { clusterNames, isRunning, readState, type ClusterState, type PodMode } from './state.ts';
import { supervise, type SupervisorOptions } from './supervisor.ts';

const usage = `usage: hack/cluster COMMAND [--name NAME]        (NAME: ${defaultName})

  up          start it and wait until it is ready
                --pods real|simulated|none   default: real where root and Linux allow it
                --kcm default|tuned          tuned: 1000 requests/s and 50 Job workers instead of 20 and 5
                --durable                    etcd with fsync, for figures that claim durability
                --provider own|kind          default: kind when a Docker engine answers and kind is installed
                --context CTX [--kubeconfig FILE]   use this cluster and start nothing
                --phase-delay 1s, --fast, --unbound   of the simulated kubelet (fake-kubelet.ts)
  down        stop it; --all stops all
  status      what runs; -o json
  kubeconfig  print the path of its kubeconfig
  kubectl     run the built kubectl against it: hack/cluster kubectl get pods
  load TAR    bring an OCI archive into it
`;

const options = {
  name: { type: 'string', default: defaultName },
  pods: { type: 'string' },
  kcm: { type: 'string' },
  durable: { type: 'boolean' },
  provider: { type: 'string' },
  context: { type: 'string' },
  kubeconfig: { type: 'string' },
  'phase-delay': { type: 'string' },
  fast: { type: 'boolean' },
  unbound: { type: 'boolean' },
  wait: { type: 'boolean' },
  all: { type: 'boolean' },
  id: { type: 'string' },
  quiet: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parse>['values'];
const parse = (args: string[]) => parseArgs({ args, options, allowPositionals: true });

function oneOf<T extends string>(flag: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new Error(`--${flag} ${value}: use ${allowed.join(' or ')}`);
  return found;
}

async function commandUp(values: Values): Promise<void> {
  const began = Date.now();
  const name = values.name;
  const state = await startOne(name, values);
  toStderr(`cluster "${name}" is ready (${seconds(began)}): Kubernetes ${state.version ?? '?'}, pods ${state.pods}, ${state.server ?? state.context ?? ''}`);
  toStderr(`  export KUBECONFIG=${state.kubeconfig}`);
}

async function startOne(name: string, values: Values): Promise<ClusterState> {
  if (values.context !== undefined) return useContext(name, values.context, values.kubeconfig);
  const pods = oneOf<PodMode>('pods', values.pods, ['real', 'simulated', 'none']);
  const kcm = oneOf('kcm', values.kcm, ['default', 'tuned'] as const);
  const provider = oneOf('provider', values.provider, ['own', 'kind'] as const);
  const present = readState(name);
  if (present?.provider === 'kind') return present;
  const kindFits = (pods ?? 'real') === 'real' && (kcm ?? 'default') === 'default' && present === undefined;
  if (provider === 'kind' || (provider === undefined && kindFits && kindAnswers())) return upKind(name, toStderr);
  const fakeKubelet = [
    ...(values['phase-delay'] === undefined ? [] : ['--phase-delay', values['phase-delay']]),
    ...(values.fast === true ? ['--fast'] : []),
    ...(values.unbound === true ? ['--unbound'] : []),
  ];
  const wanted: UpOptions = { name, fakeKubelet, durable: values.durable ?? false, ...(pods ? { pods } : {}), ...(kcm ? { kcm } : {}) };
  const interrupt = (): void => {
    toStderr(`interrupted: taking cluster "${name}" down`);
    void down(name, toStderr).finally(() => process.exit(130));
  };
  // Only what this command starts is ours to take down.
  const starting = present === undefined || !isRunning(present);
  if (starting) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt);
  return await up(wanted, toStderr);
}

async function commandDown(values: Values): Promise<void> {
  const say = values.quiet === true ? (): void => undefined : toStderr;
  const names = values.all === true ? clusterNames() : [values.name];
  for (const name of names) {
    const state = readState(name);
    if (state === undefined && values.all !== true) say(`no cluster "${name}"`);
    if (state?.provider === 'kind') downKind(name);
    await down(name, say, values.id);
  }
}

function age(since: string): string {
  const s = Math.round((Date.now() - Date.parse(since)) / 1000);
  return s < 120 ? `${s}s` : s < 7200 ? `${Math.round(s / 60)}m` : `${Math.round(s / 3600)}h`;
}

function commandStatus(values: Values): void {
  const states = clusterNames().map(readState).filter((state) => state !== undefined);
  if (values.output === 'json') {
    process.stdout.write(`${JSON.stringify(states, null, 2)}\n`);
    return;
  }
  if (states.length === 0) {
    toStderr('no clusters: hack/cluster up');
    return;
  }
  const rows = states.map((s) => [s.name, isRunning(s) ? s.phase : s.phase === 'failed' ? 'failed' : 'dead', s.provider, s.pods, s.version ?? '-', s.server ?? '-', String(s.supervisor?.pid ?? '-'), age(s.startedAt)]);
  const table = [['NAME', 'STATE', 'PROVIDER', 'PODS', 'VERSION', 'SERVER', 'PID', 'AGE'], ...rows];
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0)));
  for (const row of table) process.stdout.write(`${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd()}\n`);
}

function running(name: string): ClusterState {
  const state = readState(name);
  if (state === undefined || !isRunning(state)) throw new Error(`cluster "${name}" does not run: hack/cluster up --name ${name}`);
  return state;
}

function commandKubectl(name: string, args: string[]): void {
  const { kubeconfig } = running(name);
  // Its discovery cache would go to ~/.kube otherwise.
  const env = { ...process.env, KUBECACHEDIR: join(clusterFolder(name), 'kubectl-cache') };
  const ran = spawnSync(kubectlPath(), ['--kubeconfig', kubeconfig, ...args], { stdio: 'inherit', env });
  process.exitCode = ran.status ?? 1;
}

function commandKubeconfig(values: Values): void {
  if (values.context !== undefined) useContext(values.name, values.context, values.kubeconfig);
  process.stdout.write(`${running(values.name).kubeconfig}\n`);
}

function commandLoad(values: Values, archive: string | undefined): void {
  if (archive === undefined) throw new Error('load: name an OCI archive');
  loadImage(values.name, archive);
}

const commands: Record<string, (values: Values, rest: string[]) => void | Promise<void>> = {
  up: commandUp,
  down: commandDown,
  status: commandStatus,
  kubeconfig: commandKubeconfig,
  load: (values, rest) => { commandLoad(values, rest[0]); },
  // Not for people: what `up` starts in the background.
  supervise: (values) => supervise(JSON.parse(readFileSync(join(clusterFolder(values.name), 'options.json'), 'utf8')) as SupervisorOptions),
};

async function main(argv: string[]): Promise<void> {
  const [command = '--help', ...rest] = argv;
  if (command === 'kubectl') {
    // kubectl has flags of its own; only a --name before the rest is ours.
    const named = rest[0] === '--name';
    commandKubectl(named ? (rest[1] ?? '') : defaultName, named ? rest.slice(2) : rest);
    return;
  }
  const { values, positionals } = parse(rest);
  if (['help', '--help', '-h'].includes(command) || values.help === true) {
    process.stdout.write(usage);
    return;
  }
  const run = commands[command];
  if (run === undefined) throw new Error(`unknown command "${command}"\n${usage}`);
  await run(values, positionals);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`hack/cluster: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
