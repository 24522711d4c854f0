/** `job-chief status` */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { exitCode, UserError } from './exit-code.ts';
import { printedDocument } from './printed.ts';
import { addClusterOptions, inSession, type ClusterOptions, type Session } from './runs/session.ts';
import { documentOf } from './status/documents.ts';
import { readMessages } from './status/messages.ts';
import { readStatus, type Shown } from './status/read.ts';
import { messageLines, messagesDocument } from './status/render-messages.ts';
import { render } from './status/render.ts';
import { watchStatus } from './status/watch.ts';

export interface StatusOptions {
  readonly name: string | undefined;
  readonly output: 'text' | 'wide' | 'json' | 'yaml';
  readonly watch: boolean;
  /** Of a queue: the id of one of its messages, or `newest` for the newest ones. */
  readonly messages?: { readonly id: string } | 'newest';
  /** Most messages of `newest`. */
  readonly limit?: number;
}

type Options = ClusterOptions & { readonly output: StatusOptions['output']; readonly watch?: boolean; readonly message?: string; readonly messages?: boolean; readonly limit?: number };

const usualLimit = 20;

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
  job-chief status etl -o json | jq '.runs[0].state'
  job-chief status orders --message 4711
  job-chief status orders --messages --limit 100`;

/** Adds arguments, options and action. */
export function defineStatus(command: Command): void {
  addClusterOptions(command)
    .description('Shows all specs and the latest runs; a spec and the runs of its workflow; or a run with its steps and its critical path.')
    .argument('[name]', 'name of a run or a spec; or workflow/NAME, template/NAME, run/NAME, queue/NAME, limits/NAME')
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(['text', 'wide', 'json', 'yaml']).default('text'))
    .option('-w, --watch', 'show it again whenever it changes, until the run is over')
    .addOption(new Option('--message <id>', 'of a queue: what became of that message, with each of its Jobs, also when these are gone').conflicts(['watch', 'messages']))
    .addOption(new Option('--messages', 'of a queue: what became of its newest messages').conflicts('watch'))
    .addOption(new Option('--limit <count>', 'most messages that are shown').argParser(readLimit).default(usualLimit))
    .addHelpText('after', help)
    .action(async (name: string | undefined, { output, watch = false, message, messages = false, limit, ...options }: Options) => {
      const asked = message !== undefined ? { messages: { id: message } } : messages ? { messages: 'newest' as const } : {};
      process.exitCode = await inSession(options, (session) => showStatus(session, { name, output, watch, ...asked, ...(limit !== undefined && { limit }) }));
    });
}

/** Prints it. Throws a UserError where nothing has the name. */
export async function showStatus(session: Session, { name, output, watch, messages, limit = usualLimit }: StatusOptions): Promise<number> {
  if (messages) return showMessages(session, { name, output, messages, limit });
  const print = (shown: Shown): string => printed(session, shown, output);
  if (watch) await watchStatus(session, name, print);
  else session.out(print(await readStatus(session, name)));
  return exitCode.ok;
}

async function showMessages(session: Session, { name, output, messages, limit }: Required<Omit<StatusOptions, 'watch'>>): Promise<number> {
  const { runs, screen, clock, out } = session;
  if (name === undefined) throw new UserError('of which queue? job-chief status QUEUE --message ID');
  const shown = await readMessages(runs, name, { id: messages === 'newest' ? undefined : messages.id, limit });
  if (output === 'json' || output === 'yaml') out(printedDocument(messagesDocument(shown), output));
  else out(messageLines(shown, { screen: output === 'wide' ? { ...screen, width: undefined } : screen, now: clock.now(), wide: output === 'wide' }).join('\n'));
  return exitCode.ok;
}

/** Rejects what is no count. */
function readLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new InvalidArgumentError('it must be a whole number from 1.');
  return limit;
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
