/** Who may do what, over every route of the document. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { routeCases, statusesOf } from '../../support/api-cases.ts';
import { httpApi, tokenFolder, tokens, type HttpClient } from '../../support/http-scene.ts';
import { step, useWorkflows } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const spec = { trigger: { onRequest: true }, parameters: { day: { type: 'string' } }, steps: [step('load')] };
const ranks = ['read', 'submit', 'admin'] as const;

async function anApi(options: Parameters<typeof httpApi>[1] = {}): Promise<HttpClient> {
  return httpApi(stage({ spec, controller: 'none' }), options);
}

describe('every route', () => {
  it('answers nobody without a token, and says how to show one', async () => {
    const api = await anApi();
    for (const { method, path, body } of routeCases((await api.get('/openapi.json')).json)) {
      const answer = await api.call(method, path, { token: '', body });
      expect([method, path, answer.status, answer.json['code']]).toEqual([method, path, 401, 'Unauthorized']);
      expect(answer.headers['www-authenticate']).toContain('Bearer realm="job-chief"');
      expect(answer.headers['content-type']).toBe('application/problem+json');
    }
  });

  it('answers nobody with a token that is not known', async () => {
    const api = await anApi();
    for (const { method, path, body } of routeCases((await api.get('/openapi.json')).json)) {
      const answer = await api.call(method, path, { token: 'nobody-nobody-nobody', body });
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    }
  });

  it('answers a role that is too small with 403 and the role that is needed, and no other', async () => {
    const api = await anApi();
    for (const { method, path, body, role } of routeCases((await api.get('/openapi.json')).json)) {
      if (path.endsWith('/events')) continue;
      for (const held of ranks) {
        const answer = await api.call(method, path, { token: tokens[held], body });
        if (ranks.indexOf(held) >= ranks.indexOf(role)) expect([path, held, answer.status]).not.toEqual([path, held, 403]);
        else expect([path, held, answer.status, answer.json['role']]).toEqual([path, held, 403, role]);
      }
    }
  });

  it('tells each status that it may have, and problems as problems', async () => {
    const { json: document } = await (await anApi()).get('/openapi.json');
    const paths = Object.entries(document['paths'] as Record<string, Record<string, object>>).flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ path, method })));
    expect(paths.length).toBeGreaterThanOrEqual(15);
    for (const one of paths) expect([one.path, ...['400', '401', '403', '406', '429', '500', '503'].filter((status) => !statusesOf(document, one).includes(status))]).toEqual([one.path]);
  });
});

describe('what nobody may see', () => {
  it('is not told even where nothing is served', async () => {
    const api = await anApi();
    expect((await api.get('/api/v1/nothing', { token: '' })).status).toBe(401);
    expect((await api.get('/api/v1/nothing')).status).toBe(404);
  });

  it('is another instance, or what is no record', async () => {
    const scene = stage({ spec, controller: 'none' });
    const api = await httpApi(scene, { instance: 'other' });
    scene.world.applyObject({ group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' }, { metadata: { name: 'private' }, data: { secret: 'x' } });
    for (const name of ['private', 'etl']) expect((await api.get(`/api/v1/runs/${name}`)).json).toMatchObject({ status: 404, code: 'UnknownRun' });
  });
});

describe('tokens', () => {
  it('are taken from a file of lines as well, plain or as a digest', async () => {
    const folder = tokenFolder({});
    const digest = createHash('sha256').update('digested-digested-1').digest('hex');
    const file = join(folder, 'tokens');
    writeFileSync(file, `# people\nread viewer ${tokens.read}\nadmin operator sha256:${digest}\nnobody x y\nread short abc\n`);
    const api = await anApi({ tokens: file });
    expect((await api.get('/api/v1/runs', { token: tokens.read })).status).toBe(200);
    expect((await api.get('/api/v1/runs', { token: 'digested-digested-1' })).status).toBe(200);
    expect((await api.get('/api/v1/runs', { token: 'abc' })).status).toBe(401);
    expect(api.lines.filter(({ message }) => message === 'tokens of the HTTP API').map(({ fields }) => fields['because'])).toEqual([
      'line 4 begins with no role: use read, submit, admin',
      'line 5 has a token of less than 16 characters, which could be guessed',
    ]);
  });

  it('that are taken away are refused within seconds, and new ones are taken', async () => {
    const folder = tokenFolder({});
    const file = join(folder, 'tokens');
    writeFileSync(file, `read viewer ${tokens.read}\n`);
    const api = await anApi({ tokens: file });
    expect((await api.get('/api/v1/runs', { token: tokens.read })).status).toBe(200);
    writeFileSync(file, `read viewer ${tokens.submit}\n`);
    await api.world.run(6_000);
    // The file is read in real time, which the world knows nothing of.
    expect((await api.send('GET', '/api/v1/runs', { token: tokens.read })).status).toBe(401);
    expect((await api.send('GET', '/api/v1/runs', { token: tokens.submit })).status).toBe(200);
  });

  it('count as a password where a browser asks, and nowhere else', async () => {
    const api = await anApi();
    const basic = (token: string): Record<string, string> => ({ authorization: `Basic ${Buffer.from(`me:${token}`).toString('base64')}` });
    expect((await api.get('/docs', { token: '', headers: basic(tokens.read) })).status).toBe(200);
    expect((await api.get('/openapi.json', { token: '', headers: basic(tokens.read) })).status).toBe(200);
    expect((await api.get('/api/v1/runs', { token: '', headers: basic(tokens.read) })).status).toBe(401);
    expect((await api.get('/docs', { token: '' })).headers['www-authenticate']).toContain('Basic realm="job-chief"');
  });

  it('never show in the log', async () => {
    const api = await anApi();
    await api.get(`/api/v1/runs?token=${tokens.admin}`);
    await api.get('/api/v1/runs', { token: 'wrong-wrong-wrong-wrong' });
    expect(JSON.stringify(api.lines)).not.toMatch(/admin-admin-admin|wrong-wrong/);
    expect(api.lines.filter(({ message }) => message === 'HTTP API request')).toMatchObject([{ fields: { path: '/api/v1/runs', status: 400, caller: 'operator', role: 'admin' } }, { fields: { status: 401, caller: undefined } }]);
  });
});

describe('who asks too often', () => {
  it('is told when to come again, by its token alone', async () => {
    const api = await anApi({ rateLimit: { perSecond: 1, burst: 3 } });
    const statuses = [];
    for (let count = 0; count < 4; count += 1) statuses.push((await api.send('GET', '/api/v1/runs')).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const late = await api.send('GET', '/api/v1/runs');
    expect(late).toMatchObject({ status: 429, json: { code: 'TooManyRequests' }, headers: { 'retry-after': '1' } });
    expect((await api.send('GET', '/api/v1/runs', { token: tokens.read })).status).toBe(200);
    await api.world.run(1_000);
    expect((await api.send('GET', '/api/v1/runs')).status).toBe(200);
  });
});
