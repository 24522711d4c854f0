/** `job-chief lint` on the command line. */
import { text } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { version } from '../../version.ts';
import { writeError, writeLine } from '../output.ts';
import { formats, lint, type Format } from './lint.ts';

interface Options {
  readonly output: Format;
  readonly defaults?: boolean;
  readonly config?: string;
  readonly policy?: string;
}

/** Adds arguments, options and action. */
export function defineLint(command: Command): void {
  command
    .description('Checks specs in files, in folders and on standard input, with the checks of the controller itself.')
    .argument('[path...]', 'spec files, Kubernetes manifests or folders of them; - for standard input; default: this folder')
    .addOption(new Option('-o, --output <format>', 'how problems are printed').choices([...formats]).default('text'))
    .option('--defaults', 'print the Jobs that each valid spec gives, with all defaults')
    .option('--config <file>', "the controller's configuration, for its jobDefaults, connections and podPolicy")
    .option('--policy <file>', 'what the operator lets pods be: a file with the mapping under podPolicy of a configuration')
    .addHelpText('after', "\nExit code: 0 no errors, 1 errors found, 2 something could not be read.\n\nExamples:\n  job-chief lint queues/\n  kustomize build . | job-chief lint -\n  job-chief lint --defaults thumbnails.yaml")
    .action(async (paths: string[], options: Options) => {
      process.exitCode = await lint(
        { paths, output: options.output, defaults: options.defaults === true, config: options.config, policy: options.policy },
        {
          out: writeLine,
          err: writeError,
          stdin: () => text(process.stdin),
          text: { excerpts: process.stdout.isTTY, colours: process.stdout.isTTY && process.stdout.hasColors() },
          version,
        },
      );
    });
}
