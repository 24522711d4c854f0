/** Durations as users write them, `90s`, `1h30m`, `7d`, and as job-chief computes with them: milliseconds. */

/** What a duration looks like: whole numbers with the units d, h, m, s, each at most once and in that order. */
export const durationPattern = '^(?=[0-9])([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$';

const shape = new RegExp(durationPattern);
const units: readonly (readonly [name: string, milliseconds: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** Milliseconds, or undefined where the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = shape.exec(text);
  if (!match) return undefined;
  return units.reduce((sum, [, size], index) => sum + Number.parseInt(match[index + 1] ?? '0', 10) * size, 0);
}

/** The shortest way to write so many milliseconds; fractions of a second are rounded up, so that no wait becomes none. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.max(0, Math.ceil(milliseconds / 1_000) * 1_000);
  let text = '';
  for (const [name, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${name}`;
  }
  return text === '' ? '0s' : text;
}
