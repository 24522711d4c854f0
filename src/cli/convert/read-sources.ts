/** What the user named, read: a file, a folder with all it holds, standard input. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { asError } from '../../lib/clock.ts';
import { isObject } from '../../lib/json.ts';
import type { Problem } from '../../spec/problem.ts';
import { UserError } from '../exit-code.ts';
import { treeFiles } from '../spec-folder.ts';
import type { NamedFile, SourceFiles } from './format.ts';
import { Item } from './item.ts';
import { readText, type ReadText } from './source-document.ts';
import { mendJson } from './tolerant-json.ts';

/** All documents, those inside of lists and ConfigMaps too. */
export interface ReadSources {
  readonly documents: readonly Item[];
  readonly problems: readonly Problem[];
  /** Texts by name, to show where a problem is. */
  readonly texts: ReadonlyMap<string, string>;
}

const endings = new Set(['.yaml', '.yml', '.json']);
/** Data key of the predecessor's ConfigMap. */
const jobsKey = 'jobs.json';

/** Reads `name`; `-` is what `stdin` gives. Throws a UserError where it cannot be read. */
export async function readSources(name: string, stdin: () => Promise<string>): Promise<ReadSources> {
  const found = name === '-' ? [{ file: '-', text: await stdin() }] : await namedFiles(name);
  const read = found.map(readDocuments);
  return {
    documents: read.flatMap(({ documents }) => documents.flatMap((document) => parts(Item.of(document)))),
    problems: read.flatMap(({ problems }) => problems),
    texts: new Map(found.map(({ file, text }) => [file, text])),
  };
}

async function namedFiles(name: string): Promise<NamedFile[]> {
  try {
    if (!(await stat(name)).isDirectory()) return [{ file: name, text: await readFile(name, 'utf8') }];
    const files = (await treeFiles(name)).filter(({ key }) => endings.has(path.extname(key)));
    return await Promise.all(files.map(async (file) => ({ file: file.path, text: await readFile(file.path, 'utf8') })));
  } catch (error) {
    throw new UserError(`cannot read ${name}: ${asError(error).message}`);
  }
}

/** JSON may have comments and slips, which are told. Objects one after the other are several documents. */
function readDocuments({ file, text }: NamedFile): ReadText {
  const mended = mendJson(text);
  if (!mended) return readText({ file, text });
  const read = readText({ file, text: mended.text });
  const slips = mended.slips.map(({ offset, message }): Problem => {
    const before = text.slice(0, offset).split('\n');
    return { code: 'InvalidJson', severity: 'warning', message, position: { file, line: before.length, column: (before.at(-1) ?? '').length + 1 }, hint: 'read as if it were there' };
  });
  return { documents: read.documents, problems: [...slips, ...read.problems] };
}

/** The items of a List, and the jobs.json in a ConfigMap. */
function parts(item: Item): Item[] {
  if (!isObject(item.value)) return [item];
  const { kind } = item.value;
  if (typeof kind === 'string' && /List$/.test(kind) && Array.isArray(item.value['items'])) return item.at('items').members().flatMap(parts);
  const text = kind === 'ConfigMap' ? item.at('data', jobsKey) : undefined;
  if (text?.text === undefined) return [item];
  const { documents } = readText({ file: item.document.file, text: mendJson(text.text)?.text ?? text.text, place: item.document.inside(text.path) });
  return documents.length === 0 ? [item] : documents.map((document) => Item.of(document));
}

/** Files beside the source that names them. */
export const sourceFiles: SourceFiles = {
  read: async (name, from) => {
    const file = besides(name, from);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : { file, text };
  },
  folder: async (name, from) => {
    const folder = besides(name, from);
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    const names = entries?.filter((entry) => entry.isFile() && endings.has(path.extname(entry.name))).map((entry) => entry.name).sort();
    return names && Promise.all(names.map(async (one) => ({ file: path.join(folder, one), text: await readFile(path.join(folder, one), 'utf8') })));
  },
};

function besides(name: string, from: string): string {
  return path.join(from === '-' ? '.' : path.dirname(from), path.isAbsolute(name) ? path.relative(path.dirname(from), name) : name);
}
