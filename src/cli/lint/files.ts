/** What the user named on the command line, read: files, folders with all they hold, standard input. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { asError } from '../../lib/clock.ts';

/** One text to look for specs in. */
export interface SourceText {
  /** As the user gave it, `-` for standard input. */
  readonly name: string;
  readonly text: string;
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
/** Never the place of specs, and large. */
const skipped = new Set(['node_modules']);

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
  if (!(await stat(name)).isDirectory()) return [{ name, text: await readFile(name, 'utf8'), explicit: true }];
  const files = await filesUnder(name);
  return Promise.all(files.map(async (file) => ({ name: file, text: await readFile(file, 'utf8'), explicit: false })));
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((left, right) => (left.name < right.name ? -1 : 1));
  const found: string[] = [];
  for (const entry of entries) {
    const file = path.join(folder, entry.name);
    if (entry.name.startsWith('.') || skipped.has(entry.name)) continue;
    if (entry.isDirectory()) found.push(...(await filesUnder(file)));
    else if (endings.has(path.extname(entry.name)) && (await stat(file)).isFile()) found.push(file);
  }
  return found;
}
