/** `job-chief run` */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { collect, duration } from './runs/option-values.ts';
import { readParameters } from './runs/parameters.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';
import { submitRun } from './runs/submit.ts';
import { tellSubmitted } from './runs/submitted.ts';
import { addStandaloneOptions, standaloneHelp, standaloneRun, type StandaloneFlags } from './standalone/command.ts';

interface Options extends ClusterOptions, StandaloneFlags {
  readonly parameter?: readonly string[];
  readonly parameters?: string;
  readonly idempotencyKey?: string;
  readonly wait?: boolean;
  readonly timeout?: number;
}

const help = `
Prints the name of the run. What is printed while waiting goes to standard error.

Exit code: 0 it is written down, or with --wait: it succeeded; 1 it failed or was cancelled; 2 it cannot be started; 3 it was not over in time, and goes on.

Examples:
  job-chief run etl -p day=2026-03-01 -p full=true
  job-chief run etl --parameters '{"regions": ["eu", "us"]}' --wait --timeout 1h
  job-chief run etl --parameters values.yaml --idempotency-key "$CI_JOB_ID"`;

/** Adds arguments, options and action. */
export function defineRun(command: Command): void {
  addStandaloneOptions(addClusterOptions(command))
    .description('Asks for a run of a workflow whose trigger has onRequest: true. The controller starts it when its turn has come.')
    .argument('<workflow>', 'name of the workflow; with --standalone a spec, a ConfigMap manifest or a folder with a spec.yaml')
    .option('-p, --parameter <name=value>', 'value of a parameter, by its declared type; lists and objects as JSON; may be repeated', collect)
    .option('--parameters <file|json>', 'all values as JSON or YAML: a file, or the text itself; -p goes over it')
    .option('--idempotency-key <key>', 'the same key starts one run only, however often it is sent')
    .option('--wait', 'wait for its end and tell how it gets on')
    .option('--timeout <duration>', 'wait so long at most, such as 30m; implies --wait', duration)
    .addHelpText('after', `${help}\n${standaloneHelp}`)
    .action(async (workflow: string, { parameter: assignments = [], parameters, idempotencyKey: key, ...options }: Options) => {
      const given = { assignments, document: await readParameters(parameters) };
      process.exitCode = (await standaloneRun(workflow, given, options)) ?? await inSession(options, async (session) => tellSubmitted(session, await submitRun({ runs: session.runs, random: randomUUID }, { workflow, given, key }), options));
    });
}
