import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronProblem, dueTimes, latestDue, nextDue, timeZoneProblem, type Timetable } from '../../../src/spec/cron.ts';

const table = (line: string, timeZone = 'UTC'): Timetable => ({ lines: [line], timeZone });
const iso = (time: number | undefined): string | undefined => (time === undefined ? undefined : new Date(time).toISOString().slice(0, 16));
/** What a clock on the wall shows, and the time by UTC. */
const walls = (timetable: Timetable, from: string, to: string): string[] =>
  dueTimes(timetable, { after: Date.parse(from), until: Date.parse(to), most: 100 }).times.map((time) => `${new Date(time).toLocaleTimeString('sv', { timeZone: timetable.timeZone, timeStyle: 'short' })} (${iso(time)?.slice(11) ?? ''})`);

describe('cron lines', () => {
  it.each([
    ['five stars', '* * * * *'],
    ['lists, ranges and steps', '0,30 8-18 */2 1-6/2 *'],
    ['names of months and days', '0 0 1 jan,JUL mon-fri'],
    ['Sunday as 7', '0 0 * * 7'],
    ['blanks around and between', '  0  0 * * * '],
    ['a day that comes every four years', '0 0 29 2 *'],
    ['the last day of a month', '0 0 L * *'],
    ['the second Monday', '0 0 * * 1#2'],
    ['the working day nearest to the 15th', '0 0 15W * *'],
    ['the first, where it is a Monday', '0 0 1 * +MON'],
  ])('%s: good', (_sentence, line) => {
    expect(cronProblem(line)).toBeUndefined();
  });

  it.each([
    ['nothing', '', 'a cron line has five fields (minute, hour, day of month, month, day of week); this one has 0'],
    ['four fields', '0 0 * *', 'a cron line has five fields (minute, hour, day of month, month, day of week); this one has 4'],
    ['a field of seconds', '0 0 0 * * *', 'a cron line has five fields (minute, hour, day of month, month, day of week); this one has 6'],
    ['a word', '@daily', 'a cron line has five fields (minute, hour, day of month, month, day of week); words such as @daily are not among them'],
    ['a zone in the line', 'TZ=Europe/Berlin 0 0 * * *', 'a cron line has five fields (minute, hour, day of month, month, day of week); the zone is the field "timeZone"'],
    ['a date', '2026-01-01T00:00:00Z', 'a cron line has five fields (minute, hour, day of month, month, day of week); this one has 1'],
    ['a minute that does not exist', '61 * * * *', 'Invalid value for minute: 61'],
    ['a range that runs backwards', '0 22-2 * * *', "From value is larger than to value: '22-2'"],
    ['a step of nothing', '*/0 * * * *', 'Syntax error, illegal stepping: 0'],
    ['letters of other systems', 'H * * * *', 'configuration entry 1 (H) contains illegal characters.'],
    ['a day that never comes', '0 0 31 2 *', 'no such day ever comes'],
  ])('%s: %s', (_sentence, line, problem) => {
    expect(cronProblem(line)).toBe(problem);
  });

  it('of any text is answered, never thrown at', () => {
    const field = fc.string({ unit: fc.constantFrom(...Array.from('0123456789*,-/?LW#+aSUNjan ')), maxLength: 6 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.tuple(field, field, field, field, field).map((fields) => fields.join(' '))), (line) => {
        const problem = cronProblem(line);
        const next = nextDue(table(line), Date.UTC(2026, 0, 1));
        expect(problem === undefined ? next !== undefined : problem.length > 0).toBe(true);
      }),
    );
  });
});

describe('time zones', () => {
  it.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('%s is one', (name) => {
    expect(timeZoneProblem(name)).toBeUndefined();
  });
  it.each(['', 'Europe/Nowhere', '+02:00', 'local', 'Berlin '])('"%s" is none', (name) => {
    expect(timeZoneProblem(name)).toBe(`"${name}" is no time zone; names are those of the IANA database, such as Europe/Berlin or UTC`);
  });
  it('in a wrong zone nothing is due', () => {
    expect(nextDue(table('* * * * *', 'Europe/Nowhere'), 0)).toBeUndefined();
  });
});

describe('when lines are due', () => {
  const at = (text: string): number => Date.parse(`2026-06-01T${text}Z`);

  it('the next time is after the given one, to the millisecond', () => {
    expect(iso(nextDue(table('0 * * * *'), at('01:00:00.000')))).toBe('2026-06-01T02:00');
    expect(iso(nextDue(table('0 * * * *'), at('00:59:59.999')))).toBe('2026-06-01T01:00');
  });

  it('the last time may be now, to the millisecond', () => {
    expect(iso(latestDue(table('0 * * * *'), 0, at('01:00:00.000')))).toBe('2026-06-01T01:00');
    expect(iso(latestDue(table('0 * * * *'), 0, at('00:59:59.999')))).toBe('2026-06-01T00:00');
  });

  it('a time that was used is not due again', () => {
    expect(latestDue(table('0 * * * *'), at('01:00:00.000'), at('01:59:59.999'))).toBeUndefined();
  });

  it('several lines are one timetable, and a time that two of them name is one', () => {
    const both = { lines: ['0 * * * *', '*/20 * * * *'], timeZone: 'UTC' };
    expect(walls(both, '2026-06-01T00:30:00Z', '2026-06-01T01:20:00Z')).toEqual(['00:40 (00:40)', '01:00 (01:00)', '01:20 (01:20)']);
    expect(iso(nextDue(both, at('01:40:00')))).toBe('2026-06-01T02:00');
  });

  it('no more than asked for are given, and that there were more is said', () => {
    const wanted = { after: at('00:00:00'), until: at('00:10:00') };
    expect(dueTimes(table('* * * * *'), { ...wanted, most: 3 })).toEqual({ times: [at('00:08:00'), at('00:09:00'), at('00:10:00')], more: true });
    expect(dueTimes(table('* * * * *'), { ...wanted, most: 10 }).more).toBe(false);
  });

  it('a line that is wrong is never due, and others of its timetable are', () => {
    expect(iso(nextDue({ lines: ['nonsense', '0 * * * *'], timeZone: 'UTC' }, at('00:00:00')))).toBe('2026-06-01T01:00');
  });
});

