import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KubernetesClient } from '../../../../src/adapters/kubernetes/client.ts';
import { afterCursor, cursorAt, type LogCursor } from '../../../../src/adapters/kubernetes/log-cursor.ts';
import { PodLog, type LogItem, type PodLogOptions, type ReadLogOptions } from '../../../../src/adapters/kubernetes/pod-logs.ts';
import { textLines, type TextLine } from '../../../../src/adapters/kubernetes/text-lines.ts';
import type { ApiRequest, ApiStream, Transport } from '../../../../src/adapters/kubernetes/transport.ts';
import { asPod } from '../../../../src/simulation/job-shape.ts';
import { pods } from '../../../../src/simulation/objects.ts';
import type { PodScript } from '../../../../src/simulation/pod-script.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { simulate, type Simulation } from '../../../support/simulation.ts';

const shown = (item: LogItem): string => (item.kind === 'line' ? item.text : item.kind === 'over' ? 'OVER' : `${item.kind}: ${item.message}`);

describe('a log on a cluster', () => {
  const saying = (...texts: readonly string[]): PodScript => ({ startsAfter: 10, runs: 60_000, log: texts.map((text, index) => ({ after: (index + 1) * 1_000, text })) });

  /** A pod and somebody who reads the log of its container. */
  function open(script: PodScript, pod: object = {}): { world: Simulation; read: (options?: Partial<ReadLogOptions>) => Promise<LogItem[]>; log: (more?: Partial<PodLogOptions>) => PodLog } {
    const world = simulate({ script: () => script });
    world.cluster.registry.create(pods, { metadata: { name: 'p' }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x:1' }], ...pod } });
    const { transport, clock } = world.process(() => undefined);
    const client = new KubernetesClient({ transport, clock, namespace: 'default', fieldManager: 'test' });
    const log = (more: Partial<PodLogOptions> = {}): PodLog => new PodLog({ client, clock, pod: 'p', container: 'main', ...more });
    return { world, log, read: (options = {}) => readAll(world, log(), options) };
  }

  async function readAll(world: Simulation, log: PodLog, options: Partial<ReadLogOptions> = {}): Promise<LogItem[]> {
    const items: LogItem[] = [];
    let over = false;
    const reading = (async () => {
      for await (const item of log.read({ follow: false, signal: new AbortController().signal, ...options })) items.push(item);
    })().finally(() => { over = true; });
    expect(await world.runUntil(() => over, 7_200_000)).toBe(true);
    await reading;
    return items;
  }

  it('is what is there', async () => {
    const { world, read } = open(saying('one', 'two', 'three'));
    await world.run(2_500);
    expect((await read()).map(shown)).toEqual(['one', 'two', 'OVER']);
  });

  it('has the time of each line', async () => {
    const { world, read } = open(saying('one'));
    await world.run(2_500);
    expect(await read()).toMatchObject([{ text: 'one', cut: false, time: expect.stringMatching(/^2026-.*T.*\.\d{9}Z$/) as string }, {}]);
  });

  it('of a container that has not started says what it waits for', async () => {
    const { world, read } = open({ image: { for: Infinity }, log: [] });
    await world.run(5_000);
    expect((await read({ follow: true })).map(shown)).toEqual([expect.stringMatching(/^waiting: container "main" in pod "p" is waiting to start: (ErrImagePull|ImagePullBackOff)$/)]);
  });

  it('of a pod without a node is empty, as on a real API server', async () => {
    const { world, read } = open({ unschedulable: { for: Infinity } });
    await world.run(5_000);
    expect(await read({ follow: true })).toEqual([{ kind: 'over' }]);
  });

  it('is silent for as long as the container is', async () => {
    const { world, read } = open({ startsAfter: 10, runs: 3_600_000, log: [{ after: 100, text: 'begin' }, { after: 1_800_000, text: 'after half an hour' }] });
    await world.run(5_000);
    expect((await read({ follow: true })).map(shown)).toEqual(['begin', 'after half an hour', 'OVER']);
  });

  it('begins with the last lines, or with the newest', async () => {
    const { world, read } = open(saying('one', 'two', 'three', 'four'));
    await world.run(5_500);
    expect((await read({ tail: 2 })).map(shown)).toEqual(['three', 'four', 'OVER']);
    expect((await read({ since: 2_500 })).map(shown)).toEqual(expect.not.arrayContaining(['one']));
  });

  it('goes on where a broken connection left it, without a gap and without a line twice', async () => {
    const { world, read } = open({ startsAfter: 10, runs: 60_000, log: Array.from({ length: 40 }, (_, n) => ({ after: 1_000 + n * 1_100, text: `line ${n}` })) });
    await world.run(1_000);
    for (const [at, long] of [[3_100, 20_000], [30_000, 2_000]] as const) world.clock.timer(at, () => {
      world.cluster.api.setAvailable(false);
      world.clock.timer(long, () => { world.cluster.api.setAvailable(true); });
    });
    const items = await read({ follow: true });
    expect(items.filter(({ kind }) => kind === 'line').map(shown)).toEqual(Array.from({ length: 40 }, (_, n) => `line ${n}`));
    expect(items.filter(({ kind }) => kind === 'interrupted')).toHaveLength(2);
    expect(items.at(-1)).toEqual({ kind: 'over' });
  });

  it('read again has what came since', async () => {
    const { world, log } = open(saying('one', 'two', 'three'));
    await world.run(2_500);
    const one = log();
    expect((await readAll(world, one)).map(shown)).toEqual(['one', 'two', 'OVER']);
    await world.run(2_000);
    expect((await readAll(world, one)).map(shown)).toEqual(['three', 'OVER']);
  });

  it('of an earlier life is asked for by name, and may not be there', async () => {
    const { world, log } = open({ startsAfter: 10, log: [{ after: 50, text: 'hello' }], runs: 100, exits: [{ code: 1 }, { code: 0 }] }, { restartPolicy: 'OnFailure' });
    await world.run(900);
    expect((await readAll(world, log({ previous: true }))).map(shown)).toEqual(['gone: previous terminated container "main" in pod "p" not found']);
    await world.run(5_000);
    expect((await readAll(world, log({ previous: true }))).map(shown)).toEqual(['hello', 'OVER']);
  });

  it('of an init container is there as well', async () => {
    const { world, log } = open({ startsAfter: 10, runs: 60_000, containers: { prepare: { log: [{ after: 0, text: 'prepared' }] } } }, { initContainers: [{ name: 'prepare', image: 'x:1' }] });
    await world.run(2_000);
    expect((await readAll(world, log({ container: 'prepare' }))).map(shown)).toEqual(['prepared', 'OVER']);
  });

  it('of a pod that is gone says so', async () => {
    const { world, log } = open(saying());
    expect((await readAll(world, log({ pod: 'q' }))).map(shown)).toEqual(['gone: pods "q" not found']);
  });

  it('without the right to it says so', async () => {
    const { world, read } = open(saying());
    world.cluster.allows = () => false;
    expect(await read({ follow: true })).toMatchObject([{ kind: 'failed', forbidden: true, message: expect.stringContaining('cannot get resource "pods/log"') as string }]);
  });

  it('ends when nobody wants it any more', async () => {
    const { world, read } = open({ startsAfter: 10, runs: Infinity, log: [{ after: 1, text: 'one' }] });
    await world.run(2_000);
    const stop = new AbortController();
    world.clock.timer(5_000, () => { stop.abort(); });
    expect((await read({ follow: true, signal: stop.signal })).map(shown)).toEqual(['one', 'OVER']);
    expect(asPod(world.pods()[0]!).status.phase).toBe('Running');
  });
});

describe('an API server that fails', () => {
  const failing = (...answers: readonly (number | string)[]): { client: KubernetesClient; clock: FakeClock; asked: ApiRequest[] } => {
    const asked: ApiRequest[] = [];
    const clock = new FakeClock();
    const transport: Transport = {
      request: () => Promise.reject(new Error('not expected')),
      stream: (request) => {
        asked.push(request);
        const answer = answers[Math.min(asked.length, answers.length) - 1] ?? '';
        return Promise.resolve(typeof answer === 'number' ? refusal(answer) : { status: 200, headers: {}, lines: pieces(answer), close: () => undefined });
      },
    };
    return { client: new KubernetesClient({ transport, clock, namespace: 'n', fieldManager: 't' }), clock, asked };
  };
  const refusal = (code: number): ApiStream => ({ status: code, headers: {}, lines: pieces({ message: `says ${code}`, reason: 'X' }), close: () => undefined });
  async function* pieces<T>(piece: T): AsyncGenerator<T> {
    yield await Promise.resolve(piece);
  }
  async function collect({ client, clock }: { client: KubernetesClient; clock: FakeClock }, follow: boolean): Promise<LogItem[]> {
    const items: LogItem[] = [];
    const reading = (async () => {
      for await (const item of new PodLog({ client, clock, pod: 'p', container: 'c' }).read({ follow, signal: new AbortController().signal })) items.push(item);
    })();
    await clock.advance(1_000_000);
    await reading;
    return items;
  }

  it.each([
    ['with 503 twice is asked a third time', [503, 503, '2026-01-01T00:00:00Z hi\n'], false, ['interrupted: says 503', 'hi', 'OVER']],
    ['with 503 for good is given up on', [503], false, ['interrupted: says 503', 'failed: says 503']],
    ['with 503 is asked for ten minutes by those who follow', [503], true, ['interrupted: says 503', 'failed: says 503']],
    ['with 401 once gets a new token', [401, 'text of the kubelet'], false, ['interrupted: says 401', 'text of the kubelet', 'OVER']],
    ['with 401 twice has no use for the new one either', [401, 401], true, ['interrupted: says 401', 'failed: says 401']],
    ['with 400 will not change its mind', [400], true, ['failed: says 400']],
  ] as const)('%s', async (_what, answers, follow, expected) => {
    expect((await collect(failing(...answers), follow)).map(shown)).toEqual(expected);
  });

  it('is asked for text, with a stamp on each line', async () => {
    const scene = failing('');
    await collect(scene, true);
    expect(scene.asked).toMatchObject([{ method: 'GET', path: '/api/v1/namespaces/n/pods/p/log', query: { container: 'c', timestamps: 'true', follow: 'true' }, text: true }]);
  });
});

describe('lines', () => {
  const lines = async (pieces: readonly string[], longest = 1_000): Promise<TextLine[]> => {
    const found: TextLine[] = [];
    for await (const line of textLines((async function* () { for (const piece of pieces) yield await Promise.resolve(piece); })(), longest)) found.push(line);
    return found;
  };

  it('are the same however the text is cut to pieces', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.string({ maxLength: 9 }).map((text) => text.replaceAll('\n', ' ')), { maxLength: 6 }), fc.integer({ min: 1, max: 7 }), async (texts, size) => {
      const whole = texts.map((text) => `${text}\n`).join('');
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, n) => whole.slice(n * size, (n + 1) * size));
      expect((await lines(pieces)).map(({ text }) => text)).toEqual(texts);
    }), { numRuns: 100 });
  });

  it('that are too long are cut and marked, and the next one is whole', async () => {
    expect(await lines(['abc', 'defgh', 'ij\nshort\n', '12345\n123456\n'], 5)).toEqual([{ text: 'abcde', cut: true }, { text: 'short', cut: false }, { text: '12345', cut: false }, { text: '12345', cut: true }]);
  });

  it('count without a line feed at the end', async () => {
    expect(await lines(['a\nb'])).toEqual([{ text: 'a', cut: false }, { text: 'b', cut: false }]);
  });
});

describe('where a log goes on', () => {
  it.each([
    ['a later time', '2026-01-01T00:00:00.000000002Z', true],
    ['an earlier time', '2026-01-01T00:00:00.000000000Z', false],
    ['the same time, written without zeros and in another zone', '2026-01-01T01:00:00.000000001+01:00', false],
    ['a later time in another zone', '2026-01-01T01:00:00.5+01:00', true],
  ])('is after the last line: %s', (_what, time, isNew) => {
    expect(afterCursor(cursorAt('2026-01-01T00:00:00.000000001Z', undefined))(time)).toBe(isNew);
  });

  it('counts lines of one moment', () => {
    const time = '2026-01-01T00:00:00.1Z';
    const cursor = [time, time].reduce<LogCursor | undefined>((before, one) => cursorAt(one, before), undefined)!;
    const isNew = afterCursor(cursor);
    expect([time, time, time].map(isNew)).toEqual([false, false, true]);
  });
});
