/** How many Jobs may start within a time: `10/1s`, `100/1m`. */
import { parseDuration } from '../lib/duration.ts';

export interface StartRate {
  readonly starts: number;
  /** Milliseconds, sliding. */
  readonly within: number;
}

/** What it looks like: a count and a duration of one unit. */
export const startRatePattern = '^[1-9][0-9]{0,5}/[1-9][0-9]{0,4}[smh]$';
export const startRateMessage = 'must be a count and a duration of at most a day, such as "10/1s" or "100/1m"';

const longest = 24 * 3_600_000;

/** undefined where the text is no rate, or its time is longer than a day. */
export function parseStartRate(text: string): StartRate | undefined {
  if (!new RegExp(startRatePattern).test(text)) return undefined;
  const [starts = '', duration = ''] = text.split('/');
  const within = parseDuration(duration);
  return within === undefined || within > longest ? undefined : { starts: Number(starts), within };
}
