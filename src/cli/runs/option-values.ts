/** Options with values of their own form. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../lib/duration.ts';

/** An option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `90s`, `1h30m`; milliseconds. */
export function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds === 0) throw new InvalidArgumentError('a duration such as 90s, 10m or 1h30m');
  return milliseconds;
}
