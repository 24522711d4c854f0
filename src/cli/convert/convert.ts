/** `job-chief convert`, apart from the command line: options and streams in, exit code out. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { asError } from '../../lib/clock.ts';
import type { Problem } from '../../spec/problem.ts';
import { exitCode, UserError } from '../exit-code.ts';
import { renderText, type TextOptions } from '../lint/render-text.ts';
import { checkDraft, type Checked } from './check.ts';
import type { Draft } from './draft.ts';
import type { ConvertContext } from './format.ts';
import { formatNames, formatOf, formats, type FormatName } from './formats.ts';
import type { Item } from './item.ts';
import { readSources, sourceFiles, type ReadSources } from './read-sources.ts';
import { commentedOut, configMap, configMapText } from './render.ts';

/** Ways to print. */
export const outputs = ['yaml', 'json'] as const;

/** The command line of convert. */
export interface ConvertOptions {
  /** A file, a folder, or `-`. */
  readonly source: string;
  /** undefined: told by what is there. */
  readonly from: FormatName | undefined;
  readonly output: (typeof outputs)[number];
  /** Folder that gets a file for each ConfigMap. */
  readonly outputDir: string | undefined;
  readonly connection: string;
  readonly name: string | undefined;
}

/** The process as far as it is used. */
export interface ConvertStreams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly stdin: () => Promise<string>;
  readonly text: TextOptions;
}

/** Converts and prints; 0: all of it, 1: at least one thing could not be converted. Throws a UserError where nothing could be read. */
export async function convert(options: ConvertOptions, streams: ConvertStreams): Promise<number> {
  const sources = await readSources(options.source, streams.stdin);
  const { drafts, problems } = await convertAll(sources, options);
  const checked = withUniqueNames(drafts).map(checkDraft);
  const all = [...sources.problems, ...problems, ...checked.flatMap((one) => one.problems)];
  if (options.outputDir === undefined) print(checked, options, streams);
  else await write(checked, options.outputDir, streams);
  if (all.length > 0) streams.err(renderText(all, sources.texts, streams.text));
  streams.err(summary(checked, all, sources.documents.filter(isLeftOut).length));
  return all.some(({ severity }) => severity === 'error') ? exitCode.no : exitCode.ok;
}

interface Drafted {
  readonly drafts: readonly Draft[];
  readonly problems: readonly Problem[];
}

async function convertAll({ documents, problems }: ReadSources, { source, from, connection, name }: ConvertOptions): Promise<Drafted> {
  const byFormat = [...(from === undefined ? Map.groupBy(documents, formatOf) : new Map([[from, ofFormat(documents, from)]]))].filter((entry): entry is [FormatName, Item[]] => entry[0] !== undefined);
  if (byFormat.length === 0 && problems.length === 0) {
    throw new UserError(`${source === '-' ? 'standard input' : source} holds nothing that can be converted; the formats are ${formatNames.join(', ')}, and --from NAME says which one it is`);
  }
  const drafted: Drafted[] = [];
  for (const [format, items] of byFormat) {
    const context: ConvertContext = { connection, name: name ?? nameOf(source, format), all: documents, files: sourceFiles };
    drafted.push(await formats[format].convert(items, context));
  }
  return { drafts: drafted.flatMap((one) => one.drafts), problems: drafted.flatMap((one) => one.problems) };
}

/** Where none looks like it, all are taken for it: then it is told what is wrong with them. */
function ofFormat(documents: readonly Item[], format: FormatName): readonly Item[] {
  const found = documents.filter((document) => formats[format].recognises(document));
  return found.length > 0 ? found : documents;
}

/** For what has no name of its own. */
function nameOf(source: string, format: FormatName): string {
  if (format === 'kube-job-runner') return 'run-image';
  if (source === '-') return 'workflow';
  const full = path.resolve(source);
  return /\.(ya?ml|json)$/.test(full) ? path.basename(path.dirname(full)) : path.basename(full);
}

/** Two names that became one, such as those of `A_b` and `a-b`, get numbers. */
function withUniqueNames(drafts: readonly Draft[]): readonly Draft[] {
  const taken = new Set<string>();
  for (const draft of drafts) {
    const name = draft.name;
    for (let number = 2; taken.has(key(draft)); number++) draft.name = `${name}-${number}`;
    taken.add(key(draft));
  }
  return drafts;
}

function key({ namespace, name }: Draft): string {
  return JSON.stringify([namespace, name]);
}

function print(checked: readonly Checked[], { output }: ConvertOptions, { out }: ConvertStreams): void {
  const written = checked.filter(({ verdict }) => verdict === 'written').map(({ draft }) => configMap(draft));
  if (output === 'json') {
    out(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: written }, null, 2));
    return;
  }
  const later = checked.filter(({ verdict }) => verdict === 'later').map(({ draft }) => commentedOut(configMapText(configMap(draft))));
  const texts = [...written.map((object) => configMapText(object).replace(/\n$/, '')), ...later];
  if (texts.length > 0) out(texts.join('\n---\n'));
}

/** Nothing is written where a file of that name is there. */
async function write(checked: readonly Checked[], folder: string, { err }: ConvertStreams): Promise<void> {
  const files = checked.filter(({ verdict }) => verdict === 'written').map(({ draft }) => ({ file: `${draft.name}.yaml`, text: configMapText(configMap(draft)) }));
  try {
    await mkdir(folder, { recursive: true });
    const there = new Set(await readdir(folder));
    const taken = files.filter(({ file }) => there.has(file));
    if (taken.length > 0) throw new UserError(`${folder} has ${taken.map(({ file }) => file).join(', ')} already, and nothing is written over: name another folder`);
    for (const { file, text } of files) await writeFile(path.join(folder, file), text, { flag: 'wx' });
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`cannot write to ${folder}: ${asError(error).message}`);
  }
  for (const { file } of files) err(path.join(folder, file));
}

/** Of no format, and nothing that one may refer to. */
function isLeftOut(document: Item): boolean {
  return formatOf(document) === undefined && !/^(Job|ConfigMap)$/.test(document.at('kind').text ?? '');
}

function summary(checked: readonly Checked[], problems: readonly Problem[], others: number): string {
  const count = (verdict: Checked['verdict']): number => checked.filter((one) => one.verdict === verdict).length;
  const remarks = checked.filter(({ verdict }) => verdict === 'written').reduce((sum, { draft }) => sum + draft.remarks.length, 0);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return [
    `${plural(count('written'), 'ConfigMap')} written`,
    ...(remarks > 0 ? [`${plural(remarks, 'comment')} in ${count('written') === 1 ? 'it' : 'them'} to read`] : []),
    ...(count('later') > 0 ? [`${plural(count('later'), 'spec')} for a later version`] : []),
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(others > 0 ? [`${plural(others, 'other document')} left out`] : []),
  ].join(', ');
}

function plural(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
