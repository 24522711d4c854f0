/** How the image starts Node.js, read from the Dockerfile: demo, end-to-end tests and bench start it the same way. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './cluster/paths.ts';

export interface ImageSettings {
  /** Flags of Node.js. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Throws where the Dockerfile says it in another form. */
export function imageSettings(): ImageSettings {
  const lines = readFileSync(join(repository, 'Dockerfile'), 'utf8').split('\n');
  const last = (instruction: string): string => {
    const line = lines.findLast((each) => each.startsWith(`${instruction} `));
    if (line === undefined) throw new Error(`the Dockerfile has no ${instruction}`);
    return line.slice(instruction.length + 1);
  };
  const entrypoint = JSON.parse(last('ENTRYPOINT')) as string[];
  const env = last('ENV').split(' ').map((each): [string, string] => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]);
  return { flags: entrypoint.slice(1, -1), env: Object.fromEntries(env) };
}
