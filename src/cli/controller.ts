/** `job-chief controller` */
import type { Command } from 'commander';
import { exitCode } from './exit-code.ts';
import { writeError } from './output.ts';

interface Options {
  readonly config?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** Adds description, options and action. */
export function defineController(command: Command): void {
  command
    .description('Runs the controller until it is told to stop. In a pod it uses the ServiceAccount and the namespace of the pod.')
    .option('--config <file>', 'configuration of this instance; default: $JOB_CHIEF_CONFIG')
    .option('--kubeconfig <file>', 'kubeconfig to use outside of a pod')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', "namespace; default: the pod's or the context's")
    .addHelpText('after', '\nExit code: 0 it was told to stop and did, 2 it could not start or had to give up.\n\nSIGTERM or SIGINT ends it once the work under way is done; a second one ends it at once.')
    .action(async ({ config: file, ...flags }: Options) => {
      // Loaded here: help must not wait for the whole controller.
      const [{ loadConfig }, { runService }] = await Promise.all([import('../config/load.ts'), import('../main.ts')]);
      const { env } = process;
      await runService({ ...loadConfig({ env, file, flags: { ...flags } }), env }, stopSignal());
      process.exitCode = exitCode.ok;
    });
}

/** Aborts at the first signal; the second does not wait for anything. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) {
      writeError(`${name} again: ended at once`);
      process.exit(exitCode.no);
    }
    stop.abort(new Error(name));
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, onSignal);
  return stop.signal;
}
