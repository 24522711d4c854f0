import { describe, expect, it } from 'vitest';
import type { RunState } from '../../../../src/plan/run/state.ts';
import { RecordKeeper } from '../../../../src/reconcile/runs/record-keeper.ts';
import type { WriteResult } from '../../../../src/reconcile/ports.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { promised, refusal } from '../../../support/fakes.ts';
import { aRecord, aState, FakeRecordStore, over } from '../../../support/record-fakes.ts';

/** The n-th thing that happened in the run. */
const after = (count: number): RunState => aState({ steps: Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index + 1}`, { outcome: 'succeeded' as const }])) });

function aKeeper() {
  const clock = new FakeClock();
  const store = new FakeRecordStore();
  const told: string[] = [];
  const merged: RunState[] = [];
  const keeper = new RecordKeeper({
    clock,
    store,
    wrote: (name, { kind }) => told.push(`wrote ${name} ${kind}`),
    merged: (_name, _uid, state) => merged.push(state),
    ended: (name) => told.push(`ended ${name}`),
  });
  store.hold(aRecord());
  keeper.track(aRecord(), undefined, 'Running');
  const keep = async (state: RunState, suspended = false): Promise<void> => {
    keeper.keep('etl-1', state, suspended);
    await settle();
  };
  return { clock, store, keeper, keep, told, merged, steps: () => Object.keys(store.state()?.steps ?? {}) };
}

describe('writes of a record', () => {
  it('the first change after a quiet time goes at once, later ones together a quarter of a second after it', async () => {
    const { store, keep, clock, steps } = aKeeper();
    await keep(after(1));
    expect(steps()).toEqual(['s1']);
    await keep(after(2));
    await clock.advance(100);
    await keep(after(3));
    expect(store.writes).toHaveLength(1);
    await clock.advance(150);
    expect([store.writes.length, steps()]).toEqual([2, ['s1', 's2', 's3']]);
    await clock.advance(10_000);
    expect([store.writes.length, clock.pending]).toEqual([2, []]);
    await keep(after(4));
    expect(store.writes).toHaveLength(3);
  });

  it.each([
    { runs: 10, pause: 250 },
    { runs: 40, pause: 1000 },
    { runs: 1000, pause: 5000 },
  ])('the more runs there are the rarer they are: with $runs every $pause ms', async ({ runs, pause }) => {
    const { store, keeper, keep, clock } = aKeeper();
    for (let run = 2; run <= runs; run += 1) keeper.track(aRecord({ name: `etl-${run}` }), undefined, 'Running');
    await keep(after(1));
    await keep(after(2));
    await clock.advance(pause - 1);
    expect(store.writes).toHaveLength(1);
    await clock.advance(1);
    expect(store.writes).toHaveLength(2);
    await keep(over);
    expect(store.writes).toHaveLength(3);
  });

  it.each([
    { items: 100, pause: 250 },
    { items: 1998, pause: 2000 },
    { items: 9000, pause: 5000 },
  ])('the larger they are the rarer they are: of $items items every $pause ms', async ({ items, pause }) => {
    const { store, keep, clock } = aKeeper();
    const large = (outcome: 'succeeded' | 'failed') => aState({ steps: { list: { outcome }, load: { items: Array.from({ length: items }, () => ({ attempts: [] })) } } });
    await keep(large('succeeded'));
    await keep(large('failed'));
    await clock.advance(pause - 1);
    expect(store.writes).toHaveLength(1);
    await clock.advance(1);
    expect(store.writes).toHaveLength(2);
  });

  it('the end of a run does not wait, carries phase and result, and is told once it is in the record', async () => {
    const { store, keep, told } = aKeeper();
    await keep(after(1));
    await keep(over);
    expect(store.writes.at(-1)).toMatchObject({ phase: 'Succeeded', result: { outcome: 'succeeded', finishedAt: over.end?.at } });
    expect(told).toEqual(['wrote etl-1 done', 'wrote etl-1 done', 'ended etl-1']);
  });

  it.each(['done', 'unknown'] as const)('the end is told once where the cache shows it before the answer comes, which is %s', async (kind) => {
    const { store, keeper, keep, told, clock } = aKeeper();
    const answer = promised<WriteResult>();
    store.answers.write = [answer.promise];
    await keep(over);
    keeper.over(aRecord({ uid: 'of another record of that name' }));
    expect(told).toEqual([]);
    keeper.over(aRecord());
    expect(told).toEqual(['ended etl-1']);
    answer.keep(kind === 'done' ? { kind, uid: 'uid-etl-1', resourceVersion: '100', warnings: [] } : { kind, message: 'socket hang up' });
    await clock.advance(60_000);
    expect(told).toEqual(['ended etl-1', `wrote etl-1 ${kind}`]);
    expect(store.writes).toHaveLength(1);
  });

  it('a run that is over in the cache and not here has no end to tell', async () => {
    const { keeper, keep, told } = aKeeper();
    await keep(after(1));
    keeper.over(aRecord());
    keeper.over(aRecord());
    expect(told).toEqual(['wrote etl-1 done']);
  });

  it('one is under way at a time, and what comes meanwhile follows it', async () => {
    const { store, keep, clock, steps } = aKeeper();
    const first = promised<WriteResult>();
    store.answers.write = [first.promise];
    await keep(after(1));
    await keep(after(2));
    await clock.advance(5000);
    expect(store.writes).toHaveLength(1);
    first.keep({ kind: 'done', uid: 'uid-etl-1', resourceVersion: '100', warnings: [] });
    await settle();
    expect([store.writes.length, steps()]).toEqual([2, ['s1', 's2']]);
  });

  it('the same state again, or one that the record holds already, is none', async () => {
    const { store, keeper, keep } = aKeeper();
    const state = after(1);
    keeper.track(aRecord(), state, 'Running');
    await keep(state);
    await keep(state);
    expect(store.writes).toEqual([]);
    await keep(state, true);
    expect(store.writes).toMatchObject([{ phase: 'Suspended' }]);
  });

  it('of records that are not kept here do not happen', async () => {
    const { store, keeper, keep } = aKeeper();
    keeper.forget('etl-1');
    await keep(after(1));
    expect(store.writes).toEqual([]);
  });

  it.each(['unknown', 'forbidden', 'quota', 'refused'] as const)('that come to %s are tried again, less and less often, and nothing is lost', async (kind) => {
    const { store, keep, clock, steps } = aKeeper();
    store.answers.write = Array.from({ length: 8 }, () => refusal(kind));
    await keep(after(1));
    await keep(after(2));
    await clock.advance(99);
    expect(store.writes).toHaveLength(1);
    await clock.advance(1);
    expect(store.writes).toHaveLength(2);
    await clock.advance(199);
    expect(store.writes).toHaveLength(2);
    await clock.advance(60_000);
    expect([store.writes.length, steps()]).toEqual([9, ['s1', 's2']]);
    await clock.advance(60_000);
    expect(store.writes).toHaveLength(9);
  });

  it('of which the answer was lost meet a conflict, are read, and are not written twice', async () => {
    const { store, keep, clock, merged } = aKeeper();
    const state = after(1);
    store.answers.write = [refusal('unknown')];
    await keep(state);
    // It had taken effect.
    store.edit('etl-1', { state: structuredClone(state), record: { phase: 'Running' } });
    await clock.advance(1000);
    expect([store.requests, merged]).toEqual([['write etl-1', 'write etl-1', 'read etl-1'], []]);
    expect(clock.pending).toEqual([]);
  });

  it('of a record that is gone end', async () => {
    const { store, keep, clock } = aKeeper();
    store.held.clear();
    await keep(after(1));
    await keep(after(2));
    await clock.advance(60_000);
    expect(store.requests).toEqual(['write etl-1']);
  });

  it('a store that throws is one that does not answer', async () => {
    const { store, keep, clock, steps } = aKeeper();
    store.answers.write = [Promise.reject(new Error('socket hang up'))];
    await keep(after(1));
    await clock.advance(1000);
    expect(steps()).toEqual(['s1']);
  });
});

describe('a record that somebody else writes', () => {
  it('with an annotation costs one more read and write', async () => {
    const { store, keep, merged, clock } = aKeeper();
    store.edit('etl-1', { record: { commands: { cancel: 'enough', suspend: false, approvals: new Map() } } });
    await keep(after(1));
    await clock.advance(250);
    expect([store.requests, merged]).toEqual([['write etl-1', 'read etl-1', 'write etl-1'], []]);
  });

  it('is written again as soon as it may be, on top of what the other wrote', async () => {
    const { store, keep, merged, clock, steps } = aKeeper();
    store.edit('etl-1', { state: aState({ steps: { other: { outcome: 'failed' } } }) });
    await keep(after(1));
    await clock.advance(250);
    expect(steps().toSorted()).toEqual(['other', 's1']);
    expect(merged.map(({ steps: all }) => Object.keys(all).toSorted())).toEqual([['other', 's1']]);
  });

  it('whose run is over there stays over: nothing is written any more', async () => {
    const { store, keep, merged, clock, told } = aKeeper();
    store.edit('etl-1', { state: over, record: { phase: 'Succeeded' } });
    await keep(after(1));
    await clock.advance(60_000);
    expect([store.state(), merged, told]).toEqual([over, [over], ['wrote etl-1 conflict']]);
  });

  it('into garbage gets what is known here', async () => {
    const { store, keep, clock, steps } = aKeeper();
    store.edit('etl-1', { state: 'broken' });
    await keep(after(1));
    await clock.advance(250);
    expect(steps()).toEqual(['s1']);
  });

  it('that cannot be read then is tried again', async () => {
    const { store, keep, clock, steps } = aKeeper();
    store.edit('etl-1', {});
    store.answers.read = [{ kind: 'failed', message: 'timed out', forbidden: false }];
    await keep(after(1));
    await clock.advance(1000);
    expect(steps()).toEqual(['s1']);
  });

  it('of the same name but another UID is none of ours', async () => {
    const { store, keep, clock } = aKeeper();
    store.hold(aRecord({ uid: 'another', resourceVersion: '999' }));
    await keep(after(1));
    await clock.advance(60_000);
    expect([store.requests, store.state()]).toEqual([['write etl-1', 'read etl-1'], undefined]);
  });
});

describe('changes beside the state', () => {
  it('of a record that is kept wait for the write under way, and use its version', async () => {
    const { store, keeper, keep, clock } = aKeeper();
    const first = promised<WriteResult>();
    store.answers.write = [first.promise];
    await keep(after(1));
    const amended = keeper.amend(aRecord({ resourceVersion: '1' }), { cancel: 'newer run' });
    await clock.advance(20);
    expect(store.writes).toHaveLength(1);
    first.keep({ kind: 'done', uid: 'uid-etl-1', resourceVersion: '100', warnings: [] });
    await clock.advance(20);
    expect((await amended).kind).toBe('done');
    expect(store.held.get('etl-1')?.record.commands.cancel).toBe('newer run');
  });

  it('of any other record are written on what the cache shows, and on what is there where that is old', async () => {
    const { store, keeper } = aKeeper();
    store.hold(aRecord({ name: 'etl-2', resourceVersion: '150' }));
    expect((await keeper.amend(aRecord({ name: 'etl-2', resourceVersion: '140' }), { owner: { name: 'etl', uid: 'cm-2' } })).kind).toBe('done');
    expect(store.requests).toEqual(['write etl-2', 'read etl-2', 'write etl-2']);
    expect(store.held.get('etl-2')?.record.ownerUid).toBe('cm-2');
  });

  it('give up on a record that others write all the time', async () => {
    const { store, keeper } = aKeeper();
    store.hold(aRecord({ name: 'etl-2' }));
    store.answers.write = Array.from({ length: 20 }, () => refusal('conflict'));
    expect((await keeper.amend(aRecord({ name: 'etl-2' }), { cancel: 'x' })).kind).toBe('conflict');
    expect(store.writes).toHaveLength(5);
  });

  it.each([
    ['is gone', undefined, 'gone'],
    ['is another one', aRecord({ name: 'etl-2', uid: 'another' }), 'gone'],
  ] as const)('of a record that %s come to nothing', async (_what, there, kind) => {
    const { store, keeper } = aKeeper();
    if (there) store.hold(there);
    expect((await keeper.amend(aRecord({ name: 'etl-2' }), { cancel: 'x' })).kind).toBe(kind);
  });

  it('of a record that cannot be read are not known to have come through', async () => {
    const { store, keeper } = aKeeper();
    store.hold(aRecord({ name: 'etl-2', resourceVersion: '1' }));
    store.answers.read = [{ kind: 'failed', message: 'timed out', forbidden: false }];
    expect(await keeper.amend(aRecord({ name: 'etl-2', resourceVersion: '2' }), { cancel: 'x' })).toEqual({ kind: 'unknown', message: 'timed out' });
  });
});

describe('the end of the process', () => {
  it('what is left is written without waiting', async () => {
    const { store, keeper, keep, clock, steps } = aKeeper();
    await keep(after(1));
    await keep(after(2));
    const flushed = keeper.flush(5000);
    await clock.advance(20);
    await flushed;
    expect([store.writes.length, steps(), clock.pending]).toEqual([2, ['s1', 's2'], []]);
  });

  it('does not wait longer than it may', async () => {
    const { store, keeper, keep, clock } = aKeeper();
    store.answers.write = Array.from({ length: 100 }, () => refusal('unknown'));
    await keep(after(1));
    let done = false;
    void keeper.flush(5000).then(() => { done = true; });
    await clock.advance(4900);
    expect(done).toBe(false);
    await clock.advance(200);
    expect([done, clock.pending]).toEqual([true, []]);
  });
});

it('when another process leads, what was under way here changes nothing any more', async () => {
  const { store, keeper, keep, clock, told, merged } = aKeeper();
  const first = promised<WriteResult>();
  store.answers.write = [first.promise];
  await keep(over);
  keeper.startAnew();
  store.edit('etl-1', { state: after(3) });
  first.keep(refusal('conflict'));
  await clock.advance(60_000);
  expect([told, merged, store.state()]).toEqual([['wrote etl-1 conflict'], [], after(3)]);
});
