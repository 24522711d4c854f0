/** Tables as kubectl prints them: plain columns, three blanks between them, nothing drawn. */

/** What a word means, for those who see colours. */
export type Tone = 'good' | 'bad' | 'busy' | 'odd' | 'faint';

export interface Toned {
  readonly text: string;
  readonly tone: Tone | undefined;
}
export type Cell = string | Toned;

/** Where it is printed. */
export interface Screen {
  readonly colours: boolean;
  /** Characters in a line; undefined: lines are as long as they are. */
  readonly width: number | undefined;
}

const gap = 3;
const codes: Readonly<Record<Tone, number>> = { good: 32, bad: 31, busy: 36, odd: 33, faint: 2 };

/** Lines with the headers first. Empty cells are `-`; the last column is cut where the screen ends. */
export function table(headers: readonly string[], rows: readonly (readonly Cell[])[], { colours, width }: Screen): string[] {
  const cells = [headers, ...rows].map((row) => row.map(toned));
  const widths = headers.map((_, column) => Math.max(...cells.map((row) => row[column]?.text.length ?? 0)));
  const before = widths.slice(0, -1).reduce((sum, one) => sum + one + gap, 0);
  const room = width === undefined ? Number.POSITIVE_INFINITY : Math.max(width - before, 10);
  return cells.map((row) => row.map((cell, column) => (column === row.length - 1 ? painted(cut(cell, room), colours) : padded(painted(cell, colours), cell, widths[column] ?? 0))).join('').trimEnd());
}

/** The text in the colour of its tone. */
export function painted({ text, tone }: Toned, colours: boolean): string {
  return colours && tone !== undefined && text !== '' ? `\u001B[${codes[tone]}m${text}\u001B[0m` : text;
}

/** One line of what programs in pods, and anybody in annotations, wrote: no line breaks, nothing that a terminal would obey. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

function toned(cell: Cell): Toned {
  const { text, tone } = typeof cell === 'string' ? { text: cell, tone: undefined } : cell;
  const line = oneLine(text);
  return { text: line === '' ? '-' : line, tone };
}

function padded(shown: string, { text }: Toned, width: number): string {
  return `${shown}${' '.repeat(width - text.length + gap)}`;
}

function cut({ text, tone }: Toned, room: number): Toned {
  return text.length <= room ? { text, tone } : { text: `${text.slice(0, room - 1)}…`, tone };
}
