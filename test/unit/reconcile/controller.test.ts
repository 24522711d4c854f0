/** The parts together: what only their order and their company decide. The whole engine is tested in test/component. */
import { describe, expect, it } from 'vitest';
import { Controller } from '../../../src/reconcile/controller.ts';
import type { SpecDocument } from '../../../src/reconcile/ports.ts';
import type { SpecKey } from '../../../src/plan/observed.ts';
import { aConfigMap, aFile, aQueueSpec, aRunningJob, anEnvironment, laxPolicy, minutes, noon, seconds, thumbnails } from '../../support/builders.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeCache, FakeEventReader, FakeEvents, FakeJobs, FakeLeadership, FakeLog, FakeMeter, FakeProbe, FakeSpecs, FakeStatusSink, known, refusal } from '../../support/fakes.ts';
import { FakeMessageMeter, FakeMessages, FakePayloads } from '../../support/message-fakes.ts';
import { FakeRecordCache, FakeRecordStore, FakeRunMeter } from '../../support/record-fakes.ts';
import { pgBossSource } from '../../support/sources.ts';

function aController(concurrency = 4) {
  const store = new FakeRecordStore();
  const clock = new FakeClock(noon);
  const specs = new FakeSpecs();
  const cache = new FakeCache();
  const jobs = new FakeJobs();
  const probe = new FakeProbe();
  const events = new FakeEvents();
  const statusSink = new FakeStatusSink();
  const meter = new FakeMeter();
  const log = new FakeLog();
  const leadership = new FakeLeadership();
  const messages = new FakeMessages();
  const controller = new Controller({
    clock,
    policy: laxPolicy,
    hook: { call: () => Promise.resolve({ kind: 'accepted' }) },
    specs,
    cache,
    jobs,
    probe,
    events,
    statusSink,
    meter,
    log,
    store,
    records: new FakeRecordCache(store),
    runMeter: new FakeRunMeter(),
    messages,
    payloads: new FakePayloads(),
    messageMeter: new FakeMessageMeter(),
    concurrency,
    environment: anEnvironment({
      injection: ({ connection }) => {
        if (connection === 'bomb') throw new Error('plan broke');
        return undefined;
      },
    }),
    leadership,
    wakes: { interest: () => () => undefined },
    eventReader: new FakeEventReader(),
    workQueueMeter: new FakeMeter(),
    parse: ({ objectName, data }) => {
      if (data['spec.yaml'] === 'throw') throw new Error('the parser broke');
      const spec = aQueueSpec({ name: objectName, injectConnection: true, source: { connection: data['spec.yaml'] ?? 'main', queue: objectName } });
      return { kind: 'Queue', name: objectName, hash: spec.hash, spec, problems: [] };
    },
  });
  const put = (name: string, text = 'main', source: SpecDocument['source'] = aConfigMap({ name, uid: `uid-${name}` })): void => {
    specs.documents.set(name, { source, file: name, objectName: name, label: 'queue', data: { 'spec.yaml': text } });
  };
  const start = async (): Promise<void> => {
    await controller.start();
    await settle();
  };
  const states = (name: string): string[] => statusSink.written.filter((one) => one.name === name).map(({ state }) => state);
  return { controller, leadership, clock, specs, cache, jobs, probe, events, statusSink, meter, log, put, start, states };
}

describe('opening', () => {
  it.each(['specs', 'cache'] as const)('waits until the %s are synced: a half-filled view decides nothing', async (late) => {
    const parts = aController();
    parts.put('thumbnails');
    parts[late].synced = false;
    const starting = parts.controller.start();
    await parts.clock.advance(seconds(5));
    expect(parts.jobs.requests).toEqual([]);
    parts[late].synced = true;
    await parts.clock.advance(20);
    await starting;
    await settle();
    expect(parts.jobs.requests).toEqual(['dry run']);
  });

  it.each([1, 2, 8])('reads every document before the first Job is looked at, with %i rounds at once', async (concurrency) => {
    const { controller, put, cache, jobs, start } = aController(concurrency);
    for (const name of ['a', 'b', 'c', 'thumbnails']) put(name, 'main', aFile({ path: name }));
    cache.hold(thumbnails, [aRunningJob({ specSource: 'file', ownerUid: undefined })]);
    controller.jobsChanged(thumbnails);
    await start();
    expect(jobs.patches).toEqual([]);
  });

  it('looks after Jobs whose spec is gone', async () => {
    const { cache, jobs, start } = aController();
    cache.hold(thumbnails, [aRunningJob({ specSource: 'file', ownerUid: undefined })]);
    await start();
    expect(jobs.requests).toEqual(['patch thumbnails-1 uid-thumbnails-1']);
  });

  it('that is stopped before everything is synced says so', async () => {
    const { controller, specs } = aController();
    specs.synced = false;
    const starting = controller.start();
    await controller.stop();
    await expect(starting).rejects.toThrow('stopped');
  });
});

