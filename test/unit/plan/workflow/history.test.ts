import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import type { ObservedWorkflow } from '../../../../src/plan/workflow/observed.ts';
import type { Retention } from '../../../../src/spec/common.ts';
import type { SettledNote } from '../../../../src/plan/messages/message.ts';
import { hours, minutes, noon, seconds } from '../../../support/builders.ts';
import { aNote } from '../../../support/message-builders.ts';
import { aBrokenWorkflow, aChangeRun, anEndedRun, aQueuedRun, aRecord, aScheduledRun, aSubRun, observedWorkflow, onRequest, planFor } from '../../../support/workflows.ts';

const forever = { count: undefined, age: undefined };
const keep = (succeeded: number | undefined, failed: number | undefined): Retention => ({ succeeded: { count: succeeded, age: undefined }, failed: { count: failed, age: undefined } });
/** Runs 1, 2, 3 …, ten minutes apart, the last ten minutes ago. */
function ended(...phases: readonly ('Succeeded' | 'Failed' | 'Cancelled')[]): ObservedRecord[] {
  return phases.map((phase, index) => anEndedRun(phase, noon - minutes(10 * (phases.length - index)), { name: `etl-${index + 1}` }));
}
function removed(records: readonly ObservedRecord[], retention: Retention = keep(0, 0), changes: Partial<ObservedWorkflow> = {}, now = noon): string[] {
  const plan = planFor(observedWorkflow(onRequest({ retention }), { records, ...changes }), now);
  return plan.actions.flatMap((action) => (action.kind === 'deleteRun' ? [action.record.name] : [])).sort();
}

