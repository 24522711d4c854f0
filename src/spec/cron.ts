/**
 * Cron lines and time zones: what is wrong with them, and when they are due. Days on which clocks change are as in
 * Vixie cron (docs/adr/0010-schedules.md). Times are milliseconds since 1970.
 */
import { Cron } from 'croner';

/** Cron lines and the zone whose clocks they mean. */
export interface Timetable {
  readonly lines: readonly string[];
  /** IANA name. */
  readonly timeZone: string;
}

/** What is wrong with a cron line, as a sentence; undefined: nothing. */
export function cronProblem(line: string): string | undefined {
  const fields = line.trim().split(/\s+/);
  if (line.trim() === '' || fields.length !== 5) return `a cron line has five fields (minute, hour, day of month, month, day of week)${fieldHint(line, fields)}`;
  const cron = cronOf(line, 'UTC');
  if (typeof cron === 'string') return cron;
  return cron.nextRun(longAgo) ? undefined : 'no such day ever comes';
}

/** Any fixed time; from here on each possible day comes within 28 years or so. */
const longAgo = new Date(Date.UTC(2000, 0, 1));

function fieldHint(line: string, fields: readonly string[]): string {
  if (line.trim().startsWith('@')) return '; words such as @daily are not among them';
  if (/^(CRON_)?TZ=/.test(line.trim())) return '; the zone is the field "timeZone"';
  return `; this one has ${line.trim() === '' ? 0 : fields.length}`;
}

/** What is wrong with the name of a time zone, as a sentence; undefined: nothing. */
export function timeZoneProblem(name: string): string | undefined {
  const problem = `"${name}" is no time zone; names are those of the IANA database, such as Europe/Berlin or UTC`;
  // Offsets are understood by the platform, too, but know nothing of summer time, which is what a zone is for.
  if (!/^[A-Za-z]/.test(name)) return problem;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return undefined;
  } catch {
    return problem;
  }
}

/** The first time after `after`; undefined where there is none. */
export function nextDue(timetable: Timetable, after: number): number | undefined {
  const times = ofEachLine(timetable, (cron) => cron.nextRun(new Date(after))?.getTime() ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The last time after `after` and not after `until`. Costs the same however long that is. */
export function latestDue(timetable: Timetable, after: number, until: number): number | undefined {
  return dueTimes(timetable, { after, until, most: 1 }).times[0];
}

/**
 * All times after `after` and not after `until`, oldest first. Where there are more than `most`, only the last of them,
 * and `more` is true: a cron line of every minute has half a million a year, and each costs about 0.1 ms to find.
 */
export function dueTimes(timetable: Timetable, { after, until, most }: { after: number; until: number; most: number }): { readonly times: readonly number[]; readonly more: boolean } {
  const found = ofEachLine(timetable, (cron) => backwards(cron, { after, until, most: most + 1 }));
  const times = [...new Set(found)].sort((left, right) => left - right);
  return { times: times.slice(-most), more: times.length > most };
}

function backwards(cron: Cron, { after, until, most }: { after: number; until: number; most: number }): number[] {
  const times: number[] = [];
  // What croner finds lies before its reference, to the millisecond.
  let reference = until + 1;
  while (times.length < most) {
    const time = cron.previousRuns(1, new Date(reference))[0]?.getTime();
    if (time === undefined || time <= after) break;
    times.push(time);
    reference = time;
  }
  return times;
}

/** Lines that are wrong, and all in a wrong zone, are never due: a spec that has one is rejected before anybody asks. */
function ofEachLine({ lines, timeZone }: Timetable, times: (cron: Cron) => number | readonly number[]): number[] {
  return lines.flatMap((line) => {
    const cron = cronOf(line, timeZone);
    if (typeof cron === 'string') return [];
    try {
      return times(cron);
    } catch {
      return [];
    }
  });
}

/** `no-wildcard`: a line that names its hours and minutes one by one runs once for each of them on every day, as in Vixie cron. */
function cronOf(line: string, timezone: string): Cron | string {
  try {
    return new Cron(line, { timezone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true });
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).replace(/^CronPattern: /, '');
  }
}
