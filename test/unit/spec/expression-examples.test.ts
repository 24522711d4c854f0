import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { arrayAt, isObject, objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import { compileDependsOn, compileWhen, stepFields, type WhenScope } from '../../../src/spec/expression.ts';
import { runFields } from '../../../src/spec/expression-names.ts';
import { referencesIn } from '../../../src/spec/references.ts';
import { substitute } from '../../../src/spec/substitute.ts';
import type { ValueType } from '../../../src/spec/value-type.ts';
import { ended, factsOf, failed, problemOf, said, stepsNamed, valid } from './expression-input.ts';

const page = readFileSync(path.join(import.meta.dirname, '../../../docs/expressions.md'), 'utf8');
const spec = parse(/^```yaml\n([\s\S]*?)^```/m.exec(page)?.[1] ?? '') as JsonObject;
const steps = [...arrayAt(spec, 'steps'), ...arrayAt(spec, 'finally')].filter(isObject);
const names = stepsNamed(...steps.map((step) => stringAt(step, 'name') ?? ''));
const scope: WhenScope = {
  steps: new Map(steps.map((step) => [(stringAt(step, 'name') ?? '').replaceAll('-', '_'), declared(objectAt(step, 'outputs'))])),
  parameters: declared(objectAt(spec, 'parameters')),
};

function declared(values: JsonObject): WhenScope['parameters'] {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { type: stringAt(value, 'type') as ValueType, default: isObject(value) ? value['default'] : undefined }]));
}

/** Lines of all fenced blocks of this kind. */
function lines(kind: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`cel ${kind}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].flatMap(([, text = '']) => text.split('\n').filter((line) => line !== '' && !line.startsWith('//')));
}

/** Cells of the rows of the table that has this text in its head. */
function table(head: string): string[][] {
  const from = page.indexOf(head);
  expect(from, head).toBeGreaterThan(0);
  const rows = page.slice(from).split('\n');
  const end = rows.findIndex((row) => !row.startsWith('|') && !row.startsWith(head));
  return rows.slice(2, end).map((row) => row.split('|').slice(1, -1).map((cell) => cell.trim()));
}

describe('docs/expressions.md', () => {
  it('has examples of each kind', () => {
    expect(lines('dependsOn').length).toBeGreaterThan(5);
    expect(lines('when').length).toBeGreaterThan(10);
    expect(lines('finally').length).toBeGreaterThan(2);
  });

  it.each(lines('dependsOn'))('dependsOn: %s', (text) => {
    expect(valid(compileDependsOn(text, names)).steps.length).toBeGreaterThan(0);
  });

  it.each(lines('when'))('when: %s', (text) => {
    const run = { name: 'x', trigger: 'schedule', startedAt: '2026-01-31T02:30:01Z', scheduledAt: '2026-01-31T02:30:00Z', scheduledDate: '2026-01-31', attempt: 1 };
    const verdict = valid(compileWhen(text, scope)).evaluate(factsOf({ extract: ended({ outputs: { rows: 5 } }), check: failed }, { run }));
    expect(['true', 'false'], said(verdict)).toContain(verdict.kind);
  });

  it.each(lines('finally'))('finally: %s', (text) => {
    valid(compileWhen(text, { ...scope, finally: true }));
    const problem = compileWhen(text, scope);
    if (text.includes('run.outcome')) expect(problemOf(problem).message).toContain('run.outcome is known only when');
  });

  it('has expressions in its spec that are valid', () => {
    for (const step of steps) {
      const [dependsOn, when] = [stringAt(step, 'dependsOn'), stringAt(step, 'when')];
      if (dependsOn !== undefined) valid(compileDependsOn(dependsOn, names));
      if (when !== undefined) valid(compileWhen(when, { ...scope, finally: stringAt(step, 'name') === 'notify' }));
    }
  });

  it('lists every outcome', () => {
    expect(table('| outcome | true when the step |').map(([name]) => name)).toEqual(stepFields.map((field) => `\`${field}\``));
  });

  it('lists every field of run', () => {
    expect(table('| `run.` | in CEL |').map(([name]) => name)).toEqual(Object.keys(runFields).map((field) => `\`${field}\``));
  });

  const parts: Readonly<Record<string, string>> = { true: 'extract.ok', false: 'extract.failed', open: 'check.ok', error: '1 / 0 > 0' };
  it.each(table('| left | right | `left && right` |'))('%s and %s: && is %s, || is %s', (left, right, both, either) => {
    const answer = (op: string): string => valid(compileDependsOn(`${parts[left] ?? ''} ${op} ${parts[right] ?? ''}`, names)).evaluate(factsOf({ extract: ended() })).kind;
    expect([answer('&&'), answer('||')]).toEqual([both, either]);
  });

  it.each(table('| in `when` | is refused |'))('refuses %s: %s', (text, message) => {
    expect(problemOf(compileWhen(text.slice(1, -1), scope)).message).toBe(message);
  });

  it.each(table('| spec | value of `params.mode` |'))('%s with %s makes %s', (text, value, job) => {
    const [written, mode, expected] = [text, value, job].map((cell) => cell.slice(1, -1));
    const tree = { spec: { template: { spec: { containers: [{ args: [written ?? ''] }] } } } };
    const result = substitute(tree, 'job', () => ({ kind: 'value', value: mode ?? '' }));
    expect(result).toEqual({ kind: 'value', value: { spec: { template: { spec: { containers: [{ args: [expected] }] } } } } });
  });

  it('names only values that its spec declares', () => {
    const references = referencesIn(JSON.stringify(spec).replaceAll('\\"', '"'));
    expect(references.length).toBeGreaterThan(3);
    for (const { text } of references) valid(compileWhen(`has(${text.slice(2, -1)}) || true`, scope));
  });
});
