/** Electors on one Lease in memory: it keeps resourceVersions as an API server does, and fails as the test says. */
import { describe, expect, it } from 'vitest';
import { LeaseElector, type LeaseOptions } from '../../../../src/adapters/kubernetes/lease.ts';
import { claimedBy, microTime, readLease, released } from '../../../../src/adapters/kubernetes/lease-record.ts';
import { whileLeading } from '../../../../src/adapters/kubernetes/lease-guard.ts';
import type { ApiRequest, Transport } from '../../../../src/adapters/kubernetes/transport.ts';
import { objectAt, stringAt, type JsonObject } from '../../../../src/lib/json.ts';
import type { ReadResult, WriteResult } from '../../../../src/reconcile/ports.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeLog } from '../../../support/fakes.ts';

const seconds = 1000;

class LeaseServer implements Pick<LeaseOptions['client'], 'get' | 'create' | 'mergePatch'> {
  lease: JsonObject | undefined;
  readonly requests: string[] = [];
  /** `down`: no effect, no answer. `mute`: takes effect, no answer. `hangs`: neither, ever. */
  mode: 'works' | 'down' | 'mute' | 'hangs' | 'forbidden' = 'works';
  #version = 100;

  get spec(): JsonObject {
    return objectAt(this.lease, 'spec');
  }

  get holder(): string | undefined {
    return stringAt(this.spec, 'holderIdentity');
  }

  write(spec: JsonObject): string {
    this.#version += 1;
    this.lease = { metadata: { name: 'job-chief', resourceVersion: String(this.#version) }, spec: { ...this.spec, ...spec } };
    return String(this.#version);
  }

  async get(_resource: unknown, name: string, options?: object): Promise<ReadResult<JsonObject>> {
    this.requests.push(`get ${name} ${JSON.stringify(options)}`);
    if (this.mode === 'hangs') return new Promise(() => undefined);
    if (this.mode !== 'works') return Promise.resolve({ kind: 'failed', message: `it is ${this.mode}`, forbidden: this.mode === 'forbidden' });
    return Promise.resolve(this.lease ? { kind: 'found', value: this.lease } : { kind: 'absent' });
  }

  create(_resource: unknown, manifest: JsonObject): Promise<WriteResult> {
    this.requests.push('create');
    return this.#answer(() => (this.lease ? { kind: 'exists' } : this.#done(objectAt(manifest, 'spec'))));
  }

  mergePatch(_resource: unknown, _name: string, patch: JsonObject): Promise<WriteResult> {
    const version = stringAt(objectAt(patch, 'metadata'), 'resourceVersion');
    this.requests.push('patch');
    return this.#answer(() => {
      if (!this.lease) return { kind: 'gone' };
      return stringAt(objectAt(this.lease, 'metadata'), 'resourceVersion') === version ? this.#done(objectAt(patch, 'spec')) : { kind: 'conflict', message: 'modified' };
    });
  }

  #done(spec: JsonObject): WriteResult {
    return { kind: 'done', resourceVersion: this.write(spec), uid: 'uid', warnings: [] };
  }

  #answer(effect: () => WriteResult): Promise<WriteResult> {
    if (this.mode === 'hangs') return new Promise(() => undefined);
    if (this.mode === 'down') return Promise.resolve({ kind: 'unknown', message: 'it is down' });
    if (this.mode === 'forbidden') return Promise.resolve({ kind: 'forbidden', message: 'it is forbidden' });
    const result = effect();
    return Promise.resolve(this.mode === 'mute' ? { kind: 'unknown', message: 'it is mute' } : result);
  }
}

function setting() {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const log = new FakeLog();
  const elector = (identity: string, options: Partial<LeaseOptions> = {}) => {
    const changes: boolean[] = [];
    const shown: boolean[] = [];
    const made = new LeaseElector({ client: server, clock, random: () => 0.5, log, name: 'job-chief', identity, leaseDuration: 15 * seconds, renewDeadline: 10 * seconds, retryPeriod: 2 * seconds, meter: (leading) => shown.push(leading), ...options });
    made.onChange(() => changes.push(made.leading));
    return Object.assign(made, { changes, shown });
  };
  return { clock, server, log, elector, messages: () => log.lines.map(({ message, fields }) => `${message} ${(fields as { because?: string }).because ?? ''}`.trim()) };
}

