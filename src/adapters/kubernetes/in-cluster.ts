/**
 * Access from inside a pod, read straight from the ServiceAccount mount. It needs nothing of client-node, whose import
 * costs about 90 MiB and a third of a second: the controller in its usual place never pays for it.
 */
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { ClusterAccess, Credentials } from './access.ts';

/** Where every pod finds its ServiceAccount. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The kubelet replaces the token well before it expires; client-go re-reads once a minute as well. */
const rereadAfter = 60_000;

export interface InClusterOptions {
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  readonly host: string;
  readonly port: string;
  readonly clock: Clock;
  readonly folder?: string;
}

/** Throws where the mount is missing: then this is not a pod, or one with automountServiceAccountToken: false. */
export function inClusterAccess(options: InClusterOptions): ClusterAccess {
  const folder = options.folder ?? serviceAccountFolder;
  const read = (): Credentials => ({
    headers: { authorization: `Bearer ${readFileSync(join(folder, 'token'), 'utf8').trim()}` },
    tls: { ca: readFileSync(join(folder, 'ca.crt')) },
  });
  let current = read();
  let readAt = options.clock.monotonic();
  return {
    server: `https://${isIPv6(options.host) ? `[${options.host}]` : options.host}:${options.port}`,
    namespace: namespaceIn(folder),
    credentials() {
      if (options.clock.monotonic() - readAt > rereadAfter) {
        current = freshOr(read, current);
        readAt = options.clock.monotonic();
      }
      return Promise.resolve(current);
    },
    forget() {
      readAt = -Infinity;
    },
  };
}

/** The old token may still be good while the mount is being swapped; a 401 says so if it is not. */
function freshOr(read: () => Credentials, old: Credentials): Credentials {
  try {
    return read();
  } catch {
    return old;
  }
}

function namespaceIn(folder: string): string | undefined {
  try {
    const text = readFileSync(join(folder, 'namespace'), 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