describe('a message', () => {
  it('becomes a Job: dry run, reading, live look, create, and nothing twice', async () => {
    const { put, start, jobs, probe, states, clock, controller } = aController();
    probe.always = known(1);
    put('thumbnails');
    await start();
    await clock.advance(minutes(1));
    controller.jobsChanged(thumbnails);
    await settle();
    expect(jobs.requests.map((request) => request.split(' ')[0])).toEqual(['dry', 'live', 'create']);
    expect(states('thumbnails').at(-1)).toBe('Starting');
  });

  it('that meets a full quota is tried again after the wait, not before', async () => {
    const { put, start, jobs, probe, clock, states } = aController();
    probe.always = known(1);
    jobs.answers = { create: refusal('quota', 'full') };
    put('thumbnails');
    await start();
    await clock.advance(seconds(29));
    const creates = (): number => jobs.requests.filter((request) => request.startsWith('create')).length;
    expect(creates()).toBe(1);
    expect(states('thumbnails').at(-1)).toBe('Blocked');
    await clock.advance(seconds(2));
    expect(creates()).toBe(2);
  });

  it('whose create dies is looked up, and no second Job is made for it', async () => {
    const { put, start, jobs, probe, clock } = aController();
    probe.always = known(1);
    jobs.answers = { create: Promise.reject(new Error('socket hang up')) };
    put('thumbnails');
    await start();
    await clock.advance(4);
    jobs.answers = { get: { kind: 'failed', message: 'timed out', forbidden: false } };
    await clock.advance(seconds(10));
    const kinds = jobs.requests.map((request) => request.split(' ')[0]);
    expect(kinds.filter((kind) => kind === 'create')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'get').length).toBeGreaterThan(1);
  });

  it('while the dry run is repeated rounds do not spin', async () => {
    const { put, start, jobs, clock, meter } = aController();
    jobs.answers = { dryRun: refusal('unknown') };
    put('thumbnails');
    await start();
    jobs.answers = { dryRun: new Promise(() => undefined) };
    await clock.advance(minutes(5));
    expect(jobs.requests).toEqual(['dry run', 'dry run']);
    expect(meter.of('round').length).toBeLessThan(12);
  });
});

describe('news that a Job of a queue is there', () => {
  const other: SpecKey = { kind: 'queue', name: 'other' };
  const busy = async () => {
    const parts = aController();
    parts.put('other');
    await parts.start();
    parts.put('thumbnails');
    parts.probe.always = known(1);
    const create = Promise.withResolvers<never>();
    parts.jobs.answers = { create: create.promise };
    parts.controller.documentChanged('thumbnails');
    await settle();
    expect(parts.jobs.requests.at(-1)).toMatch(/^create/);
    const rounds = (): number => parts.meter.of('round').length;
    return { ...parts, rounds, endCreate: () => { create.reject(new Error('socket hang up')); } };
  };

  it('gives way for a moment while others are being created', async () => {
    const { controller, clock, rounds } = await busy();
    const before = rounds();
    controller.jobsChanged(other, true);
    await clock.advance(200);
    expect(rounds()).toBe(before);
    await clock.advance(100);
    expect(rounds()).toBe(before + 1);
  });

  it('is looked at at once with any other news, and then not again', async () => {
    const { controller, clock, rounds } = await busy();
    const before = rounds();
    controller.jobsChanged(other, true);
    controller.jobsChanged(other);
    await settle();
    expect(rounds()).toBe(before + 1);
    await clock.advance(400);
    expect(rounds()).toBe(before + 1);
  });

  it('is looked at at once where nothing is being created', async () => {
    const { controller, clock, rounds, endCreate } = await busy();
    endCreate();
    await clock.advance(1);
    const before = rounds();
    controller.jobsChanged(other, true);
    await settle();
    expect(rounds()).toBe(before + 1);
  });
});

