/** `job-chief check connection`: does a connection of the configuration work, and which right is missing? */
import { Option, type Command } from 'commander';
import { systemClock, type Clock } from '../lib/clock.ts';
import { nearest } from '../lib/nearest.ts';
import { checkConnection } from '../adapters/queues/check-connection.ts';
import type { CheckResult } from '../adapters/queues/check-steps.ts';
import { loadConfig, type ConfigSources } from '../config/load.ts';
import { exitCode, UserError } from './exit-code.ts';
import { writeError, writeLine } from './output.ts';

export interface CheckConnectionOptions {
  readonly name: string;
  readonly output: 'text' | 'json';
  readonly schema: string | undefined;
  readonly queue: string | undefined;
  readonly config: string | undefined;
}

export interface CheckConnectionDeps {
  readonly env: ConfigSources['env'];
  readonly clock: Clock;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** Adds arguments, options and action. */
export function defineCheckConnection(command: Command): void {
  command
    .description('Tries a connection of the configuration step by step: name, address, log-in, TLS, and what its type has: schema, version, the right to read depth and wakes of pg-boss, the vhost and a queue of RabbitMQ, a queue of SQS. Prints the GRANT for a right that is missing, and never a secret.')
    .argument('<name>', 'name of the connection')
    .addOption(new Option('-o, --output <format>', 'how the result is printed').choices(['text', 'json']).default('text'))
    .option('--schema <name>', "schema of pg-boss; default: the connection's own, else pgboss")
    .option('--queue <name>', 'a queue of RabbitMQ or SQS to look at; default: none')
    .option('--config <file>', "the controller's configuration; default: $JOB_CHIEF_CONFIG")
    .addHelpText('after', '\nExit code: 0 it works, 1 it does not, 2 there is no such connection or no usable configuration.\n\nExamples:\n  job-chief check connection main --config config.yaml\n  kubectl exec deploy/job-chief -- job-chief check connection main')
    .action(async (name: string, options: Omit<CheckConnectionOptions, 'name'>) => {
      process.exitCode = await runCheckConnection({ ...options, name }, { env: process.env, clock: systemClock, out: writeLine, err: writeError });
    });
}

/** Checks and prints; the exit code. Throws UserError or ConfigError where there is nothing to check. */
export async function runCheckConnection({ name, output, schema, queue, config: file }: CheckConnectionOptions, { env, clock, out, err }: CheckConnectionDeps): Promise<number> {
  const { config, warnings } = loadConfig({ env, file });
  for (const warning of warnings) err(`warning: ${warning}`);
  const definition = config.connections.get(name);
  if (!definition) throw new UserError(unknownConnection(name, [...config.connections.keys()]));
  const progress = progressLine(clock, err);
  const results: CheckResult[] = [];
  for await (const result of checkConnection({ definition, schema, queue, clock, onStep: progress.begin })) {
    progress.end();
    results.push(result);
    if (output === 'text') for (const line of linesOf(result)) out(line);
  }
  const works = results.every(({ result }) => result !== 'failed');
  if (output === 'json') out(JSON.stringify({ connection: name, works, steps: results }, undefined, 2));
  return works ? exitCode.ok : exitCode.no;
}

/** One line while a step takes longer than two seconds, for whoever waits. */
function progressLine(clock: Clock, err: (line: string) => void): { begin: (step: string) => void; end: () => void } {
  let end = (): void => undefined;
  return {
    begin: (step) => {
      const timer = clock.timer(2_000, () => err(`still at ${step} …`));
      end = () => { timer.cancel(); };
    },
    end: () => { end(); },
  };
}

function linesOf({ step, result, detail, remedy, milliseconds }: CheckResult): string[] {
  const took = result === 'skipped' ? '' : ` (${milliseconds} ms)`;
  const line = `${step.padEnd(8)}${result.padEnd(9)}${detail}${took}`;
  return remedy === undefined ? [line] : [line, `${' '.repeat(17)}${remedy}`];
}

function unknownConnection(name: string, known: readonly string[]): string {
  if (known.length === 0) return `there is no connection "${name}": the configuration has none; name its file with --config`;
  const guess = nearest(name, known);
  return `there is no connection "${name}"; ${guess === undefined ? `the configuration has ${known.join(', ')}` : `did you mean "${guess}"?`}`;
}
