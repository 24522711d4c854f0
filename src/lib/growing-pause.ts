/** Milliseconds after the `count`th time in a row, from 1: `first`, then twice as long each time, `longest` at most. */
export function growingPause(count: number, first: number, longest: number): number {
  return Math.min(first * 2 ** Math.min(count - 1, 30), longest);
}
