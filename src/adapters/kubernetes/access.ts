/** How to reach and be known to one API server. Implemented from a kubeconfig file and from a pod's own mounts. */
import type { ConnectionOptions } from 'node:tls';

export interface ClusterAccess {
  /** Base URL, such as `https://10.0.0.1:443`; a path prefix is kept. */
  readonly server: string;
  /** The namespace that the context or the pod names. */
  readonly namespace: string | undefined;
  readonly proxy?: string | undefined;
  /** Asked before every request, so it must be cheap: tokens and certificates rotate under a running process. */
  credentials(): Promise<Credentials>;
  /** The server said 401: whatever is cached is no longer good. */
  forget(): void;
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
}

export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername'>;

/** Whether a connection made with `a` may serve requests that ask for `b`. */
export function sameTls(a: TlsOptions, b: TlsOptions): boolean {
  if (a === b) return true;
  const text = (options: TlsOptions): string =>
    [options.ca, options.cert, options.key, options.passphrase, options.rejectUnauthorized, options.servername].map(String).join('\0');
  return text(a) === text(b);
}