describe('which finished runs may go', () => {
  it.each([
    ['nothing exists', [], keep(0, 0), []],
    ['three successes are kept', ended('Succeeded', 'Succeeded', 'Succeeded', 'Succeeded', 'Succeeded'), keep(3, 3), ['etl-1', 'etl-2']],
    ['successes and failures are counted apart', ended('Succeeded', 'Failed', 'Succeeded', 'Failed', 'Succeeded', 'Succeeded'), keep(3, 1), ['etl-1', 'etl-2']],
    ['what was cancelled counts as failed', ended('Cancelled', 'Failed', 'Succeeded'), keep(0, 1), ['etl-1', 'etl-3']],
    ['without bounds everything stays', ended('Succeeded', 'Failed'), { succeeded: forever, failed: forever }, []],
    ['runs that are not over stay', [aRecord(), aRecord({ phase: 'Suspended', name: 'etl-2' }), aQueuedRun('etl-3', { commands: { suspend: true } })], keep(0, 0), []],
    ['the newest run of a change stays, whatever became of it', [aChangeRun('old', 'hash-1', { createdAt: noon - hours(2) }), aChangeRun('new', 'hash-2', { createdAt: noon - hours(1), phase: 'Failed' })], keep(0, 0), ['old']],
    ['so do those just before it: only together they tell which is the newest', [aChangeRun('old', 'hash-1', { createdAt: noon - hours(1) - minutes(1) }), aChangeRun('new', 'hash-2', { createdAt: noon - hours(1) })], keep(0, 0), []],
    ['the newest run of a schedule stays', [aScheduledRun(noon - hours(2)), aScheduledRun(noon - hours(1))], keep(0, 0), [`etl-at-${noon - hours(2)}`]],
    ['what is being repeated stays', [anEndedRun('Failed', noon - hours(1), { name: 'first' }), aRecord({ request: { rerunOf: { run: 'first', uid: 'uid-first' } } })], keep(0, 0), []],
    ['also while the repetition waits', [anEndedRun('Failed', noon - hours(1), { name: 'first' }), aRecord(), aQueuedRun('again', { request: { rerunOf: { run: 'first', uid: 'uid-first' } } })], keep(0, 0), []],
    ['not when it is over', [anEndedRun('Failed', noon - hours(1), { name: 'first' }), anEndedRun('Succeeded', noon - minutes(9), { name: 'again', request: { rerunOf: { run: 'first', uid: 'uid-first' } } })], keep(0, 0), ['again', 'first']],
    ['the parent of a run that is not over stays', [anEndedRun('Cancelled', noon - hours(1), { name: 'parent-1' }), aSubRun('sub', {}, { phase: 'Running' })], keep(0, 0), []],
    ['what is being deleted is not deleted again, nor counted among those that are kept', ended('Succeeded', 'Succeeded', 'Succeeded').map((record, index) => ({ ...record, deleting: index === 2 })), keep(1, 1), ['etl-1']],
    ['one that cannot be read goes as others do', [anEndedRun('Failed', noon - hours(1), { request: undefined })], keep(0, 0), ['etl-1']],
  ] as const)('%s', (_sentence, records, retention, names) => {
    expect(removed(records, retention)).toEqual(names);
  });

  it('a sub-run whose outcome is not written down yet stays, among those that are counted, and is looked at again', () => {
    const records = ended('Succeeded', 'Succeeded');
    expect(removed(records, keep(0, 0), { awaited: new Set(['uid-etl-1']) })).toEqual(['etl-2']);
    expect(planFor(observedWorkflow(onRequest({ retention: keep(1, 0) }), { records, awaited: new Set(['uid-etl-1']) }), noon).wakeAt).toBe(noon + minutes(1));
  });

  it('what tells a Run that it has run stays, and takes nobody\'s place', () => {
    const records = ended('Succeeded', 'Succeeded', 'Succeeded', 'Succeeded', 'Succeeded');
    expect(removed(records, keep(2, 0), { asked: new Set(['uid-etl-1', 'uid-etl-5']) })).toEqual(['etl-2']);
    expect(removed(records, keep(0, 0), { asked: new Set(records.map(({ uid }) => uid)) })).toEqual([]);
  });

  it('a run goes when it is too old, not before, and the plan wakes then', () => {
    const retention = { succeeded: forever, failed: { count: undefined, age: hours(1) } };
    const records = ended('Failed');
    const due = noon - minutes(10) + hours(1);
    expect(removed(records, retention, {}, due - 1)).toEqual([]);
    expect(planFor(observedWorkflow(onRequest({ retention }), { records }), due - 1).wakeAt).toBe(due);
    expect(removed(records, retention, {}, due)).toEqual(['etl-1']);
  });

  it('nothing goes within two minutes of its end: who waits for it has to see it', () => {
    const records = [anEndedRun('Succeeded', noon - seconds(10))];
    expect(removed(records, keep(0, 0), {}, noon - seconds(10) + minutes(2) - 1)).toEqual([]);
    expect(removed(records, keep(0, 0), {}, noon - seconds(10) + minutes(2))).toEqual(['etl-1']);
  });

  describe('but no run by which a message that comes again would be known', () => {
    const ofMessage = (settled: SettledNote | undefined): ObservedRecord => anEndedRun('Succeeded', noon - hours(1), { request: { trigger: 'message', queue: 'orders' }, message: { note: aNote('a'), settled } });

    it.each<[what: string, settled: SettledNote | undefined, inHand: readonly string[], names: readonly string[]]>([
      ['one whose message is not settled stays', undefined, [], []],
      ['one whose message was settled nine minutes ago stays', { as: 'completed', at: noon - minutes(9) }, [], []],
      ['one whose message was settled eleven minutes ago goes', { as: 'completed', at: noon - minutes(11) }, [], ['etl-1']],
      ['one whose message is in hand stays', { as: 'completed', at: noon - minutes(11) }, ['uid-etl-1'], []],
    ])('%s', (_sentence, settled, inHand, names) => {
      expect(removed([ofMessage(settled)], keep(0, 0), { inHand: new Set(inHand) })).toEqual(names);
    });

    it('is looked at again when it may go', () => {
      const records = [ofMessage({ as: 'completed', at: noon - minutes(9) })];
      expect(planFor(observedWorkflow(onRequest({ retention: keep(0, 0) }), { records }), noon).wakeAt).toBe(noon + minutes(1));
    });
  });

  describe('what somebody wrote on a record, or on a Job of its run, wins', () => {
    const marked = (keepUntil: number, ...phases: readonly ('Succeeded' | 'Failed')[]): ObservedRecord[] => ended(...phases).map((record, index) => (index === 0 ? { ...record, keepUntil } : record));

    it.each<[string, readonly ObservedRecord[], Retention, Partial<ObservedWorkflow>, readonly string[]]>([
      ['for ever', marked(Infinity, 'Succeeded', 'Succeeded'), keep(0, 0), {}, ['etl-2']],
      ['until a time to come', marked(noon + hours(1), 'Failed', 'Failed'), keep(0, 0), {}, ['etl-2']],
      ['and pushes out no other', marked(Infinity, 'Succeeded', 'Succeeded', 'Succeeded'), keep(2, 0), {}, []],
      ['a time that has passed means now', marked(0, 'Succeeded', 'Succeeded'), keep(9, 9), {}, ['etl-1']],
      ['a Job that is to stay keeps its record', ended('Succeeded', 'Succeeded'), keep(0, 0), { keptBy: new Map([['etl-1', noon + 1]]) }, ['etl-2']],
      ['a Job that need not stay any more keeps none', ended('Succeeded'), keep(0, 0), { keptBy: new Map([['etl-1', 0]]) }, ['etl-1']],
      ['a Job keeps its record also against what is written there', marked(0, 'Succeeded'), keep(0, 0), { keptBy: new Map([['etl-1', Infinity]]) }, []],
      ['but a run that is not over never goes', [aRecord({ keepUntil: 0 })], keep(0, 0), {}, []],
      ['nor one that is needed', [aChangeRun('new', 'hash-1', { createdAt: noon - hours(1), keepUntil: 0 })], keep(0, 0), {}, []],
    ])('%s', (_sentence, records, retention, changes, names) => {
      expect(removed(records, retention, changes)).toEqual(names);
    });

    it('and the plan wakes when it is over', () => {
      const changes = { keptBy: new Map([['etl-1', noon + hours(3)]]) };
      expect(planFor(observedWorkflow(onRequest({ retention: keep(0, 0) }), { records: ended('Succeeded'), ...changes })).wakeAt).toBe(noon + hours(3));
      expect(removed(ended('Succeeded'), keep(0, 0), changes, noon + hours(3))).toEqual(['etl-1']);
    });
  });

  it('an observer deletes nothing', () => {
    const observed = observedWorkflow(onRequest({ observe: true, retention: keep(0, 0) }), { records: ended('Failed') });
    expect(planFor(observed).actions).toEqual([]);
  });
});

