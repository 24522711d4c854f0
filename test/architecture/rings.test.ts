import { describe, expect, it } from 'vitest';
import { cycles, files, imports, localImports } from './source.ts';

/** What each ring may import besides itself. What is not listed composes, and is imported by nobody. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  spec: ['lib'],
  plan: ['spec', 'lib'],
  reconcile: ['plan', 'spec', 'lib'],
  config: ['spec', 'lib'],
  adapters: ['reconcile', 'plan', 'spec', 'lib', 'config'],
  simulation: ['adapters', 'reconcile', 'plan', 'spec', 'lib', 'config'],
};
const composing = ['cli', 'library', 'main.ts', 'engine.ts', 'health-checks.ts', 'http-api.ts'];

/** Packages that a pure ring may use at run time. */
const packages: Readonly<Record<string, readonly string[]>> = {
  lib: ['node:crypto'],
  // node:vm: only it can stop a regular expression.
  spec: ['@marcbachmann/cel-js', 'ajv', 'ajv-formats', 'croner', 'node:vm', 'typebox', 'yaml'],
  plan: [],
  reconcile: ['p-queue'],
};

const sources = files('src/**/*.ts');
const ringOf = (path: string): string => path.split('/')[1] ?? '';
const siblingOf = (path: string): string => path.split('/')[2] ?? '';

describe('rings', () => {
  it('import only what is further in', () => {
    const wrong = sources.flatMap((path) => {
      const may = allowed[ringOf(path)];
      if (!may) return [];
      return localImports(path)
        .filter(({ target }) => target.startsWith('src/') && ringOf(target) !== ringOf(path) && !may.includes(ringOf(target)) && target !== 'src/version.ts')
        .map(({ target }) => `${path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('have no adapter that imports its sibling', () => {
    const wrong = sources.filter((path) => ringOf(path) === 'adapters').flatMap((path) =>
      localImports(path).filter(({ target }) => ringOf(target) === 'adapters' && siblingOf(target) !== siblingOf(path)).map(({ target }) => `${path} imports ${target}`));
    expect(wrong).toEqual([]);
  });

  it('are composed in cli, main and engine, which nobody else imports', () => {
    const wrong = sources.filter((path) => !composing.includes(ringOf(path))).flatMap((path) =>
      localImports(path).filter(({ target }) => composing.includes(ringOf(target))).map(({ target }) => `${path} imports ${target}`));
    expect(wrong).toEqual([]);
  });

  it('use at run time only the packages that they are allowed', () => {
    const wrong = sources.flatMap((path) => {
      const may = packages[ringOf(path)];
      if (!may) return [];
      return imports(path)
        .filter(({ specifier, typeOnly }) => !specifier.startsWith('.') && !typeOnly && !may.some((name) => specifier === name || specifier.startsWith(`${name}/`)))
        .map(({ specifier }) => `${path} imports ${specifier}`);
    });
    expect(wrong).toEqual([]);
  });

  it('have no cycle, imports of types included', () => {
    const graph = new Map(sources.map((path) => [path, localImports(path).filter(({ dynamic }) => !dynamic).map(({ target }) => target)]));
    expect(cycles(graph).map((cycle) => cycle.join(' → '))).toEqual([]);
  });

  it('know every folder of src', () => {
    const known = [...Object.keys(allowed), ...composing, 'version.ts'];
    expect([...new Set(sources.map(ringOf))].filter((ring) => !known.includes(ring))).toEqual([]);
  });
});

describe('the search for cycles', () => {
  it('finds one, and only real ones', () => {
    expect(cycles(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]]))).toEqual([['b', 'c', 'b']]);
    expect(cycles(new Map([['a', ['b', 'c']], ['b', ['d']], ['c', ['d']], ['d', []]]))).toEqual([]);
  });
});
