/** Two texts compared line by line, as `diff -u` writes it. */
import { structuredPatch } from 'diff';

/** Hunks with `context` lines around each change; no lines where the texts are equal. Without the two lines that name the files. */
export function lineDiff(before: string, after: string, context = 3): readonly string[] {
  const { hunks } = structuredPatch('', '', ended(before), ended(after), undefined, undefined, { context });
  return hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [`@@ -${place(oldStart, oldLines)} +${place(newStart, newLines)} @@`, ...lines]);
}

/** Whether the last line has an end is no difference here. */
function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** Of no lines, the line before them. */
function place(start: number, count: number): string {
  return `${count === 0 ? start - 1 : start}${count === 1 ? '' : `,${count}`}`;
}
