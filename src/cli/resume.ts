/** `job-chief resume` */
import type { Command } from 'commander';
import { resumeRun } from './runs/commands.ts';
import { addOutputOption, tellRun, type OutputOptions } from './runs/output-format.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';

/** Adds arguments, options and action. */
export function defineResume(command: Command): void {
  addOutputOption(addClusterOptions(command))
    .description('Lets a suspended run go on where it stopped.')
    .argument('<run>', 'name of the run')
    .addHelpText('after', '\nExit code: 0 it goes on; 2 there is no such run, or it is over.\n\nExample:\n  job-chief resume etl-x3kq5aolm2bd')
    .action((run: string, options: ClusterOptions & OutputOptions) => inSession(options, async (session) => {
      const message = await resumeRun(session.runs, run);
      await tellRun(session, run, { message, output: options.output });
    }));
}
