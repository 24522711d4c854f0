/** `job-chief approve` */
import type { Command } from 'commander';
import { approveStep } from './runs/commands.ts';
import { addOutputOption, tellRun, type OutputOptions } from './runs/output-format.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';

interface Options extends ClusterOptions, OutputOptions {
  readonly reject?: boolean;
}

/** Adds arguments, options and action. */
export function defineApprove(command: Command): void {
  addOutputOption(addClusterOptions(command))
    .description('Approves a step that waits for an approval, or rejects it: then the step has failed. May be given before the step is reached.')
    .argument('<run>', 'name of the run')
    .argument('<step>', 'name of the step')
    .option('--reject', 'reject it')
    .addHelpText('after', '\nExit code: 0 it is approved, or rejected; 2 there is no such run or step, or it has ended.\n\nExamples:\n  job-chief approve release-x3kq5aolm2bd deploy\n  job-chief approve release-x3kq5aolm2bd deploy --reject')
    .action((run: string, step: string, options: Options) => inSession(options, async (session) => {
      const message = await approveStep(session.runs, run, { step, word: options.reject === true ? 'rejected' : 'approved' });
      await tellRun(session, run, { message, output: options.output });
    }));
}
