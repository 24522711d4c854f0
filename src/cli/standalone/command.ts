/** The part of `job-chief run` that is about runs without a controller. */
import type { Command } from 'commander';
import { UserError } from '../exit-code.ts';
import { collect } from '../runs/option-values.ts';
import type { OutputFormat } from '../runs/output-format.ts';
import type { GivenParameters } from '../runs/parameters.ts';

export interface StandaloneFlags {
  readonly standalone?: boolean;
  readonly runId?: string;
  readonly newRun?: boolean;
  readonly cleanUp?: boolean;
  readonly cancel?: boolean;
  readonly approve?: readonly string[];
  readonly output?: OutputFormat;
}

type ClusterFlags = Readonly<Record<'namespace' | 'context' | 'kubeconfig', string | undefined>>;

const only = 'with --standalone';

export const standaloneHelp = `
--standalone runs a file, or a folder with a spec.yaml, here and now: no controller, no record, nothing but Jobs. What it does goes to standard error, the table of its steps to standard output. Started again it goes on where it was; Ctrl-C lets its Jobs run on. Exit code: 0 it succeeded, 1 it failed or was cancelled, 2 it could not be started or was stopped.
  job-chief run etl/ --standalone -n etl --clean-up
  job-chief run etl/spec.yaml --standalone --run-id "$CI_JOB_ID" -o json`;

export function addStandaloneOptions(command: Command): Command {
  return command
    .option('--standalone', 'run a file or a folder here, without a controller')
    .option('--run-id <id>', `${only}: tells this run from others of the same file and parameters`)
    .option('--new-run', `${only}: start a run that nobody has started before; its id is printed`)
    .option('--clean-up', `${only}: delete the run's Jobs once it has succeeded`)
    .option('--cancel', `${only}: end the run that was started before`)
    .option('--approve <step>', `${only}: the word on a step that waits for one: STEP or STEP=rejected; may be repeated`, collect);
}

/** Options that only a run by a controller has. */
interface OtherFlags {
  readonly idempotencyKey?: string;
  readonly follow?: boolean;
  readonly timeout?: number;
}

/** The exit code of a standalone run; undefined: none is asked for. Throws a UserError where options do not go together. */
export async function standaloneRun(file: string, given: GivenParameters, flags: StandaloneFlags & OtherFlags & Partial<ClusterFlags>): Promise<number | undefined> {
  refuseMixture(flags);
  if (flags.standalone !== true) return undefined;
  const { runStandalone } = await import('./standalone.ts');
  return runStandalone({ newRun: false, cleanUp: false, cancel: false, approve: [], ...flags, output: flags.output === 'json' ? 'json' : 'text', file, parameters: given });
}

function refuseMixture(flags: StandaloneFlags & OtherFlags): void {
  const own = ['runId', 'newRun', 'cleanUp', 'cancel', 'approve'] as const;
  if (flags.standalone !== true && own.some((flag) => flags[flag] !== undefined)) throw new UserError(`--run-id, --new-run, --clean-up, --cancel and --approve are for runs ${only}`);
  if (flags.standalone === true && flags.idempotencyKey !== undefined) throw new UserError('--idempotency-key is for a controller; a standalone run is told apart by --run-id');
  if (flags.standalone === true && flags.follow === true) throw new UserError('--follow is about waiting for a controller; a standalone run tells how it gets on, and job-chief logs has no record of it');
  if (flags.standalone === true && (flags.output === 'yaml' || flags.output === 'wide')) throw new UserError('-o is text or json with --standalone');
  if (flags.standalone === true && flags.timeout !== undefined) throw new UserError('--timeout is about waiting for a controller; a standalone run takes as long as its steps, each of which may have a timeout');
}
