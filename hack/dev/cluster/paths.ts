import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const env = (name: string): string | undefined => process.env[name] === '' ? undefined : process.env[name];

export const repository = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Built binaries live here, shared by all clusters and checkouts. */
export const cacheFolder = join(env('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'job-chief');

/** One folder per cluster: state, certificates, kubeconfig, data, logs. Gone after `down`. */
export const clustersFolder = join(env('XDG_STATE_HOME') ?? join(homedir(), '.local', 'state'), 'job-chief', 'clusters');

export const defaultName = 'demo';

export function clusterFolder(name: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/.test(name)) {
    throw new Error(`cluster name "${name}": use up to 30 lower-case letters, digits and inner dashes`);
  }
  return join(clustersFolder, name);
}
