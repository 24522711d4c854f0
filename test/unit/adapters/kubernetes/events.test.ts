import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { KubernetesEvents } from '../../../../src/adapters/kubernetes/event-sink.ts';
import { KubernetesEventReader } from '../../../../src/adapters/kubernetes/event-reader.ts';
import type { ListQuery, ListResult } from '../../../../src/adapters/kubernetes/client.ts';
import type { Resource } from '../../../../src/adapters/kubernetes/resources.ts';
import type { WriteResult } from '../../../../src/reconcile/ports.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';

const done: WriteResult = { kind: 'done', resourceVersion: '1', uid: 'e', warnings: [] };

class Api {
  readonly namespace = 'test';
  readonly created: JsonObject[] = [];
  readonly patched: { name: string; patch: JsonObject }[] = [];
  createAnswer: () => Promise<WriteResult> = () => Promise.resolve(done);
  patchAnswer: WriteResult = done;
  create(_resource: Resource, manifest: JsonObject): Promise<WriteResult> {
    this.created.push(manifest);
    return this.createAnswer();
  }
  mergePatch(_resource: Resource, name: string, patch: JsonObject): Promise<WriteResult> {
    this.patched.push({ name, patch });
    return Promise.resolve(this.patchAnswer);
  }
}

function setUp(enabled = true) {
  const api = new Api();
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const warnings: string[] = [];
  const log = { debug: () => undefined, info: () => undefined, warn: (_fields: object, message: string) => void warnings.push(message), error: () => undefined };
  const sink = new KubernetesEvents({ client: api, clock, log, identity: 'pod-1', enabled });
  const emit = (more: Partial<Parameters<typeof sink.emit>[0]> = {}): void => {
    sink.emit({ configMap: { name: 'thumbnails', uid: 'cm-uid' }, related: { name: 'job-1', uid: 'job-uid' }, type: 'Normal', reason: 'JobCreated', message: 'created', ...more });
  };
  return { api, clock, sink, emit, warnings };
}

describe('writing', () => {
  test('an Event names the ConfigMap and, as related, the Job', async () => {
    const { api, sink, emit } = setUp();
    emit();
    await sink.flush();
    expect(api.created).toEqual([{
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: expect.stringMatching(/^thumbnails\.[a-z2-7]{16}$/) as string, namespace: 'test' },
      involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'test', name: 'thumbnails', uid: 'cm-uid' },
      related: { apiVersion: 'batch/v1', kind: 'Job', namespace: 'test', name: 'job-1', uid: 'job-uid' },
      type: 'Normal', reason: 'JobCreated', message: 'created', count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'job-chief' }, reportingComponent: 'job-chief', reportingInstance: 'pod-1',
    }]);
  });

  test('a spec from a file has its Events on the Job; without either there is none', async () => {
    const { api, sink, emit } = setUp();
    emit({ configMap: undefined });
    emit({ configMap: undefined, related: undefined });
    await sink.flush();
    expect(api.created.map((event) => (event['involvedObject'] as JsonObject)['kind'])).toEqual(['Job']);
  });

  test('what repeats raises the count', async () => {
    const { api, clock, sink, emit } = setUp();
    emit();
    await sink.flush();
    await clock.advance(60_000);
    emit();
    emit();
    await sink.flush();
    expect(api.created.length).toBe(1);
    expect(api.patched.map(({ patch }) => patch)).toEqual([
      { count: 2, lastTimestamp: '2026-01-01T00:01:00Z', message: 'created' },
      { count: 3, lastTimestamp: '2026-01-01T00:01:00Z', message: 'created' },
    ]);
  });

  test('an Event that expired is made again', async () => {
    const { api, sink, emit } = setUp();
    emit();
    await sink.flush();
    api.patchAnswer = { kind: 'gone' };
    emit();
    await sink.flush();
    expect(api.created.map((event) => event['count'])).toEqual([1, 2]);
  });

  test('more than ten messages of one reason become one', async () => {
    const { api, sink, emit } = setUp();
    for (let n = 1; n <= 14; n += 1) emit({ message: `message ${n}` });
    await sink.flush();
    expect(api.created.map((event) => event['message']).slice(9)).toEqual(['message 10', '(combined from similar events): message 11']);
    expect(api.patched.map(({ patch }) => patch['count'])).toEqual([2, 3, 4]);
  });

  test('an object gets 25 at once and one every five minutes', async () => {
    const { api, clock, sink, emit } = setUp();
    for (let n = 0; n < 40; n += 1) emit({ reason: `Reason${n}` });
    await sink.flush();
    expect(api.created.length).toBe(25);
    emit({ configMap: { name: 'other', uid: 'other' } });
    await clock.advance(300_000);
    emit({ reason: 'Again' });
    await sink.flush();
    expect(api.created.length).toBe(27);
  });

  test('without the right it is off, and says so once', async () => {
    const { api, sink, emit, warnings } = setUp();
    api.createAnswer = () => Promise.resolve({ kind: 'forbidden', message: 'no' });
    emit();
    emit({ reason: 'Other' });
    await sink.flush();
    emit({ reason: 'Third' });
    await sink.flush();
    expect(api.created.length).toBe(1);
    expect(warnings).toEqual(['no right to write events: they are switched off']);
  });

  test('switched off by configuration it does nothing', async () => {
    const { api, sink, emit } = setUp(false);
    emit();
    await sink.close();
    expect(api.created).toEqual([]);
  });

  test('close waits three seconds for a slow server and no longer', async () => {
    const { api, clock, sink, emit } = setUp();
    let release: (result: WriteResult) => void = () => undefined;
    api.createAnswer = () => new Promise((resolve) => (release = resolve));
    emit();
    emit({ reason: 'Second' });
    const closed = sink.close();
    await clock.advance(3_000);
    release(done);
    await closed;
    expect(api.created.length).toBe(1);
    expect(clock.pending).toEqual([]);
  });

  test('a message that is too long is cut to what the API server takes', async () => {
    const { api, sink, emit } = setUp();
    emit({ message: 'ä'.repeat(2000) });
    await sink.flush();
    expect(Buffer.byteLength(api.created[0]?.['message'] as string)).toBeLessThanOrEqual(1024);
  });
});

