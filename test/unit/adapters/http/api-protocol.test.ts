/** HTTP itself: what is refused before anybody looks at what is asked for, and how answers are sent. */
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync, brotliDecompressSync } from 'node:zlib';
import type { Response } from 'light-my-request';
import { Type } from 'typebox';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ok, route, type Route } from '../../../../src/adapters/http/api/route.ts';
import { ApiServer, type ApiServerDeps } from '../../../../src/adapters/http/api/server.ts';
import { FakeClock, until } from '../../../support/fake-clock.ts';
import { FakeLog } from '../../../support/fakes.ts';

const answers = { 200: { description: 'x', schema: Type.Object({ text: Type.String() }) } };
const routes: readonly Route[] = [
  route({ method: 'GET', path: '/api/v1/texts/{name}', id: 'getText', tag: 'x', summary: 'x', role: 'read', params: Type.Object({ name: Type.String() }), answers, handle: ({ params }) => ok({ text: params.name === 'long' ? 'x'.repeat(10_000) : params.name }) }),
  route({ method: 'POST', path: '/api/v1/texts', id: 'postText', tag: 'x', summary: 'x', role: 'submit', body: Type.Object({ text: Type.String() }, { additionalProperties: false }), answers, handle: ({ body }) => ok(body) }),
  route({ method: 'GET', path: '/api/v1/bug', id: 'getBug', tag: 'x', summary: 'x', role: 'read', answers, handle: () => { throw new Error('the secret inside'); } }),
  route({ method: 'GET', path: '/api/v1/flood', id: 'getFlood', tag: 'x', summary: 'x', role: 'read', answers: { 200: { description: 'x', types: ['text/plain'] } }, handle: () => ({ type: 'text/plain', stream: async (writer) => { while (!writer.ended.aborted) await writer.write('x'.repeat(65_536)); } }) }),
];

interface Made {
  readonly server: ApiServer;
  readonly log: FakeLog;
  readonly clock: FakeClock;
  readonly counted: (readonly unknown[])[];
}

async function aServer(changes: Partial<ApiServerDeps> = {}): Promise<Made> {
  const log = new FakeLog();
  const clock = new FakeClock();
  const counted: (readonly unknown[])[] = [];
  let drawn = 0;
  const tokens = { find: (token: string) => Promise.resolve(token === 'good' ? ({ name: 'me', role: 'admin' } as const) : undefined) };
  const server = await ApiServer.create({ host: '127.0.0.1', port: 0, tls: undefined, tokens, rateLimit: { perSecond: 0, burst: 1 }, clock, log, random: () => `drawn-${(drawn += 1)}`, routes, meter: (...told) => counted.push(told), ...changes });
  onTestFinished(() => server.close());
  return { server, log, clock, counted };
}

const authorization = 'Bearer good';
const post = (server: ApiServer, payload: string | Buffer, headers: Record<string, string> = {}): Promise<Response> => server.app.inject({ method: 'POST', url: '/api/v1/texts', headers: { authorization, 'content-type': 'application/json', ...headers }, payload });

