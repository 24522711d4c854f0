/** Trigger schedules: the last due time starts a run, earlier ones have passed unused (docs/adr/0010-schedules.md). */
import { priorityOf } from '../limits/priority.ts';
import { dueTimes, latestDue } from '../../spec/cron.ts';
import type { ScheduleSpec } from '../../spec/workflow.ts';
import { isoTime } from '../iso-time.ts';
import { jobName } from '../job-name.ts';
import type { ObservedRecord } from '../run/record.ts';
import { createRun } from './create-run.ts';
import { isActive, runsText } from './records.ts';
import { noWish, type Candidate, type Missed, type Wish, type WorkflowDraft, type WorkflowRound } from './round.ts';
import type { Timetable } from './timetable.ts';

/** More times than this are not counted: each costs about 0.1 ms to find, and a week of minutes has ten thousand. */
const mostMissed = 1000;

/** What the schedule wants now: one run at most, for the last time that is due. */
export function scheduleWish(draft: WorkflowDraft, round: WorkflowRound, timetable: Timetable): Wish {
  const { observed, now } = round;
  const { schedule, from } = timetable;
  const at = latestDue(schedule, from, now);
  if (at === undefined) return noWish;
  const name = scheduleName(round, at);
  // It exists, but what it was made for cannot be read any more: the name says it.
  if (observed.records.some((record) => record.name === name)) return noWish;
  const late = deadlineOf(schedule, at);
  if (late !== undefined && now > late) return { ...noWish, waits: { reason: 'ScheduleMissed', message: `the run scheduled for ${isoTime(at)} could not start within its deadline` } };
  const others = schedule.concurrencyPolicy === 'Allow' ? [] : observed.records.filter(isActive).filter(({ request }) => request.trigger === 'schedule');
  draft.wake(late === undefined ? undefined : late + 1);
  if (others.length > 0) return behind(schedule, at, others);
  return { ...noWish, start: candidate(round, timetable, { at, name }) };
}

function behind({ concurrencyPolicy }: ScheduleSpec, at: number, others: readonly ObservedRecord[]): Wish {
  const replaces = concurrencyPolicy === 'Replace';
  const message = `the run scheduled for ${isoTime(at)} waits for ${runsText(others)}${replaces ? ', which it replaces,' : ''} to end`;
  return { cancel: replaces ? others.filter(({ commands }) => commands.cancel === undefined) : [], start: undefined, waits: { reason: replaces ? 'RunReplaced' : 'RunQueued', message } };
}

function candidate(round: WorkflowRound, timetable: Timetable, { at, name }: { at: number; name: string }): Candidate {
  const start: Candidate['start'] = () => {
    const { times, more } = dueTimes(timetable.schedule, { after: timetable.from, until: at - 1, most: mostMissed });
    const missed = times.map((time, index) => ({ at: time, why: whyMissed(round, timetable.schedule, { time, next: times[index + 1] ?? at }) }));
    const count = `${more ? 'more than ' : ''}${times.length}`;
    const because = `it is scheduled for ${isoTime(at)}${times.length === 0 ? '' : `; ${count} ${times.length === 1 ? 'time' : 'times'} before that passed unused`}`;
    return { action: createRun(round, name, { trigger: 'schedule', scheduledAt: at }, because), missed };
  };
  return { name, what: `the run scheduled for ${isoTime(at)}`, priority: priorityOf(round.spec), since: at, needsRoom: true, start };
}

/** Nothing is written down about a time that was not used: only what can be told from the times themselves. */
function whyMissed({ observed }: WorkflowRound, schedule: ScheduleSpec, { time, next }: { time: number; next: number }): Missed['why'] {
  if (time < observed.since) return 'down';
  const late = deadlineOf(schedule, time);
  return late !== undefined && late < next ? 'deadline' : 'forbidden';
}

function deadlineOf({ startingDeadline }: ScheduleSpec, at: number): number | undefined {
  return startingDeadline === undefined ? undefined : at + startingDeadline;
}

/** The scheduled time is in the name: whoever finds it due meets the same record. */
export function scheduleName({ environment, spec }: WorkflowRound, at: number): string {
  return jobName(spec.name, [environment.instance, spec.name, 'schedule', isoTime(at)]);
}
