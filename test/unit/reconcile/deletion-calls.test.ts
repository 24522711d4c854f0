import { describe, expect, it } from 'vitest';
import type { CallDemand } from '../../../src/plan/action.ts';
import { DeletionCalls } from '../../../src/reconcile/deletion-calls.ts';
import type { CallAnswer } from '../../../src/reconcile/ports.ts';
import { thumbnails } from '../../support/builders.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeLog, FakeMeter, promised } from '../../support/fakes.ts';

function aCaller() {
  const clock = new FakeClock();
  const log = new FakeLog();
  const called: string[] = [];
  const changed: string[] = [];
  const waiting: ReturnType<typeof promised<CallAnswer>>[] = [];
  const calls = new DeletionCalls({
    clock, log, meter: new FakeMeter(),
    hook: { call: ({ id }) => { called.push(id); const one = promised<CallAnswer>(); waiting.push(one); return one.promise; } },
    changed: ({ name }) => changed.push(name),
  });
  const answer = async (kind: CallAnswer): Promise<void> => { waiting.shift()?.keep(kind); await settle(); };
  const ask = async (...demands: CallDemand[]): Promise<void> => { calls.ask(thumbnails, demands); await settle(); };
  return { clock, log, calls, called, changed, answer, ask, state: (id: string) => calls.states(thumbnails).get(id) };
}
const demand = (id: string, start = true): CallDemand => ({ kind: 'call', id, url: 'https://hooks.example/x?key=secret', timeout: 1000, body: {}, start });
const no: CallAnswer = { kind: 'failed', message: 'HTTP 500' };

describe('calls before deletions', () => {
  it('are made once at a time, and their answer asks for a round', async () => {
    const { ask, answer, called, changed, state } = aCaller();
    await ask(demand('a'));
    await ask(demand('a'));
    expect([called, state('a'), changed]).toEqual([['a'], { kind: 'underWay' }, []]);
    await answer({ kind: 'accepted' });
    expect([state('a'), changed]).toEqual([{ kind: 'accepted' }, ['thumbnails']]);
  });

  it('are not made by a demand that only remembers', async () => {
    const { ask, called } = aCaller();
    await ask(demand('a', false));
    expect(called).toEqual([]);
  });

  it('count their failures in a row', async () => {
    const { ask, answer, state, clock } = aCaller();
    for (let times = 1; times <= 3; times += 1) {
      await ask(demand('a'));
      await answer(no);
      expect(state('a')).toEqual({ kind: 'failed', message: 'HTTP 500', at: clock.now(), count: times });
    }
  });

  it('are told in the log, without what stands behind the question mark', async () => {
    const { ask, answer, log } = aCaller();
    await ask(demand('a'));
    await answer(no);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { code: 'BeforeDeleteFailed', url: 'https://hooks.example/x', because: 'HTTP 500', failures: 1 } }]);
    expect(JSON.stringify(log.lines)).not.toContain('secret');
  });

  it('are forgotten with what nobody demands any more, also while one is under way', async () => {
    const { ask, answer, state, changed, called } = aCaller();
    await ask(demand('a'), demand('b'));
    await ask(demand('b', false));
    await answer({ kind: 'accepted' });
    expect([state('a'), changed]).toEqual([undefined, []]);
    await ask();
    await answer({ kind: 'accepted' });
    expect([state('b'), changed, called]).toEqual([undefined, [], ['a', 'b']]);
  });
});
