/** `job-chief run` */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { UserError } from './exit-code.ts';
import { submitImage } from './runs/image.ts';
import { collect, duration } from './runs/option-values.ts';
import { addOutputOption, type OutputOptions } from './runs/output-format.ts';
import { readParameters } from './runs/parameters.ts';
import { addClusterOptions, inSession, type ClusterOptions } from './runs/session.ts';
import { submitRun, type SubmitDeps, type Submitted } from './runs/submit.ts';
import { tellSubmitted } from './runs/submitted.ts';
import { readTarget } from './runs/target.ts';
import { addStandaloneOptions, standaloneHelp, standaloneRun, type StandaloneFlags } from './standalone/command.ts';

interface Options extends ClusterOptions, OutputOptions, Omit<StandaloneFlags, 'output'> {
  readonly image?: string;
  readonly parameter?: readonly string[];
  readonly parameters?: string;
  readonly parametersFile?: string;
  readonly idempotencyKey?: string;
  readonly wait?: boolean;
  readonly follow?: boolean;
  readonly timeout?: number;
}

const help = `
Prints the name of the run. What is printed while waiting goes to standard error,
logs to standard output.

Exit code: 0 it is written down, or with --wait or --follow: it succeeded; 1 it failed or was cancelled; 2 it cannot be started; 3 it was not over in time, and goes on.

Examples:
  job-chief run etl -p day=2026-03-01 -p full=true
  job-chief run template/resize --parameters '{"url": "https://example.com/a.png"}' --follow
  job-chief run etl --parameters-file values.yaml --idempotency-key "$CI_JOB_ID"
  job-chief run --image busybox:1.37 --follow -- echo hello`;

/** Adds arguments, options and action. */
export function defineRun(command: Command): void {
  addOutputOption(addStandaloneOptions(addClusterOptions(command)))
    .description('Asks for a run of a template, or of a workflow whose trigger has onRequest: true. The controller starts it when its turn has come.')
    .argument('[target]', 'workflow/NAME, template/NAME, or a name that only one of them has; with --standalone a spec, a ConfigMap manifest or a folder with a spec.yaml')
    .argument('[command...]', 'with --image, after --: the command')
    .option('--image <image>', 'run a command in an image, by way of the template named image')
    .option('-p, --parameter <name=value>', 'value of a parameter, by its declared type; lists and objects as JSON; may be repeated', collect)
    .option('--parameters <file|json>', 'all values as JSON or YAML: a file, or the text itself; -p goes over it')
    .option('--parameters-file <file>', 'the same, from a file only')
    .option('--idempotency-key <key>', 'the same key starts one run only, however often it is sent')
    .option('--wait', 'wait for its end and tell how it gets on')
    .option('-f, --follow', 'wait for its end and print what its containers write; on a terminal with a table of its steps')
    .option('--timeout <duration>', 'wait so long at most, such as 30m; implies --wait', duration)
    .addHelpText('after', `${help}\n${standaloneHelp}`)
    .action(async (first: string | undefined, rest: readonly string[], options: Options) => {
      process.exitCode = await run([...(first === undefined ? [] : [first]), ...rest], options);
    });
}

async function run(words: readonly string[], { parameter: assignments = [], parameters, parametersFile, image, idempotencyKey: key, ...options }: Options): Promise<number> {
  if (parameters !== undefined && parametersFile !== undefined) throw new UserError('--parameters and --parameters-file are two words for one thing: use one of them');
  const given = { assignments, document: await readParameters(parametersFile ?? parameters) };
  if (image !== undefined && options.standalone === true) throw new UserError('--image needs a controller, and goes without --standalone');
  const name = image === undefined ? onlyWord(words) : '';
  const code = await standaloneRun(name, given, { ...options, ...(key === undefined ? {} : { idempotencyKey: key }) });
  if (code !== undefined) return code;
  const submit = (deps: SubmitDeps): Promise<Submitted> => (image === undefined ? submitRun(deps, { target: readTarget(name), given, key }) : submitImage(deps, { image, command: words, given, key }));
  return inSession(options, async (session) => tellSubmitted(session, await submit({ runs: session.runs, random: randomUUID }), options));
}

function onlyWord(words: readonly string[]): string {
  const [name, second] = words;
  if (name === undefined) throw new UserError('say what to run: workflow/NAME, template/NAME, or --image IMAGE -- COMMAND');
  if (second !== undefined) throw new UserError(`one thing is run at a time, not "${name}" and "${second}"; parameters are given with -p`);
  return name;
}