describe('what goes wrong in one key stays in that key', () => {
  it.each([
    ['a parser that throws', 'throw'],
    ['a plan that throws', 'bomb'],
  ])('%s', async (_what, text) => {
    const { put, start, jobs, probe, states, meter, log } = aController(1);
    probe.always = known(1);
    put('bad', text);
    put('good');
    await start();
    expect(states('good').at(-1)).toBe('Starting');
    expect(jobs.requests.some((request) => request.startsWith('create good-'))).toBe(true);
    expect(meter.of('round').filter(([, result]) => result === 'panic')).not.toEqual([]);
    expect(log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toContain('a round failed unexpectedly');
  });
});

it('a key whose cache is behind its last write decides nothing until it has caught up', async () => {
  const { cache, controller, jobs, start, clock } = aController();
  cache.hold(thumbnails, [aRunningJob({ startedAt: noon - minutes(20), pods: [] })]);
  await start();
  expect(jobs.requests).toHaveLength(1);
  controller.jobsChanged(thumbnails);
  await clock.advance(seconds(3));
  expect(jobs.requests).toHaveLength(1);
  cache.seen = 200;
  await clock.advance(seconds(1));
  expect(jobs.requests).toHaveLength(2);
});

it('when nothing is left of a spec nothing is remembered of it', async () => {
  const { put, specs, controller, start, meter, log } = aController();
  put('thumbnails');
  await start();
  specs.documents.clear();
  controller.documentChanged('thumbnails');
  await settle();
  expect(meter.of('forget')).toEqual([[thumbnails]]);
  expect(log.lines.at(-1)).toMatchObject({ level: 'debug', message: 'nothing left of this spec' });
});

describe('a Job that vanished', () => {
  const vanish = async (ownerUid: string | undefined, key: SpecKey = thumbnails): Promise<string[]> => {
    const { controller, put, start, events } = aController();
    put('thumbnails');
    await start();
    events.emitted.splice(0);
    controller.jobVanished(key, { name: 'thumbnails-1', uid: 'u', ownerUid });
    return events.reasons;
  };
  it('while its owner lives was deleted by somebody', async () => {
    expect(await vanish('uid-thumbnails')).toEqual(['JobDeleted']);
  });
  it('without an owner was deleted by somebody', async () => {
    expect(await vanish(undefined)).toEqual(['JobDeleted']);
  });
  it('together with its owner is no news', async () => {
    expect(await vanish('uid-former')).toEqual([]);
  });
});

it('closing stops reading and starts no more rounds', async () => {
  const { put, start, controller, clock, probe, jobs } = aController();
  put('thumbnails');
  await start();
  await controller.stop();
  const before = jobs.requests.length;
  controller.jobsChanged(thumbnails);
  controller.documentChanged('thumbnails');
  controller.queueWoke(pgBossSource('thumbnails'));
  await clock.advance(minutes(10));
  expect(jobs.requests).toHaveLength(before);
  expect(probe.asked.every(({ signal }) => signal.aborted)).toBe(true);
});

describe('leadership', () => {
  const creates = (requests: readonly string[]): string[] => requests.filter((request) => request.startsWith('create'));

  it('without it caches are synced and nothing is begun', async () => {
    const { controller, leadership, put, jobs, probe, statusSink, start } = aController();
    leadership.leading = false;
    put('thumbnails');
    await start();
    controller.documentChanged('thumbnails');
    controller.jobsChanged(thumbnails);
    await settle();
    expect([controller.synced, jobs.requests, probe.asked, statusSink.written]).toEqual([true, [], [], []]);
    leadership.change(true);
    await settle();
    expect(jobs.requests).toEqual(['dry run']);
  });

  it('when it ends, readings end, nothing is begun and series go; when it comes back everything is looked at anew', async () => {
    const { controller, leadership, clock, put, jobs, probe, meter, specs, statusSink, start } = aController();
    put('thumbnails');
    put('other');
    await start();
    await clock.advance(seconds(1));
    expect(probe.asked.map(({ queue }) => queue).toSorted()).toEqual(['other', 'thumbnails']);
    leadership.change(false);
    expect(probe.asked.every(({ signal }) => signal.aborted)).toBe(true);
    expect(meter.of('forget').map(([key]) => (key as SpecKey).name).toSorted()).toEqual(['other', 'thumbnails']);
    const written = statusSink.written.length;
    const asked = probe.asked.length;
    specs.documents.delete('other');
    controller.documentChanged('other');
    probe.answer(known(3));
    await clock.advance(minutes(10));
    expect([creates(jobs.requests), probe.asked.length, statusSink.written.length]).toEqual([[], asked, written]);
    probe.always = known(1);
    leadership.change(true);
    await clock.advance(seconds(1));
    expect(probe.asked.slice(asked).map(({ queue }) => queue)).not.toContain('other');
    expect(creates(jobs.requests)).toHaveLength(1);
  });

  it('a round that was added before its end is told is not begun', async () => {
    const { controller, leadership, put, jobs, start } = aController();
    await start();
    put('thumbnails');
    leadership.leading = false;
    controller.documentChanged('thumbnails');
    await settle();
    expect(jobs.requests).toEqual([]);
  });

  it('a Job that vanishes is told of by the one that leads', async () => {
    const { controller, leadership, events, put, start } = aController();
    put('thumbnails');
    await start();
    leadership.change(false);
    controller.jobVanished(thumbnails, { name: 'thumbnails-1', uid: 'uid-1', ownerUid: undefined });
    expect(events.reasons).not.toContain('JobDeleted');
    leadership.change(true);
    controller.jobVanished(thumbnails, { name: 'thumbnails-1', uid: 'uid-1', ownerUid: undefined });
    expect(events.reasons).toContain('JobDeleted');
  });

  it('after the stop it changes nothing any more', async () => {
    const { controller, leadership, put, jobs, start } = aController();
    leadership.leading = false;
    put('thumbnails');
    await start();
    await controller.stop();
    leadership.change(true);
    await settle();
    expect(jobs.requests).toEqual([]);
  });
});
