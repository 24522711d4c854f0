/** Access from a kubeconfig file, with every kind of authentication that client-node knows: certificates, tokens, exec, OIDC. */
import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../../lib/clock.ts';
import type { ClusterAccess, Credentials, TlsOptions } from './access.ts';

export interface KubeconfigOptions {
  readonly clock: Clock;
  /** A file; absent: KUBECONFIG, then ~/.kube/config. */
  readonly file?: string | undefined;
  readonly context?: string | undefined;
}

/** client-node reads certificate files on each call; what it gave is used for this long. */
const reuseFor = 10_000;

/** Throws with a sentence for the user where the file or the context is not there. */
export async function kubeconfigAccess(options: KubeconfigOptions): Promise<ClusterAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  let seen: DispatcherChoice = { type: 'none' };
  /**
   * client-node builds a new connection pool for each request (one TLS handshake per call). `none` makes it build
   * nothing, and what it would have used is kept for our one pool.
   */
  class Observed extends KubeConfig {
    override createDispatcherOptions(...given: Parameters<KubeConfig['createDispatcherOptions']>): DispatcherChoice {
      seen = super.createDispatcherOptions(...given);
      return { type: 'none' };
    }
  }
  const config = new Observed();
  load(config, options);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error(`kubeconfig has no usable context${options.context === undefined ? '' : ` "${options.context}"`}`);

  const fetch = async (): Promise<Credentials> => {
    const headers: Record<string, string> = {};
    const context = {
      setHeaderParam: (name: string, value: string) => {
        headers[name.toLowerCase()] = value.trim();
      },
      setDispatcher: () => undefined,
    };
    await config.applySecurityAuthentication(context as unknown as Parameters<KubeConfig['applySecurityAuthentication']>[0]);
    return { headers, tls: tlsOf(seen) };
  };
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    proxy: cluster.proxyUrl,
    ...reused(fetch, options.clock),
  };
}

type DispatcherChoice = ReturnType<KubeConfig['createDispatcherOptions']>;

function load(config: KubeConfig, options: KubeconfigOptions): void {
  if (options.file === undefined) config.loadFromDefault();
  else config.loadFromFile(options.file);
  if (options.context === undefined) return;
  if (!config.getContextObject(options.context)) {
    const known = config.getContexts().map((context) => context.name);
    throw new Error(`kubeconfig has no context "${options.context}" (it has: ${known.join(', ') || 'none'})`);
  }
  config.setCurrentContext(options.context);
}

function tlsOf(choice: DispatcherChoice): TlsOptions {
  if (choice.type === 'none') return {};
  return choice.type === 'agent' ? pickTls(choice.connect) : pickTls(choice.requestTls);
}

function pickTls(from: TlsOptions): TlsOptions {
  const { ca, cert, key, passphrase, rejectUnauthorized, servername } = from;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
  };
}

/** One fetch at a time, whose result serves for a while: an exec plugin must not be started once per request. */
function reused(fetch: () => Promise<Credentials>, clock: Clock): Pick<ClusterAccess, 'credentials' | 'forget'> {
  let current: { at: number; value: Promise<Credentials> } | undefined;
  return {
    credentials() {
      if (current === undefined || clock.monotonic() - current.at > reuseFor) {
        const mine = { at: clock.monotonic(), value: fetch() };
        mine.value.catch(() => {
          if (current === mine) current = undefined;
        });
        current = mine;
      }
      return current.value;
    },
    forget() {
      current = undefined;
    },
  };
}
