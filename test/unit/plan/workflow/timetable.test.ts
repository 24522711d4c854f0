import { describe, expect, it } from 'vitest';
import type { ObservedWorkflow } from '../../../../src/plan/workflow/observed.ts';
import type { WorkflowSpec } from '../../../../src/spec/workflow.ts';
import { aFile, hours, minutes, noon } from '../../../support/builders.ts';
import { aBrokenWorkflow, aScheduledRun, aWorkflowClaim, etlMap, observedWorkflow, onSchedule, planFor, shortActs } from '../../../support/workflows.ts';

const dawn = noon - hours(6);
const hourlySpec = (changes: Partial<WorkflowSpec> = {}): WorkflowSpec => onSchedule({ lines: ['0 * * * *'] }, changes);
const lastYear = noon - hours(24 * 365);

/** The workflow as the next round sees it: with this spec, and the status that the round before wrote. */
function written(spec: WorkflowSpec, status: unknown, changes: Partial<ObservedWorkflow> = {}): ObservedWorkflow {
  const writtenStatus = status === undefined ? undefined : JSON.stringify(status);
  return observedWorkflow(spec, { claims: [aWorkflowClaim(spec, etlMap({ createdAt: lastYear, writtenStatus }))], since: dawn, ...changes });
}
const statusOf = (observed: ObservedWorkflow, now = noon): unknown => planFor(observed, now).statuses[0]?.status;
const scheduleOf = (observed: ObservedWorkflow, now = noon): unknown => planFor(observed, now).statuses[0]?.status.schedule;

describe('the status says which times are used', () => {
  it('with the timetable, the last used time and the next', () => {
    expect(scheduleOf(observedWorkflow(hourlySpec(), { records: [aScheduledRun(noon - hours(1))] }), noon + minutes(5))).toEqual({ id: expect.stringMatching(/^[a-z2-7]{8}$/) as string, from: '2026-01-01T11:00:00.000Z', next: '2026-01-01T13:00:00.000Z' });
  });

  it('a workflow that has none says nothing, nor does one that is suspended or observed', () => {
    for (const spec of [onSchedule({}, { trigger: { onRequest: true, schedule: undefined } }), hourlySpec({ suspend: true }), hourlySpec({ observe: true })]) expect(scheduleOf(observedWorkflow(spec))).toBeUndefined();
  });

  it('the identity is that of lines and zone, not of policies', () => {
    const id = (schedule: Parameters<typeof onSchedule>[0]): unknown => (scheduleOf(observedWorkflow(onSchedule(schedule))) as { id: string }).id;
    expect(id({ startingDeadline: 5, concurrencyPolicy: 'Allow' })).toBe(id({}));
    expect(new Set([id({}), id({ timeZone: 'Europe/Berlin' }), id({ lines: ['0 3 * * *'] })]).size).toBe(3);
  });

  it('records that were deleted by hand do not run again', () => {
    const before = statusOf(written(hourlySpec(), undefined, { records: [aScheduledRun(noon)] }));
    expect(shortActs(planFor(written(hourlySpec(), before), noon + minutes(59)))).toEqual([]);
    expect(shortActs(planFor(written(hourlySpec(), undefined), noon + minutes(59)))).toEqual(['createRun RunDue schedule 2026-01-01T12:00']);
  });
});

