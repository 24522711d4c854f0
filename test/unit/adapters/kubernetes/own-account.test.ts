import { describe, expect, it } from 'vitest';
import { ownAccount, ownSecrets } from '../../../../src/adapters/kubernetes/own-account.ts';

const token = (claims: unknown): { headers: Record<string, string> } => ({ headers: { authorization: `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig` } });

describe('the ServiceAccount of this process', () => {
  it('is the subject of its token', () => {
    expect(ownAccount(token({ sub: 'system:serviceaccount:etl:job-chief' }))).toEqual({ namespace: 'etl', name: 'job-chief' });
  });

  it.each([
    ['a person', token({ sub: 'jane' })],
    ['a node', token({ sub: 'system:node:a' })],
    ['a subject with more in it', token({ sub: 'system:serviceaccount:a:b:c' })],
    ['a token without a subject', token({})],
    ['a token that is no JSON', { headers: { authorization: 'Bearer a.b.c' } }],
    ['an opaque token', { headers: { authorization: 'Bearer abc' } }],
    ['a client certificate', { headers: {} }],
  ])('is not known from %s', (_what, credentials) => {
    expect(ownAccount(credentials)).toBeUndefined();
  });
});

describe('the Secrets of the pod of this process', () => {
  const pod = {
    serviceAccountName: 'job-chief',
    imagePullSecrets: [{ name: 'registry' }],
    volumes: [{ name: 'a', secret: { secretName: 'main-database' } }, { name: 'b', projected: { sources: [{ serviceAccountToken: { path: 't' } }, { secret: { name: 'tokens' } }] } }, { name: 'c', configMap: { name: 'config' } }],
    containers: [{ name: 'job-chief', env: [{ name: 'A', value: 'x' }, { name: 'B', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }], envFrom: [{ secretRef: { name: 'more' } }, { configMapRef: { name: 'config' } }] }],
    initContainers: [{ name: 'i', env: [{ name: 'B', valueFrom: { secretKeyRef: { name: 'tokens', key: 'k' } } }] }],
  };
  const client = (spec: object) => ({ get: (_resource: unknown, name: string) => Promise.resolve(name === 'job-chief-x7' ? { kind: 'found' as const, value: { spec } as never } : { kind: 'absent' as const }) });

  it('are those that it mounts or has in its env, but not those for pulling images', async () => {
    expect(await ownSecrets(client(pod), 'job-chief-x7', 'job-chief')).toEqual({ kind: 'known', names: ['env', 'main-database', 'more', 'tokens'] });
  });

  it.each([
    ['there is no such pod', client(pod), 'elsewhere', 'job-chief'],
    ['it is another pod, which runs under another ServiceAccount', client(pod), 'job-chief-x7', 'default'],
    ['it may not be read', { get: () => Promise.resolve({ kind: 'failed' as const, message: 'no', forbidden: true }) }, 'job-chief-x7', 'job-chief'],
  ])('are not known where %s', async (_what, from, name, account) => {
    expect(await ownSecrets(from, name, account)).toEqual({ kind: 'unknown' });
  });

  it('may be known later where nobody answers now', async () => {
    expect(await ownSecrets({ get: () => Promise.resolve({ kind: 'failed', message: 'timed out', forbidden: false }) }, 'a', 'b')).toEqual({ kind: 'unanswered', message: 'timed out' });
  });
});
