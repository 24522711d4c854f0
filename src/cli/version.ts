/** `job-chief version` */
import { Option, type Command } from 'commander';
import { version } from '../version.ts';
import { writeLine } from './output.ts';

export function defineVersion(command: Command): void {
  command
    .description('Prints the version of this program and of the Node.js that runs it.')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['text', 'json']).default('text'))
    .action(({ output }: { output: string }) => {
      const answer = { version, node: process.version, platform: `${process.platform}/${process.arch}` };
      writeLine(output === 'json' ? JSON.stringify(answer, undefined, 2) : `job-chief ${version} (Node.js ${answer.node}, ${answer.platform})`);
    });
}
