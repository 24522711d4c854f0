/** `job-chief completion` */
import type { Command } from 'commander';
import { candidatesFor, type Ask, type Candidates } from './completion/candidates.ts';
import { clusterNames, localNames } from './completion/names.ts';
import { scripts, shells } from './completion/scripts.ts';
import { UserError } from './exit-code.ts';
import { writeLine } from './output.ts';
import { inSession } from './runs/session.ts';

const help = `
  bash:  source <(job-chief completion bash)     in ~/.bashrc
  zsh:   source <(job-chief completion zsh)      in ~/.zshrc
  fish:  job-chief completion fish | source      in ~/.config/fish/config.fish

Commands, options, their values, and the names of specs, runs and steps in the
cluster, which is given two seconds to answer.`;

/** Adds arguments, options and action. */
export function defineCompletion(command: Command): void {
  command
    .description('Prints a script that completes commands in bash, zsh or fish.')
    // `words` is what the scripts ask.
    .argument('<shell>', shells.join(', '))
    .argument('[words...]')
    .addHelpText('after', help)
    .action(async (shell: string, words: readonly string[]) => {
      if (shell !== 'words') {
        writeLine(scriptFor(shell));
        return;
      }
      for (const line of linesOf(await candidatesFor(words, ask))) writeLine(line);
      // A cluster that does not answer must not hold the shell.
      process.exit(0);
    });
}

function scriptFor(shell: string): string {
  const known = shells.find((one) => one === shell);
  if (known === undefined) throw new UserError(`there is no completion for "${shell}"; there is ${shells.join(', ')}`);
  return scripts[known];
}

/** What a shell reads. */
export function linesOf({ values, files, open }: Candidates): string[] {
  return [...(files ? [':files'] : []), ...(open ? [':nospace'] : []), ...values.map(({ value, about }) => (about === '' ? value : `${value}\t${about}`))];
}

const patience = 2_000;

/** Nothing that goes wrong is told: somebody is typing. */
const ask: Ask = async (source, given) => {
  const local = await localNames(source, given);
  if (local) return local;
  const { promise, resolve } = Promise.withResolvers<readonly []>();
  setTimeout(() => { resolve([]); }, patience).unref();
  return Promise.race([promise, inSession(given.options, ({ runs }) => clusterNames(runs, source, given)).catch(() => [])]);
};
