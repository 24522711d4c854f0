import { expect, it } from 'vitest';
import { growingPause } from '../../../src/lib/growing-pause.ts';

it.each([
  [1, 1000],
  [2, 2000],
  [5, 16_000],
  [6, 30_000],
  [10_000, 30_000],
])('the pause after %i times is %i ms', (count, expected) => {
  expect(growingPause(count, 1000, 30_000)).toBe(expected);
});
