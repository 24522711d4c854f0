import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import { hour, minute, second, type Scene, useScenes } from '../support/scene.ts';

const stage = useScenes();

const fails: PodScript = { runs: second, exit: { code: 1 } };
const succeeds: PodScript = { runs: second };
const neverStarts: PodScript = { image: { for: Infinity, reason: 'InvalidImageName' } };

/** From the end of each Job, as its condition has it, to the start of the next; whole seconds. */
function pauses(scene: Scene): number[] {
  return scene.births.slice(1).map(({ at }, index) => {
    const before = scene.world.job(scene.births[index]?.name ?? '');
    const ended = before?.status.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed')?.lastTransitionTime;
    return Math.floor(at - (Date.parse(ended ?? '') - Date.UTC(2026, 0, 1)) / 1000);
  });
}

const keepAll = { retention: { succeeded: { count: 100 }, failed: { count: 100 } } };

describe('the wait after a Job', () => {
  it.each([
    ['after a success the queue is looked at at once', {}, succeeds, [0, 0, 0]],
    ['after a success as long as the spec says, without growing', { drain: { waitAfter: { succeeded: '45s' } } }, succeeds, [45, 45, 45]],
    ['after a failure 30 s, doubled each time up to the breaker\'s pace', {}, fails, [30, 60, 120, 240, 300, 300]],
    ['after a failure as the spec says', { drain: { waitAfter: { failed: '7m' } } }, fails, [420, 420, 420]],
    ['after a failure not at all, where the spec says so', { drain: { waitAfter: { failed: '0s' } } }, fails, [0, 0, 0]],
    ['after a Job that did not start 2 min, doubled, and then the breaker\'s probes', {}, neverStarts, [120, 240, 300, 300, 300, 300]],
    ['with a longer pace of the breaker', { breaker: { notStarted: 'off', probeEvery: '20m' } }, neverStarts, [120, 240, 480, 960, 1200, 1200]],
  ] as [string, JsonObject, PodScript, number[]][])('%s', async (_name, spec, pod, expected) => {
    const scene = stage({ spec: { ...keepAll, ...spec }, pod });
    scene.queue.send(1);
    await scene.world.runUntil(() => scene.births.length > expected.length, 3 * hour);
    expect(pauses(scene)).toEqual(expected);
  });

  it('an error of the infrastructure waits as a failure does', async () => {
    const scene = stage({ spec: keepAll, pod: { runs: hour } });
    scene.queue.send(1);
    await scene.world.run(10 * second);
    const [job] = scene.births;
    scene.world.cluster.script = () => ({ runs: hour });
    scene.apply({ ...keepAll, onSpecChange: 'replace', timeout: '10h' });
    await scene.world.run(minute);
    expect(scene.outcome(job?.name)).toMatchObject({ outcome: 'errored', reason: 'SpecChanged' });
    // An edit starts afresh: no wait after what was ended for it.
    expect(scene.births).toHaveLength(2);
  });

  it('a success ends the growth', async () => {
    const outcomes = [fails, fails, succeeds, fails, fails];
    let jobs = 0;
    const scene = stage({ spec: keepAll, pod: () => outcomes[(jobs += 1) - 1] ?? succeeds });
    scene.queue.send(1);
    await scene.world.runUntil(() => scene.births.length === 6);
    expect(pauses(scene)).toEqual([30, 60, 0, 30, 60]);
  });

  it.each([
    ['after a failure', fails, 'WaitAfterFailed'],
    ['after a Job that did not start', neverStarts, 'WaitAfterNotStarted'],
  ])('%s the next start is the same when the controller is killed in the middle of the wait', async (_name, pod, reason) => {
    const times: number[][] = [];
    for (const killed of [false, true]) {
      const scene = stage({ spec: keepAll, pod });
      scene.queue.send(1);
      await scene.world.runUntil(() => scene.births.length === 3);
      expect(await scene.world.runUntil(() => scene.verdict() === 'Failed')).toBe(true);
      await scene.world.run(20 * second);
      expect(scene.status()).toMatchObject({ state: 'Waiting', reason });
      const { message } = scene.status();
      if (killed) await scene.restart();
      await scene.world.run(15 * second);
      expect(scene.status()).toMatchObject({ state: 'Waiting', reason, message });
      await scene.world.runUntil(() => scene.births.length === 5);
      times.push(scene.startTimes);
    }
    expect(times[1]).toEqual(times[0]);
  });

  it('the wait after a success holds over a restart as well', async () => {
    const scene = stage({ spec: { drain: { waitAfter: { succeeded: '1h' } } }, pod: succeeds });
    scene.queue.send(1);
    await scene.world.run(30 * minute);
    await scene.restart();
    await scene.world.run(29 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.status()).toMatchObject({ state: 'Waiting', reason: 'WaitAfterSucceeded' });
    await scene.world.run(2 * minute);
    expect(scene.births).toHaveLength(2);
  });

  it('messages that come during the wait do not shorten it', async () => {
    const scene = stage({ pod: fails });
    scene.queue.send(1);
    await scene.world.runUntil(() => scene.verdict() === 'Failed');
    const ended = scene.now;
    for (let message = 0; message < 10; message += 1) {
      await scene.world.run(2 * second);
      scene.queue.send(1);
    }
    await scene.world.runUntil(() => scene.births.length === 2);
    expect(scene.now - ended).toBeGreaterThan(28);
  });

  it('an edit of the spec starts at once', async () => {
    const scene = stage({ pod: fails });
    scene.queue.send(1);
    await scene.world.runUntil(() => scene.births.length === 4);
    await scene.world.run(minute);
    expect(scene.status().state).toBe('Waiting');
    const edited = scene.now;
    scene.apply({ job: { image: 'registry.example/worker:2' } });
    await scene.world.run(5 * second);
    expect(scene.births).toHaveLength(5);
    expect((scene.births[4]?.at ?? 0) - edited).toBeLessThan(1);
  });

  it('an edit that changes nothing but comments and order keeps the wait', async () => {
    const scene = stage({ pod: fails, spec: 'none' });
    const text = 'apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: thumbnails}}\ndrain: {}\njob: {image: registry.example/worker:1}\n';
    scene.applyText(text);
    scene.queue.send(1);
    await scene.world.runUntil(() => scene.births.length === 3);
    await scene.world.run(10 * second);
    scene.applyText(`# a comment\n${text}`);
    await scene.world.run(30 * second);
    expect(scene.births).toHaveLength(3);
    expect(scene.status()).toMatchObject({ state: 'Waiting', reason: 'WaitAfterFailed' });
  });
});

