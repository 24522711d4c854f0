/** `job-chief controller` */
import type { Command } from 'commander';

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
    .option('--config <file>', 'configuration of this instance')
    .option('--kubeconfig <file>', 'kubeconfig to use outside of a pod')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', "namespace; default: the pod's or the context's")
    .action(async (options: Options) => {
      // Loaded here: help must not wait for the whole controller.
      const { runController } = await import('../main.ts');
      process.exitCode = await runController(options);
    });
}
