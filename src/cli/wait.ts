/** `job-chief wait` */
import type { Command } from 'commander';
import { duration } from './runs/option-values.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';
import { readTarget } from './runs/target.ts';
import { readGoal } from './wait/goal.ts';
import { waitFor, type WaitOptions } from './wait/wait.ts';

/** As commander has them. */
export interface WaitFlags {
  readonly for: string;
  readonly specHash?: string;
  readonly timeout?: number;
}

const help = `
Of a run: its end. Of a Run: the run that it asked for. Of a workflow with
onChange: that job-chief has accepted its text as it stands in the cluster, and
the run of this revision. Of any other spec: that its text is accepted.

--for is succeeded (the default), finished (however a run ended), idle (accepted,
and nothing of it runs or waits), or condition=TYPE[=STATUS] of its status.

Exit code: 0 it has come; 1 it can come no more: the run failed or was cancelled, the spec is rejected; 2 nothing has that name, or a right is missing; 3 it did not come in time.

Examples:
  job-chief wait etl-x3kq5aolm2bd --timeout 1h
  job-chief wait workflow/etl --timeout 30m
  job-chief wait workflow/etl --spec-hash 3f2a9c0d5e6b7a81 --timeout 30m
  job-chief wait queue/thumbnails --for idle`;

/** Adds arguments, options and action. */
export function defineWait(command: Command): void {
  addClusterOptions(command)
    .description('Waits until a run is over, or until job-chief has accepted a spec and the run of its revision is over. For pipelines, hooks of Argo CD and Jobs that Flux waits for.')
    .argument('<name>', 'name of a run; or workflow/NAME, template/NAME, run/NAME, queue/NAME, limits/NAME, or a name that only one of them has')
    .option('--for <what>', 'succeeded, finished, idle or condition=TYPE[=STATUS]', 'succeeded')
    .option('--spec-hash <hash>', 'only this revision counts, as `job-chief lint -o json` has it; waits for it to come')
    .option('--timeout <duration>', 'wait so long at most, such as 30m', duration)
    .addHelpText('after', help)
    .action(async (name: string, options: WaitFlags & ClusterOptions) => {
      const wanted = wantedOf(name, options);
      process.exitCode = await inSession(options, (session) => waitFor(session, wanted));
    });
}

/** Throws a UserError where the words mean nothing. */
export function wantedOf(name: string, { for: goal, specHash, timeout }: WaitFlags): WaitOptions {
  return { target: readTarget(name), goal: readGoal(goal), specHash, timeout };
}