describe('reading', () => {
  const event = (reason: string, message: string, more: JsonObject): JsonObject => ({ reason, message, ...more });
  const reader = (answer: ListResult) => {
    const queries: ListQuery[] = [];
    const lines: string[] = [];
    const log = { debug: () => undefined, info: (_fields: object, message: string) => void lines.push(message), warn: () => undefined, error: () => undefined };
    const list = (_resource: Resource, query: ListQuery = {}): Promise<ListResult> => {
      queries.push(query);
      return Promise.resolve(answer);
    };
    return { queries, lines, reader: new KubernetesEventReader({ client: { list }, log }) };
  };
  const object = { kind: 'Pod' as const, name: 'p', uid: 'u' };

  test('warnings about the object, newest first, whatever API wrote them', async () => {
    const { reader: events, queries } = reader({ kind: 'page', page: { resourceVersion: '1', continue: undefined, items: [
      event('FailedMount', 'old', { lastTimestamp: '2026-01-01T00:00:01Z' }),
      event('FailedScheduling', '0/3 nodes\nare available', { eventTime: '2026-01-01T00:00:09.000000Z' }),
      event('BackOff', 'series', { eventTime: '2026-01-01T00:00:00Z', series: { lastObservedTime: '2026-01-01T00:00:05Z' } }),
      event('Odd', 'no time', {}),
    ] } });
    expect(await events.texts(object)).toEqual(['FailedScheduling: 0/3 nodes are available', 'BackOff: series', 'FailedMount: old', 'Odd: no time']);
    expect(queries[0]?.fieldSelector).toBe('involvedObject.uid=u,involvedObject.kind=Pod,type=Warning');
  });

  test('without the right it is silent for good, and says so once', async () => {
    const { reader: events, queries, lines } = reader({ kind: 'failed', failure: { status: 403, reason: 'Forbidden', message: 'no', retryAfter: undefined } });
    await Promise.all([events.texts(object), events.texts(object)]);
    expect(await events.texts(object)).toEqual([]);
    expect(queries.length).toBe(2);
    expect(lines.length).toBe(1);
  });

  test('a failure is silent only this time', async () => {
    const { reader: events, queries } = reader({ kind: 'failed', failure: { status: 500, reason: '', message: 'no', retryAfter: undefined } });
    expect(await events.texts(object)).toEqual([]);
    await events.texts(object);
    expect(queries.length).toBe(2);
    await settle();
  });
});
