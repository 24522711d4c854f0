/** `job-chief cancel` */
import type { Command } from 'commander';
import { cancelRun } from './runs/commands.ts';
import { addOutputOption, tellRun, type OutputOptions } from './runs/output-format.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';

interface Options extends ClusterOptions, OutputOptions {
  readonly reason: string;
}

/** Adds arguments, options and action. */
export function defineCancel(command: Command): void {
  addOutputOption(addClusterOptions(command))
    .description('Ends a run: no step starts any more, Jobs that run are ended, steps of finally still run.')
    .argument('<run>', 'name of the run')
    .option('--reason <text>', 'why, for those who ask later', 'cancelled on the command line')
    .addHelpText('after', '\nExit code: 0 it is being cancelled, or was already; 2 there is no such run, or it is over.\n\nExample:\n  job-chief cancel etl-x3kq5aolm2bd --reason "wrong day"')
    .action((run: string, options: Options) => inSession(options, async (session) => {
      const message = await cancelRun(session.runs, run, options);
      await tellRun(session, run, { message, output: options.output });
    }));
}