describe('a request that is refused', () => {
  it.each<[string, string, Record<string, string>, number, string]>([
    ['with a body that is no JSON', '{"text":', {}, 400, 'InvalidJson'],
    ['with a body that is nested too deep', `{"text":${'['.repeat(100)}${']'.repeat(100)}}`, {}, 400, 'InvalidJson'],
    ['with a body of another type', 'text=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'UnsupportedMediaType'],
    ['with a body of a type that is none', '{}', { 'content-type': '???' }, 415, 'UnsupportedMediaType'],
    ['with a body that is too large', JSON.stringify({ text: 'x'.repeat(1_100_000) }), {}, 413, 'TooLarge'],
    ['with a body that does not fit', '{"text":1,"more":2}', {}, 422, 'InvalidBody'],
    ['with names that programs have for themselves', '{"__proto__":{"text":"x"}}', {}, 422, 'InvalidBody'],
    ['that takes nothing that is offered', '{"text":"x"}', { accept: 'text/html;q=1, application/json;q=0' }, 406, 'NotAcceptable'],
  ])('%s is told why', async (_, payload, headers, status, code) => {
    const { server } = await aServer();
    const answer = await post(server, payload, headers);
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([status, 'application/problem+json']);
    expect(answer.json()).toMatchObject({ type: 'about:blank', status, code, requestId: answer.headers['x-request-id'] });
  });

  it('with another method is told which there are, also for methods that nobody knows', async () => {
    const { server } = await aServer();
    for (const method of ['DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE'] as const) {
      const answer = await server.app.inject({ method: method as 'PUT', url: '/api/v1/texts/a', headers: { authorization } });
      expect([method, answer.statusCode, answer.headers['allow']]).toEqual([method, 405, 'GET']);
    }
  });

  it('at a path that cannot be decoded gets a problem as well', async () => {
    const { server } = await aServer();
    expect((await server.app.inject({ url: '/api/v1/texts/%E0%A4%A', headers: { authorization } })).statusCode).toBe(400);
  });

  it('by a bug of ours tells nothing of it; the log does, under the same id', async () => {
    const { server, log } = await aServer();
    const answer = await server.app.inject({ url: '/api/v1/bug', headers: { authorization } });
    expect([answer.statusCode, answer.body.includes('secret')]).toEqual([500, false]);
    expect(log.lines.find(({ level }) => level === 'error')).toMatchObject({ fields: { requestId: answer.headers['x-request-id'], path: '/api/v1/bug' } });
  });
});

describe('an answer', () => {
  it('has the id of its request: that of the caller, where it is harmless', async () => {
    const { server } = await aServer();
    const ask = async (id: string): Promise<unknown> => (await server.app.inject({ url: '/api/v1/texts/a', headers: { authorization, 'x-request-id': id } })).headers['x-request-id'];
    expect([await ask('trace-1'), await ask('a b\u00e9'), await ask('x'.repeat(200))]).toEqual(['trace-1', 'drawn-1', 'drawn-2']);
  });

  it('is compressed as the caller likes it, where that is worth it', async () => {
    const { server } = await aServer();
    const ask = (name: string, encoding: string): Promise<Response> => server.app.inject({ url: `/api/v1/texts/${name}`, headers: { authorization, 'accept-encoding': encoding } });
    const [gzip, br, small, none] = [await ask('long', 'gzip'), await ask('long', 'gzip, br;q=1.0'), await ask('a', 'gzip'), await ask('long', 'identity')];
    expect([gzip, br, small, none].map(({ headers }) => headers['content-encoding'])).toEqual(['gzip', 'br', undefined, undefined]);
    expect(JSON.parse(gunzipSync(gzip.rawPayload).toString())).toEqual(none.json());
    expect(JSON.parse(brotliDecompressSync(br.rawPayload).toString())).toEqual(none.json());
    expect(gzip.headers['vary']).toBe('Accept, Accept-Encoding');
  });

  it('is in the log without what the caller wrote behind its path, and counted by its route', async () => {
    const { server, log, counted } = await aServer();
    await server.app.inject({ url: '/api/v1/texts/a', headers: { authorization } });
    await server.app.inject({ url: '/nothing?password=x', headers: { authorization } });
    expect(log.lines.map(({ fields }) => fields)).toMatchObject([{ path: '/api/v1/texts/a', status: 200, caller: 'me' }, { path: '/nothing', status: 404 }]);
    expect(JSON.stringify(log.lines)).not.toContain('password');
    expect(counted.map(([name, code]) => [name, code])).toEqual([['getText', 200], ['none', 404]]);
  });
});

describe('a caller that does not read', () => {
  it('is cut after half a minute, and holds nothing', async () => {
    const { server, clock } = await aServer();
    const port = await server.listen();
    const sent = request({ host: '127.0.0.1', port, path: '/api/v1/flood', headers: { authorization } });
    const response = await new Promise<IncomingMessage>((resolve) => sent.once('response', resolve).end());
    response.pause();
    const cut = new Promise<true>((resolve) => sent.once('close', () => { resolve(true); }));
    response.on('error', () => undefined);
    await until(() => clock.pending.includes(30_000), 'a write that waits for its reader');
    await clock.advance(30_001);
    response.resume();
    expect(await cut).toBe(true);
  });

  it('that goes away ends its stream', async () => {
    const { server, counted, log } = await aServer();
    const port = await server.listen();
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /api/v1/flood HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    await server.close();
    expect(server.app.server.listening).toBe(false);
    expect(counted.map(([name]) => name)).toEqual(['getFlood']);
    expect(log.lines).toMatchObject([{ message: 'HTTP API request', fields: { path: '/api/v1/flood', status: 200 } }]);
  });

  it('that goes away before its stream begins holds nothing either', async () => {
    const [asked, answer, began] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>(), Promise.withResolvers<boolean>()];
    const handle: Route['handle'] = async () => {
      asked.resolve(undefined);
      await answer.promise;
      return { type: 'text/plain', stream: (writer) => { began.resolve(writer.ended.aborted); return Promise.resolve(); } };
    };
    const { server } = await aServer({ routes: [route({ method: 'GET', path: '/api/v1/late', id: 'getLate', tag: 'x', summary: 'x', role: 'read', answers: { 200: { description: 'x', types: ['text/plain'] } }, handle })] });
    const port = await server.listen();
    const left = new Promise((resolve) => server.app.server.once('connection', (socket) => socket.once('close', resolve)));
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /api/v1/late HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`);
    await asked.promise;
    socket.destroy();
    await left;
    answer.resolve(undefined);
    expect(await began.promise).toBe(true);
  });
});
