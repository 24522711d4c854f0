import { describe, expect, it } from 'vitest';
import type { ScheduleSpec } from '../../../../src/spec/workflow.ts';
import type { ObservedWorkflow } from '../../../../src/plan/workflow/observed.ts';
import { aFile, hours, minutes, noon, seconds } from '../../../support/builders.ts';
import { aChangeRun, aQueuedRun, aRecord, aScheduledRun, aWorkflowClaim, aWorkflowSpec, etlMap, hourly, nightly, observedWorkflow, onSchedule, planFor, shortActs, stands } from '../../../support/workflows.ts';

/** Created at 06:00; looked after since 06:00. */
const dawn = noon - hours(6);
function observed(schedule: Partial<ScheduleSpec>, changes: Partial<ObservedWorkflow> = {}, spec: Parameters<typeof onSchedule>[1] = {}): ObservedWorkflow {
  const of = onSchedule({ lines: ['0 * * * *'], ...schedule }, spec);
  return observedWorkflow(of, { claims: [aWorkflowClaim(of, etlMap({ createdAt: dawn }))], since: dawn, ...changes });
}
const used = (at: number, changes: Parameters<typeof aScheduledRun>[1] = {}): ReturnType<typeof aScheduledRun> => aScheduledRun(at, changes);
const missed = (view: ObservedWorkflow, now = noon): string[] => planFor(view, now).missed.map(({ at, why }) => `${new Date(at).toISOString().slice(11, 16)} ${why}`);
const starts = (time: string): string[] => [`createRun RunDue schedule 2026-01-01T${time}`];

describe('a scheduled time', () => {
  it('starts a run at once, not a millisecond sooner', () => {
    const view = observed({}, { records: [used(noon - hours(1))] });
    expect(shortActs(planFor(view, noon - 1))).toEqual([]);
    expect(planFor(view, noon - 1).wakeAt).toBe(noon);
    expect(shortActs(planFor(view, noon))).toEqual(starts('12:00'));
    expect(planFor(view, noon).wakeAt).toBe(noon + hours(1));
  });

  it('is in the name of its record, which says all that later rounds need', () => {
    const view = observed({}, { records: [used(noon - hours(1))] });
    const [action] = planFor(view).actions;
    expect(action).toEqual({
      kind: 'createRun',
      reason: 'RunDue',
      because: 'it is scheduled for 2026-01-01T12:00:00.000Z',
      name: expect.stringMatching(/^etl-[a-z2-7]{12}$/) as string,
      request: { workflow: 'etl', trigger: 'schedule', scheduledAt: noon, retention: { succeeded: { count: 3 }, failed: { count: 10, age: hours(168) } } },
      parameters: {},
      frozen: { claim: 0, owner: { name: 'etl', uid: 'cm-1' } },
    });
    expect(planFor(view, noon + minutes(59)).actions).toEqual([action]);
    expect(planFor(view, noon + minutes(60)).actions).not.toEqual([action]);
  });

  it('is used once: by the record, while the cache does not show it yet, and also where that cannot be read', () => {
    const view = observed({}, { records: [used(noon - hours(1))] });
    const [action] = planFor(view).actions;
    const name = action?.kind === 'createRun' ? action.name : '';
    expect(shortActs(planFor({ ...view, records: [used(noon)] }, noon + minutes(59)))).toEqual([]);
    expect(shortActs(planFor({ ...view, reservations: new Set([name]) }))).toEqual([]);
    expect(shortActs(planFor({ ...view, records: [...view.records, aRecord({ name, request: undefined })] }))).toEqual([]);
  });

  it('of several lines starts one run', () => {
    expect(shortActs(planFor(observed({ lines: ['0 12 * * *', '0 */6 * * *'] })))).toEqual(starts('12:00'));
  });

  it('is by the clocks of its zone', () => {
    const view = observed({ lines: ['0 13 * * *'], timeZone: 'Europe/Berlin' });
    expect(shortActs(planFor(view))).toEqual(starts('12:00'));
  });

  it('of a workflow in a file counts from the last change of the file', () => {
    const file = { claims: [aWorkflowClaim(onSchedule({ lines: ['0 * * * *'] }), aFile({ createdAt: noon - minutes(10) }))] };
    expect(shortActs(planFor(observed({}, file), noon - 1))).toEqual([]);
    expect(planFor(observed({}, file)).actions).toMatchObject([{ kind: 'createRun', frozen: { owner: undefined } }]);
  });

  it('before the workflow was there is none', () => {
    expect(shortActs(planFor(observed({}, { claims: [aWorkflowClaim(onSchedule(), etlMap({ createdAt: noon }))] }), noon + minutes(59)))).toEqual([]);
  });

  it('that never comes again is no reason to wake', () => {
    const view = observed({ lines: [] });
    expect(planFor(view).wakeAt).toBeUndefined();
    expect(stands(view)).toEqual(['Idle', 'WaitsForSchedule', 'no further run is scheduled']);
  });
});

