import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HttpHook } from '../../../src/adapters/hooks/http-hook.ts';
import type { CallDemand } from '../../../src/plan/action.ts';

interface Seen { readonly method: string | undefined; readonly url: string | undefined; readonly headers: IncomingHttpHeaders; readonly body: string }

let server: Server;
let base = '';
let folder = '';
const seen: Seen[] = [];
let answer: (response: ServerResponse) => void = (response) => response.end();
const hooks: HttpHook[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      seen.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(parts).toString() });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'job-chief-hook-'));
});
afterEach(async () => {
  seen.length = 0;
  answer = (response) => response.end();
  await Promise.all(hooks.splice(0).map((hook) => hook.close()));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
  rmSync(folder, { recursive: true });
});

function aHook(urlPrefixes: readonly string[] = [`${base}/jobs`], headersFolder: string | undefined = folder): HttpHook {
  const hook = new HttpHook({ urlPrefixes, headersFolder, version: '1.2.3' });
  hooks.push(hook);
  return hook;
}
const demand = (changes: Partial<CallDemand> = {}): CallDemand => ({ kind: 'call', id: 'uid-1', url: `${base}/jobs/archive?team=a`, timeout: 5_000, body: { kind: 'Job', name: 'a' }, start: true, ...changes });
const status = (code: number, headers: Record<string, string> = {}) => (response: ServerResponse): void => { response.writeHead(code, headers); response.end('secret of another service'); };

describe('a call', () => {
  it('is a POST of JSON with an id that stays the same', async () => {
    expect(await aHook().call(demand())).toEqual({ kind: 'accepted' });
    expect(seen).toMatchObject([{ method: 'POST', url: '/jobs/archive?team=a', headers: { 'content-type': 'application/json', 'idempotency-key': 'uid-1', 'user-agent': 'job-chief/1.2.3' } }]);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ id: 'uid-1', kind: 'Job', name: 'a' });
  });

  it.each([[200], [201], [202], [204], [299]])('is accepted by %d', async (code) => {
    answer = status(code);
    expect(await aHook().call(demand())).toEqual({ kind: 'accepted' });
  });

  it.each([[400, 'HTTP 400'], [404, 'HTTP 404'], [500, 'HTTP 500'], [301, 'HTTP 301: redirects are not followed'], [307, 'HTTP 307: redirects are not followed'], [308, 'HTTP 308: redirects are not followed']])('is not by %d', async (code, message) => {
    answer = status(code, { location: `${base}/admin` });
    expect(await aHook().call(demand())).toEqual({ kind: 'failed', message });
    expect(seen.map(({ url }) => url)).toEqual(['/jobs/archive?team=a']);
  });

  it('that gets no answer ends after its time', async () => {
    answer = () => undefined;
    expect(await aHook().call(demand({ timeout: 100 }))).toEqual({ kind: 'failed', message: 'no answer within 0.1 s' });
  });

  it('whose answer does not end is judged by its status', async () => {
    answer = (response) => { response.writeHead(200); response.write('x'); };
    expect(await aHook().call(demand({ timeout: 300 }))).toEqual({ kind: 'accepted' });
  });

  it('to nobody says so', async () => {
    expect(await aHook(['http://127.0.0.1:1']).call(demand({ url: 'http://127.0.0.1:1/x' }))).toEqual({ kind: 'failed', message: 'the call could not be made: ECONNREFUSED' });
  });
});

describe('what is never called', () => {
  it.each([['/other'], ['/jobs/../admin'], ['/jobs/%2e%2e/admin'], ['/jobs-admin']])('%s', async (path) => {
    expect(await aHook().call(demand({ url: `${base}${path}` }))).toEqual({ kind: 'failed', message: 'the operator does not allow that URL (beforeDelete.urlPrefixes)' });
    expect(seen).toEqual([]);
  });

  it('anything, where the operator has allowed nothing', async () => {
    expect(await aHook([]).call(demand())).toEqual({ kind: 'failed', message: 'the operator has allowed no URL (beforeDelete.urlPrefixes)' });
    expect(seen).toEqual([]);
  });
});

describe('headers from a mounted Secret', () => {
  it('are its keys, read anew for each call, but for those that HTTP needs itself', async () => {
    const set = join(folder, 'archive');
    mkdirSync(set);
    mkdirSync(join(set, '..data'));
    for (const [name, text] of [['Authorization', 'Bearer one\n'], ['X-Team', 'a'], ['Host', 'evil'], ['Content-Length', '3'], ['Idempotency-Key', 'x'], ['not a header', 'x']] as const) writeFileSync(join(set, name), text);
    const hook = aHook();
    expect(await hook.call(demand({ headersFromSecret: 'archive' }))).toEqual({ kind: 'accepted' });
    writeFileSync(join(set, 'Authorization'), 'Bearer two');
    await hook.call(demand({ headersFromSecret: 'archive' }));
    expect(seen.map(({ headers }) => [headers.authorization, headers['x-team'], headers['idempotency-key'], headers.host === 'evil'])).toEqual([['Bearer one', 'a', 'uid-1', false], ['Bearer two', 'a', 'uid-1', false]]);
  });

  it.each([
    ['that are not there', 'missing', undefined, 'the headers "missing" cannot be read'],
    ['from outside of their folder', '../../etc', undefined, 'that is no name of a Secret'],
    ['where none are mounted', 'archive', 'none', 'the operator has mounted no headers (beforeDelete.headersFolder)'],
  ])('%s keep the call from being made', async (_what, headersFromSecret, mounted, message) => {
    const hook = mounted === undefined ? aHook() : new HttpHook({ urlPrefixes: [base], headersFolder: undefined, version: '1' });
    expect(await hook.call(demand({ headersFromSecret }))).toEqual({ kind: 'failed', message });
    expect(seen).toEqual([]);
  });

  it('never stand in a message', async () => {
    const set = join(folder, 'broken');
    mkdirSync(set);
    writeFileSync(join(set, 'Authorization'), 'Bearer top\nsecret');
    const told = await aHook().call(demand({ headersFromSecret: 'broken' }));
    expect(told.kind).toBe('failed');
    expect(JSON.stringify(told)).not.toContain('top');
  });
});
