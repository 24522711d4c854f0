import { expect, it } from 'vitest';
import { isoTime } from '../../../src/plan/iso-time.ts';
import { noon } from '../../support/builders.ts';

it.each([
  ['a usual time', noon, '2026-01-01T12:00:00.000Z'],
  ['a time after the end of the calendar is its end', 1e300, '+275760-09-13T00:00:00.000Z'],
  ['a time before its beginning is its beginning', -Infinity, '-271821-04-20T00:00:00.000Z'],
])('%s', (_sentence, time, text) => {
  expect(isoTime(time)).toBe(text);
});
