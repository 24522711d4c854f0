import { describe, expect, it } from 'vitest';
import ts from 'typescript';
import { files, nodes, parse, place, read } from './source.ts';

const budget = { file: 300, function: 60, median: 120 };
const sources = files('src/**/*.ts').filter((path) => !path.includes('/generated/'));

/** Lines that hold code: neither blank nor comment only. */
function codeLines(text: string): number {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, text);
  const starts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  const lineOf = (position: number): number => {
    let low = 0;
    for (let high = starts.length; high - low > 1;) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= position) low = middle;
      else high = middle;
    }
    return low;
  };
  const lines = new Set<number>();
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    for (let line = lineOf(scanner.getTokenStart()); line <= lineOf(scanner.getTokenEnd() - 1); line++) lines.add(line);
  }
  return lines.size;
}

describe('budgets', () => {
  it(`files have at most ${budget.file} lines of code, and half of them far fewer`, () => {
    const sizes = sources.map((path) => ({ path, lines: codeLines(read(path)) })).sort((a, b) => b.lines - a.lines);
    expect(sizes.filter(({ lines }) => lines > budget.file)).toEqual([]);
    expect(sizes[Math.floor(sizes.length / 2)]?.lines).toBeLessThanOrEqual(budget.median);
  });

  it(`functions have at most ${budget.function} lines of code`, () => {
    const long = sources.flatMap((path) =>
      nodes(parse(path))
        .filter((node) => ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isConstructorDeclaration(node))
        .map((node) => ({ at: place(path, node), lines: codeLines(node.getText()) }))
        .filter(({ lines }) => lines > budget.function));
    expect(long).toEqual([]);
  });
});
