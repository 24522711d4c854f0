/** From positions inside a spec's text to positions in the file that holds the ConfigMap. */
import { Scalar, type LineCounter } from 'yaml';
import type { Position, Problem } from '../../spec/problem.ts';

/** Puts a problem of the spec where the user can see it. */
export type Place = (problem: Problem) => Problem;

/** For spec files: the text starts so many lines into the file. */
export function placeLinesBelow(lines: number): Place {
  return (problem) => (problem.position ? at(problem, problem.position.line + lines, problem.position.column) : problem);
}

/** For what has no text of its own: one place for everything. */
export function placeAt(line: number, column: number): Place {
  return (problem) => at(problem, line, column);
}

/**
 * For a ConfigMap's data key. A literal block (`|`) maps line by line: the header's line plus the inner line, the inner
 * column plus the block's indentation. Folded and quoted text is rearranged by YAML, so there the inner position is told.
 */
export function placeInScalar(node: Scalar, text: string, lines: LineCounter): Place {
  const start = lines.linePos(node.range?.[0] ?? 0);
  if (node.type !== Scalar.BLOCK_LITERAL) return tellInner(start.line, start.col);
  const indent = blockIndent(node, text.split('\n').slice(start.line));
  return (problem) => (problem.position ? at(problem, start.line + problem.position.line, problem.position.column + indent) : problem);
}

/** For what stands in a file that the spec names, where that file's place is known; the spec's own place else. */
export function placeInside(outer: Place, placeOf: (key: string) => Place | undefined): Place {
  return (problem) => {
    const { inside } = problem;
    const inner = inside && placeOf(inside.key);
    if (!inside || !inner) return outer(problem);
    return inner({ ...problem, position: { file: problem.position?.file ?? '', line: inside.line, column: inside.column } });
  };
}

/** For a file of its own. */
export function placeInFile(file: string): Place {
  return (problem) => (problem.position ? { ...problem, position: { ...problem.position, file } } : problem);
}

/** Indicators, comments and blank lines all have their say in the indentation: comparing a line with its content does not. */
function blockIndent(node: Scalar, outer: readonly string[]): number {
  const inner = String(node.value).split('\n');
  const first = inner.findIndex((line) => line.trim() !== '');
  return first < 0 ? 0 : Math.max(0, (outer[first] ?? '').replace(/\r$/, '').length - (inner[first] ?? '').length);
}

function tellInner(line: number, column: number): Place {
  return (problem) => {
    const placed = at(problem, line, column);
    if (!problem.position) return placed;
    const inner = `line ${problem.position.line}, column ${problem.position.column} of the text; with a literal block (spec.yaml: |) the exact place in this file is shown`;
    return { ...placed, hint: problem.hint === undefined ? inner : `${problem.hint} (${inner})` };
  };
}

function at(problem: Problem, line: number, column: number): Problem {
  const position: Position = { file: problem.position?.file ?? '', line, column };
  return { ...problem, position };
}
