/** Which ServiceAccount this process runs under, as its own token says. */
import { stringAt } from '../../lib/json.ts';
import type { Credentials } from './access.ts';

export interface OwnAccount {
  readonly namespace: string;
  readonly name: string;
}

/** undefined: these are not the credentials of a ServiceAccount. The token is ours, so nothing about it is verified. */
export function ownAccount({ headers }: Pick<Credentials, 'headers'>): OwnAccount | undefined {
  const [, payload] = (headers['authorization'] ?? '').replace(/^Bearer /, '').split('.');
  const [system, kind, namespace, name, ...rest] = (subjectOf(payload ?? '') ?? '').split(':');
  return system === 'system' && kind === 'serviceaccount' && namespace !== undefined && name !== undefined && rest.length === 0 ? { namespace, name } : undefined;
}

function subjectOf(payload: string): string | undefined {
  try {
    return stringAt(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')), 'sub');
  } catch {
    return undefined;
  }
}
