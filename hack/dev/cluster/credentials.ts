import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A static bearer token of the API server, as `--token-auth-file` wants it. */
export interface Token {
  token: string;
  user: string;
  groups: string[];
}

export const newToken = (user: string, groups: string[]): Token => ({ token: randomBytes(24).toString('base64url'), user, groups });

export function writeTokens(path: string, tokens: Token[]): void {
  const line = ({ token, user, groups }: Token): string => `${token},${user},${user},"${groups.join(',')}"\n`;
  writeFileSync(path, tokens.map(line).join(''), { mode: 0o600 });
}

export function writeServiceAccountKeys(folder: string): { key: string; pub: string } {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const key = join(folder, 'service-account.key');
  const pub = join(folder, 'service-account.pub');
  writeFileSync(key, pair.privateKey, { mode: 0o600 });
  writeFileSync(pub, pair.publicKey);
  return { key, pub };
}

/** JSON is YAML, and what kubectl and every client read. */
export function writeKubeconfig(path: string, at: { name: string; server: string; caFile: string; token: string; user: string }): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: at.name, cluster: { server: at.server, 'certificate-authority-data': readFileSync(at.caFile).toString('base64') } }],
    users: [{ name: at.user, user: { token: at.token } }],
    contexts: [{ name: at.name, context: { cluster: at.name, user: at.user, namespace: 'default' } }],
    'current-context': at.name,
  };
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}
