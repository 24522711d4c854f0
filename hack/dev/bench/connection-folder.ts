/** The files of a connection, as an operator mounts them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connection } from './specs.ts';

/** Gives the folder of connections, with one in it. */
export function writeConnection(folder: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(join(folder, connection), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, connection, name), text);
  return folder;
}
