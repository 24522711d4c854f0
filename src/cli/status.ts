/** `job-chief status` */
import { Option, type Command } from 'commander';
import { exitCode } from './exit-code.ts';
import { printedDocument } from './printed.ts';
import { addClusterOptions, inSession, type ClusterOptions, type Session } from './runs/session.ts';
import { documentOf } from './status/documents.ts';
import { readStatus, type Shown } from './status/read.ts';
import { render } from './status/render.ts';
import { watchStatus } from './status/watch.ts';

export interface StatusOptions {
  readonly name: string | undefined;
  readonly output: 'text' | 'wide' | 'json' | 'yaml';
  readonly watch: boolean;
}

type Options = ClusterOptions & { readonly output: StatusOptions['output']; readonly watch?: boolean };

const help = `
Of a run's steps START is counted from the start of the run, WAIT is from there
until a container ran, and RAN from there to the end, retries included. The
critical path is the chain of steps that determined when the run ended; GAP is
what a step waited for room after the end of the one before.

Exit code: 0 shown, whatever it shows; 2 nothing has that name, or the cluster did not answer.

Examples:
  job-chief status
  job-chief status etl
  job-chief status etl-x3kq5aolm2bd --watch
  job-chief status etl -o json | jq '.runs[0].state'`;

/** Adds arguments, options and action. */
export function defineStatus(command: Command): void {
  addClusterOptions(command)
    .description('Shows all specs and the latest runs; a spec and the runs of its workflow; or a run with its steps and its critical path.')
    .argument('[name]', 'name of a run or a spec; or workflow/NAME, template/NAME, run/NAME, queue/NAME, limits/NAME')
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(['text', 'wide', 'json', 'yaml']).default('text'))
    .option('-w, --watch', 'show it again whenever it changes, until the run is over')
    .addHelpText('after', help)
    .action(async (name: string | undefined, { output, watch = false, ...options }: Options) => {
      process.exitCode = await inSession(options, (session) => showStatus(session, { name, output, watch }));
    });
}

/** Prints it. Throws a UserError where nothing has the name. */
export async function showStatus(session: Session, { name, output, watch }: StatusOptions): Promise<number> {
  const print = (shown: Shown): string => printed(session, shown, output);
  if (watch) await watchStatus(session, name, print);
  else session.out(print(await readStatus(session, name)));
  return exitCode.ok;
}

function printed({ screen, clock }: Session, shown: Shown, output: StatusOptions['output']): string {
  switch (output) {
    case 'json':
    case 'yaml':
      return printedDocument(documentOf(shown), output);
    case 'text':
    case 'wide':
      return render(shown, { screen, now: clock.now(), wide: output === 'wide' }).join('\n');
  }
}
