import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions } from '../../../../src/adapters/log/logger.ts';
import { redacted, scrub } from '../../../../src/adapters/log/scrub.ts';
import type { Log } from '../../../../src/reconcile/ports.ts';

async function aLog(options: Partial<LogOptions> = {}): Promise<{ log: Log; lines: () => Record<string, unknown>[]; text: () => string }> {
  let text = '';
  const destination = { write: (line: string) => void (text += line) };
  const log = await createLog({ level: 'info', pretty: false, instance: 'default', namespace: 'etl', destination, ...options });
  return { log, text: () => text, lines: () => text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('log lines', () => {
  it('are JSON with time, level, instance, namespace, fields and message', async () => {
    const { log, lines } = await aLog();
    log.info({ spec: 'queue/thumbnails', code: 'JobCreated', job: 'thumbnails-abc' }, 'job created');
    const [line] = lines();
    expect(line).toEqual({
      level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/) as string, instance: 'default', namespace: 'etl',
      spec: 'queue/thumbnails', code: 'JobCreated', job: 'thumbnails-abc', msg: 'job created',
    });
  });

  it('are left out below the level', async () => {
    const { log, text } = await aLog({ level: 'warn' });
    log.debug({}, 'no');
    log.info({}, 'no');
    log.warn({}, 'yes');
    expect(text()).toContain('yes');
    expect(text()).not.toContain('no"');
  });

  it('keep a message with percent signs as it is', async () => {
    const { log, lines } = await aLog();
    log.info({ a: 1 }, '100 %s and %d');
    expect(lines()[0]).toMatchObject({ msg: '100 %s and %d' });
  });

  it('are for people where pretty is configured', async () => {
    const { log, text } = await aLog({ pretty: true });
    log.info({ job: 'thumbnails-abc' }, 'job created');
    expect(text()).toMatch(/INFO.*job created/);
    expect(text()).toContain('thumbnails-abc');
  });
});

describe('errors', () => {
  it('show type, message, code, stack and cause, and nothing that a library hung on them', async () => {
    const { log, lines, text } = await aLog();
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', config: { secretThing: 'hunter2' } });
    const error = Object.assign(new TypeError('reading jobs', { cause }), { request: { body: 'hunter2' }, response: { text: 'hunter2' } });
    log.error({ err: error }, 'a round failed');
    expect(lines()[0]).toMatchObject({ err: { type: 'TypeError', message: 'reading jobs', cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' } } });
    expect(text()).not.toContain('hunter2');
  });

  it('are understood as fields too', async () => {
    const { log, lines } = await aLog();
    log.error(new Error('broken'), 'a round failed');
    expect(lines()[0]).toMatchObject({ err: { type: 'Error', message: 'broken' }, msg: 'a round failed' });
  });
});

describe('secrets never come out', () => {
  const secret = 'hunter2hunter2';
  it.each<[string, object]>([
    ['as a password', { password: secret }],
    ['in a nested connection', { connection: { main: { pg: { DB_PASSWORD: secret, host: 'db' } } } }],
    ['in a pod template', { job: { spec: { containers: [{ env: [{ name: 'X', value: secret }] }] } } }],
    ['in a named value outside of env', { parameters: [{ name: 'API_KEY', value: secret }] }],
    ['in a Map', { all: new Map([['client-key', secret]]) }],
    ['as a header', { headers: { authorization: `Bearer ${secret}` } }],
    ['as a message body', { message: { id: 1, body: { card: secret } } }],
    ['in ConfigMap data', { configMap: { data: { 'spec.yaml': secret } } }],
    ['in a URL', { url: `postgres://app:${secret}@db:5432/main` }],
    ['in a URL inside an error', { err: new Error(`cannot connect to amqp://u:${secret}@mq/vhost`) }],
    ['in the cause of an error', { err: new Error('x', { cause: { token: secret } }) }],
    ['in a connection string', { detail: `host=db password=${secret} dbname=x` }],
    ['in one of several errors', { err: new AggregateError([new Error(`Bearer ${secret}`)]) }],
    ['as bytes', { raw: Buffer.from(secret) }],
    ['too deep to be looked at', { a: { b: { c: { d: { e: { f: { g: secret } } } } } } }],
  ])('%s', async (_, fields) => {
    const { log, text } = await aLog();
    log.warn(fields, 'something happened');
    expect(text()).toContain('something happened');
    expect(text()).not.toContain(secret);
  });

  it('in the message itself', async () => {
    const { log, text } = await aLog();
    log.warn({}, `cannot reach postgres://app:${secret}@db`);
    expect(text()).toContain(`postgres://app:${redacted}@db`);
    expect(text()).not.toContain(secret);
  });

  it('under a secret key at any depth of any value', () => {
    const keys = fc.constantFrom('password', 'dbPassword', 'client_secret', 'ACCESS-TOKEN', 'apiKey', 'privateKey', 'Authorization', 'env', 'payload');
    const leaf = keys.map((key) => ({ [key]: secret }));
    const tree = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof({ maxDepth: 8 }, leaf, fc.array(tie('node'), { maxLength: 3 }), fc.dictionary(fc.string(), tie('node'), { maxKeys: 3 })),
    }));
    fc.assert(fc.property(tree.node, (value) => !JSON.stringify(scrub({ value })).includes(secret)));
  });
});

describe('what is no secret stays', () => {
  it('references to Secrets, keys of the work queue, numbers, dates, undefined', () => {
    const at = new Date(0);
    expect(scrub({ secretName: 'db', secretKeyRef: { name: 'db', key: 'url' }, key: 'queue/a', n: 1, big: 2n, at, none: undefined })).toEqual({
      secretName: 'db', secretKeyRef: { name: 'db', key: 'url' }, key: 'queue/a', n: 1, big: '2', at: at.toISOString(), none: undefined,
    });
  });

  it('survives cycles, long lists and long texts', () => {
    const cyclic: Record<string, unknown> = { list: Array.from({ length: 60 }, (_, index) => index), text: 'x'.repeat(10_000) };
    cyclic['self'] = cyclic;
    const safe = scrub(cyclic) as { self: string; list: unknown[]; text: string };
    expect(safe.self).toBe('[circular]');
    expect(safe.list.at(-1)).toBe('[10 more]');
    expect(safe.text.length).toBeLessThan(5_000);
  });
});
