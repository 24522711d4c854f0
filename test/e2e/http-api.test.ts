/** components/api: the HTTP API behind its Service, with tokens from the mounted Secret, as a user switches it on. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { eventsIn, HttpApi } from './support/http-api.ts';
import { jobsOf, runsOf } from './support/runs.ts';
import { useSite, type Site } from './support/site.ts';
import { shell } from './support/specs.ts';
import { hasEnded } from './support/witness.ts';

const secret = 'job-chief-api-tokens';
const newToken = (): string => randomBytes(32).toString('hex');
const tokens = { 'read.board': newToken(), 'submit.ci': newToken(), 'admin.ops': newToken() };

const config = { podPolicy: { deniedSecrets: [secret] } };
const template = (name: string, spec: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { 'job-chief': 'template' } }, data: { 'spec.yaml': stringify({ apiVersion: 'job-chief/v1', kind: 'Template', ...spec }) } });

const greet = template('greet', {
  parameters: { who: { type: 'string', pattern: '^[a-z]+$' }, times: { type: 'integer', default: 1 } },
  outputs: { letters: { type: 'integer' } },
  job: shell('for n in $(seq "$2"); do echo "hello $1"; done; echo "letters=${#1}" > "$JOB_CHIEF_OUTPUT"', { args: ['greet', '$(params.who)', '$(params.times)'] }),
});
const patient = template('patient', { job: shell('trap "exit 1" TERM; while true; do sleep 0.2; done') });

async function mountTokens(site: Site, held: Readonly<Record<string, string>>): Promise<void> {
  await site.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: secret }, stringData: held });
}

describe.skipIf(noRealPods !== undefined)('the HTTP API, installed by its component', () => {
  const site = useSite({ name: 'http-api', enforce: 'restricted' }, async (opened) => {
    await mountTokens(opened, tokens);
    await opened.install({ resource: 'base', components: ['api'], patches: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'job-chief-config' }, data: { 'config.yaml': stringify(config) } }] });
    await opened.apply(greet, patient);
    for (const name of ['greet', 'patient']) await opened.statusBecomes(name, { conditions: expect.arrayContaining([expect.objectContaining({ type: 'Accepted', status: 'True' })]) as unknown });
  });

  it('tells nothing to anybody without a token that it knows', async () => {
    await using api = await HttpApi.open(site());
    for (const path of ['/api/v1/runs', '/api/v1/specs', '/api/v1/queues', '/openapi.json', '/docs']) {
      for (const options of [{}, { token: newToken() }]) {
        const answer = await api.ask(path, options);
        expect([path, answer.status, answer.headers['content-type'], answer.json['status']]).toEqual([path, 401, expect.stringContaining('application/problem+json'), 401]);
        expect(answer.headers['www-authenticate']).toContain('Bearer');
      }
    }
    expect((await api.ask('/api/v1/runs', { body: { template: 'greet', parameters: { who: 'nobody' } } })).status).toBe(401);
    expect((await runsOf(site(), 'greet')).filter(({ record }) => (record.data?.['parameters.json'] ?? '').includes('nobody'))).toEqual([]);
    expect((await api.ask('/openapi.json', { token: tokens['read.board'] })).json).toMatchObject({ openapi: '3.1.0' });
    // Probes and metrics stay where they are.
    expect(await site().ask('/readyz')).toMatchObject({ status: 200 });
  });

  it('runs what is asked for, once for each idempotency key, and tells of it until it is over', async () => {
    await using api = await HttpApi.open(site());
    const token = tokens['submit.ci'];
    const wanted = { token, headers: { 'idempotency-key': 'order-17' }, body: { template: 'greet', parameters: { who: 'moon', times: 2 } } };
    const accepted = await api.ask('/api/v1/runs', wanted);
    expect(accepted).toMatchObject({ status: 202, json: { target: { kind: 'template', name: 'greet' } } });
    const [name, place] = [String(accepted.json['name']), String(accepted.json['callbackUrl'])];
    expect(accepted.headers['location']).toBe(place);

    // The stream ends by itself, with the run.
    const told = eventsIn((await api.ask(`${place}/events`, { token })).text);
    expect([told[0]?.event, told.at(-1)?.event]).toEqual(['snapshot', 'end']);
    const shown = await api.ask(place, { token: tokens['read.board'] });
    expect(shown).toMatchObject({ status: 200, json: { name, phase: 'Succeeded', outcome: 'succeeded', outputs: { letters: 4 }, parameters: { who: 'moon', times: 2 } } });
    expect((await api.ask(`${place}/logs`, { token })).text.match(/hello moon/g)).toHaveLength(2);

    expect((await api.ask('/api/v1/runs', wanted)).json['name']).toBe(name);
    expect(await api.ask('/api/v1/runs', { ...wanted, body: { template: 'greet', parameters: { who: 'sun' } } })).toMatchObject({ status: 409, json: { code: 'KeyInUse' } });
    expect(await jobsOf(site(), name)).toHaveLength(1);
  });

  it('refuses what a template does not declare, and what a role may not do', async () => {
    await using api = await HttpApi.open(site());
    const wrong = await api.ask('/api/v1/runs', { token: tokens['submit.ci'], body: { template: 'greet', parameters: { who: 'X; rm -rf', image: 'evil' } } });
    expect(wrong).toMatchObject({ status: 422, json: { code: 'InvalidParameters' } });
    expect((await api.ask('/api/v1/runs', { token: tokens['read.board'], body: { template: 'greet', parameters: { who: 'moon' } } })).status).toBe(403);
  });

  it('cancels a run, and its Job ends', async () => {
    await using api = await HttpApi.open(site());
    const { json } = await api.ask('/api/v1/runs', { token: tokens['submit.ci'], body: { template: 'patient' } });
    const [name, place] = [String(json['name']), String(json['callbackUrl'])];
    await eventually(async () => { expect((await api.ask(place, { token: tokens['read.board'] })).json).toMatchObject({ phase: 'Running', steps: [{ state: 'Running' }] }); });
    expect((await api.ask(`${place}/cancel`, { token: tokens['submit.ci'], body: {} })).status).toBe(403);
    expect(await api.ask(`${place}/cancel`, { token: tokens['admin.ops'], body: { reason: 'wrong day' } })).toMatchObject({ status: 200, json: { changed: true } });
    expect(eventsIn((await api.ask(`${place}/events`, { token: tokens['read.board'] })).text).at(-1)?.event).toBe('end');
    expect((await api.ask(place, { token: tokens['read.board'] })).json).toMatchObject({ phase: 'Cancelled', outcome: 'cancelled' });
    await eventually(async () => { expect((await jobsOf(site(), name)).map(hasEnded)).toEqual([true]); });
  });

  it('may read logs beside what it may without the component, and no Secrets', async () => {
    const account = `system:serviceaccount:${site().namespace}:job-chief`;
    const may = (...args: string[]): Promise<boolean> => site().kubectl('auth', 'can-i', ...args, '--as', account).then(() => true, () => false);
    expect(await may('get', 'pods', '--subresource=log')).toBe(true);
    for (const right of [['get', 'secrets'], ['create', 'pods'], ['create', 'pods', '--subresource=exec']]) expect(await may(...right), right.join(' ')).toBe(false);
  });

  it('shuts out a token that was taken away, without a restart, and its tokens reach no pod', async () => {
    await using api = await HttpApi.open(site());
    const [before] = await site().controllers();
    await site().kubectl('delete', 'secret', secret);
    const renewed = { 'read.board': tokens['read.board'], 'submit.ci': newToken() };
    await mountTokens(site(), renewed);
    await site().refreshMounts();
    await eventually(async () => { expect((await api.ask('/api/v1/runs', { token: tokens['submit.ci'] })).status).toBe(401); });
    for (const token of Object.values(renewed)) expect((await api.ask('/api/v1/runs', { token })).status).toBe(200);
    expect((await site().controllers()).map(({ metadata }) => metadata.uid)).toEqual([before?.metadata.uid]);

    await site().apply(template('thief', { job: shell('cat /stolen/*', { volumes: [{ name: 'stolen', secret: { secretName: secret } }], volumeMounts: [{ name: 'stolen', mountPath: '/stolen' }] }) }));
    await site().statusBecomes('thief', { state: 'Rejected' });
  });
});
