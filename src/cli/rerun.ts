/** `job-chief rerun` */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { duration } from './runs/option-values.ts';
import { addOutputOption, type OutputOptions } from './runs/output-format.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';
import { submitRerun } from './runs/submit.ts';
import { tellSubmitted } from './runs/submitted.ts';

interface Options extends ClusterOptions, OutputOptions {
  readonly from?: string;
  readonly idempotencyKey?: string;
  readonly wait?: boolean;
  readonly follow?: boolean;
  readonly timeout?: number;
}

/** Adds arguments, options and action. */
export function defineRerun(command: Command): void {
  addOutputOption(addClusterOptions(command))
    .description('Starts a new run with the parameters of an earlier one. Steps that succeeded there with the same inputs are carried over; the others run, with the workflow as it is now.')
    .argument('<run>', 'name of the earlier run, which must be over')
    .option('--from <step>', 'run this step again and all that follow from it, whatever became of them')
    .option('--idempotency-key <key>', 'the same key starts one run only, however often it is sent')
    .option('--wait', 'wait for its end and tell how it gets on')
    .option('-f, --follow', 'wait for its end and print what its containers write; on a terminal with a table of its steps')
    .option('--timeout <duration>', 'wait so long at most, such as 30m; implies --wait', duration)
    .addHelpText('after', '\nPrints the name of the new run.\n\nExit code: 0 it is written down, or with --wait or --follow: it succeeded; 1 it failed or was cancelled; 2 it cannot be started; 3 it was not over in time, and goes on.\n\nExamples:\n  job-chief rerun etl-x3kq5aolm2bd --wait\n  job-chief rerun etl-x3kq5aolm2bd --from load')
    .action(async (run: string, { from, idempotencyKey: key, ...options }: Options) => {
      process.exitCode = await inSession(options, async (session) => tellSubmitted(session, await submitRerun({ runs: session.runs, random: randomUUID }, { run, from, key }), options));
    });
}