describe('a timetable that is new counts from when it was seen', () => {
  const before = statusOf(written(onSchedule({ lines: ['30 * * * *'] }), undefined, { records: [aScheduledRun(noon - hours(2))] }));
  const edited = { specSince: noon - minutes(1) };

  it.each([
    ['edited lines', before],
    ['a schedule where there was none', statusOf(written(onSchedule({}, { trigger: { onRequest: true, schedule: undefined } }), undefined))],
    ['the end of suspend', statusOf(written(hourlySpec({ suspend: true }), undefined))],
    ['the end of observe', statusOf(written(hourlySpec({ observe: true }), undefined))],
    ['a claim that was superseded', { state: 'Superseded' }],
    ['a mark that somebody broke', { schedule: { id: 'x', from: 'yesterday' } }],
  ])('%s: no run for a time before', (_sentence, status) => {
    const view = written(hourlySpec(), status, edited);
    expect(shortActs(planFor(view, noon - 1))).toEqual([]);
    expect(shortActs(planFor(view, noon))).toEqual(['createRun RunDue schedule 2026-01-01T12:00']);
    expect(planFor(view, noon).missed).toEqual([]);
  });

  it('and that is written down, so that a restart changes nothing', () => {
    const after = statusOf(written(hourlySpec(), before, { specSince: noon - hours(1) - minutes(30) }), noon - hours(1) - minutes(29));
    expect(after).toMatchObject({ schedule: { from: '2026-01-01T10:30:00.000Z' } });
    expect(shortActs(planFor(written(hourlySpec(), after, { since: noon - minutes(5) }), noon - 1))).toEqual(['createRun RunDue schedule 2026-01-01T11:00']);
  });

  it('a status that is never written any more does not stop the schedule', () => {
    for (const now of [noon, noon + hours(1), noon + hours(2)]) expect(shortActs(planFor(written(hourlySpec(), before, edited), now))).toHaveLength(1);
  });

  it('where the process has seen no other text, from when it began', () => {
    expect(shortActs(planFor(written(hourlySpec(), before, { since: noon - minutes(30) }), noon - 1))).toEqual([]);
    expect(shortActs(planFor(written(hourlySpec(), before, { since: noon - minutes(90) }), noon - 1))).toEqual(['createRun RunDue schedule 2026-01-01T11:00']);
  });

  it.each([
    ['an edit of something else keeps the time that waits', statusOf(written(hourlySpec({ hash: 'hash-0' }), undefined, { records: [aScheduledRun(noon - hours(2))] }))],
    ['without a status the creation counts, as with CronJob', undefined],
    ['garbage is no status', 'garbage'],
  ])('%s', (_sentence, status) => {
    const records = [aScheduledRun(noon - hours(2))];
    expect(shortActs(planFor(written(hourlySpec(), status, { ...edited, records }), noon - 1))).toEqual(['createRun RunDue schedule 2026-01-01T11:00']);
  });
});

describe('what moves no mark', () => {
  it('a broken spec: its timetable goes on when it is mended', () => {
    const good = statusOf(written(hourlySpec(), undefined, { records: [aScheduledRun(noon - hours(2))] }), noon - hours(2)) as { schedule: unknown };
    const broken = { ...written(hourlySpec(), good), claims: [aBrokenWorkflow(etlMap({ writtenStatus: JSON.stringify(good) }))] };
    expect(scheduleOf(broken)).toEqual(good.schedule);
    expect(shortActs(planFor(written(hourlySpec(), statusOf(broken), { specSince: noon - 1 }), noon - 1))).toEqual(['createRun RunDue schedule 2026-01-01T11:00']);
  });

  it.each([
    ['a record from a far future', { records: [aScheduledRun(noon + hours(24 * 365))] }],
    ['a status from a far future', { claims: [aWorkflowClaim(hourlySpec(), etlMap({ createdAt: lastYear, writtenStatus: JSON.stringify({ schedule: { ...(scheduleOf(observedWorkflow(hourlySpec())) as object), from: '2999-01-01T00:00:00Z' } }) }))] }],
    ['a record with a time that is none', { records: [aScheduledRun(9e99)] }],
  ])('%s', (_sentence, changes) => {
    expect(shortActs(planFor(observedWorkflow(hourlySpec(), { claims: [aWorkflowClaim(hourlySpec(), etlMap({ createdAt: lastYear }))], ...changes })))).toEqual(['createRun RunDue schedule 2026-01-01T12:00']);
  });

  it('garbage hides no record that tells', () => {
    expect(shortActs(planFor(observedWorkflow(hourlySpec(), { records: [aScheduledRun(9e99), aScheduledRun(noon)] }), noon + minutes(59)))).toEqual([]);
  });

  it('a clock that was an hour ahead for a while is waited for', () => {
    const view = observedWorkflow(hourlySpec(), { records: [aScheduledRun(noon + hours(1))] });
    expect(shortActs(planFor(view))).toEqual([]);
    expect(planFor(view).wakeAt).toBe(noon + hours(2));
  });

  it('a file has no status: the time of its last change counts', () => {
    const claims = [aWorkflowClaim(hourlySpec(), aFile({ createdAt: noon - minutes(1) }))];
    expect(shortActs(planFor(observedWorkflow(hourlySpec(), { claims }), noon - 1))).toEqual([]);
  });
});
