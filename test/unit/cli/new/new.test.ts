import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkSources } from '../../../../src/cli/lint/check.ts';
import { labelOf, starterKinds, type StarterKind } from '../../../../src/cli/new/starters.ts';
import { starter, type NewFlags } from '../../../../src/cli/new.ts';
import { parseSpec } from '../../../../src/spec/parse.ts';
import type { Problem } from '../../../../src/spec/problem.ts';

const plain: NewFlags = { image: 'busybox:1.37', target: 'template/greet' };

function problems(kind: StarterKind, spec: string): readonly Problem[] {
  return parseSpec({ file: 'new.yaml', objectName: 'new', label: labelOf(kind), data: { 'spec.yaml': spec } }, {}).problems;
}

/** Each text with one of its commented-out lines in use. */
function uncommented(text: string): [line: string, text: string][] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const field = /^(\s*)# ([a-z]\w*: .*)$/.exec(line);
    return field ? [[field[2] ?? '', lines.with(index, `${field[1] ?? ''}${field[2] ?? ''}`).join('\n')] as [string, string]] : [];
  });
}

describe.each(starterKinds)('new %s', (kind) => {
  it('is a ConfigMap that lint has nothing against', () => {
    const text = starter(kind, { ...plain, name: 'mine' });
    expect(checkSources([{ name: 'new.yaml', text, explicit: true }], {}).problems).toEqual([]);
    expect(parse(text)).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'mine', labels: { 'job-chief': labelOf(kind) } } });
  });

  it('is the same alone, and has more to say in comments', () => {
    const spec = starter(kind, { ...plain, specOnly: true });
    expect(problems(kind, spec)).toEqual([]);
    expect(spec.split('\n').every((line) => line.length <= 110)).toBe(true);
    expect(uncommented(spec).length).toBeGreaterThan(1);
  });

  it('has lines to use as they stand', () => {
    for (const [line, text] of uncommented(starter(kind, { ...plain, specOnly: true }))) expect([line, problems(kind, text)]).toEqual([line, []]);
  });
});

describe('new', () => {
  it('takes what its flags say', () => {
    const spec = parse(starter('queue', { ...plain, image: 'ghcr.io/acme/w:3@sha256:abcdef', source: 'other/Big Queue: "1"', specOnly: true })) as object;
    expect(spec).toMatchObject({ source: { pgBoss: { connection: 'other', queue: 'Big Queue: "1"' } }, job: { image: 'ghcr.io/acme/w:3@sha256:abcdef' } });
    expect(parse(starter('run', { ...plain, target: 'workflow/etl', specOnly: true }))).toMatchObject({ workflow: 'etl' });
  });

  it.each<[string, Partial<NewFlags>, string]>([
    ['a name that no object can have', { name: 'Big' }, '--name must be lower-case letters'],
    ['a source without a queue', { source: 'main' }, '--source is CONNECTION/QUEUE, not "main"'],
    ['a connection that cannot be one', { source: 'Main Db/q' }, 'no sound spec can be made of this: source.pgBoss.connection'],
    ['a target that cannot be run', { target: 'queue/x' }, '--target is workflow/NAME or template/NAME'],
  ])('refuses %s', (_what, flags, message) => {
    expect(() => starter('queue', { ...plain, ...flags })).toThrow(message);
  });
});
