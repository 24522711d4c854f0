import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Json, JsonObject } from '../../../../src/lib/json.ts';
import { sameTls } from '../../../../src/adapters/kubernetes/access.ts';
import { features } from '../../../../src/adapters/kubernetes/features.ts';
import { inClusterAccess } from '../../../../src/adapters/kubernetes/in-cluster.ts';
import { jsonLines } from '../../../../src/adapters/kubernetes/json-lines.ts';
import { kubeconfigAccess } from '../../../../src/adapters/kubernetes/kubeconfig.ts';
import { checkPermissions } from '../../../../src/adapters/kubernetes/permissions.ts';
import { hasReached } from '../../../../src/adapters/kubernetes/resource-version.ts';
import { jobs, pods } from '../../../../src/adapters/kubernetes/resources.ts';
import { TokenBucket } from '../../../../src/lib/token-bucket.ts';
import { KubernetesStatus } from '../../../../src/adapters/kubernetes/status-sink.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

function folder(files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), 'job-chief-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

describe('json lines', () => {
  const read = async (chunks: Uint8Array[]): Promise<Json[]> => {
    const documents: Json[] = [];
    for await (const document of jsonLines(Readable.from(chunks))) documents.push(document);
    return documents;
  };
  test('any cut of the bytes gives the same documents', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.array(fc.nat(200), { maxLength: 8 }), async (documents, cuts) => {
      const bytes = Buffer.from(documents.map((each) => `${JSON.stringify(each)}\n`).join(''));
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((end, n) => bytes.subarray(at[n], end));
      expect(JSON.stringify(await read(chunks))).toBe(JSON.stringify(documents));
    }));
  });
  test('a last line needs no line feed', async () => {
    expect(await read([Buffer.from('1\n\n{"a"'), Buffer.from(':2}')])).toEqual([1, { a: 2 }]);
  });
  test('half a document throws', async () => {
    await expect(read([Buffer.from('{"a":1}\n{"b"')])).rejects.toThrow(SyntaxError);
  });
});

test.each<[string | undefined, string, boolean]>([
  [undefined, '1', false], ['1', '1', true], ['2', '1', true], ['9', '10', false], ['10', '9', true], ['9007199254740993', '9007199254740992', true], ['9007199254740992', '9007199254740993', false], ['x', '1', false], ['x', 'x', true], ['5', 'x', false],
])('version %s has reached %s: %s', (seen, wanted, expected) => {
  expect(hasReached(seen, wanted)).toBe(expected);
});

describe('token bucket', () => {
  test('never lets through more than burst + qps × time', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(500), { minLength: 1, maxLength: 60 }), (qps, burst, gaps) => {
      let now = 0;
      const clock = { now: () => now, monotonic: () => now, timer: () => ({ cancel: () => undefined }) };
      const bucket = new TokenBucket(clock, { qps, burst });
      const uses = gaps.map((gap) => {
        now += gap;
        return now + bucket.take();
      });
      for (const start of uses) for (const end of uses) {
        const inside = uses.filter((use) => use >= start && use <= end).length;
        if (end >= start) expect(inside).toBeLessThanOrEqual(burst + (qps * (end - start)) / 1000 + 1.000001);
      }
    }));
  });
  test('tryTake takes nothing when there is nothing', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { qps: 1, burst: 1 });
    expect([bucket.tryTake(), bucket.tryTake()]).toEqual([true, false]);
    await clock.advance(1000);
    expect(bucket.tryTake()).toBe(true);
  });
});

describe('access from inside a pod', () => {
  const mount = () => folder({ token: 'first\n', 'ca.crt': 'CA', namespace: 'etl\n' });
  test('server, namespace, token and CA', async () => {
    const access = inClusterAccess({ host: 'fd00::1', port: '443', clock: new FakeClock(), folder: mount() });
    expect([access.server, access.namespace]).toEqual(['https://[fd00::1]:443', 'etl']);
    expect((await access.credentials()).headers).toEqual({ authorization: 'Bearer first' });
    expect(String((await access.credentials()).tls.ca)).toBe('CA');
  });
  test('the token is read again after a minute, or after a 401; one that cannot be read leaves the old one', async () => {
    const path = mount();
    const clock = new FakeClock();
    const access = inClusterAccess({ host: 'h', port: '1', clock, folder: path });
    const token = async () => (await access.credentials()).headers['authorization'];
    writeFileSync(join(path, 'token'), 'second');
    await clock.advance(60_000);
    expect(await token()).toBe('Bearer first');
    await clock.advance(1);
    expect(await token()).toBe('Bearer second');
    writeFileSync(join(path, 'token'), 'third');
    access.forget();
    expect(await token()).toBe('Bearer third');
    rmSync(join(path, 'token'));
    access.forget();
    expect(await token()).toBe('Bearer third');
  });
  test('without a mount it throws', () => {
    expect(() => inClusterAccess({ host: 'h', port: '1', clock: new FakeClock(), folder: folder({}) })).toThrow('ENOENT');
  });
});

