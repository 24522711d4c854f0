/** `job-chief logs` */
import { InvalidArgumentError, type Command } from 'commander';
import { followLogs } from './logs/follow.ts';
import type { LogOptions } from './logs/options.ts';
import { showLogs } from './logs/show.ts';
import { logSource, type LogSource } from './logs/source.ts';
import { duration } from './runs/option-values.ts';
import { addClusterOptions, inSession, type ClusterOptions, type Session } from './runs/session.ts';

interface Options extends ClusterOptions {
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly tail?: number;
  readonly follow?: boolean;
  readonly since?: number;
  readonly timestamps?: boolean;
  readonly previous?: boolean;
  readonly prefix?: boolean;
}

const help = `
Of a workflow, a template or a Run the newest run is meant, of a queue the newest
Job. Lines say which step they are from where there are several containers:
[load], [load#2] for a second attempt, [load[3]] for an item of a forEach, and
where a followed step is a run of its own [sub > load].

Exit code: 0 printed; 1 there is nothing to print: no pod was started, or they are gone; 2 nothing has that name, or the cluster did not answer.

Examples:
  job-chief logs etl-x3kq5aolm2bd
  job-chief logs workflow/etl load --tail 20
  job-chief logs queue/thumbnails -f --since 10m`;

/** Adds arguments, options and action. */
export function defineLogs(command: Command): void {
  addClusterOptions(command)
    .description('Prints what the containers of a run or of a queue write. A container that has not started says why.')
    .argument('<name>', 'name of a run; or workflow/NAME, template/NAME, run/NAME, queue/NAME, or a name that only one of them has')
    .argument('[step]', 'only this step')
    .option('-c, --container <name>', 'only this container; init containers and sidecars too')
    .option('--all-containers', 'all containers; default: the regular ones, and an init container that has not succeeded')
    .option('-f, --follow', 'go on with what is written, in pods and runs that are started later too, until the run is over; of a queue until you stop it')
    .option('--tail <lines>', 'the last lines of each container', count)
    .option('--since <duration>', 'nothing older, such as 5m', duration)
    .option('--timestamps', 'with the time at which each line was written')
    .option('--previous', 'earlier attempts as well, and what a container wrote before it was restarted')
    .option('--prefix', 'say which container each line is from; default: where there are several')
    .option('--no-prefix', 'never say it')
    .addHelpText('after', help)
    .action(async (name: string, step: string | undefined, { container, allContainers = false, tail, follow = false, since, timestamps = false, previous = false, prefix, ...options }: Options) => {
      process.exitCode = await inSession(options, (session) => logs(session, { name, step }, { container, allContainers, tail, follow, since, timestamps, previous, prefix }));
    });
}

/** Prints; the exit code. Throws a UserError where nothing has the name. */
export async function logs(session: Session, { name, step }: { readonly name: string; readonly step: string | undefined }, options: LogOptions): Promise<number> {
  const source = await logSource(session.runs, name, step);
  const code = await (options.follow ? followLogs(session, source, options) : showLogs(session, source, options));
  // Those of a run that is followed are, too.
  if (!options.follow) for (const line of await subRunLines(session, source)) session.err(line);
  return code;
}

/** Steps that are runs of their own have no pods here. */
async function subRunLines({ runs }: Session, { record, step, hasSubRuns }: LogSource): Promise<string[]> {
  if (!record || !hasSubRuns) return [];
  const parents = (await runs.runs()).flatMap(({ name, request }) => (request?.parent?.run === record.name ? { name, of: request.parent.step } : []));
  return parents.filter(({ of }) => step === undefined || of === step).map(({ name, of }) => `step "${of}" is a run of its own: job-chief logs ${name}`).toSorted();
}

function count(text: string): number {
  const lines = Number(text);
  if (!Number.isInteger(lines) || lines < 0) throw new InvalidArgumentError('a number of lines');
  return lines;
}