describe('times that passed unused', () => {
  it('the last one is started, those before it are counted, with the reason', () => {
    const view = observed({}, { since: noon - hours(2) - minutes(1) });
    expect(shortActs(planFor(view))).toEqual(starts('12:00'));
    expect(missed(view)).toEqual(['07:00 down', '08:00 down', '09:00 down', '10:00 forbidden', '11:00 forbidden']);
    expect(planFor(view).actions[0]?.because).toBe('it is scheduled for 2026-01-01T12:00:00.000Z; 5 times before that passed unused');
  });

  it('those whose deadline came before the next time are counted as that', () => {
    expect(missed(observed({ startingDeadline: minutes(59) }, { records: [used(noon - hours(3))] }))).toEqual(['10:00 deadline', '11:00 deadline']);
    expect(missed(observed({ startingDeadline: hours(1) }, { records: [used(noon - hours(3))] }))).toEqual(['10:00 forbidden', '11:00 forbidden']);
  });

  it('nothing is counted while nothing starts: so each is counted once, whatever is restarted when', () => {
    const busy = observed({}, { records: [used(noon - hours(5), { phase: 'Running' })] });
    expect(missed(busy)).toEqual([]);
    expect(missed({ ...busy, records: [used(noon - hours(5))] })).toEqual(['08:00 forbidden', '09:00 forbidden', '10:00 forbidden', '11:00 forbidden']);
    expect(missed({ ...busy, records: [used(noon)] }, noon + minutes(30))).toEqual([]);
  });

  it('no more than a thousand are counted', () => {
    const view = observed({ lines: ['* * * * *'] }, { claims: [aWorkflowClaim(onSchedule({ lines: ['* * * * *'] }), etlMap({ createdAt: noon - hours(24 * 365) }))] });
    const plan = planFor(view);
    expect(plan.missed).toHaveLength(1000);
    expect(plan.missed.at(-1)?.at).toBe(noon - minutes(1));
    expect(plan.actions[0]?.because).toBe('it is scheduled for 2026-01-01T12:00:00.000Z; more than 1000 times before that passed unused');
  });
});

describe('startingDeadline', () => {
  const view = observed({ startingDeadline: minutes(5) }, { records: [used(noon - hours(1))] });

  it('a time may be late by that much, and no more', () => {
    expect(shortActs(planFor(view, noon + minutes(5)))).toEqual(starts('12:00'));
    expect(shortActs(planFor(view, noon + minutes(5) + 1))).toEqual([]);
  });

  it('what came too late is said, until the next time', () => {
    expect(stands(view, noon + minutes(6))).toEqual(['Idle', 'ScheduleMissed', `run "etl-at-${noon - hours(1)}" succeeded; the run scheduled for 2026-01-01T12:00:00.000Z could not start within its deadline; next run at 2026-01-01T13:00:00.000Z`]);
    expect(planFor(view, noon + minutes(6)).wakeAt).toBe(noon + hours(1));
    expect(missed(view, noon + hours(1))).toEqual(['12:00 deadline']);
  });

  it('while it is waited for, the plan wakes when it is over', () => {
    const busy = { ...view, records: [used(noon - hours(1), { phase: 'Running' })] };
    expect(planFor(busy).wakeAt).toBe(noon + minutes(5) + 1);
    expect(stands(busy)[2]).toContain('waits for run');
    expect(stands(busy, noon + minutes(5) + 1)[2]).toContain('could not start within its deadline');
  });
});

