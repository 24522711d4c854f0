/** Times for people. */

/** Furthest from 1970 that a Date can be. */
const furthest = 8.64e15;

/** Never throws: times come from objects that anybody may have written. */
export function isoTime(milliseconds: number): string {
  return new Date(Math.min(Math.max(milliseconds, -furthest), furthest)).toISOString();
}
