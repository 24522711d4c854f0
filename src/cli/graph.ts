/** `job-chief graph` */
import { text } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import type { WorkflowSpec } from '../spec/workflow.ts';
import { exitCode, UserError } from './exit-code.ts';
import { dot } from './graph/dot.ts';
import { mermaid, mostMermaidEdges } from './graph/mermaid.ts';
import { graphModel } from './graph/model.ts';
import { checkSources } from './lint/check.ts';
import { readSources } from './lint/files.ts';
import { renderText } from './lint/render-text.ts';
import type { LintResult } from './lint/result.ts';
import { writeError, writeLine } from './output.ts';
import { hint } from './runs/lookup.ts';

export interface GraphOptions {
  /** A file, a folder, `-`. */
  readonly path: string;
  readonly output: 'mermaid' | 'dot';
  readonly name?: string | undefined;
}

export interface GraphStreams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly stdin: () => Promise<string>;
}

/** Adds arguments, options and action. */
export function defineGraph(command: Command): void {
  command
    .description('Draws a workflow: phases as frames, steps, what each waits for and why, undo jobs dashed, finally apart.')
    .argument('<path>', 'spec file, Kubernetes manifest or folder of them; - for standard input')
    .addOption(new Option('-o, --output <format>', 'language of the drawing').choices(['mermaid', 'dot']).default('mermaid'))
    .option('--name <name>', 'which workflow, where there are several')
    .addHelpText('after', '\nExit code: 0 drawn, 1 the spec has errors, 2 there is nothing to draw.\n\nExamples:\n  job-chief graph etl.yaml\n  job-chief graph workflows/ --name etl -o dot | dot -Tsvg > etl.svg')
    .action(async (path: string, options: Omit<GraphOptions, 'path'>) => {
      process.exitCode = await drawGraph({ ...options, path }, { out: writeLine, err: writeError, stdin: () => text(process.stdin) });
    });
}

/** Writes the drawing; 1: the spec has errors, and nothing is written. Throws a UserError where there is nothing to draw. */
export async function drawGraph({ path, output, name }: GraphOptions, { out, err, stdin }: GraphStreams): Promise<number> {
  const { sources, unreadable } = await readSources([path], stdin);
  if (unreadable.length > 0) throw new UserError(unreadable.join('\n'));
  const result = checkSources(sources, {});
  const { file, spec } = choose(result, path, name);
  if (!spec) {
    const problems = result.problems.filter(({ severity, position }) => severity === 'error' && position?.file === file);
    err(renderText(problems, new Map(), { excerpts: false, colours: false }));
    return exitCode.no;
  }
  const model = graphModel(spec);
  if (output === 'mermaid' && model.edges.length > mostMermaidEdges) err(`note: Mermaid draws no more than ${mostMermaidEdges} arrows unless maxEdges says so, and there are ${model.edges.length}: -o dot has no such limit`);
  out(output === 'dot' ? dot(model) : mermaid(model));
  return exitCode.ok;
}

interface Chosen {
  readonly file: string;
  /** undefined: it has errors. */
  readonly spec: WorkflowSpec | undefined;
}

function choose({ specs }: LintResult, path: string, name: string | undefined): Chosen {
  const workflows = specs.flatMap((one) => (one.kind === 'Workflow' ? [{ ...one, spec: one.spec?.kind === 'Workflow' ? one.spec : undefined }] : []));
  const names = workflows.map((one) => one.name).toSorted();
  const found = name === undefined ? workflows : workflows.filter((one) => one.name === name);
  const [first, second] = found;
  if (!first) throw new UserError(name === undefined || names.length === 0 ? `there is no Workflow in ${path}` : `there is no Workflow "${name}" in ${path}${hint(name, names, `there is ${names.join(', ')}`)}`);
  if (second) throw new UserError(name === undefined ? `there are ${workflows.length} Workflows in ${path}: choose one with --name (${names.join(', ')})` : `there are ${found.length} Workflows "${name}" in ${path}: ${found.map((one) => one.file).join(', ')}`);
  return first;
}