describe('concurrencyPolicy, while an earlier run of the schedule is not over', () => {
  const busy = [used(noon - hours(1), { phase: 'Running' })];
  const lines = ['0 * * * *'];

  it('Forbid: the time waits for it', () => {
    expect(shortActs(planFor(observed({}, { records: busy })))).toEqual([]);
    expect(stands(observed({}, { records: busy }))).toEqual(['Running', 'WorkflowRunning', `run "etl-at-${noon - hours(1)}" is running; the run scheduled for 2026-01-01T12:00:00.000Z waits for run "etl-at-${noon - hours(1)}" to end`]);
    expect(shortActs(planFor(observed({}, { records: [used(noon - hours(1))] }), noon + minutes(59)))).toEqual(starts('12:00'));
  });

  it('Forbid: also where there would be room', () => {
    expect(shortActs(planFor(observed({}, { records: busy }, { concurrency: { max: 9 } })))).toEqual([]);
  });

  it('Forbid: runs that are suspended are not over; those that cannot be read keep nothing from starting', () => {
    expect(shortActs(planFor(observed({}, { records: [used(noon - hours(1), { phase: 'Suspended' })] })))).toEqual([]);
    expect(shortActs(planFor(observed({}, { records: [used(noon - hours(1)), aRecord({ request: undefined })] })))).toEqual(starts('12:00'));
  });

  it('Forbid: runs of other triggers do not count but for room', () => {
    const others = [used(noon - hours(1)), aRecord({ name: 'asked-for' }), aChangeRun('changed', 'hash-1', { phase: 'Running' })];
    expect(shortActs(planFor(observed({}, { records: others }, { concurrency: { max: 3 } })))).toEqual(starts('12:00'));
    expect(stands(observed({}, { records: others }))[2]).toBe('runs "asked-for" and "changed" are running; the run scheduled for 2026-01-01T12:00:00.000Z waits for its turn');
  });

  it('Replace: it is asked to end, once, and the time waits until it is over', () => {
    const replace = (changes: Parameters<typeof used>[1]): ObservedWorkflow => observed({ concurrencyPolicy: 'Replace' }, { records: [used(noon - hours(1), changes)] }, { concurrency: { max: 9 } });
    expect(shortActs(planFor(replace({ phase: 'Running' })))).toEqual([`cancelRun RunReplaced etl-at-${noon - hours(1)}`]);
    expect(shortActs(planFor(replace({ phase: 'Running', commands: { cancel: 'replaced' } })))).toEqual([]);
    expect(shortActs(planFor(replace({ phase: 'Cancelled' })))).toEqual(starts('12:00'));
  });

  it('Allow: it starts beside it where there is room', () => {
    expect(shortActs(planFor(observed({ concurrencyPolicy: 'Allow' }, { records: busy }, { concurrency: { max: 2 } })))).toEqual(starts('12:00'));
    expect(shortActs(planFor(observed({ concurrencyPolicy: 'Allow' }, { records: busy })))).toEqual([]);
  });

  it('whatever it is, nothing starts while a record is under way that the cache does not show', () => {
    const view = observed({ lines, concurrencyPolicy: 'Allow' }, { records: [used(noon - hours(1))], reservations: new Set(['another']) }, { concurrency: { max: 9 } });
    expect(shortActs(planFor(view))).toEqual([]);
  });
});

it('a request that has waited longer than the scheduled time comes first', () => {
  const spec = aWorkflowSpec({ trigger: { schedule: hourly(), onRequest: true } });
  const view = (createdAt: number): ObservedWorkflow => observedWorkflow(spec, { records: [used(noon - hours(1)), aQueuedRun('asked-for', { createdAt })] });
  expect(shortActs(planFor(view(noon - seconds(1))))).toEqual(['admitRun RunStarted asked-for']);
  expect(shortActs(planFor(view(noon + seconds(1)), noon + seconds(2)))).toEqual(starts('12:00'));
});

describe('on the days on which clocks change each night has one run', () => {
  const nights = [
    ['Berlin loses an hour', 'Europe/Berlin', '2026-03-27T12:00:00Z', ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30']],
    ['Berlin gets one', 'Europe/Berlin', '2026-10-23T12:00:00Z', ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30']],
    ['New York loses an hour', 'America/New_York', '2026-03-06T15:00:00Z', ['2026-03-07T07:30', '2026-03-08T07:00', '2026-03-09T06:30']],
    ['New York gets one', 'America/New_York', '2026-10-30T15:00:00Z', ['2026-10-31T06:30', '2026-11-01T07:30', '2026-11-02T07:30']],
    ['Lord Howe loses half an hour', 'Australia/Lord_Howe', '2026-10-02T06:00:00Z', ['2026-10-02T16:00', '2026-10-03T15:30', '2026-10-04T15:30']],
    ['Lord Howe gets one', 'Australia/Lord_Howe', '2026-04-03T06:00:00Z', ['2026-04-03T15:30', '2026-04-04T16:00', '2026-04-05T16:00']],
  ] as const;

  it.each(nights)('%s', (_sentence, timeZone, from, expected) => {
    const start = Date.parse(from);
    const spec = onSchedule({ lines: ['30 2 * * *'], timeZone });
    const records: ReturnType<typeof aScheduledRun>[] = [];
    const seen: string[] = [];
    let now = start;
    while (now < start + hours(72)) {
      const { actions, wakeAt } = planFor(observedWorkflow(spec, { claims: [aWorkflowClaim(spec, etlMap({ createdAt: start }))], records }), now);
      for (const action of actions) {
        if (action.kind !== 'createRun' || action.request.scheduledAt === undefined) continue;
        records.push(aScheduledRun(action.request.scheduledAt, { name: action.name }));
        seen.push(new Date(now).toISOString().slice(0, 16));
      }
      now = wakeAt ?? Infinity;
    }
    expect(seen).toEqual(expected);
  });
});

it('the nightly run that a downtime of three days missed starts once', () => {
  const spec = aWorkflowSpec({ trigger: { schedule: nightly() } });
  const view = observedWorkflow(spec, { claims: [aWorkflowClaim(spec, etlMap({ createdAt: noon - hours(240) }))], records: [used(noon - hours(24 * 4) - hours(10))], since: noon - seconds(1) });
  expect(shortActs(planFor(view))).toEqual(['createRun RunDue schedule 2026-01-01T02:00']);
  expect(planFor(view).missed.map(({ why }) => why)).toEqual(['down', 'down', 'down']);
});
