/** What the user named on the command line, read: files, folders with all they hold, standard input. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { asError } from '../../lib/clock.ts';
import { filesBeside, treeFiles, type FilesBeside } from '../spec-folder.ts';

/** One text to look for specs in. */
export interface SourceText {
  /** As the user gave it, `-` for standard input. */
  readonly name: string;
  readonly text: string;
  /** For a spec file: the files that it may name. */
  readonly beside?: FilesBeside;
  /** Named by the user, not found in a folder: that it is empty is worth a word. */
  readonly explicit: boolean;
}

/** Everything that was named, as far as it could be read. */
export interface ReadSources {
  readonly sources: readonly SourceText[];
  /** One sentence for each path that could not be read. */
  readonly unreadable: readonly string[];
}

const endings = new Set(['.yaml', '.yml', '.json']);
/** Not a ConfigMap, whose other data keys are all that its spec can name. */
const specFile = /^[ \t]*(\{[ \t]*)?["']?apiVersion["']?:[ \t]*["']?job-chief\//m;
/** Reads every path; `-` is what `stdin` gives. */
export async function readSources(paths: readonly string[], stdin: () => Promise<string>): Promise<ReadSources> {
  const sources: SourceText[] = [];
  const unreadable: string[] = [];
  for (const name of paths) {
    try {
      sources.push(...(name === '-' ? [{ name, text: await stdin(), explicit: true }] : await readPath(name)));
    } catch (error) {
      unreadable.push(`cannot read ${name}: ${asError(error).message}`);
    }
  }
  return { sources, unreadable };
}

async function readPath(name: string): Promise<SourceText[]> {
  if (!(await stat(name)).isDirectory()) return [await readSource(name, true)];
  const files = (await treeFiles(name)).filter(({ key }) => endings.has(path.extname(key)));
  return Promise.all(files.map((file) => readSource(file.path, false)));
}

async function readSource(name: string, explicit: boolean): Promise<SourceText> {
  const text = await readFile(name, 'utf8');
  return { name, text, explicit, ...(specFile.test(text) ? { beside: await filesBeside(name, text) } : {}) };
}
