import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { age, elapsed } from '../../../../src/cli/runs/elapsed.ts';

const s = 1_000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;

describe('how long something took', () => {
  it.each([
    [0, '0.0s'], [-5 * s, '0.0s'], [49, '0.0s'], [850, '0.8s'], [9_949, '9.9s'], [9_950, '10s'], [59.4 * s, '59s'], [119 * s, '119s'], [2 * m, '2m'], [2 * m + 5 * s, '2m5s'],
    [59 * m + 59.7 * s, '1h'], [h + 90 * s, '1h1m'], [47 * h + 59 * m, '47h59m'], [2 * d, '2d'], [50 * h, '2d2h'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(elapsed(milliseconds)).toBe(text);
  });
});

describe('how long ago something was', () => {
  it.each([
    [0, '0s'], [-s, '0s'], [119 * s, '119s'], [2 * m, '2m'], [9 * m + 59 * s, '9m59s'], [10 * m + 59 * s, '10m'], [179 * m, '179m'], [3 * h, '3h'], [7 * h + 30 * m, '7h30m'], [8 * h + 59 * m, '8h'], [47 * h, '47h'], [50 * h, '2d2h'], [9 * d, '9d'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(age(milliseconds)).toBe(text);
  });
});

it('texts are short, whatever the time', () => {
  fc.assert(fc.property(fc.double({ min: -1e9, max: 1e12, noNaN: true }), (time) => elapsed(time).length <= 9 && age(time).length <= 9 && /^[\d.]+[smhd]/.test(elapsed(time))));
});
