import { expect, test } from 'vitest';
import { until } from '../../support/fake-clock.ts';
import type { DoubleWatch, Reply } from '../../support/api-double.ts';
import { status } from '../../support/api-double.ts';
import { object, startHarness } from './harness.ts';
import type { Harness } from './harness.ts';

/** A reflector that has listed job-1 at version 10 and watches. */
async function watching(h: Harness) {
  h.double.listing('jobs', '10', object('job-1', 'uid-1', '5'));
  const reflector = h.reflector();
  reflector.start();
  const watch = await h.double.watch(1);
  expect(reflector.synced).toBe(true);
  return { reflector, watch };
}

/** Waits until the reflector pauses: any timer but the 15 s limit of a request under way. */
async function pausing(h: Harness): Promise<void> {
  await until(() => h.clock.pending.length === 1 && h.clock.pending[0] !== 15_000, 'a pause');
}

/** Moves the clock until the double has seen `n` watches: the pauses are the reflector's own business. */
async function nextWatch(h: Harness, n: number): Promise<DoubleWatch> {
  await until(() => h.clock.pending.length > 0 || h.double.watches.length >= n);
  for (let step = 0; step < 400 && h.double.watches.length < n; step += 1) {
    await h.clock.advance(200);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return h.double.watch(n);
}

test('lists page by page without a resourceVersion, then watches from the version of the list', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '77', ...Array.from({ length: 7 }, (_, i) => object(`job-${i}`, `uid-${i}`, `${i + 1}`)));
  const reflector = h.reflector({ pageSize: 3 });
  reflector.start();
  await reflector.whenSynced;
  const watch = await h.double.watch();
  expect(reflector.size).toBe(7);
  expect(reflector.resourceVersion).toBe('77');
  expect(h.double.lists_seen.map((each) => [each.query.get('limit'), each.query.get('continue'), each.query.get('resourceVersion')])).toEqual([['3', null, null], ['3', '3', null], ['3', '6', null]]);
  expect(watch.request.query.get('resourceVersion')).toBe('77');
  expect(watch.request.query.get('allowWatchBookmarks')).toBe('true');
  expect(Number(watch.request.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
  expect(watch.request.query.get('labelSelector')).toBe('app=x');
  expect(watch.request.headers['user-agent']).toBe('job-chief/test');
});

test('keeps up with events, also ones that arrive in pieces', async () => {
  await using h = await startHarness();
  const { reflector, watch } = await watching(h);
  const text = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: object('jöb-2', 'uid-2', '11') })}\n`);
  for (const byte of text) watch.raw(Buffer.from([byte]));
  watch.send('MODIFIED', object('job-1', 'uid-1', '12', { value: 'new' }));
  watch.send('DELETED', object('jöb-2', 'uid-2', '13'));
  await until(() => reflector.resourceVersion === '13');
  expect(h.told).toEqual(['added job-1/uid-1', 'added jöb-2/uid-2', 'changed job-1/uid-1', 'deleted jöb-2/uid-2']);
  expect(reflector.get('job-1')?.value).toBe('"new"');
});

test('a clean end is followed at once by a watch from the last version, without a list', async () => {
  await using h = await startHarness();
  const { watch } = await watching(h);
  watch.send('ADDED', object('job-2', 'uid-2', '20'));
  await until(() => h.told.length === 2);
  await h.clock.advance(5_000);
  watch.end();
  const second = await h.double.watch(2);
  expect(second.request.query.get('resourceVersion')).toBe('20');
  expect(h.double.lists_seen.length).toBe(1);
});

test('bookmarks move the version on', async () => {
  await using h = await startHarness();
  const { reflector, watch } = await watching(h);
  watch.bookmark('500');
  await until(() => reflector.resourceVersion === '500');
  await h.clock.advance(5_000);
  watch.end();
  expect((await h.double.watch(2)).request.query.get('resourceVersion')).toBe('500');
  expect(h.told).toEqual(['added job-1/uid-1']);
});

test('a reset connection is followed, after a pause, by a watch from the last version', async () => {
  await using h = await startHarness();
  const { watch } = await watching(h);
  watch.reset();
  await until(() => h.log.lines.some((line) => line.message.includes('trying again')));
  expect(h.double.watches_seen.length).toBe(1);
  const second = await nextWatch(h, 2);
  expect(second.request.query.get('resourceVersion')).toBe('10');
  expect(h.double.lists_seen.length).toBe(1);
});

const expired: [string, (h: Harness, watch: DoubleWatch) => void][] = [
  ['410 as the code of an ERROR event', (_h, watch) => {
    watch.error(410, 'Expired');
  }],
  ['410 as the status of the next watch', (h, watch) => {
    h.double.script('watch', { status: 410, body: status(410, 'Expired', 'too old resource version') });
    watch.reset();
  }],
];
test.each(expired)('%s leads to a list whose differences are told', async (_name, expire) => {
  await using h = await startHarness();
  const { reflector, watch } = await watching(h);
  h.double.listing('jobs', '90', object('job-2', 'uid-2', '80'));
  expire(h, watch);
  const second = await nextWatch(h, 2);
  expect(second.request.query.get('resourceVersion')).toBe('90');
  expect(h.told).toEqual(['added job-1/uid-1', 'deleted job-1/uid-1', 'added job-2/uid-2']);
  expect(reflector.get('job-1')).toBeUndefined();
});

test('deleted and made again in the gap is told as delete and add', async () => {
  await using h = await startHarness();
  const { watch } = await watching(h);
  h.double.listing('jobs', '90', object('job-1', 'uid-1-new', '80'));
  watch.error(410, 'Expired');
  await nextWatch(h, 2);
  expect(h.told).toEqual(['added job-1/uid-1', 'deleted job-1/uid-1', 'added job-1/uid-1-new']);
});

test('a late DELETED of an earlier object leaves its namesake alone', async () => {
  await using h = await startHarness();
  const { reflector, watch } = await watching(h);
  watch.send('DELETED', object('job-1', 'uid-0', '11'));
  await until(() => reflector.resourceVersion === '11');
  expect(reflector.get('job-1')?.uid).toBe('uid-1');
});

test('a server that answers every version with 410 is not asked in a tight loop', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '10');
  h.double.script('watch', ...Array.from({ length: 50 }, (): Reply => ({ status: 410, body: status(410, 'Expired', 'no') })));
  h.reflector().start();
  await until(() => h.double.watches_seen.length === 2);
  await pausing(h);
  const before = h.double.requests.length;
  await h.clock.advance(500);
  expect(h.double.requests.length).toBe(before);
});

const bad: [string, Reply][] = [
  ['403', { status: 403, body: status(403, 'Forbidden', 'jobs.batch is forbidden: User "x" cannot watch') }],
  ['429', { status: 429, body: status(429, 'TooManyRequests', 'slow down') }],
  ['500', { status: 500, body: status(500, 'InternalError', 'oops') }],
  ['502 with a page of HTML', { status: 502, body: '<html>bad gateway</html>' }],
  ['a cut connection', 'cut'],
];
test.each(bad)('a watch answered with %s is tried again, from the same version', async (_name, reply) => {
  await using h = await startHarness();
  h.double.listing('jobs', '10', object('job-1', 'uid-1', '5'));
  h.double.script('watch', reply, reply);
  const reflector = h.reflector();
  reflector.start();
  const watch = await nextWatch(h, 1);
  expect(watch.request.query.get('resourceVersion')).toBe('10');
  expect(h.double.watches_seen.length).toBe(3);
  expect(h.double.lists_seen.length).toBe(1);
  expect(reflector.size).toBe(1);
});

test.each<[string, Reply]>([...bad, ['200 but no list', { status: 200, body: '<html>please log in</html>' }], ['200 and an empty object', { status: 200, body: {} }], ['half a body', 'cutInBody']])(
  'a list answered with %s leaves the cache as it was and is tried again',
  async (_name, reply) => {
    await using h = await startHarness();
    const { reflector, watch } = await watching(h);
    h.double.script('list', reply, reply, reply);
    watch.error(410, 'Expired');
    await until(() => h.log.lines.length > 0);
    expect(reflector.size).toBe(1);
    expect(h.told).toEqual(['added job-1/uid-1']);
    await nextWatch(h, 2);
    expect(h.told).not.toContain('deleted job-1/uid-1');
    expect(reflector.size).toBe(1);
  },
);

test('a page that fails makes the whole list fail', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '10', ...Array.from({ length: 4 }, (_, i) => object(`job-${i}`, `uid-${i}`, '1')));
  h.double.script((request) => request.query.get('continue') === '2', { status: 500 });
  const reflector = h.reflector({ pageSize: 2 });
  reflector.start();
  await pausing(h);
  expect(reflector.size).toBe(0);
  expect(reflector.synced).toBe(false);
  await nextWatch(h, 1);
  expect(reflector.size).toBe(4);
});

test('a continue token that expired starts the list over, in one page', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '10', ...Array.from({ length: 4 }, (_, i) => object(`job-${i}`, `uid-${i}`, '1')));
  h.double.script((request) => request.query.get('continue') === '2', { status: 410, body: status(410, 'Expired', 'token too old') });
  const reflector = h.reflector({ pageSize: 2 });
  reflector.start();
  await reflector.whenSynced;
  expect(reflector.size).toBe(4);
  expect(h.double.lists_seen.at(-1)?.query.get('limit')).toBeNull();
});

test('Retry-After on a watch is the least pause', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '10');
  h.double.script('watch', { status: 429, body: status(429, 'TooManyRequests', 'later'), headers: { 'retry-after': '20' } });
  h.reflector().start();
  await pausing(h);
  expect(h.clock.pending).toEqual([20_000]);
});

test('pauses grow from 0.8 to 30 seconds', async () => {
  await using h = await startHarness();
  h.double.script('list', ...Array.from({ length: 9 }, (): Reply => ({ status: 500 })));
  h.double.listing('jobs', '10');
  h.reflector({ random: () => 0.999 }).start();
  const pauses: number[] = [];
  for (let n = 1; n <= 9; n += 1) {
    await until(() => h.double.lists_seen.length === n, `list ${n}`);
    await pausing(h);
    pauses.push(Math.round(h.clock.pending[0]! / 100) / 10);
    await h.clock.next();
  }
  expect(pauses).toEqual([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30]);
});

test('watches that keep failing on a version lead to a list', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '10');
  h.double.script('watch', { status: 504 }, { status: 504 }, { status: 504 });
  h.reflector().start();
  await nextWatch(h, 1);
  expect(h.double.lists_seen.length).toBe(2);
});

test('a watch that is silent for three minutes is closed and everything listed again', async () => {
  await using h = await startHarness();
  const { reflector, watch } = await watching(h);
  await h.clock.advance(120_000);
  watch.bookmark('30');
  await until(() => reflector.resourceVersion === '30');
  await h.clock.advance(120_000);
  expect(watch.closed).toBe(false);
  h.double.listing('jobs', '90', object('job-2', 'uid-2', '80'));
  await h.clock.advance(60_000);
  await until(() => watch.closed);
  await h.double.watch(2);
  expect(h.told).toEqual(['added job-1/uid-1', 'deleted job-1/uid-1', 'added job-2/uid-2']);
});

test('a handler that throws harms neither the cache nor the watch', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '10', object('job-1', 'uid-1', '5'));
  const reflector = h.reflector({
    onChange: () => {
      throw new Error('handler');
    },
  });
  reflector.start();
  const watch = await h.double.watch();
  watch.send('ADDED', object('job-2', 'uid-2', '11'));
  await until(() => reflector.size === 2);
  expect(h.log.at('error')).toEqual(['handler of a change threw', 'handler of a change threw']);
});

test('a poison object is left out and reported once; what was known of it stays', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '10', object('job-1', 'uid-1', '5'), object('bad', 'uid-b', '6', { poison: true }));
  const reflector = h.reflector();
  reflector.start();
  const watch = await h.double.watch();
  watch.send('MODIFIED', object('job-1', 'uid-1', '11', { poison: true }));
  watch.send('MODIFIED', object('bad', 'uid-b', '12', { poison: true }));
  watch.raw('{"type":"MODIFIED","object":null}\n{"type":"ODD"}\n');
  watch.bookmark('13');
  await until(() => reflector.resourceVersion === '13');
  expect([...reflector.values()].map((each) => each.name)).toEqual(['job-1']);
  expect(h.log.at('warn').filter((line) => line.includes('skipping')).length).toBe(3);
});

test('a line that is no JSON ends the watch, not the reflector', async () => {
  await using h = await startHarness();
  const { watch } = await watching(h);
  watch.raw('{"type":"ADD\n');
  expect((await nextWatch(h, 2)).request.query.get('resourceVersion')).toBe('10');
});

test('stop in a pause is final', async () => {
  await using h = await startHarness();
  h.double.listing('jobs', '10');
  h.double.script('watch', { status: 500 });
  const reflector = h.reflector();
  reflector.start();
  await until(() => h.double.watches_seen.length === 1);
  await pausing(h);
  await reflector.stop();
  await h.clock.advance(60_000);
  expect(h.clock.pending).toEqual([]);
  expect(h.double.watches_seen.length).toBe(1);
});

test('stop in a watch closes it', async () => {
  await using h = await startHarness();
  const { reflector, watch } = await watching(h);
  await reflector.stop();
  await until(() => watch.closed);
  expect(h.clock.pending).toEqual([]);
});

test('stop in a list and before start is final, too', async () => {
  await using h = await startHarness();
  h.double.script('list', 'hang');
  const reflector = h.reflector();
  reflector.start();
  await until(() => h.double.lists_seen.length === 1);
  await reflector.stop();
  const other = h.reflector();
  await other.stop();
  other.start();
  await h.clock.advance(60_000);
  expect(h.double.requests.length).toBe(1);
});

test('a second start changes nothing', async () => {
  await using h = await startHarness();
  const { reflector } = await watching(h);
  reflector.start();
  await h.clock.advance(10_000);
  expect(h.double.requests.length).toBe(2);
});

test('an idle minute without bookmarks makes no request', async () => {
  await using h = await startHarness();
  await watching(h);
  await h.clock.advance(60_000);
  expect(h.double.requests.length).toBe(2);
});

test('lastContact moves with attempts and with lines', async () => {
  await using h = await startHarness();
  const { reflector, watch } = await watching(h);
  expect(reflector.lastContact).toBe(0);
  await h.clock.advance(50_000);
  watch.bookmark('11');
  await until(() => reflector.resourceVersion === '11');
  expect(reflector.lastContact).toBe(50_000);
});
