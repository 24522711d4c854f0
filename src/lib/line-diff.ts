/** Two texts compared line by line, as `diff -u` writes it. */

interface Edit {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** More cells than this are not looked at: then the middle is one text replaced by another. */
const mostCells = 4_000_000;

/** Hunks with `context` lines around each change; no lines where the texts are equal. Without the two lines that name the files. */
export function lineDiff(before: string, after: string, context = 3): readonly string[] {
  const edits = editsBetween(linesOf(before), linesOf(after));
  return hunks(edits, context).flatMap(({ from, to }) => hunkLines(edits, from, to));
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** What both begin and end with needs no looking. */
function editsBetween(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const same = (lines: readonly string[]): Edit[] => lines.map((text) => ({ sign: ' ', text }));
  return [
    ...same(before.slice(0, start)),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...same(before.slice(before.length - end)),
  ];
}

/** The longest common subsequence stays; where several are as long, what goes stands before what comes. */
function middle(before: readonly string[], after: readonly string[]): Edit[] {
  const gone: Edit[] = before.map((text) => ({ sign: '-', text }));
  const come: Edit[] = after.map((text) => ({ sign: '+', text }));
  if (before.length * after.length > mostCells) return [...gone, ...come];
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] = before[row] === after[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const edits: Edit[] = [];
  let [row, column] = [0, 0];
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      edits.push({ sign: ' ', text: before[row] ?? '' });
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) {
      edits.push(...gone.slice(row, row + 1));
      row += 1;
    } else {
      edits.push(...come.slice(column, column + 1));
      column += 1;
    }
  }
  return [...edits, ...gone.slice(row), ...come.slice(column)];
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Changes that are closer than twice the context share a hunk. */
function hunks(edits: readonly Edit[], context: number): readonly Span[] {
  const spans: Span[] = [];
  edits.forEach(({ sign }, index) => {
    if (sign === ' ') return;
    const span = { from: Math.max(0, index - context), to: Math.min(edits.length, index + context + 1) };
    const last = spans.at(-1);
    if (last && span.from <= last.to) spans[spans.length - 1] = { from: last.from, to: span.to };
    else spans.push(span);
  });
  return spans;
}

function hunkLines(edits: readonly Edit[], from: number, to: number): string[] {
  const place = (sign: '-' | '+'): string => {
    const isOf = (edit: Edit): boolean => edit.sign === ' ' || edit.sign === sign;
    const count = edits.slice(from, to).filter(isOf).length;
    const start = edits.slice(0, from).filter(isOf).length + (count === 0 ? 0 : 1);
    return `${sign}${start}${count === 1 ? '' : `,${count}`}`;
  };
  return [`@@ ${place('-')} ${place('+')} @@`, ...edits.slice(from, to).map(({ sign, text }) => `${sign}${text}`)];
}
