/** `job-chief convert` on the command line. */
import { text } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { writeError, writeLine } from '../output.ts';
import { convert, outputs } from './convert.ts';
import { formatNames, type FormatName } from './formats.ts';

interface Options {
  readonly from: FormatName | 'auto';
  readonly output: (typeof outputs)[number];
  readonly outputDir?: string;
  readonly connection: string;
  readonly name?: string;
}

/** Adds arguments, options and action. */
export function defineConvert(command: Command): void {
  command
    .description('Writes ConfigMaps with specs from what other systems are configured with. What has no equal stands beside as a comment.')
    .argument('<source>', 'file or folder; - for standard input')
    .addOption(new Option('--from <format>', 'what the source is').choices(['auto', ...formatNames]).default('auto'))
    .addOption(new Option('-o, --output <format>', 'how the ConfigMaps are printed').choices([...outputs]).default('yaml'))
    .option('--output-dir <folder>', 'write a file for each ConfigMap instead of printing them')
    .option('--connection <name>', "the operator's connection that queues get", 'main')
    .option('--name <name>', 'name of what has none in the source; default: that of the folder')
    .addHelpText('after', '\nExit code: 0 everything was converted, 1 something could not be, which is told, 2 nothing could be read or written.\n\nExamples:\n  job-chief convert jobs.json\n  kubectl get cronjob -o yaml | job-chief convert -\n  job-chief convert etl/ --from jobernetes --output-dir specs/')
    .action(async (source: string, { from, output, outputDir, connection, name }: Options) => {
      process.exitCode = await convert(
        { source, from: from === 'auto' ? undefined : from, output, outputDir, connection, name },
        { out: writeLine, err: writeError, stdin: () => text(process.stdin), text: { excerpts: process.stderr.isTTY, colours: process.stderr.isTTY && process.stderr.hasColors() } },
      );
    });
}
