/** The command line as a whole: finds the subcommand, loads it, runs it, turns what it throws into text and exit code. */
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { exitCode } from './exit-code.ts';
import { describeError, writeError } from './output.ts';
import { groups, subcommands, type Subcommand } from './subcommands.ts';

/** Runs `job-chief` with these arguments (without node and script); the process's exit code when it is done. */
export async function runProgram(args: readonly string[]): Promise<number> {
  try {
    const program = overview();
    for (const subcommand of subcommands.filter(({ path }) => isWanted(path, args))) await define(program, subcommand);
    await program.parseAsync(args, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : exitCode.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.error;
    writeError(describeError(error));
    return exitCode.error;
  }
}

/** All commands by name and summary only: enough for help, and for guessing what a misspelt one should be. */
function overview(): Command {
  const program = new Command('job-chief')
    .description('Starts Kubernetes Jobs from queues, with rights in one namespace only.')
    .version(`job-chief ${version}`, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();
  for (const [name, summary] of Object.entries(groups)) program.command(name).summary(summary).description(`${summary}.`);
  for (const { path, summary } of subcommands) parentOf(program, path).command(path.at(-1) ?? '').summary(summary).description(summary);
  return program;
}

function parentOf(program: Command, path: readonly string[]): Command {
  return path.slice(0, -1).reduce((command, word) => child(command, word), program);
}

function child(command: Command, name: string): Command {
  const found = command.commands.find((one) => one.name() === name);
  if (!found) throw new Error(`no command ${name}`);
  return found;
}

async function define(program: Command, { path, load }: Subcommand): Promise<void> {
  const configure = await load();
  configure(path.reduce((command, word) => child(command, word), program));
}

/** Also for `help lint` and `lint --help`, which need the options. */
function isWanted(path: readonly string[], args: readonly string[]): boolean {
  const words = args.filter((argument) => !argument.startsWith('-'));
  const named = words[0] === 'help' ? words.slice(1) : words;
  return path.every((word, index) => named[index] === word);
}