describe('the days on which clocks change', () => {
  const days = {
    'Berlin, 02:00 → 03:00': ['Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T02:59:00Z'],
    'Berlin, 03:00 → 02:00': ['Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T02:59:00Z'],
    'New York, 02:00 → 03:00': ['America/New_York', '2026-03-08T05:00:00Z', '2026-03-08T07:59:00Z'],
    'New York, 02:00 → 01:00': ['America/New_York', '2026-11-01T04:00:00Z', '2026-11-01T07:59:00Z'],
    'Lord Howe, 02:00 → 02:30': ['Australia/Lord_Howe', '2026-10-03T13:30:00Z', '2026-10-03T16:30:00Z'],
    'Lord Howe, 02:00 → 01:30': ['Australia/Lord_Howe', '2026-04-04T13:00:00Z', '2026-04-04T16:59:00Z'],
  } as const;

  it.each([
    ['a time that does not exist runs once, at the first moment after the gap', 'Berlin, 02:00 → 03:00', '30 2 * * *', ['03:00 (01:00)']],
    ['so does each hour or minute of a list, once', 'Berlin, 02:00 → 03:00', '15,45 2 * * *', ['03:00 (01:00)']],
    ['and it meets a time that exists there', 'Berlin, 02:00 → 03:00', '0 2,3 * * *', ['03:00 (01:00)']],
    ['an interval has no gap', 'Berlin, 02:00 → 03:00', '*/30 * * * *', ['00:30 (23:30)', '01:00 (00:00)', '01:30 (00:30)', '03:00 (01:00)', '03:30 (01:30)', '04:00 (02:00)', '04:30 (02:30)']],
    ['an interval within an hour that does not exist is skipped', 'Berlin, 02:00 → 03:00', '*/30 2 * * *', []],
    ['a time that comes twice runs once, the first time', 'Berlin, 03:00 → 02:00', '30 2 * * *', ['02:30 (00:30)']],
    ['so does each of a list', 'Berlin, 03:00 → 02:00', '15,45 2,3 * * *', ['02:15 (00:15)', '02:45 (00:45)', '03:15 (02:15)', '03:45 (02:45)']],
    ['an interval goes on through the hour that comes twice', 'Berlin, 03:00 → 02:00', '30 * * * *', ['00:30 (22:30)', '01:30 (23:30)', '02:30 (00:30)', '02:30 (01:30)', '03:30 (02:30)']],
    ['the night in New York that has no 02:30', 'New York, 02:00 → 03:00', '30 2 * * *', ['03:00 (07:00)']],
    ['the night in New York that has 01:30 twice', 'New York, 02:00 → 01:00', '30 1 * * *', ['01:30 (05:30)']],
    ['a gap of half an hour', 'Lord Howe, 02:00 → 02:30', '15 2 * * *', ['02:30 (15:30)']],
    ['a time after a gap of half an hour is its own', 'Lord Howe, 02:00 → 02:30', '45 2 * * *', ['02:45 (15:45)']],
    ['half an hour that comes twice', 'Lord Howe, 02:00 → 01:30', '45 1 * * *', ['01:45 (14:45)']],
    ['an hour of which half comes twice', 'Lord Howe, 02:00 → 01:30', '*/30 1 * * *', ['01:00 (14:00)', '01:30 (14:30)', '01:30 (15:00)']],
  ] as const)('%s (%s)', (_sentence, day, line, expected) => {
    const [zone, from, to] = days[day];
    expect(walls(table(line, zone), from, to)).toEqual(expected);
  });

  it('looking back finds the same times as looking ahead', () => {
    const minute = fc.constantFrom('0', '30', '15,45', '*/20', '*');
    const hour = fc.constantFrom('1', '2', '3', '1-3', '2,3', '*', '*/2');
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(days)), minute, hour, fc.integer({ min: 0, max: 6 * 3_600_000 }), ([zone, from], minutes, hours, length) => {
        const timetable = table(`${minutes} ${hours} * * *`, zone);
        const after = Date.parse(from);
        const ahead: number[] = [];
        for (let next = nextDue(timetable, after); next !== undefined && next <= after + length; next = nextDue(timetable, next)) ahead.push(next);
        expect(dueTimes(timetable, { after, until: after + length, most: 1000 })).toEqual({ times: ahead, more: false });
      }),
    );
  });
});
