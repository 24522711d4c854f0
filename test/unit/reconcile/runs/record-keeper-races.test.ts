/** What is under way for a record that is let go meanwhile must not write what was decided before that. */
import { describe, expect, it } from 'vitest';
import { RecordKeeper } from '../../../../src/reconcile/runs/record-keeper.ts';
import type { WriteResult } from '../../../../src/reconcile/ports.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { promised } from '../../../support/fakes.ts';
import { aRecord, aState, FakeRecordStore, over } from '../../../support/record-fakes.ts';

function aKeeper() {
  const clock = new FakeClock();
  const store = new FakeRecordStore();
  const gone: string[] = [];
  const nothing = (): void => undefined;
  const keeper = new RecordKeeper({ clock, store, wrote: nothing, merged: nothing, ended: nothing, gone: (name, uid) => gone.push(`${name} ${uid}`) });
  store.hold(aRecord());
  keeper.track(aRecord(), undefined, 'Running');
  return { clock, store, keeper, gone };
}

const running = aState({ steps: { a: { outcome: 'succeeded' } } });

describe('a record that is let go while a write of it is under way', () => {
  it('keeps the end that another process has written, also when people cancel it in that moment', async () => {
    const { clock, store, keeper } = aKeeper();
    const answer = promised<WriteResult>();
    store.answers.write = [answer.promise, { kind: 'conflict', message: 'the object has been modified' }];
    keeper.keep('etl-1', { ...running, end: { outcome: 'failed', reason: 'StepFailed', message: 'so it looked here', at: 1, failedSteps: [] } }, false);
    const amended = keeper.amend(aRecord(), { cancel: 'enough' });
    store.edit('etl-1', { record: { phase: 'Succeeded' }, state: over });
    keeper.forget('etl-1');
    answer.keep({ kind: 'unknown', message: 'socket hang up' });
    await clock.advance(60_000);
    expect((await amended).kind).toBe('done');
    expect(store.state()).toEqual(over);
  });

  it('that is gone is told, so that nothing more is decided about it', async () => {
    const { store, keeper, gone } = aKeeper();
    store.held.clear();
    keeper.keep('etl-1', running, false);
    await settle();
    expect([gone, keeper.isKept(aRecord())]).toEqual([['etl-1 uid-etl-1'], false]);
  });
});
