/** Certificates of the HTTP API: read at the start, and again when their files have changed; and who a client's names. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { PeerCertificate, SecureContextOptions, TLSSocket } from 'node:tls';
import type { Clock } from '../../../lib/clock.ts';
import { asMessage } from '../../../lib/show.ts';
import type { Log } from '../../../reconcile/ports.ts';
import type { Caller, Role } from './role.ts';

export interface TlsOptions {
  /** Files in PEM. */
  readonly cert: string;
  readonly key: string;
  /** Who signs client certificates; undefined: nobody is asked for one. */
  readonly clientCa: string | undefined;
  /** Role by a name in a client's certificate: its common name, or a DNS, URI or e-mail name. */
  readonly clients: Readonly<Record<string, Role>>;
}

export interface TlsMaterial extends SecureContextOptions {
  readonly cert: string;
  readonly key: string;
}

/** Milliseconds between two looks at the files; connections that come meanwhile get what there is. */
const freshFor = 60_000;

/** What the server is started with; rejects where a file cannot be read. */
export async function readTls({ cert, key, clientCa }: TlsOptions): Promise<TlsMaterial> {
  const [certText, keyText, caText] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8'), clientCa === undefined ? undefined : readFile(clientCa, 'utf8')]);
  return { cert: certText, key: keyText, ...(caText === undefined ? {} : { ca: caText }) };
}

/** Renews the server's context; a pair that does not fit leaves the old one in place. */
export class TlsRenewal {
  readonly #deps: { readonly clock: Clock; readonly log: Log; readonly options: TlsOptions; readonly use: (material: TlsMaterial) => void };
  #digest: string;
  #lookedAt: number;

  constructor(deps: { readonly clock: Clock; readonly log: Log; readonly options: TlsOptions; readonly use: (material: TlsMaterial) => void }, first: TlsMaterial) {
    this.#deps = deps;
    this.#digest = digestOf(first);
    this.#lookedAt = deps.clock.monotonic();
  }

  /** To be called with each connection. */
  async look(): Promise<void> {
    const { clock, log, options, use } = this.#deps;
    if (clock.monotonic() - this.#lookedAt < freshFor) return;
    this.#lookedAt = clock.monotonic();
    try {
      const material = await readTls(options);
      if (digestOf(material) === this.#digest) return;
      use(material);
      this.#digest = digestOf(material);
      log.info({ code: 'CertificateChanged' }, 'the certificate of the HTTP API was renewed');
    } catch (error) {
      log.warn({ code: 'CertificateUnusable', because: asMessage(error) }, 'the certificate of the HTTP API cannot be renewed');
    }
  }
}

/** Whose certificate this is. undefined: there is none, it is not signed by the client CA, or nobody gave its names a role. */
export function certificateCaller(socket: object, clients: TlsOptions['clients']): Caller | undefined {
  if (!isTls(socket) || !socket.authorized) return undefined;
  for (const name of namesIn(socket.getPeerCertificate())) {
    const role = Object.hasOwn(clients, name) ? clients[name] : undefined;
    if (role !== undefined) return { name, role };
  }
  return undefined;
}

function isTls(socket: object): socket is TLSSocket {
  return 'getPeerCertificate' in socket;
}

/** `DNS:a, URI:spiffe://b`: quoted parts hold commas of their own, and are nobody's name. */
function namesIn({ subject, subjectaltname }: Partial<PeerCertificate>): readonly string[] {
  const common = [subject?.CN ?? []].flat();
  const others = (subjectaltname ?? '').split(', ').flatMap((part) => /^(?:DNS|URI|email):([^"]+)$/.exec(part)?.[1] ?? []);
  return [...common, ...others];
}

function digestOf({ cert, key, ca }: TlsMaterial): string {
  return createHash('sha256').update(JSON.stringify([cert, key, ca])).digest('hex');
}
