/** TLS and client certificates, over real connections. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificates, type Certificates } from '../../../hack/dev/postgres-tls.ts';
import { Type } from 'typebox';
import { ok, route } from '../../../src/adapters/http/api/route.ts';
import { ApiServer } from '../../../src/adapters/http/api/server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLog } from '../../support/fakes.ts';

const whoami = route({ method: 'GET', path: '/me', id: 'me', tag: 'x', summary: 'x', role: 'submit', answers: { 200: { description: 'x', schema: Type.Object({ name: Type.String() }) } }, handle: ({ caller }) => ok({ name: caller.name }) });

interface Served {
  readonly certificates: Certificates;
  readonly folder: string;
  readonly clock: FakeClock;
  readonly log: FakeLog;
  readonly ask: (options?: RequestOptions) => Promise<{ readonly status: number | undefined; readonly body: string; readonly issuer: string }>;
}

async function serve(): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'job-chief-tls-'));
  onTestFinished(() => { rmSync(folder, { recursive: true, force: true }); });
  const certificates = makeCertificates(join(folder, 'first'), {});
  const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  copyFileSync(certificates.serverCertFile, cert);
  copyFileSync(certificates.serverKeyFile, key);
  const [clock, log] = [new FakeClock(), new FakeLog()];
  const server = await ApiServer.create({
    host: '127.0.0.1', port: 0, clock, log, routes: [whoami], random: () => 'x', meter: () => undefined, rateLimit: { perSecond: 0, burst: 1 },
    tokens: { find: (token) => Promise.resolve(token === 'good' ? ({ name: 'token', role: 'admin' } as const) : undefined) },
    tls: { cert, key, clientCa: certificates.caFile, clients: { ci: 'submit', viewer: 'read' } },
  });
  const port = await server.listen();
  onTestFinished(() => server.close());
  const ask: Served['ask'] = (options = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path: '/me', ca: certificates.ca, agent: false, ...options }, (response) => {
        const socket = response.socket as unknown as { getPeerCertificate(): { readonly fingerprint256: string } };
        const issuer = socket.getPeerCertificate().fingerprint256;
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text)).on('end', () => { resolve({ status: response.statusCode, body, issuer }); });
      });
      sent.once('error', reject).end();
    });
  return { certificates, folder, clock, log, ask };
}

describe('a client certificate', () => {
  it('is as good as a token, with the role that its name has', async () => {
    const { certificates, ask } = await serve();
    expect(await ask(certificates.client('ci'))).toMatchObject({ status: 200, body: '{"name":"ci"}' });
    expect((await ask(certificates.client('viewer'))).status).toBe(403);
    expect((await ask(certificates.client('stranger'))).status).toBe(401);
    expect((await ask()).status).toBe(401);
    expect(await ask({ headers: { authorization: 'Bearer good' } })).toMatchObject({ status: 200, body: '{"name":"token"}' });
  });

  it('of another authority counts for nothing', async () => {
    const { folder, ask } = await serve();
    const other = makeCertificates(join(folder, 'other'), {});
    expect((await ask(other.client('ci'))).status).toBe(401);
  });
});

describe('the certificate of the server', () => {
  it('is renewed without a restart, and a broken one leaves the old one in place', async () => {
    const { folder, clock, log, ask, certificates } = await serve();
    const { issuer: before } = await ask(certificates.client('ci'));
    const next = makeCertificates(join(folder, 'next'), {});
    copyFileSync(next.serverCertFile, join(folder, 'tls.crt'));
    copyFileSync(next.serverKeyFile, join(folder, 'tls.key'));
    await clock.advance(61_000);
    await ask({ rejectUnauthorized: false });
    await expect.poll(async () => (await ask({ rejectUnauthorized: false })).issuer).not.toBe(before);
    const { issuer: renewed } = await ask({ rejectUnauthorized: false });
    writeFileSync(join(folder, 'tls.key'), 'nothing');
    await clock.advance(61_000);
    await ask({ rejectUnauthorized: false });
    await expect.poll(() => log.lines.some(({ message }) => message.includes('cannot be renewed'))).toBe(true);
    expect((await ask({ rejectUnauthorized: false })).issuer).toBe(renewed);
  });
});
