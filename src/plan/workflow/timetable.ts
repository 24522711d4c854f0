/** Which scheduled times are still to be used: docs/adr/0010-schedules.md. Times are milliseconds since 1970. */
import { digest } from '../../lib/digest.ts';
import { isObject, parseJson, stringAt } from '../../lib/json.ts';
import { nextDue } from '../../spec/cron.ts';
import type { ScheduleSpec } from '../../spec/workflow.ts';
import type { ScheduleStatus } from '../action.ts';
import { isoTime } from '../iso-time.ts';
import type { Claim } from '../observed.ts';
import type { ObservedWorkflow } from './observed.ts';
import { isPlausible, newestSchedule } from './records.ts';
import type { WorkflowRound } from './round.ts';

export interface Timetable {
  readonly schedule: ScheduleSpec;
  /** Times up to this one are used, or no longer wanted. */
  readonly from: number;
  readonly next: number | undefined;
}

/** undefined: no schedule is in force. One that is suspended or only observed is not. */
export function timetableOf({ spec, winner: claim, observed, now }: WorkflowRound): Timetable | undefined {
  const { schedule } = spec.trigger;
  if (!schedule || spec.suspend || spec.observe) return undefined;
  const marks = [claim.source.createdAt, newestSchedule(observed.records, now)?.request.scheduledAt ?? 0, inForceSince(schedule, claim, observed)];
  const from = Math.max(0, ...marks.filter((mark) => isPlausible(mark, now)));
  return { schedule, from, next: nextDue(schedule, Math.max(from, now)) };
}

/**
 * The status says since when the timetable counts. Where it speaks of another one, or of none, this one is new: it counts
 * from when this process saw it. It is not "now", since the status may never come to be written.
 */
function inForceSince(schedule: ScheduleSpec, { source }: Claim, { since, specSince = since }: ObservedWorkflow): number {
  const written = source.kind === 'configMap' ? readStatus(source.writtenStatus) : undefined;
  if (!written) return 0;
  return written.schedule?.id === timetableId(schedule) ? Date.parse(written.schedule.from) : specSince;
}

/** The timetable as it is written down. */
export function scheduleStatus({ schedule, from, next }: Timetable): ScheduleStatus {
  return { id: timetableId(schedule), from: isoTime(from), next: next === undefined ? undefined : isoTime(next) };
}

/** What was written, for a spec that is broken: its timetable goes on when it is mended. */
export function writtenSchedule({ source }: Claim): ScheduleStatus | undefined {
  return source.kind === 'configMap' ? readStatus(source.writtenStatus)?.schedule : undefined;
}

/** Lines and zone: with another policy or deadline it is the same timetable. */
function timetableId({ lines, timeZone }: ScheduleSpec): string {
  return digest([lines, timeZone], 8);
}

/** Anybody can write the annotation: what cannot be read is not there. */
function readStatus(text: string | undefined): { readonly schedule: ScheduleStatus | undefined } | undefined {
  const status = parseJson(text);
  if (!isObject(status)) return undefined;
  const id = stringAt(status['schedule'], 'id');
  const from = stringAt(status['schedule'], 'from');
  if (id === undefined || from === undefined || Number.isNaN(Date.parse(from))) return { schedule: undefined };
  return { schedule: { id, from, next: stringAt(status['schedule'], 'next') } };
}
