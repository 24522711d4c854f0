/** `job-chief controller`: the service. */
import type { Command } from 'commander';
import { ConfigError, loadConfig } from '../config/load.ts';
import { runService } from '../main.ts';
import { UserError } from './exit-code.ts';

interface Flags {
  readonly config?: string;
  readonly namespace?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Adds options and action. */
export function defineController(command: Command): void {
  command
    .option('-c, --config <file>', 'configuration file (JOB_CHIEF_CONFIG)')
    .option('-n, --namespace <name>', 'namespace to work in (default: the pod\'s own, else the context\'s)')
    .option('--kubeconfig <file>', 'kubeconfig file, instead of the pod\'s own account')
    .option('--context <name>', 'context of the kubeconfig')
    .action((flags: Flags) => run(flags));
}

async function run({ config: file, ...flags }: Flags): Promise<void> {
  const { config, warnings } = load(file, { ...flags });
  const stop = new AbortController();
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    // Whoever asks twice does not want to wait for rounds under way; nothing in memory is needed.
    if (signals > 1) process.exit(1);
    stop.abort(new Error('asked to stop'));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  await runService({ config, warnings, env: process.env }, stop.signal);
}

function load(file: string | undefined, flags: Readonly<Record<string, string | undefined>>): ReturnType<typeof loadConfig> {
  try {
    return loadConfig({ env: process.env, file, flags });
  } catch (error) {
    if (error instanceof ConfigError) throw new UserError(error.message);
    throw error;
  }
}
