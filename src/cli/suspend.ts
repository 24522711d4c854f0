/** `job-chief suspend` */
import type { Command } from 'commander';
import { suspendRun } from './runs/commands.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';

/** Adds arguments, options and action. */
export function defineSuspend(command: Command): void {
  addClusterOptions(command)
    .description('Suspends a run: no step and no retry starts until it is resumed; Jobs that run may finish.')
    .argument('<run>', 'name of the run')
    .addHelpText('after', '\nExit code: 0 it is suspended; 2 there is no such run, or it is over.\n\nExample:\n  job-chief suspend etl-x3kq5aolm2bd')
    .action((run: string, options: ClusterOptions) => inSession(options, async ({ runs, out }) => {
      out(await suspendRun(runs, run));
    }));
}
