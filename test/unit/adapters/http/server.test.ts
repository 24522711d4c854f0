import { createServer, type Server } from 'node:net';
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpServer, type HttpServerDeps } from '../../../../src/adapters/http/server.ts';
import type { Log } from '../../../../src/reconcile/ports.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Line = { level: string; fields: Record<string, unknown>; message: string };

async function aServer(deps: Partial<HttpServerDeps> = {}): Promise<{ get: (path: string, headers?: Record<string, string>) => Promise<Response>; lines: Line[]; server: HttpServer; port: number }> {
  const lines: Line[] = [];
  const write = (level: string) => (fields: object, message: string): void => void lines.push({ level, fields: { ...fields }, message });
  const log: Log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const server = createHttpServer({
    host: '127.0.0.1', port: 0, log, liveness: { ping: () => ({ ok: true }) }, readiness: {},
    metrics: (accept) => Promise.resolve({ contentType: accept?.includes('openmetrics') ? 'application/openmetrics-text; version=1.0.0; charset=utf-8' : 'text/plain; version=0.0.4; charset=utf-8', body: 'up 1\n' }),
    ...deps,
  });
  const port = await server.listen();
  closers.push(() => server.close());
  return { get: (path, headers = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close', ...headers } }), lines, server, port };
}

describe('probes', () => {
  it('answer ok, and every check where verbose asks for it', async () => {
    const { get } = await aServer({ liveness: { ping: () => ({ ok: true }), 'watch-jobs': () => ({ ok: true, detail: 'heard 3 s ago' }) } });
    for (const path of ['/livez', '/healthz', '/readyz']) expect(await (await get(path)).text()).toBe('ok\n');
    expect(await (await get('/livez?verbose')).text()).toBe('[+]ping ok\n[+]watch-jobs ok: heard 3 s ago\nlivez check passed\n');
    expect(await (await get('/healthz?verbose')).text()).toContain('healthz check passed');
  });

  it('say which check failed', async () => {
    const { get } = await aServer({ readiness: { jobs: () => ({ ok: false, detail: 'not listed\nyet' }), pods: () => ({ ok: true }) } });
    const answer = await get('/readyz');
    expect(answer.status).toBe(500);
    expect(await answer.text()).toBe('[-]jobs failed: not listed yet\n[+]pods ok\nreadyz check failed\n');
    expect((await get('/livez')).status).toBe(200);
    expect((await get('/readyz?exclude=jobs')).status).toBe(200);
  });

  it('take a check that throws as failed', async () => {
    const { get } = await aServer({ liveness: { broken: () => { throw new Error('no such watch'); } } });
    const answer = await get('/livez');
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain('[-]broken failed: no such watch');
  });

  it('ask anew each time', async () => {
    let ok = false;
    const { get } = await aServer({ readiness: { synced: () => ({ ok }) } });
    expect((await get('/readyz')).status).toBe(500);
    ok = true;
    expect((await get('/readyz')).status).toBe(200);
  });
});

describe('metrics', () => {
  it('pass the Accept header on and the content type back', async () => {
    const { get } = await aServer();
    expect((await get('/metrics')).headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const open = await get('/metrics', { accept: 'application/openmetrics-text' });
    expect(open.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(await open.text()).toBe('up 1\n');
  });

  it('fail as problem+json, with the cause in the log and not in the answer', async () => {
    const { get, lines } = await aServer({ metrics: () => Promise.reject(new Error('inner detail')) });
    const answer = await get('/metrics');
    expect(answer.status).toBe(500);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.text()).not.toContain('inner detail');
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});

describe('everything else', () => {
  it.each(['/', '/api/v1/specs', '/metrics/x', '/livez/ping'])('%s is a 404 problem', async (path) => {
    const { get } = await aServer();
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({ type: 'about:blank', title: 'Not Found', status: 404 });
  });

  it('an unreadable path is a 400 problem', async () => {
    const { get } = await aServer();
    const answer = await get('/%E0%A4%A');
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('requests are logged at debug, without their query', async () => {
    const { get, lines } = await aServer();
    await (await get('/livez?token=hunter2')).text();
    expect(lines).toMatchObject([{ level: 'debug', fields: { method: 'GET', path: '/livez', status: 200 } }]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });
});

describe('listening and closing', () => {
  it('says so when the port is taken', async () => {
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => other.close(() => resolve())));
    const taken = other.address();
    const port = typeof taken === 'object' && taken !== null ? taken.port : 0;
    await expect(aServer({ port })).rejects.toThrow(`cannot serve metrics and probes on 127.0.0.1:${port}: another process listens there; stop it or configure another port`);
  });

  it('answers what is under way before it closes, and does not wait for idle connections', async () => {
    let answer = (): void => undefined;
    let asked = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    const { port, server } = await aServer({
      metrics: () => new Promise((resolve) => {
        answer = () => { resolve({ contentType: 'text/plain', body: 'late 1\n' }); };
        asked();
      }),
    });
    const late = new Promise<string>((resolve, reject) => {
      request({ port, path: '/metrics', agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text));
      }).on('error', reject).end();
    });
    await arrived;
    const closed = server.close();
    answer();
    expect(await late).toBe('late 1\n');
    await closed;
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow();
  });
});
