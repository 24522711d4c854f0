import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../../../src/spec/parse.ts';
import type { ParsedSpec } from '../../../../src/spec/parsed.ts';
import type { RunSpec } from '../../../../src/spec/run.ts';
import { codes } from '../workflow/input.ts';

const text = (...lines: readonly string[]): string => ['apiVersion: job-chief/v1', 'kind: Run', ...(lines.some((line) => /^(template|workflow):/.test(line)) ? [] : ['template: resize']), ...lines, ''].join('\n');
const parse = (...lines: readonly string[]): ParsedSpec => parseSpec({ file: 'configmap/first', objectName: 'first', label: 'run', data: { 'spec.yaml': text(...lines) } }, {});

function valid(...lines: readonly string[]): RunSpec {
  const { spec, problems } = parse(...lines);
  if (spec?.kind !== 'Run') throw new Error(`not valid: ${JSON.stringify(problems)}`);
  return spec;
}

describe('a Run', () => {
  it('has all defaults with nothing but what is required', () => {
    expect(valid()).toEqual({ kind: 'Run', name: 'first', hash: expect.stringMatching(/^[a-z2-7]{16}$/) as string, target: { kind: 'template', name: 'resize' }, parameters: {}, cancel: undefined, approvals: {}, priority: 0, suspend: false });
  });

  const cases: readonly [what: string, lines: readonly string[], expected: Partial<RunSpec>][] = [
    ['of a workflow', ['workflow: etl'], { target: { kind: 'workflow', name: 'etl' } }],
    ['with parameters of every sort', ['parameters: {size: 3, tags: [a, {b: null}], note: "$(HOME)"}'], { parameters: { size: 3, tags: ['a', { b: null }], note: '$(HOME)' } }],
    ['that is cancelled for a reason', ['cancel: wrong picture'], { cancel: 'wrong picture' }],
    ['that is cancelled without one', ['cancel: true'], { cancel: 'cancel is true in its Run' }],
    ['that is not cancelled', ['cancel: false'], { cancel: undefined }],
    ['with approvals', ['approvals: {deploy: approved, load: rejected}'], { approvals: { deploy: 'approved', load: 'rejected' } }],
    ['with a priority, suspended', ['priority: -3', 'suspend: true'], { priority: -3, suspend: true }],
    ['with a name of its own', ['name: second'], { name: 'second' }],
  ];
  it.each(cases)('%s', (_what, lines, expected) => {
    expect(valid(...lines)).toMatchObject(expected);
  });

  it('is another request with other parameters or another target, and the same one whatever steers it', () => {
    const { hash } = valid('parameters: {size: 3}');
    for (const lines of [['parameters: {size: 4}'], ['workflow: resize', 'parameters: {size: 3}'], ['parameters: {size: 3}', 'priority: 3']]) expect(valid(...lines).hash).not.toBe(hash);
    for (const line of ['cancel: true', 'approvals: {deploy: approved}', 'suspend: true', '# a comment']) expect(valid('parameters: {size: 3}', line).hash).toBe(hash);
  });
});

describe('problems of a Run', () => {
  const cases: readonly [what: string, lines: readonly string[], expected: readonly string[]][] = [
    ['two targets', ['template: a', 'workflow: b'], ['ConflictingFields workflow']],
    ['no name of a target', ['template: ""'], ['InvalidValue template']],
    ['a target that is no name', ['template: Resize!'], ['InvalidValue template']],
    ['parameters that are a list', ['parameters: [a]'], ['WrongType parameters']],
    ['a number as reason', ['cancel: 3'], ['WrongType cancel']],
    ['a word that is no verdict', ['approvals: {deploy: approve}'], ['InvalidValue approvals.deploy']],
    ['fields of its target', ['retry: {attempts: 3}', 'job: {image: a}'], ['RefusedField job', 'RefusedField retry']],
    ['a misspelt field', ['params: {}'], ['UnknownField params']],
    ['a reference that nobody replaces', ['parameters: {size: $(params.x)}'], ['UnreplacedReference parameters.size']],
  ];
  it.each(cases)('%s', (_what, lines, expected) => {
    expect(codes(parse(...lines)).toSorted()).toEqual(expected.toSorted());
  });

  it('nothing to run', () => {
    expect(codes(parseSpec({ file: 'x', objectName: 'first', label: 'run', data: { 'spec.yaml': 'apiVersion: job-chief/v1\nkind: Run\n' } }, {}))).toEqual(['MissingField template']);
  });
});
