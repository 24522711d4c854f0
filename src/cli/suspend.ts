/** `job-chief suspend` */
import type { Command } from 'commander';
import { suspendRun } from './runs/commands.ts';
import { addOutputOption, tellRun, type OutputOptions } from './runs/output-format.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';

/** Adds arguments, options and action. */
export function defineSuspend(command: Command): void {
  addOutputOption(addClusterOptions(command))
    .description('Suspends a run: no step and no retry starts until it is resumed; Jobs that run may finish.')
    .argument('<run>', 'name of the run')
    .addHelpText('after', '\nExit code: 0 it is suspended; 2 there is no such run, or it is over.\n\nExample:\n  job-chief suspend etl-x3kq5aolm2bd')
    .action((run: string, options: ClusterOptions & OutputOptions) => inSession(options, async (session) => {
      const message = await suspendRun(session.runs, run);
      await tellRun(session, run, { message, output: options.output });
    }));
}
