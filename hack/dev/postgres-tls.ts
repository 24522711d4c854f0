/** Certificates for tests and the demo, made with openssl: one authority, one server, clients on request. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Servant } from './postgres-process.ts';

export interface Certificates {
  readonly caFile: string;
  readonly serverCertFile: string;
  readonly serverKeyFile: string;
  /** The authority's certificate as PEM. */
  readonly ca: string;
  /** A certificate by which a database user logs in. */
  client(user: string): { readonly cert: string; readonly key: string };
}

/** Throws where openssl is missing. The server's certificate is for 127.0.0.1 and localhost. */
export function makeCertificates(folder: string, servant: Servant): Certificates {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const at = (name: string): string => join(folder, name);
  openssl(['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', '-subj', '/CN=job-chief test authority', '-keyout', at('ca.key'), '-out', at('ca.crt')]);
  issue(at, 'server', '/CN=localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  if (servant.uid !== undefined) {
    for (const path of [folder, at('ca.crt'), at('server.crt'), at('server.key')]) chownSync(path, servant.uid, servant.gid ?? servant.uid);
  }
  return {
    caFile: at('ca.crt'),
    serverCertFile: at('server.crt'),
    serverKeyFile: at('server.key'),
    ca: readFileSync(at('ca.crt'), 'utf8'),
    client: (user) => {
      issue(at, `client-${user}`, `/CN=${user}`, 'extendedKeyUsage=clientAuth');
      return { cert: readFileSync(at(`client-${user}.crt`), 'utf8'), key: readFileSync(at(`client-${user}.key`), 'utf8') };
    },
  };
}

function issue(at: (name: string) => string, name: string, subject: string, extension: string): void {
  writeFileSync(at(`${name}.ext`), `${extension}\n`);
  openssl(['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', subject, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`)]);
  openssl(['x509', '-req', '-in', at(`${name}.csr`), '-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '30', '-extfile', at(`${name}.ext`), '-out', at(`${name}.crt`)]);
}

function openssl(args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