describe('access from a kubeconfig', () => {
  const config = (user: JsonObject, cluster: JsonObject = {}): string => {
    const path = folder({});
    const file = join(path, 'config');
    writeFileSync(file, JSON.stringify({
      'current-context': 'one',
      clusters: [{ name: 'c', cluster: { server: 'https://example.com:6443/prefix/', 'certificate-authority-data': Buffer.from('CA').toString('base64'), ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'one', context: { cluster: 'c', user: 'u', namespace: 'etl' } }, { name: 'two', context: { cluster: 'c', user: 'u' } }],
    }));
    return file;
  };
  const clock = new FakeClock();
  test('token, CA, namespace', async () => {
    const access = await kubeconfigAccess({ clock, file: config({ token: 'secret' }) });
    expect([access.server, access.namespace]).toEqual(['https://example.com:6443/prefix', 'etl']);
    const credentials = await access.credentials();
    expect(credentials.headers).toEqual({ authorization: 'Bearer secret' });
    expect(String(credentials.tls.ca)).toBe('CA');
  });
  test('client certificates, and no check of the server', async () => {
    const data = (text: string) => Buffer.from(text).toString('base64');
    const access = await kubeconfigAccess({ clock, file: config({ 'client-certificate-data': data('CERT'), 'client-key-data': data('KEY') }, { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true }) });
    const { tls } = await access.credentials();
    expect([String(tls.cert), Buffer.from(tls.key as Buffer).toString(), tls.rejectUnauthorized]).toEqual(['CERT', 'KEY', false]);
  });
  test('a context by name', async () => {
    expect((await kubeconfigAccess({ clock, file: config({ token: 'x' }), context: 'two' })).namespace).toBeUndefined();
    await expect(kubeconfigAccess({ clock, file: config({}), context: 'three' })).rejects.toThrow('kubeconfig has no context "three" (it has: one, two)');
  });
  test('an exec plugin runs once for many requests, and again after a 401', async () => {
    const count = join(folder({}), 'count');
    const script = `echo x >> ${count}; echo '{"kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"2000-01-01T00:00:00Z"}}'`;
    const access = await kubeconfigAccess({ clock, file: config({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/sh', args: ['-c', script] } }) });
    const { readFileSync } = await import('node:fs');
    const runs = () => readFileSync(count, 'utf8').trim().split('\n').length;
    await Promise.all([access.credentials(), access.credentials()]);
    expect((await access.credentials()).headers).toEqual({ authorization: 'Bearer t' });
    expect(runs()).toBe(1);
    access.forget();
    await access.credentials();
    expect(runs()).toBe(2);
  });
  test('an exec plugin that fails is asked again by the next request', async () => {
    const access = await kubeconfigAccess({ clock, file: config({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/false' } }) });
    await expect(access.credentials()).rejects.toThrow();
    await expect(access.credentials()).rejects.toThrow();
  });
});

test('TLS options are the same by content', () => {
  expect(sameTls({ ca: Buffer.from('a') }, { ca: Buffer.from('a') })).toBe(true);
  expect(sameTls({ ca: Buffer.from('a') }, { ca: Buffer.from('b') })).toBe(false);
  expect(sameTls({ cert: 'a' }, { key: 'a' })).toBe(false);
});

test('features are on, off with what is missing, or unknown', async () => {
  const asked: string[] = [];
  const client = {
    namespace: 'etl',
    ask: (_resource: unknown, body: JsonObject) => {
      const { verb, resource } = (body['spec'] as JsonObject)['resourceAttributes'] as { verb: string; resource: string };
      asked.push(`${verb} ${resource}`);
      if (verb === 'watch') return Promise.resolve({ kind: 'failed' as const, message: 'x', forbidden: false });
      return Promise.resolve({ kind: 'found' as const, value: { status: { allowed: verb !== 'create' } } });
    },
  };
  const states = await checkPermissions(client, [
    { name: 'a', rights: [{ verb: 'list', resource: pods }] },
    { name: 'b', rights: [{ verb: 'list', resource: pods }, { verb: 'create', resource: jobs }, { verb: 'watch', resource: jobs }] },
    { name: 'c', rights: [{ verb: 'watch', resource: jobs }, { verb: 'get', resource: pods, subresource: 'log' }] },
  ]);
  expect(states).toEqual([
    { name: 'a', state: 'on', missing: [] },
    { name: 'b', state: 'off', missing: ['create jobs.batch'] },
    { name: 'c', state: 'unknown', missing: [], message: 'x' },
  ]);
  expect(asked.length).toBe(4);
});

test('the right to one object is asked for by its name: a Role that grants it grants nothing without', async () => {
  const client = { namespace: 'etl', ask: (_resource: unknown, body: JsonObject) => {
    const { verb, name } = (body['spec'] as JsonObject)['resourceAttributes'] as { verb: string; name?: string };
    return Promise.resolve({ kind: 'found' as const, value: { status: { allowed: verb === 'get' && name === 'job-chief' } } });
  } };
  const wanted = features({ specs: 'folder', status: false, records: false, messageHistory: false, events: false, httpApi: false, lease: 'job-chief' }).filter(({ name }) => name === 'high availability');
  expect(await checkPermissions(client, wanted)).toEqual([
    { name: 'high availability', state: 'off', missing: ['patch leases.coordination.k8s.io/job-chief', 'create leases.coordination.k8s.io'] },
  ]);
  expect(features({ specs: 'folder', status: false, records: false, messageHistory: false, events: false, httpApi: false, lease: undefined }).map(({ name }) => name)).not.toContain('high availability');
});

test('status is a merge patch with the UID in it', async () => {
  const seen: unknown[] = [];
  const sink = new KubernetesStatus({ client: { mergePatch: (resource, name, patch) => {
    seen.push([resource.plural, name, patch]);
    return Promise.resolve({ kind: 'gone' as const });
  } } });
  expect(await sink.write({ name: 'a', uid: 'u' }, { annotation: '{}', state: 'Idle', health: 'Healthy' })).toEqual({ kind: 'gone' });
  expect(seen).toEqual([['configmaps', 'a', { metadata: { uid: 'u', annotations: { 'job-chief/status': '{}', 'job-chief/health': 'Healthy' }, labels: { 'job-chief/state': 'Idle' } } }]]);
});
