/** `job-chief run FILE --standalone`: the engine in this process, for one run, with the rights of whoever calls it. */
import { KubernetesClient } from '../../adapters/kubernetes/client.ts';
import { openCluster } from '../../adapters/kubernetes/open-cluster.ts';
import { KubernetesRecords } from '../../adapters/kubernetes/records.ts';
import type { Transport } from '../../adapters/kubernetes/transport.ts';
import { asError, systemClock, type Clock } from '../../lib/clock.ts';
import type { StoredRecord } from '../../reconcile/record-ports.ts';
import { fieldManager } from '../../spec/keys.ts';
import { version } from '../../version.ts';
import { exitCode, UserError } from '../exit-code.ts';
import { writeError } from '../output.ts';
import { parametersFor } from '../runs/parameters.ts';
import { processStreams, type Streams } from '../runs/session.ts';
import { cleanUp } from './clean-up.ts';
import { drive, type PreparedRun } from './drive.ts';
import { runIdentity, standaloneInstance } from './identity.ts';
import { loadWorkflow, type LoadedWorkflow } from './load.ts';
import { lookAround, otherRuns, refuseToRewind, type FoundJob } from './look.ts';
import type { StandaloneOptions } from './options.ts';
import { approvalsFor, checkJobs, createFiles } from './prepare.ts';
import { requireRights } from './rights.ts';
import { Teller } from './teller.ts';
import { warningLog } from './warnings.ts';

/** The process and the cluster, as far as a run needs them. */
export interface StandaloneDeps extends Streams {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly transport: Transport;
  readonly namespace: string;
  /** From then on nothing more is started. */
  readonly stop: AbortSignal;
}

/** The exit code. Throws a UserError where the run cannot be started. */
export async function runStandalone(options: StandaloneOptions): Promise<number> {
  const loaded = await loadWorkflow(options.file);
  const clock = systemClock;
  const cluster = await openCluster({ clock, env: process.env, kubeconfig: options.kubeconfig, context: options.context, connections: 16, version }).catch((error: unknown) => {
    throw new UserError('no way to a cluster', { cause: asError(error) });
  });
  try {
    const namespace = options.namespace ?? cluster.namespace ?? 'default';
    return await runLoaded(loaded, options, { ...processStreams(), clock, random: () => Math.random(), transport: cluster.transport, namespace, stop: stopSignal() });
  } finally {
    await cluster.close();
  }
}

/** Aborts at the first signal; the second does not wait for anything. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) {
      writeError(`${name} again: ended at once`);
      process.exit(exitCode.error);
    }
    stop.abort(new Error(name));
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, onSignal);
  return stop.signal;
}

/** The same with a workflow that was read. */
export async function runLoaded(loaded: LoadedWorkflow, options: StandaloneOptions, deps: StandaloneDeps): Promise<number> {
  const { clock, transport, namespace } = deps;
  const client = new KubernetesClient({ transport, clock, namespace, fieldManager });
  const { run, mine, runId } = await prepare(loaded, options, { client, deps });
  const teller = new Teller({ ...deps, output: options.output, spec: loaded.spec, run: run.identity.name, runId, hasJobs: mine.length > 0 });
  const createMap = mapsIn(client);
  const end = await drive(run, { ...deps, createMap, onRound: (plan) => { teller.round(plan); }, note: (text) => { teller.note(text); }, log: warningLog(deps.err) });
  if (!end) {
    teller.stopped();
    return exitCode.error;
  }
  teller.ended(end);
  return closing(end, { client, options, loaded, teller });
}

interface Prepared {
  readonly run: PreparedRun;
  readonly mine: readonly FoundJob[];
  readonly runId: string | undefined;
}

async function prepare(loaded: LoadedWorkflow, options: StandaloneOptions, { client, deps }: { readonly client: KubernetesClient; readonly deps: StandaloneDeps }): Promise<Prepared> {
  const { spec, text, warnings } = loaded;
  if (warnings !== '') deps.err(warnings);
  const parameters = parametersFor(spec.parameters, options.parameters);
  const approvals = options.cancel ? new Map<string, never>() : approvalsFor(spec, options.approve);
  const runId = runIdOf(options, deps.random);
  const identity = runIdentity({ namespace: client.namespace, spec, parameters, runId });
  await requireRights(client, spec, options);
  const found = await lookAround(client, spec.name);
  const mine = found.filter(({ run }) => run === identity.name);
  for (const line of otherRuns(found, identity.name)) deps.err(`note: ${line}`);
  if (options.cancel) requireJobs(mine, identity.name);
  else refuseToRewind(spec, mine);
  if (!options.cancel) await checkJobs(client, spec);
  await createFiles(mapsIn(client), loaded, identity);
  const commands = { cancel: options.cancel ? 'from the command line' : undefined, suspend: false, approvals };
  const startedAt = mine.length === 0 ? undefined : mine.reduce((first, { createdAt }) => Math.min(first, createdAt), Infinity);
  return { run: { identity, spec, text, parameters, commands, startedAt }, mine, runId };
}

/** Ten letters and digits of base 32. */
const idLength = 10;

function runIdOf({ newRun, runId, cancel }: StandaloneOptions, random: () => number): string | undefined {
  if (!newRun) return runId;
  if (runId !== undefined) throw new UserError('--new-run draws an id of its own: leave --run-id out');
  if (cancel) throw new UserError('--cancel is about a run that there is: name it with --run-id, not --new-run');
  return Array.from({ length: idLength }, () => Math.floor(random() * 32).toString(32)).join('');
}

function requireJobs(mine: readonly FoundJob[], run: string): void {
  if (mine.length === 0) throw new UserError(`run ${run} has no Jobs here, so there is nothing to end: is it the same file with the same parameters and the same --run-id?`);
}

function mapsIn(client: KubernetesClient): KubernetesRecords['createMap'] {
  const records = new KubernetesRecords({ client, instance: standaloneInstance });
  return (manifest) => records.createMap(manifest);
}

interface Closing {
  readonly client: KubernetesClient;
  readonly options: StandaloneOptions;
  readonly loaded: LoadedWorkflow;
  readonly teller: Teller;
}

async function closing({ record }: StoredRecord, { client, options, loaded, teller }: Closing): Promise<number> {
  const outcome = record.result?.outcome;
  if (outcome === 'succeeded' && options.cleanUp) {
    const { deleted, problems } = await cleanUp(client, loaded.spec, record.name);
    teller.note(`clean-up: ${deleted} ${deleted === 1 ? 'object' : 'objects'} deleted`);
    for (const problem of problems) teller.note(`clean-up: ${problem}`);
  }
  if (options.cancel) return outcome === 'cancelled' ? exitCode.ok : exitCode.no;
  return outcome === 'succeeded' ? exitCode.ok : exitCode.no;
}
