/** `job-chief cancel` */
import type { Command } from 'commander';
import { cancelRun } from './runs/commands.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';

interface Options extends ClusterOptions {
  readonly reason: string;
}

/** Adds arguments, options and action. */
export function defineCancel(command: Command): void {
  addClusterOptions(command)
    .description('Ends a run: no step starts any more, Jobs that run are ended, steps of finally still run.')
    .argument('<run>', 'name of the run')
    .option('--reason <text>', 'why, for those who ask later', 'cancelled on the command line')
    .addHelpText('after', '\nExit code: 0 it is being cancelled, or was already; 2 there is no such run, or it is over.\n\nExample:\n  job-chief cancel etl-x3kq5aolm2bd --reason "wrong day"')
    .action((run: string, options: Options) => inSession(options, async ({ runs, out }) => {
      out(await cancelRun(runs, run, options));
    }));
}
