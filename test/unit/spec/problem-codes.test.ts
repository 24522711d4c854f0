import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemCodes } from '../../../src/spec/problem-codes.ts';

const root = path.join(import.meta.dirname, '../../..');
const docs = readFileSync(path.join(root, 'docs/errors.md'), 'utf8');
const sections = new Map([...docs.matchAll(/^### (\w+)\n\n(\w+)\. /gm)].map((match) => [match[1] ?? '', match[2] ?? '']));

describe('docs/errors.md', () => {
  it('explains every code, and no other', () => {
    expect([...sections.keys()].toSorted()).toEqual(Object.keys(problemCodes).toSorted());
  });

  it.each(Object.entries(problemCodes))('says that %s is a %s', (code, severity) => {
    expect(sections.get(code)?.toLowerCase()).toBe(severity);
  });
});

describe('problem codes', () => {
  const sources = ['src/spec', 'src/cli/lint'].flatMap((folder) => readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && file !== 'problem-codes.ts').map((file) => readFileSync(path.join(root, folder, file), 'utf8')));

  it.each(Object.keys(problemCodes))('%s is used somewhere', (code) => {
    expect(sources.some((source) => source.includes(`'${code}'`))).toBe(true);
  });

  it('are words in CamelCase', () => {
    for (const code of Object.keys(problemCodes)) expect(code).toMatch(/^[A-Z][a-z]+([A-Z][A-Za-z]*)*$/);
  });
});