const anothers = (renewed: number, changes: JsonObject = {}): JsonObject => ({ holderIdentity: 'other', leaseDurationSeconds: 15, acquireTime: microTime(0), renewTime: microTime(renewed), leaseTransitions: 4, ...changes });

describe('taking the lease', () => {
  it('makes it where there is none, with times of six digits', async () => {
    const { clock, server, elector } = setting();
    const one = elector('one');
    one.start();
    await settle();
    expect(one.leading).toBe(true);
    expect(server.spec).toEqual({ holderIdentity: 'one', leaseDurationSeconds: 15, acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-01T00:00:00.000000Z', leaseTransitions: 0 });
    expect([one.changes, one.shown]).toEqual([[true], [false, true]]);
    await clock.advance(4 * seconds);
    expect(server.spec).toMatchObject({ acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-01T00:00:03.600000Z', leaseTransitions: 0 });
    expect(server.requests).toEqual(['get job-chief {"priority":"urgent"}', 'create', 'patch', 'patch']);
  });

  it('takes one that was released at once', async () => {
    const { clock, server, elector } = setting();
    server.write({ ...anothers(0), ...released(clock.now()) });
    const one = elector('one');
    one.start();
    await settle();
    expect(one.leading).toBe(true);
    expect(server.spec).toMatchObject({ holderIdentity: 'one', leaseDurationSeconds: 15, leaseTransitions: 5 });
  });

  it('does not touch one that somebody renews, whatever the times in it say', async () => {
    const { clock, server, elector } = setting();
    const one = elector('one');
    server.write(anothers(0));
    one.start();
    for (const renewed of [0, 1e12, 5e12, 12, 13]) {
      server.write(anothers(renewed));
      await clock.advance(14 * seconds);
      expect([one.leading, server.holder]).toEqual([false, 'other']);
    }
    expect(one.changes).toEqual([]);
  });

  it.each([['an hour fast', 3_600_000], ['an hour slow', -3_600_000]])('takes one whose holder died %s when it was seen unchanged for its duration, and no sooner', async (_name, skew) => {
    const { clock, server, elector } = setting();
    server.write(anothers(clock.now() + skew));
    const one = elector('one');
    one.start();
    await clock.advance(15 * seconds - 1);
    expect(one.leading).toBe(false);
    await clock.advance(2);
    expect([one.leading, server.spec['leaseTransitions']]).toEqual([true, 5]);
  });

  it('waits for as long as the holder said, not for as long as it would itself', async () => {
    const { clock, server, elector } = setting();
    server.write(anothers(0, { leaseDurationSeconds: 60 }));
    const one = elector('one');
    one.start();
    await clock.advance(59 * seconds);
    expect(one.leading).toBe(false);
    await clock.advance(2 * seconds);
    expect(one.leading).toBe(true);
  });

  it('a wall clock that is set does not shorten the wait', async () => {
    const { clock, server, elector } = setting();
    server.write(anothers(0));
    const one = elector('one');
    one.start();
    await clock.advance(seconds);
    clock.setWallClock(clock.now() + 3_600_000);
    await clock.advance(13 * seconds);
    expect(one.leading).toBe(false);
  });

  it('one of several gets it', async () => {
    const { clock, server, elector } = setting();
    server.write(anothers(0));
    const all = ['one', 'two', 'three'].map((name) => elector(name));
    for (const each of all) each.start();
    await clock.advance(20 * seconds);
    expect(all.filter(({ leading }) => leading)).toHaveLength(1);
    expect(server.spec['leaseTransitions']).toBe(5);
  });

  it('finds its own name after a create without an answer', async () => {
    const { clock, server, elector } = setting();
    const one = elector('one');
    one.start();
    server.mode = 'mute';
    await settle();
    server.mode = 'works';
    server.write(claimedBy({ identity: 'one', leaseDuration: 15 * seconds }, undefined, clock.now()));
    await clock.advance(2 * seconds);
    expect([one.leading, server.spec['leaseTransitions']]).toEqual([true, 0]);
  });

  it('says once why it cannot', async () => {
    const { clock, server, elector, messages } = setting();
    server.mode = 'forbidden';
    elector('one').start();
    await clock.advance(60 * seconds);
    expect(messages()).toEqual(['leader election the Lease cannot be read: it is forbidden']);
  });
});

describe('holding the lease', () => {
  async function leader() {
    const parts = setting();
    const one = parts.elector('one');
    one.start();
    await settle();
    expect(one.leading).toBe(true);
    return { ...parts, one };
  }

  it.each(['down', 'hangs', 'forbidden'] as const)('ends at the deadline after the last renewal while the API is %s, and begins again', async (mode) => {
    const { clock, server, one, messages } = await leader();
    await clock.advance(4 * seconds);
    server.mode = mode;
    // Renewed last at 3.6 s.
    await clock.advance(9.6 * seconds - 1);
    expect(one.leading).toBe(true);
    await clock.advance(1);
    expect([one.leading, one.changes, one.shown.at(-1)]).toEqual([false, [true, false], false]);
    expect(messages().at(-1)).toMatch(/^leads no longer/u);
    server.mode = 'works';
    await clock.advance(10 * seconds);
    expect([one.leading, one.changes, server.spec['leaseTransitions']]).toEqual([true, [true, false, true], 0]);
  });

  it('renewals that take effect without an answer do not count', async () => {
    const { clock, server, one } = await leader();
    server.mode = 'mute';
    await clock.advance(10 * seconds);
    expect(one.leading).toBe(false);
  });

  it('an answer that is lost once is no loss', async () => {
    const { clock, server, one } = await leader();
    server.mode = 'mute';
    await clock.advance(2 * seconds);
    server.mode = 'works';
    await clock.advance(60 * seconds);
    expect(one.changes).toEqual([true]);
  });

  it('counts from the sending of the renewal, not from its answer', async () => {
    const { clock, server, elector } = setting();
    const slow = { ...bound(server), create: async (...args: Parameters<LeaseServer['create']>) => {
      const answer = await server.create(...args);
      await new Promise<void>((resolve) => { clock.timer(3 * seconds, resolve); });
      server.mode = 'down';
      return answer;
    } };
    const one = elector('one', { client: slow });
    one.start();
    await clock.advance(3 * seconds);
    expect(one.leading).toBe(true);
    await clock.advance(7 * seconds);
    expect(one.leading).toBe(false);
  });

  it('an event loop that stood still finds out before any timer', async () => {
    const { one } = await leaderOn(new StoppedClock());
    const clock = one.clock;
    clock.standStill(9_999);
    expect(one.elector.leading).toBe(true);
    clock.standStill(1);
    expect(one.elector.leading).toBe(false);
    expect(one.elector.changes).toEqual([true]);
    // It wakes and renews before anybody else takes it; everybody hears of the gap all the same.
    await clock.advance(2 * seconds);
    expect([one.elector.leading, one.elector.changes]).toEqual([true, [true, false, true]]);
  });

  async function leaderOn(clock: StoppedClock) {
    const parts = setting();
    const elector = parts.elector('one', { clock });
    elector.start();
    await settle();
    return { one: { clock, elector } };
  }

  it('goes on when somebody labels the Lease, or deletes it', async () => {
    const { clock, server, one } = await leader();
    server.write({});
    await clock.advance(5 * seconds);
    server.lease = undefined;
    await clock.advance(5 * seconds);
    expect([one.leading, one.changes, server.holder]).toEqual([true, [true], 'one']);
  });

  it('ends at once when another name stands in it', async () => {
    const { clock, server, one, messages } = await leader();
    server.write(anothers(clock.now()));
    await clock.advance(2 * seconds);
    expect([one.leading, one.changes, server.holder]).toEqual([false, [true, false], 'other']);
    expect(messages().at(-1)).toBe('leads no longer "other" holds the Lease');
  });
});

describe('giving the lease back', () => {
  it('writes an empty holder, and the next one has it within a second', async () => {
    const { clock, server, elector } = setting();
    const [one, two] = [elector('one'), elector('two')];
    one.start();
    await settle();
    two.start();
    await clock.advance(30 * seconds);
    await one.stop();
    expect([one.leading, server.spec['holderIdentity'], server.spec['leaseDurationSeconds']]).toEqual([false, '', 1]);
    await clock.advance(seconds);
    expect([two.leading, server.spec['leaseTransitions']]).toEqual([true, 1]);
    await two.stop();
    expect(clock.pending).toEqual([]);
  });

  it('finds out whether its last renewal came through', async () => {
    const { clock, server, elector } = setting();
    const one = elector('one');
    one.start();
    await settle();
    server.mode = 'mute';
    await clock.advance(2 * seconds);
    server.mode = 'works';
    await one.stop();
    expect(server.holder).toBe('');
  });

  it('leaves that of another alone, and gives up where nothing answers', async () => {
    const { server, elector, messages } = setting();
    const one = elector('one');
    one.start();
    await settle();
    server.write(anothers(0));
    await one.stop();
    expect(server.holder).toBe('other');
    server.lease = undefined;
    const two = elector('two');
    two.start();
    await settle();
    server.mode = 'down';
    await two.stop();
    expect(server.holder).toBe('two');
    expect(messages().at(-1)).toBe('the Lease could not be released; it expires by itself');
  });

  it('who never had it writes nothing', async () => {
    const { server, elector } = setting();
    server.write(anothers(0));
    const one = elector('one');
    one.start();
    await settle();
    await one.stop();
    expect(server.requests.filter((request) => request === 'patch')).toEqual([]);
  });
});

it('a Lease without anything in it is free, one with nonsense counts for as long as ours', () => {
  expect(readLease({})).toEqual({ holder: '', duration: undefined, acquireTime: undefined, transitions: 0, resourceVersion: '', text: '{}' });
  expect(readLease({ spec: { holderIdentity: 'x', leaseDurationSeconds: -3, leaseTransitions: 'many' } })).toMatchObject({ holder: 'x', duration: undefined, transitions: 0 });
});

describe('the last gate', () => {
  const sent: string[] = [];
  const transport: Transport = {
    request: (request) => {
      sent.push(`${request.method} ${request.path}`);
      return Promise.resolve({ status: 200, headers: {}, body: {} });
    },
    stream: () => Promise.reject(new Error('no streams')),
  };
  const requests: [ApiRequest, boolean][] = [
    [{ method: 'POST', path: '/apis/batch/v1/namespaces/etl/jobs' }, false],
    [{ method: 'PATCH', path: '/apis/batch/v1/namespaces/etl/jobs/a' }, false],
    [{ method: 'DELETE', path: '/apis/batch/v1/namespaces/etl/jobs/a' }, false],
    [{ method: 'PATCH', path: '/api/v1/namespaces/etl/configmaps/a' }, false],
    [{ method: 'POST', path: '/apis/batch/v1/namespaces/etl/jobs', query: { dryRun: 'All' } }, true],
    [{ method: 'GET', path: '/apis/batch/v1/namespaces/etl/jobs' }, true],
    [{ method: 'POST', path: '/api/v1/namespaces/etl/events' }, true],
  ];

  it.each(requests)('$method $path', async (request, passes) => {
    const leadership = { leading: false, onChange: () => undefined };
    sent.length = 0;
    const answer = whileLeading(transport, leadership, 'etl').request(request);
    if (passes) await answer;
    else await expect(answer).rejects.toThrow('another replica');
    expect(sent).toHaveLength(passes ? 1 : 0);
    await whileLeading(transport, { ...leadership, leading: true }, 'etl').request(request);
    expect(sent).toHaveLength(passes ? 2 : 1);
  });
});

/** Time passes, and nothing runs: a process that is busy, stopped or starved. */
class StoppedClock extends FakeClock {
  #stood = 0;

  override monotonic(): number {
    return super.monotonic() + this.#stood;
  }

  /** All timers are late by so much from now on. */
  standStill(milliseconds: number): void {
    this.#stood += milliseconds;
  }
}

function bound(server: LeaseServer): LeaseOptions['client'] {
  return { get: (resource, name, options) => server.get(resource, name, options), create: (resource, manifest) => server.create(resource, manifest), mergePatch: (resource, name, patch) => server.mergePatch(resource, name, patch) };
}
