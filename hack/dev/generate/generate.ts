/**
 * Writes every generated file of the repository; with --check it writes nothing and fails on any difference.
 * A new generator is a function in the list below.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { httpReference } from './http-reference.ts';
import { kubernetesJob } from './kubernetes-job.ts';
import { publishedSchemas } from './published-schemas.ts';
import { specReference } from './spec-reference.ts';

/** One generated file; the path counts from the root of the repository. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

/** Order matters: later generators may import what earlier ones wrote. */
const generators: readonly (() => Promise<readonly GeneratedFile[]>)[] = [kubernetesJob, publishedSchemas, specReference, httpReference];

const root = path.resolve(import.meta.dirname, '../../..');

/** Paths whose content on disk is not what the generators give; unless `check` is set they are written. */
export async function generate(check: boolean): Promise<string[]> {
  const different: string[] = [];
  for (const generator of generators) {
    for (const file of await generator()) {
      const target = path.join(root, file.path);
      const present = await readFile(target, 'utf8').catch(() => undefined);
      if (present === file.content) continue;
      different.push(file.path);
      if (check) continue;
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, file.content);
    }
  }
  return different;
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const different = await generate(check);
  for (const file of different) console.error(check ? `${file} is not what the generators give: run npm run generate` : `wrote ${file}`);
  process.exitCode = check && different.length > 0 ? 1 : 0;
}
