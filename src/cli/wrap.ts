/** `job-chief wrap`: a ConfigMap from a folder with a spec and its files. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { asError } from '../lib/clock.ts';
import { kindLabel, specKey } from '../spec/keys.ts';
import { parseSpec } from '../spec/parse.ts';
import { isRunnable } from '../spec/parsed.ts';
import { subdomainMessage, subdomainPattern } from '../spec/schema-fields.ts';
import { exitCode, UserError } from './exit-code.ts';
import { renderText } from './lint/render-text.ts';
import { writeError, writeLine } from './output.ts';
import { filesBeside, treeFiles } from './spec-folder.ts';
import { withDataKeys } from './wrap-paths.ts';

/** All values of a ConfigMap together, in bytes: the API server's limit. */
const mostBytes = 1_048_576;

export interface WrapOptions {
  readonly folder: string;
  /** Name of the ConfigMap; default: the spec's name, else the folder's. */
  readonly name?: string | undefined;
}

export interface WrapStreams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Adds arguments, options and action. */
export function defineWrap(command: Command): void {
  command
    .description(`Writes the ConfigMap of a folder: ${specKey} is the spec, every file below the folder that it names, by its name or its path, is a data key by its base name.`)
    .argument('<folder>', `folder with a ${specKey}`)
    .option('--name <name>', "name of the ConfigMap; default: the spec's name, else that of the folder")
    .addHelpText('after', '\nExit code: 0 written, 1 the spec has errors, 2 no ConfigMap can be made of the folder.\n\nExample:\n  job-chief wrap etl/ | kubectl apply -f -')
    .action(async (folder: string, { name }: { name?: string }) => {
      process.exitCode = await wrap({ folder, name }, { out: writeLine, err: writeError });
    });
}

/** Writes the manifest; 1: the spec has errors, and nothing is written. */
export async function wrap({ folder, name }: WrapOptions, { out, err }: WrapStreams): Promise<number> {
  if (name !== undefined) checkName(name);
  const file = path.join(folder, specKey);
  const written = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`cannot read ${file}, the spec of the folder: ${asError(error).message}`);
  });
  const files = written.includes('/') ? (await treeFiles(folder)).map((one) => path.relative(folder, one.path).replaceAll(path.sep, '/')) : [];
  const text = withDataKeys(written, files);
  const { data, problems, others } = await filesBeside(file, text);
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  const parsed = parseSpec({ file, objectName: name ?? path.basename(path.resolve(folder)), label: undefined, data: { ...data, [specKey]: text } }, {});
  if (parsed.problems.length > 0) err(renderText(parsed.problems, new Map([[file, text]]), { excerpts: false, colours: false }));
  if (!parsed.spec) return exitCode.no;
  const used = isRunnable(parsed.spec) ? parsed.spec.files : [];
  const unused = [...others, ...Object.keys(data).filter((key) => !used.includes(key))].sort();
  if (unused.length > 0) err(`left out, since the spec does not name them: ${[...new Set(unused)].join(', ')}`);
  out(manifest(name ?? parsed.name, parsed.spec.kind, withinLimit({ [specKey]: text, ...Object.fromEntries(used.map((key) => [key, data[key] ?? ''])) })));
  return exitCode.ok;
}

function withinLimit(data: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const bytes = Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > mostBytes) throw new UserError(`the files have ${bytes} bytes in all, and a ConfigMap holds ${mostBytes}: move data into images or volumes`);
  return data;
}

function checkName(name: string): void {
  if (name.length > 253 || !new RegExp(subdomainPattern).test(name)) throw new UserError(`"${name}" cannot be the name of a ConfigMap: it ${subdomainMessage}`);
}

/** Texts as literal blocks: lint then shows places of problems in this very file. */
function manifest(name: string, kind: string, data: Readonly<Record<string, string>>): string {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { [kindLabel]: kind.toLowerCase() } }, data };
  return stringify(object, { blockQuote: 'literal', lineWidth: 0 }).replace(/\n$/, '');
}
