import { describe, expect, it } from 'vitest';
import { stateLabel } from '../../src/spec/keys.ts';
import { hour, isStatusWrite, minute, second, useScenes } from '../support/scene.ts';

const stage = useScenes();

describe('the status of a queue', () => {
  it('follows its life, in words', async () => {
    const scene = stage({ spec: { drain: { waitAfter: { succeeded: '10m' } } }, pod: { startsAfter: 30 * second, runs: minute } });
    await scene.world.run(20 * second);
    expect(scene.status()).toMatchObject({ state: 'Idle', reason: 'QueueEmpty', message: 'no message is ready', liveJobs: 0, oldJobs: 0 });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    const name = scene.births[0]?.name ?? '';
    expect(scene.status()).toMatchObject({ state: 'Starting', reason: 'JobStarting', message: `Job "${name}" is starting`, liveJobs: 1, oldJobs: 0 });
    await scene.world.run(40 * second);
    expect(scene.status()).toMatchObject({ state: 'Running', reason: 'JobRunning', message: `Job "${name}" is running`, liveJobs: 1 });
    await scene.world.run(minute);
    expect(scene.status()).toMatchObject({ state: 'Waiting', reason: 'WaitAfterSucceeded', liveJobs: 0, lastRun: { job: name, outcome: 'succeeded', reason: 'Completed', message: '' } });
    expect(scene.status().message).toMatch(/^the last Job succeeded; the queue is looked at again at 2026-01-01T00:1\d:\d\d\.000Z$/u);
  });

  it('has a label of the same word', async () => {
    const scene = stage({ pod: { runs: minute } });
    await scene.world.run(20 * second);
    expect(scene.label('thumbnails', stateLabel)).toBe('Idle');
    scene.queue.send(1);
    await scene.world.run(30 * second);
    expect(scene.label('thumbnails', stateLabel)).toBe('Running');
  });

  it('has conditions', async () => {
    const scene = stage({ pod: { runs: minute, exit: { code: 2 } } });
    await scene.world.run(20 * second);
    expect(scene.status().conditions).toEqual([
      { type: 'Accepted', status: 'True', reason: 'SpecAccepted', message: '' },
      { type: 'Progressing', status: 'False', reason: 'QueueEmpty', message: '' },
    ]);
    scene.queue.send(1);
    await scene.world.run(30 * second);
    expect(scene.status().conditions).toContainEqual({ type: 'Progressing', status: 'True', reason: 'JobRunning', message: '' });
    await scene.world.run(50 * second);
    expect(scene.status().conditions).toContainEqual({ type: 'LastRun', status: 'False', reason: 'Error', message: expect.stringMatching(/^Job "thumbnails-\S+": failed, container "\S+" exited with 2$/u) as string });
  });

  it.each([
    ['an exit code', { code: 3 }, { outcome: 'failed', reason: 'Error', message: 'container "main" exited with 3' }, 3],
    ['a termination message', { code: 1, message: 'no such table: images' }, { outcome: 'failed', reason: 'Error', message: 'container "main" exited with 1: no such table: images' }, 1],
    ['the reason of the kernel', { code: 137, reason: 'OOMKilled' }, { outcome: 'failed', reason: 'OOMKilled', message: 'container "main" exited with 137 (OOMKilled)' }, 137],
    ['a command that does not exist', { code: 128, reason: 'StartError', message: 'exec: "run": not found' }, { outcome: 'notStarted', reason: 'StartError', message: 'container "main" exited with 128 (StartError): exec: "run": not found' }, 128],
  ] as const)('tells of the last run %s', async (_name, exit, lastRun, exitCode) => {
    const scene = stage({ pod: { runs: second, exit } });
    scene.queue.send(1);
    await scene.world.run(25 * second);
    expect(scene.status().lastRun).toMatchObject({ job: scene.births[0]?.name, ...lastRun });
    expect(scene.outcome()).toMatchObject({ phase: 'final', ...lastRun, exitCode });
  });

  it('does not grow with the messages of pods', async () => {
    const scene = stage({ pod: { runs: second, exit: { code: 1, message: 'é'.repeat(4000) } } });
    scene.queue.send(1);
    await scene.world.run(25 * second);
    expect(Buffer.byteLength(JSON.stringify(scene.status()))).toBeLessThan(4096);
    expect(scene.status().lastRun?.message).toContain('éééé');
  });

  it('counts Jobs of older revisions', async () => {
    const scene = stage({ pod: { runs: hour } });
    scene.queue.send(1);
    await scene.world.run(20 * second);
    scene.apply({ timeout: '3h' });
    await scene.world.run(20 * second);
    expect(scene.status()).toMatchObject({ liveJobs: 1, oldJobs: 1 });
  });

  it('is not rewritten while nothing changes', async () => {
    const scene = stage({ pod: { runs: 5 * hour } });
    await scene.world.run(minute);
    scene.queue.send(1);
    await scene.world.run(minute);
    const before = scene.requests(isStatusWrite).length;
    await scene.world.run(3 * hour);
    expect(scene.requests(isStatusWrite)).toHaveLength(before);
  });

  it('is written at most every ten seconds, however fast the Jobs come and go', async () => {
    const scene = stage({ pod: { startsAfter: 50, runs: 50 } });
    scene.queue.send(1);
    await scene.world.run(2 * minute);
    expect(scene.births.length).toBeGreaterThan(25);
    expect(scene.requests(isStatusWrite).length).toBeLessThan(15);
  });

  it('a new revision shows within a second, also right after another write', async () => {
    const scene = stage();
    await scene.world.run(20 * second);
    for (const checkInterval of ['20s', '30s', '40s']) {
      const before = scene.status().observedHash;
      scene.apply({ drain: { checkInterval } });
      await scene.world.run(second);
      expect(scene.status().observedHash).not.toBe(before);
    }
  });
});

