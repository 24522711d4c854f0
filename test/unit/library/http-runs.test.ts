import { describe, expect, it } from 'vitest';
import { ClientError } from '../../../src/library/client-error.ts';
import { HttpExchange } from '../../../src/library/http-exchange.ts';
import { HttpRuns } from '../../../src/library/http-runs.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { VirtualClock } from '../../../src/simulation/clock.ts';

type Answer = { readonly status?: number; readonly body?: JsonObject; readonly text?: string; readonly breaks?: boolean } | Error;

/** A client whose requests are answered one after the other. */
function answeredWith(...answers: readonly Answer[]): { client: HttpRuns; clock: VirtualClock; asked: string[] } {
  const asked: string[] = [];
  const clock = new VirtualClock();
  const left = [...answers];
  const fake: typeof fetch = (input, init) => {
    asked.push(`${init?.method ?? 'GET'} ${input as string} ${new Headers(init?.headers).get('authorization') ?? ''}`.trim());
    const answer = left.shift();
    if (answer === undefined || answer instanceof Error) return Promise.reject(answer ?? new Error('nothing more is answered'));
    const { status = 200, body, text = JSON.stringify(body), breaks = false } = answer;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(text));
        if (breaks) controller.error(new Error('terminated'));
        else controller.close();
      },
    });
    return Promise.resolve(new Response(stream, { status }));
  };
  return { client: new HttpRuns({ http: new HttpExchange({ url: 'https://chief.example/base/', token: 'secret', fetch: fake }), clock }), clock, asked };
}

const run = (phase: string, more: JsonObject = {}): JsonObject => ({ name: 'etl-1', target: { kind: 'template', name: 'etl' }, phase, createdAt: '2026-01-01T00:00:00Z', outcome: null, ...more });
const over = run('Succeeded', { outcome: 'succeeded', reason: 'Succeeded', message: '', startedAt: '2026-01-01T00:00:01Z', finishedAt: '2026-01-01T00:00:02Z', failedSteps: [], outputs: { rows: 3 } });
const event = (name: string, data: JsonObject): string => `id: 1\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** Code and message of what a promise rejects with. */
async function refusal(promise: Promise<unknown>): Promise<unknown> {
  const error: unknown = await promise.then(() => undefined, (thrown: unknown) => thrown);
  return error instanceof ClientError ? [error.code, error.message] : error;
}

describe('a client over HTTP', () => {
  it('sends the token and the target, and reads what comes back', async () => {
    const { client, asked } = answeredWith({ status: 202, body: { name: 'etl-1', notes: ['it waits'] } }, { body: over });
    expect(await client.submit({ template: 'etl', key: 'a' })).toEqual({ name: 'etl-1', notes: ['it waits'] });
    expect(await client.run('etl-1')).toEqual({
      name: 'etl-1', target: { kind: 'template', name: 'etl' }, phase: 'Succeeded', createdAt: Date.UTC(2026, 0, 1),
      end: { outcome: 'succeeded', reason: 'Succeeded', message: '', startedAt: Date.UTC(2026, 0, 1, 0, 0, 1), finishedAt: Date.UTC(2026, 0, 1, 0, 0, 2), failedSteps: [], outputs: { rows: 3 } },
    });
    expect(asked).toEqual(['POST https://chief.example/base/api/v1/runs Bearer secret', 'GET https://chief.example/base/api/v1/runs/etl-1 Bearer secret']);
  });

  it('reads all pages of a list', async () => {
    const { client, asked } = answeredWith({ body: { items: [run('Queued')], continue: 'next' } }, { body: { items: [over], continue: null } });
    expect((await client.runs({ template: 'etl' })).map(({ phase }) => phase)).toEqual(['Queued', 'Succeeded']);
    expect(asked.map((line) => line.replace(/.*\?/, '').replace(/ .*/, ''))).toEqual(['limit=1000&kind=template&name=etl', 'limit=1000&kind=template&name=etl&continue=next']);
  });

  const failures: readonly [what: string, answer: Answer, code: string, message: string][] = [
    ['a refusal with its places', { status: 422, body: { detail: 'the parameters do not fit', errors: [{ pointer: '#/parameters/day', detail: 'must be text' }] } }, 'Refused', 'the parameters do not fit; #/parameters/day: must be text'],
    ['a token that is not known', { status: 401, body: { title: 'Unauthorized' } }, 'Refused', 'Unauthorized'],
    ['an API server that gives no answer', { status: 503, body: { detail: 'ask again' } }, 'NoAnswer', 'ask again'],
    ['too many requests', { status: 429, body: {} }, 'NoAnswer', 'POST /runs was answered with 429'],
    ['a proxy on the way', { status: 502, text: '<html>' }, 'NoAnswer', 'POST /runs was answered with 502'],
    ['a network that is down', new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }), 'NoAnswer', 'no answer: connect ECONNREFUSED'],
    ['an answer that breaks off', { text: '{"name":', breaks: true }, 'NoAnswer', 'no answer: terminated'],
  ];
  it.each(failures)('tells of %s', async (_what, answer, code, message) => {
    const { client } = answeredWith(answer);
    expect(await refusal(client.submit({ workflow: 'etl' }))).toEqual([code, message]);
  });

  it('opens a stream again that broke, or ended before the run did, until it is over', async () => {
    const { client, clock, asked } = answeredWith(
      { text: event('snapshot', run('Queued')), breaks: true },
      { status: 503, body: { detail: 'stopping' } },
      { text: `: heartbeat\n\n${event('snapshot', run('Queued'))}${event('run', run('Running'))}${event('step', { run: 'etl-1' })}${event('closing', {})}` },
      { text: event('snapshot', over) },
    );
    const seen: string[] = [];
    const waiting = client.wait('etl-1', { onChange: ({ phase }) => seen.push(phase) });
    await clock.runFor(60_000);
    expect(await waiting).toMatchObject({ phase: 'Succeeded' });
    expect(seen).toEqual(['Queued', 'Running', 'Succeeded']);
    expect(asked).toHaveLength(4);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each<[string, string, string]>([
    ['was deleted', event('deleted', { name: 'etl-1' }), 'the record of run "etl-1" was deleted'],
  ])('gives up on a run that %s', async (_what, text, message) => {
    const { client } = answeredWith({ text });
    expect(await refusal(client.wait('etl-1'))).toEqual(['Refused', message]);
  });

  it('gives up on a run that there is not', async () => {
    const { client } = answeredWith({ status: 404, body: { detail: 'there is no run "etl-1"' } }, { status: 404, body: {} });
    expect(await refusal(client.wait('etl-1'))).toEqual(['Refused', 'there is no run "etl-1"']);
    expect(await client.run('etl-1')).toBeUndefined();
  });

  it('stops waiting when it is closed, and leaves no timer behind', async () => {
    const { client, clock } = answeredWith({ text: event('snapshot', run('Queued')) });
    const waiting = refusal(client.wait('etl-1', { timeout: 60_000 }));
    await clock.runFor(100);
    await client.close();
    expect(await waiting).toEqual(['NoAnswer', 'the client was closed']);
    expect(clock.pendingTimers).toBe(0);
    expect(await refusal(client.run('etl-1'))).toEqual(['NoAnswer', expect.any(String)]);
  });
});
