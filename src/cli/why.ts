/** `job-chief why` */
import { Option, type Command } from 'commander';
import { stringify } from 'yaml';
import { exitCode } from './exit-code.ts';
import { addClusterOptions, inSession, type ClusterOptions, type Session } from './runs/session.ts';
import { linkDocument, linkLines } from './why/render.ts';
import { why, type WhyOptions } from './why/why.ts';

export interface ExplainOptions extends WhyOptions {
  readonly output: 'text' | 'json' | 'yaml';
}

type Options = ClusterOptions & Pick<ExplainOptions, 'output'>;

const help = `
Everything is read from the cluster now, but for what only the controller knows,
such as how deep a queue is: there its own word is shown, and how old it is.

Exit code: 0 explained, whatever it is; 2 nothing has that name, or the cluster did not answer.

Examples:
  job-chief why thumbnails
  job-chief why workflow/etl
  job-chief why etl-x3kq5aolm2bd
  job-chief why etl-x3kq5aolm2bd publish -o json`;

/** Adds arguments, options and action. */
export function defineWhy(command: Command): void {
  addClusterOptions(command)
    .description('Says why a spec, a run or a step of it stands where it stands: what it waits for, who holds that up, until when, and what would end it.')
    .argument('<name>', 'name of a spec (or kind/name), or of a run')
    .argument('[step]', 'step of the run')
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(['text', 'json', 'yaml']).default('text'))
    .addHelpText('after', help)
    .action(async (name: string, step: string | undefined, { output, ...options }: Options) => {
      process.exitCode = await inSession(options, (session) => explainWhy(session, { name, step, output }));
    });
}

/** Prints it. Throws a UserError where nothing has the name. */
export async function explainWhy(session: Session, { output, ...options }: ExplainOptions): Promise<number> {
  const { runs, clock, screen } = session;
  const links = await why({ runs, clock }, options);
  const document = { reasons: links.map(linkDocument) };
  switch (output) {
    case 'json':
      session.out(JSON.stringify(document, undefined, 2));
      break;
    case 'yaml':
      session.out(stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd());
      break;
    case 'text':
      session.out(links.map((link) => linkLines(link, { screen, now: clock.now() }).join('\n')).join('\n\n'));
  }
  return exitCode.ok;
}
