/** The repository as the checks of this folder see it: files, syntax trees, imports. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Paths from the root of the repository, sorted. */
export function files(...patterns: string[]): string[] {
  return globSync(patterns, { cwd: root, exclude: ['**/node_modules/**', 'dist/**', 'coverage/**'] }).sort();
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

const trees = new Map<string, ts.SourceFile>();

export function parse(path: string): ts.SourceFile {
  const known = trees.get(path);
  if (known) return known;
  const tree = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  trees.set(path, tree);
  return tree;
}

/** Every node of a tree, parents first; without tokens, which are most of it. */
export function nodes(node: ts.Node): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (one: ts.Node): void => {
    found.push(one);
    ts.forEachChild(one, visit);
  };
  visit(node);
  return found;
}

/** `file:line`, counted from 1. */
export function place(path: string, node: ts.Node): string {
  return `${path}:${parse(path).getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}

export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** `import()`: loaded later, so it closes no cycle at start-up; rings hold for it all the same. */
  readonly dynamic: boolean;
}

/** Imports and re-exports of a file, those of types included. */
export function imports(path: string): Import[] {
  const found: Import[] = [];
  for (const node of nodes(parse(path))) {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      const typeOnly = ts.isImportDeclaration(node) ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword : node.isTypeOnly;
      found.push({ specifier: node.moduleSpecifier.text, typeOnly, dynamic: false });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) found.push({ specifier: argument.text, typeOnly: false, dynamic: true });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
      found.push({ specifier: node.argument.literal.text, typeOnly: true, dynamic: false });
    }
  }
  return found;
}

/** Our own files that a file imports. */
export function localImports(path: string): (Import & { readonly target: string })[] {
  return imports(path)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map((one) => ({ ...one, target: relative(root, join(root, dirname(path), one.specifier)) }));
}

/** Cycles of a graph, each as the path that leads back to its first node. */
export function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node);
    if (start >= 0) found.push([...path.slice(start), node]);
    if (start >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}
