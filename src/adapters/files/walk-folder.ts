/** The YAML files below a folder, and when they changed. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface FileStamp {
  /** Differs when the content may differ. */
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly changedAt: number;
}

/** Deeper than anybody sorts specs, and an end to links that lead back up. */
const deepest = 8;

/** Paths within the folder, in order. Throws unless all of it could be looked through. */
export async function listFolder(folder: string): Promise<ReadonlyMap<string, FileStamp>> {
  const found = new Map<string, FileStamp>();
  await walk(folder, '', found);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** undefined: gone since it was listed. */
export function readText(folder: string, path: string): Promise<string | undefined> {
  return unlessGone(readFile(join(folder, path), 'utf8'));
}

/**
 * Names with a leading dot are left out: `..data` and its timestamped twin of a mounted ConfigMap hold the same files
 * that the links beside them lead to. Links are followed.
 */
async function walk(root: string, inside: string, found: Map<string, FileStamp>): Promise<void> {
  const names = inside === '' ? await readdir(root) : await unlessGone(readdir(join(root, inside)));
  for (const name of names ?? []) {
    if (name.startsWith('.')) continue;
    const path = inside === '' ? name : `${inside}/${name}`;
    const info = await unlessGone(stat(join(root, path)));
    if (info?.isDirectory() === true && path.split('/').length < deepest) await walk(root, path, found);
    else if (info?.isFile() === true && /\.ya?ml$/i.test(name)) found.set(path, { text: `${info.ino} ${info.size} ${info.mtimeMs} ${info.ctimeMs}`, changedAt: Math.floor(info.mtimeMs) });
  }
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