describe('without a spec', () => {
  const noted = (count: number): Partial<NonNullable<ObservedRecord['request']>> => ({ retention: { succeeded: { count }, failed: { count, age: hours(1) } } });
  const old = anEndedRun('Succeeded', noon - hours(9), { name: 'old', request: noted(9) });
  const records = [old, anEndedRun('Succeeded', noon - hours(2), { name: 'older', request: noted(1) }), anEndedRun('Succeeded', noon - hours(1), { name: 'newest', request: noted(1) })];

  it('the retention counts that the newest run was made with', () => {
    expect(removed(records, keep(9, 9), { claims: [] })).toEqual(['old', 'older']);
    expect(removed(records, keep(9, 9), { claims: [aBrokenWorkflow()] })).toEqual(['old', 'older']);
    expect(removed(records, keep(9, 9))).toEqual([]);
  });

  it('where none tells, the defaults: three successes, ten failures for a week', () => {
    const plain = [...ended(...Array.from({ length: 12 }, () => 'Failed' as const)), ...Array.from({ length: 4 }, (_, index) => anEndedRun('Succeeded', noon - hours(index + 1), { name: `good-${index}` }))];
    expect(removed(plain, keep(0, 0), { claims: [] })).toEqual(['etl-1', 'etl-2', 'good-3']);
    expect(removed(ended('Failed'), keep(0, 0), { claims: [] }, noon + hours(168))).toEqual(['etl-1']);
  });

  const newest = [aChangeRun('changed', 'hash-1', { request: { retention: { succeeded: { count: 0 }, failed: { count: 0 } } } }), aScheduledRun(noon - hours(1))];

  it('no newest run is needed any more, since nothing can be due', () => {
    expect(removed(newest, keep(0, 0), { claims: [] })).toEqual(['changed', `etl-at-${noon - hours(1)}`]);
  });

  it('but as long as a file cannot be read, or the text is broken, they may be needed again', () => {
    expect(removed(newest, keep(0, 0), { claims: [], unread: true })).toEqual([]);
    expect(removed(newest, keep(0, 0), { claims: [aBrokenWorkflow()] })).toEqual([]);
  });
});

it('deleting what a plan says leaves nothing to delete, and what is needed is left', () => {
  const bound = fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined });
  const rule = fc.record({ count: bound, age: fc.option(fc.integer({ min: 0, max: hours(2) }), { nil: undefined }) });
  const phase = fc.constantFrom('Succeeded' as const, 'Failed' as const, 'Cancelled' as const);
  const trigger = fc.constantFrom('change' as const, 'schedule' as const, 'request' as const);
  fc.assert(
    fc.property(fc.array(fc.tuple(phase, trigger), { maxLength: 12 }), rule, rule, (runs, succeeded, failed) => {
      const records = runs.map(([how, why], index) => {
        const at = noon - minutes(10 * (runs.length - index));
        return anEndedRun(how, at, { name: `etl-${index}`, request: why === 'schedule' ? { trigger: why, scheduledAt: at } : { trigger: why } });
      });
      const gone = removed(records, { succeeded, failed });
      const left = records.filter(({ name }) => !gone.includes(name));
      expect(removed(left, { succeeded, failed })).toEqual([]);
      for (const why of ['change', 'schedule']) {
        const last = records.findLast(({ request }) => request?.trigger === why);
        if (last) expect(left).toContain(last);
      }
    }),
  );
});
