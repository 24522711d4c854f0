/** `-o`: how a command prints what it has done. */
import { Option, type Command } from 'commander';
import { showStatus } from '../status.ts';
import type { Session } from './session.ts';

export type OutputFormat = 'text' | 'wide' | 'json' | 'yaml';

export const outputFormats: readonly OutputFormat[] = ['text', 'wide', 'json', 'yaml'];

/** As commander has it. */
export interface OutputOptions {
  readonly output: OutputFormat;
}

/** For commands that act on a run. */
export function addOutputOption(command: Command): Command {
  return command.addOption(new Option('-o, --output <format>', 'print the run as `job-chief status` does').choices(outputFormats).default('text'));
}

/** The sentence that tells what came of a command; in another format the run as it is now, for programs, and the sentence aside. */
export async function tellRun(session: Session, name: string, { message, output }: { readonly message: string; readonly output: OutputFormat }): Promise<void> {
  if (output === 'text') {
    session.out(message);
    return;
  }
  session.err(message);
  await showStatus(session, { name, output, watch: false });
}
