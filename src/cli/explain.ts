/** `job-chief explain` */
import { Option, type Command } from 'commander';
import { explanation, explanationDocument } from './explain/render.ts';
import { findField } from './explain/find.ts';
import { explainable } from './explain/schemas.ts';
import { writeLine } from './output.ts';
import { printedDocument } from './printed.ts';

interface Options {
  readonly recursive?: boolean;
  readonly output: 'text' | 'json' | 'yaml';
}

const help = `
Kinds: ${explainable.join(', ')}. In a list or a mapping by name the fields of
what is in it follow at once: workflow.steps.job, or workflow.steps[].job.

Exit code: 0 explained, 2 there is no such field.

Examples:
  job-chief explain queue
  job-chief explain queue.drain.pods
  job-chief explain workflow.steps.retry
  job-chief explain config.log --recursive`;

/** Adds arguments, options and action. */
export function defineExplain(command: Command): void {
  command
    .description('Explains a field of a spec, or of the configuration: type, bounds, default, what it means, and the fields below it.')
    .argument('<field>', 'kind, or kind.field.field')
    .option('-r, --recursive', 'all fields below it, by name and type')
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(['text', 'json', 'yaml']).default('text'))
    .addHelpText('after', help)
    .action(async (field: string, { recursive = false, output }: Options) => {
      const explained = await findField(field);
      writeLine(output === 'text' ? explanation(explained, recursive).join('\n') : printedDocument(explanationDocument(explained), output));
    });
}
