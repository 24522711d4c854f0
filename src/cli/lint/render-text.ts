/** Problems for people: one line each as compilers write them, the place in the text for terminals, what to do about it. */
import type { Problem } from '../../spec/problem.ts';

/** What only a terminal gets. */
export interface TextOptions {
  /** Show the line of the file with a caret under the place. */
  readonly excerpts: boolean;
  readonly colours: boolean;
}

/** `file:line:col: severity CODE path: message`, the excerpt, the hint. */
export function renderText(problems: readonly Problem[], texts: ReadonlyMap<string, string>, options: TextOptions): string {
  return problems.map((problem) => lines(problem, texts, options).join('\n')).join('\n');
}

function lines(problem: Problem, texts: ReadonlyMap<string, string>, { excerpts, colours }: TextOptions): string[] {
  const { position, severity, code, path, message, hint } = problem;
  const place = position ? `${position.file}:${position.line}:${position.column}: ` : '';
  const word = colours ? `\u001B[${severity === 'error' ? 31 : 33}m${severity}\u001B[0m` : severity;
  return [
    `${place}${word} ${code}${path === undefined ? '' : ` ${path}`}: ${message}`,
    ...(excerpts && position ? excerpt(texts.get(position.file), position.line, position.column) : []),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
  ];
}

/** Wide enough for most, narrow enough for a terminal. */
const widest = 120;

function excerpt(text: string | undefined, line: number, column: number): string[] {
  const source = text?.split('\n')[line - 1]?.replace(/\r$/, '');
  if (source === undefined || source.trim() === '') return [];
  const from = column > widest - 20 ? column - 40 : 0;
  const shown = source.slice(from, from + widest).replaceAll('\t', ' ');
  return [`  | ${shown}`, `  | ${' '.repeat(Math.min(Math.max(column - 1 - from, 0), shown.length))}^`];
}
