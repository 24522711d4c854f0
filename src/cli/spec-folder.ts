/** The files of a folder tree as data keys: by their base names, since keys of a ConfigMap cannot contain a slash. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { specKey } from '../spec/keys.ts';
import { matching } from '../spec/workflow-files.ts';

/** A file below a folder. */
export interface TreeFile {
  readonly key: string;
  readonly path: string;
}

/** Never part of a spec, and large. */
const skipped = new Set(['node_modules']);
/** A tree with more is no folder of specs: looking further would take long and find nothing. */
const mostFiles = 20_000;

/** The files of the tree in the order of their paths, at most so many, hidden ones left out. */
export async function treeFiles(folder: string, most = Number.POSITIVE_INFINITY): Promise<TreeFile[]> {
  const found: TreeFile[] = [];
  const visit = async (inside: string): Promise<void> => {
    const entries = (await readdir(inside, { withFileTypes: true })).sort((left, right) => (left.name < right.name ? -1 : 1));
    for (const entry of entries) {
      const full = path.join(inside, entry.name);
      if (entry.name.startsWith('.') || skipped.has(entry.name) || found.length >= most) continue;
      if (entry.isDirectory()) await visit(full);
      else if (entry.isFile() || (await mayBeFile(full))) found.push({ key: entry.name, path: full });
    }
  };
  await visit(folder);
  return found;
}

/** A link to a file, or one that leads nowhere: whoever reads it will say so. */
async function mayBeFile(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isFile();
  } catch {
    return true;
  }
}

/** What lies beside a spec file, as far as the spec may name it. */
export interface FilesBeside {
  /** Text by data key. */
  readonly data: Readonly<Record<string, string>>;
  /** Path by data key. */
  readonly paths: ReadonlyMap<string, string>;
  /** Why files that the spec may name are not among them: a sentence each. */
  readonly problems: readonly string[];
  /** Base names of all files that the spec does not mention. */
  readonly others: readonly string[];
}

/** Reads the files below the folder of `specFile` that its text mentions. Most specs mention none: then no folder is read. */
export async function filesBeside(specFile: string, text: string): Promise<FilesBeside> {
  if (!/\b(jobFiles?|files)\b/.test(text)) return { data: {}, paths: new Map(), problems: [], others: [] };
  const own = path.resolve(specFile);
  const tree = (await treeFiles(path.dirname(specFile), mostFiles)).filter((file) => path.resolve(file.path) !== own && file.key !== specKey);
  const byKey = Map.groupBy(tree, ({ key }) => key);
  const mentioned = mentionedKeys(text, [...byKey.keys()]);
  const problems: string[] = [];
  const texts = new Map<string, { readonly path: string; readonly text: string }>();
  for (const [key, [file, ...more]] of byKey) {
    if (!mentioned.has(key) || !file) continue;
    const content = more.length === 0 ? decoded(await readFile(file.path)) : undefined;
    if (content !== undefined) texts.set(key, { path: file.path, text: content });
    else problems.push(more.length > 0 ? `several files are named ${key}, and data keys are base names: ${[file, ...more].map((one) => one.path).join(', ')}` : `${file.path} is no UTF-8 text, and only texts can be data keys of a spec`);
  }
  return {
    data: Object.fromEntries([...texts].map(([key, file]) => [key, file.text])),
    paths: new Map([...texts].map(([key, file]) => [key, file.path])),
    problems,
    others: [...byKey.keys()].filter((key) => !mentioned.has(key)),
  };
}

/** Before anything is parsed: rather too many than too few. */
function mentionedKeys(text: string, keys: readonly string[]): Set<string> {
  const patterns = Array.from(text.matchAll(/jobFiles["']?\s*:\s*["']?([^\s"',}]+)/g), ([, pattern]) => pattern ?? '');
  const words = new Set(text.split(/[\s"',{}[\]:#]+/));
  return new Set([...keys.filter((key) => words.has(key)), ...patterns.flatMap((pattern) => matching(pattern, keys))]);
}

function decoded(content: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}
