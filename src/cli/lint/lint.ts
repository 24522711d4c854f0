/** `job-chief lint`, apart from the command line: options and streams in, exit code out. */
import { stringify } from 'yaml';
import { exitCode } from '../exit-code.ts';
import { checkSources } from './check.ts';
import { readEnvironment } from './environment.ts';
import { readSources, type SourceText } from './files.ts';
import { jobsOf, type SpecJob } from './job-manifest.ts';
import { renderGithub, renderJson, renderSarif } from './render-machine.ts';
import { renderText, type TextOptions } from './render-text.ts';
import { count, type LintResult } from './result.ts';

/** Ways to print problems. */
export const formats = ['text', 'json', 'sarif', 'github'] as const;
/** One of them. */
export type Format = (typeof formats)[number];

/** The command line of lint. */
export interface LintOptions {
  readonly paths: readonly string[];
  readonly output: Format;
  /** Print the Jobs that each valid spec gives. */
  readonly defaults: boolean;
  readonly config?: string | undefined;
  /** A file with what stands under podPolicy of a configuration; wins over that of `config`. */
  readonly policy?: string | undefined;
}

/** The process as far as lint uses it. */
export interface LintStreams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly stdin: () => Promise<string>;
  readonly text: TextOptions;
  readonly version: string;
}

/** Lints and prints; 0: fine, 1: at least one error, 2: something could not be read. */
export async function lint(options: LintOptions, streams: LintStreams): Promise<number> {
  const environment = await readEnvironment(options.config, options.policy);
  const { sources, unreadable } = await readSources(options.paths.length === 0 ? ['.'] : options.paths, streams.stdin);
  const result = checkSources(sources, environment);
  print(result, sources, options, streams);
  for (const sentence of unreadable) streams.err(`error: ${sentence}`);
  streams.err(summary(result));
  if (unreadable.length > 0) return exitCode.error;
  return count(result.problems).errors > 0 ? exitCode.no : exitCode.ok;
}

function print(result: LintResult, sources: readonly SourceText[], { output, defaults }: LintOptions, streams: LintStreams): void {
  switch (output) {
    case 'json':
      streams.out(renderJson(result, defaults));
      return;
    case 'sarif':
      streams.out(renderSarif(result.problems, streams.version));
      return;
    case 'github':
      if (result.problems.length > 0) streams.out(renderGithub(result.problems));
      return;
    case 'text': {
      const texts = new Map(sources.map(({ name, text }) => [name, text]));
      const problems = renderText(result.problems, texts, streams.text);
      // With --defaults standard output is a stream of manifests, for another program to read.
      if (problems !== '') (defaults ? streams.err : streams.out)(problems);
      if (defaults) printJobs(result, streams);
    }
  }
}

function printJobs({ specs }: LintResult, { out }: LintStreams): void {
  for (const { file, name, spec } of specs) {
    for (const one of spec ? jobsOf(spec) : []) out(`---\n# ${file}: ${titleOf(name, one)}\n${stringify(one.job, { aliasDuplicateObjects: false }).trimEnd()}`);
  }
}

function titleOf(name: string, { step, file, undo }: SpecJob): string {
  return [name, ...(step === undefined ? [] : [`step ${step}`]), ...(file === undefined ? [] : [file]), ...(undo ? ['undo'] : [])].join(', ');
}

function summary({ specs, problems }: LintResult): string {
  const { errors, warnings } = count(problems);
  const found = specs.length === 0 ? 'no specs found' : plural(specs.length, 'spec');
  return errors + warnings === 0 ? `${found}, no problems` : `${found}, ${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
}

function plural(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