describe('the breaker', () => {
  const quick = { drain: { waitAfter: { failed: '1s', notStarted: '1s' } }, ...keepAll };

  it.each([
    ['notStarted', { ...quick, breaker: { notStarted: 3, probeEvery: '10m' } }, neverStarts],
    ['failed', { ...quick, breaker: { failed: 3, probeEvery: '10m' } }, fails],
  ] as [string, JsonObject, PodScript][])('opens after so many Jobs in a row that %s, and then only probes', async (_name, spec, pod) => {
    const scene = stage({ spec, pod });
    scene.queue.send(1);
    await scene.world.run(3 * minute);
    expect(scene.births).toHaveLength(3);
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: 'BreakerOpen' });
    expect(scene.status().message).toMatch(/^3 Jobs in a row .*; the next probe starts at 2026-01-01T00:1/u);
    await scene.world.run(hour);
    expect(pauses(scene).slice(2)).toEqual([600, 600, 600, 600, 600, 600]);
    // One for each time that it begins to hold: after the third Job and after each probe.
    expect(scene.world.events().filter((text) => text.includes('BreakerOpen')).length).toBeLessThanOrEqual(scene.births.length - 2);
  });

  it('never opens with off', async () => {
    const scene = stage({ spec: { ...quick, breaker: { notStarted: 'off', probeEvery: '10s' } }, pod: neverStarts });
    scene.queue.send(1);
    await scene.world.run(5 * minute);
    expect(scene.births.length).toBeGreaterThan(15);
    expect(scene.status().reason).not.toBe('BreakerOpen');
  });

  it('closes with the first success', async () => {
    let pod = fails;
    const scene = stage({ spec: { ...quick, breaker: { failed: 3, probeEvery: '10m' } }, pod: () => pod });
    scene.queue.send(1);
    await scene.world.run(3 * minute);
    expect(scene.status().reason).toBe('BreakerOpen');
    pod = succeeds;
    await scene.world.runUntil(() => scene.births.length === 4);
    await scene.world.run(second);
    pod = fails;
    await scene.world.runUntil(() => scene.births.length === 6);
    expect(pauses(scene).slice(2)).toEqual([600, 0, 1]);
  });

  it('stays open over a restart', async () => {
    const scene = stage({ spec: { ...quick, breaker: { failed: 3, probeEvery: '10m' } }, pod: fails });
    scene.queue.send(1);
    await scene.world.run(3 * minute);
    await scene.restart();
    await scene.world.run(2 * minute);
    expect(scene.births).toHaveLength(3);
    expect(scene.status()).toMatchObject({ state: 'Blocked', reason: 'BreakerOpen' });
    expect(scene.world.events().filter((text) => text.includes('BreakerOpen'))).toHaveLength(1);
    await scene.world.runUntil(() => scene.births.length === 4);
    expect(pauses(scene)[2]).toBe(600);
  });

  it('is reset by an edit', async () => {
    const scene = stage({ spec: { ...quick, breaker: { failed: 3, probeEvery: '10m' } }, pod: fails });
    scene.queue.send(1);
    await scene.world.run(3 * minute);
    expect(scene.status().reason).toBe('BreakerOpen');
    scene.apply({ ...quick, breaker: { failed: 3, probeEvery: '10m' }, job: { image: 'registry.example/worker:2' } });
    await scene.world.run(2 * second);
    expect(scene.births).toHaveLength(4);
  });

  it('holds although retention keeps fewer failures than it counts', async () => {
    const scene = stage({ spec: { drain: { waitAfter: { failed: '1s' } }, retention: { failed: { count: 1 } }, breaker: { failed: 4, probeEvery: '20m' } }, pod: fails });
    scene.queue.send(1);
    await scene.world.run(hour);
    expect(scene.births).toHaveLength(6);
    expect(scene.status()).toMatchObject({ reason: 'BreakerOpen' });
  });
});
