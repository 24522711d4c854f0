import { describe, expect, it } from 'vitest';
import { ownAccount } from '../../../../src/adapters/kubernetes/own-account.ts';

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