describe('Events', () => {
  it('tell the life of a Job once', async () => {
    const scene = stage({ pod: { runs: 5 * second } });
    await scene.world.run(20 * second);
    const [message] = scene.queue.send(1);
    await scene.world.run(4 * second);
    if (message) scene.queue.complete(scene.queue.fetch() ?? message);
    await scene.world.run(hour / 2);
    const ours = scene.world.events().filter((text) => text.startsWith('ConfigMap/thumbnails'));
    const name = scene.births[0]?.name ?? '';
    expect(ours.toSorted()).toEqual([
      `ConfigMap/thumbnails JobCreated: Job "${name}": at least 1 ready message`,
      `ConfigMap/thumbnails JobSucceeded: Job "${name}": Completed`,
      'ConfigMap/thumbnails SpecAccepted: Queue "thumbnails" is accepted',
    ]);
  });

  it('are not repeated after a restart', async () => {
    const scene = stage({ spec: { suspend: true } });
    await scene.world.run(30 * second);
    const before = scene.world.events();
    expect(before).toHaveLength(2);
    for (let restart = 0; restart < 3; restart += 1) {
      await scene.restart();
      await scene.world.run(minute);
    }
    expect(scene.world.events()).toEqual(before);
  });

  it('say that a spec was rejected, and that it is accepted again', async () => {
    const scene = stage();
    await scene.world.run(20 * second);
    scene.apply({ retries: 3 });
    await scene.world.run(20 * second);
    scene.apply();
    await scene.world.run(20 * second);
    const reasons = scene.world.cluster.store.list({ plural: 'events', kind: 'Event', group: '', version: 'v1' }).map((event) => [event['reason'], event['count']]);
    expect(Object.fromEntries(reasons)).toEqual({ SpecAccepted: 2, SpecRejected: 1 });
  });

  it('are left out without the right to write them, and everything else works', async () => {
    const scene = stage({ allows: ({ resource }) => resource !== 'events' });
    scene.queue.send(2);
    await scene.world.run(minute);
    expect(scene.allDone).toBe(true);
    expect(scene.world.events().filter((text) => text.startsWith('ConfigMap/'))).toEqual([]);
    expect(scene.requests(({ method, path }) => method === 'POST' && path.endsWith('/events')).length).toBeLessThanOrEqual(2);
  });
});
