/** `job-chief check permissions`: which feature of a configuration works with the rights of whoever asks. */
import { Option, type Command } from 'commander';
import { KubernetesClient } from '../adapters/kubernetes/client.ts';
import { features, wantedFeatures } from '../adapters/kubernetes/features.ts';
import { openCluster } from '../adapters/kubernetes/open-cluster.ts';
import { checkPermissions, type FeatureState } from '../adapters/kubernetes/permissions.ts';
import { loadConfig, type ConfigSources } from '../config/load.ts';
import { asError, systemClock } from '../lib/clock.ts';
import { fieldManager } from '../spec/keys.ts';
import { version } from '../version.ts';
import { exitCode, UserError } from './exit-code.ts';
import { processStreams, type Streams } from './runs/session.ts';
import { table, type Tone } from './runs/table.ts';

interface Options {
  readonly output: 'text' | 'json';
  readonly config?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** What the command needs from outside. */
export interface CheckPermissionsDeps extends Streams {
  readonly env: ConfigSources['env'];
  /** Asks about oneself, in the namespace of `client`. */
  readonly open: (cluster: { readonly namespace: string | undefined; readonly context: string | undefined; readonly kubeconfig: string | undefined }) => Promise<{ readonly client: Pick<KubernetesClient, 'ask' | 'namespace'>; readonly close: () => Promise<void> }>;
}

/** Adds options and action. */
export function defineCheckPermissions(command: Command): void {
  command
    .description('Asks the API server whether whoever runs this has the rights that the features of a configuration need. In the pod of job-chief that is job-chief itself.')
    .addOption(new Option('-o, --output <format>', 'how the result is printed').choices(['text', 'json']).default('text'))
    .option('--config <file>', "the controller's configuration, for the features that it asks for; default: $JOB_CHIEF_CONFIG")
    .option('-n, --namespace <name>', "namespace; default: that of the configuration, the pod's or the context's")
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig to use; default: $KUBECONFIG, else ~/.kube/config')
    .addHelpText('after', '\nExit code: 0 every feature has its rights (but for those that not everybody needs), 1 some are missing, 2 the API server could not be asked.\n\nExamples:\n  kubectl exec deploy/job-chief -- job-chief check permissions\n  job-chief check permissions --kubeconfig job-chief.kubeconfig -n etl')
    .action(async (options: Options) => {
      process.exitCode = await runCheckPermissions(options, { ...processStreams(), env: process.env, open });
    });
}

/** Asks and prints; the exit code. */
export async function runCheckPermissions({ output, config: file, namespace, context, kubeconfig }: Options, { env, open: connect, out, err, screen }: CheckPermissionsDeps): Promise<number> {
  const { config, warnings } = loadConfig({ env, file, flags: { namespace, context, kubeconfig } });
  for (const warning of warnings) err(`warning: ${warning}`);
  const { client, close } = await connect(config);
  try {
    const states = await checkPermissions(client, features(wantedFeatures(config)));
    if (output === 'json') out(JSON.stringify({ namespace: client.namespace, features: states }, undefined, 2));
    else for (const line of table(['FEATURE', 'RIGHTS', 'MISSING'], states.map(row), screen)) out(line);
    return codeOf(states);
  } finally {
    await close();
  }
}

const words: Readonly<Record<FeatureState['state'], { readonly text: string; readonly tone: Tone }>> = {
  on: { text: 'complete', tone: 'good' },
  off: { text: 'missing', tone: 'bad' },
  unknown: { text: 'unknown', tone: 'odd' },
};
const optionalOff = { text: 'not given', tone: 'odd' } as const;

function row({ name, state, optional, missing, message }: FeatureState): Parameters<typeof table>[1][number] {
  return [name, state === 'off' && optional ? optionalOff : words[state], state === 'unknown' ? (message ?? '') : missing.join(', ')];
}

function codeOf(states: readonly FeatureState[]): number {
  if (states.some(({ state, optional }) => state === 'off' && !optional)) return exitCode.no;
  return states.some(({ state }) => state === 'unknown') ? exitCode.error : exitCode.ok;
}

const open: CheckPermissionsDeps['open'] = async ({ namespace, context, kubeconfig }) => {
  const cluster = await openCluster({ clock: systemClock, env: process.env, kubeconfig, context, connections: 8, version }).catch((error: unknown) => {
    throw new UserError('no way to a cluster', { cause: asError(error) });
  });
  const client = new KubernetesClient({ transport: cluster.transport, clock: systemClock, namespace: namespace ?? cluster.namespace ?? 'default', fieldManager });
  return { client, close: () => cluster.close() };
};
