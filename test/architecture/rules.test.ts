import { describe, expect, it } from 'vitest';
import ts from 'typescript';
import { files, nodes, parse, place, read } from './source.ts';

const sources = files('src/**/*.ts').filter((path) => !path.includes('/generated/'));
const code = files('src/**/*.ts', 'test/**/*.ts', 'hack/**/*.ts').filter((path) => !path.includes('/generated/'));

function everywhere(paths: readonly string[], wrong: (node: ts.Node) => boolean): string[] {
  return paths.flatMap((path) => nodes(parse(path)).filter(wrong).map((node) => `${place(path, node)} ${node.getText().slice(0, 80)}`));
}

describe('types are honest', () => {
  it('src has no any', () => {
    expect(everywhere(sources, (node) => node.kind === ts.SyntaxKind.AnyKeyword)).toEqual([]);
  });

  it('src has no non-null assertion', () => {
    expect(everywhere(sources, (node) => ts.isNonNullExpression(node))).toEqual([]);
  });

  it('no compiler or lint rule is switched off in place', () => {
    const off = new RegExp(['@ts-' + '(ignore|expect-error|nocheck)', 'eslint-' + 'disable'].join('|'));
    expect(code.filter((path) => off.test(read(path)))).toEqual([]);
  });
});

describe('the world outside is reached in few places', () => {
  it('the environment is taken from the process in src/cli only, and variables are read in src/config', () => {
    const env = everywhere(sources, (node) => ts.isIdentifier(node) && node.text === 'env' && /\bprocess\b/.test(`${node.parent.getText().slice(0, 40)} ${node.parent.parent.parent.getText().slice(0, 40)}`));
    expect(env.filter((at) => !at.startsWith('src/cli/'))).toEqual([]);
    const single = everywhere(sources, (node) => (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) && node.expression.getText() === 'process.env');
    expect(single).toEqual([]);
  });

  it('nothing is kept in variables of a module', () => {
    const wrong = sources.flatMap((path) => parse(path).statements
      .filter((statement) => ts.isVariableStatement(statement) && (statement.declarationList.flags & ts.NodeFlags.Const) === 0)
      .map((statement) => place(path, statement)));
    expect(wrong).toEqual([]);
  });

  it('no module is mocked in a test', () => {
    const mocks = new RegExp(['vi', '(mock|doMock)\\('].join('\\.'));
    expect(files('test/**/*.ts').filter((path) => mocks.test(read(path)))).toEqual([]);
  });
});

describe('names', () => {
  it('labels, annotations and data keys are spelled in src/spec/keys.ts only', () => {
    const key = /^job-chief\/(?!v1$)[a-z][a-z-]*$/;
    const wrong = everywhere(sources.filter((path) => path !== 'src/spec/keys.ts'), (node) =>
      (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) && key.test(node.text));
    expect(wrong).toEqual([]);
  });

  it('files are kebab-case and say what they hold', () => {
    const names = files('src/**/*.ts', 'test/**/*.ts', 'hack/**/*.ts').map((path) => path.split('/').at(-1) ?? '');
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.long)?(\.test)?(\.contract)?\.ts$/.test(name))).toEqual([]);
    expect(names.filter((name) => /^(utils?|helpers?|common-utils|misc|index)\.ts$/.test(name))).toEqual([]);
  });
});

describe('comments', () => {
  const documented = files('src/{lib,spec,plan,reconcile}/**/*.ts').filter((path) => !path.includes('/generated/'));

  it('every file of the inner rings says at its top, or at its first export, what it is', () => {
    expect(documented.filter((path) => ts.getLeadingCommentRanges(read(path), 0) === undefined && !hasComment(firstExport(path)))).toEqual([]);
  });

  it('exported functions and classes of the inner rings have a sentence, where the file is not about one of them alone', () => {
    const wrong = documented.flatMap((path) => {
      const exported = parse(path).statements.filter((statement) => (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && isExported(statement));
      return exported.length < 2 ? [] : exported.filter((statement) => !hasComment(statement)).map((statement) => `${place(path, statement)} ${nameOf(statement)}`);
    });
    expect(wrong).toEqual([]);
  });

  function nameOf(statement: ts.Statement): string {
    return (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) ? statement.name?.text : undefined) ?? '';
  }

  function isExported(statement: ts.Statement): boolean {
    return ts.canHaveModifiers(statement) && (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  }

  function hasComment(node: ts.Node | undefined): boolean {
    return node !== undefined && (ts.getLeadingCommentRanges(node.getSourceFile().text, node.getFullStart())?.length ?? 0) > 0;
  }

  function firstExport(path: string): ts.Statement | undefined {
    return parse(path).statements.find(isExported);
  }
});
