import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { problemCodes } from '../../../../src/spec/problem-codes.ts';
import { problemLimit } from '../../../../src/spec/report.ts';
import { parseWorkflow } from './input.ts';
import { runs } from '../../../support/effort.ts';

/** What must hold whatever the input is. */
function check(spec: unknown, files: Readonly<Record<string, string>> = {}): void {
  const text = stringify(spec);
  const result = parseWorkflow(text, files);
  expect(result.problems.length).toBeLessThanOrEqual(problemLimit + 1);
  expect(result.spec === undefined).toBe(result.problems.some(({ severity }) => severity === 'error'));
  for (const { code, severity, position, message } of result.problems) {
    expect(problemCodes[code as keyof typeof problemCodes]).toBe(severity);
    expect(message).not.toMatch(/undefined|\[object/);
    expect(position?.line).toBeGreaterThan(0);
    expect(position?.line).toBeLessThanOrEqual(text.split('\n').length + 1);
  }
  expect(JSON.stringify(parseWorkflow(text, files))).toBe(JSON.stringify(result));
}

const head = { apiVersion: 'job-chief/v1', kind: 'Workflow', trigger: { onChange: true } };
const step = { name: 'a', job: { image: 'x' } };
const anything = fc.jsonValue({ maxDepth: 4 });

describe('a Workflow never throws, and says the same twice', { timeout: 60_000 }, () => {
  it('for any JSON in the place of any field', () => {
    const fields = ['trigger', 'parameters', 'jobDefaults', 'phases', 'steps', 'finally', 'maxParallel', 'onFailure', 'outputs', 'concurrency', 'health'];
    fc.assert(fc.property(fc.constantFrom(...fields), anything, (field, value) => check({ ...head, ...(field === 'phases' ? {} : { steps: [step] }), [field]: value })), { numRuns: runs(200) });
  });

  it('for any JSON in the place of any field of a step', () => {
    const fields = ['name', 'job', 'jobTemplate', 'jobFile', 'jobFiles', 'workflow', 'approve', 'template', 'dependsOn', 'when', 'forEach', 'maxParallel', 'retry', 'timeout', 'startTimeout', 'allowFailure', 'undo', 'outputs', 'files'];
    fc.assert(fc.property(fc.constantFrom(...fields), anything, fc.boolean(), (field, value, late) => check({ ...head, steps: [{ ...step, name: 'b' }, ...(late ? [] : [{ ...step, [field]: value }])], ...(late ? { finally: [{ ...step, [field]: value }] } : {}) })), { numRuns: runs(300) });
  });

  it('for any steps that name each other in any way', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'a-b', 'a_b', '1', '__proto__', 'constructor', 'toString');
    const text = fc.tuple(fc.constantFrom('$(steps.', '$(params.', '$(item.', '$(', 'steps.', ''), name, fc.constantFrom('.outputs.x)', '.ok', ')', '.outputs.constructor)', '')).map((parts) => parts.join(''));
    const any = fc.record(
      { name, job: fc.record({ image: text, args: fc.array(text, { maxLength: 2 }), parallelism: text }), dependsOn: fc.oneof(fc.array(name, { maxLength: 3 }), text), when: text, forEach: fc.record({ from: text }), outputs: fc.dictionary(name, fc.constant({ type: 'integer' }), { maxKeys: 2 }) },
      { requiredKeys: ['name', 'job'] },
    );
    fc.assert(fc.property(fc.array(any, { maxLength: 4 }), fc.array(any, { maxLength: 2 }), fc.dictionary(name, fc.constant({ type: 'string' }), { maxKeys: 2 }), (steps, late, parameters) => check({ ...head, steps, finally: late, parameters })), { numRuns: runs(300) });
  });

  it('for any file in the place of a manifest', () => {
    fc.assert(fc.property(fc.oneof(anything.map((value) => JSON.stringify(value)), fc.string(), anything.map((value) => stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: value, spec: value, status: value }))), (text) => check({ ...head, steps: [{ name: 'a', jobFile: 'a.yaml' }] }, { 'a.yaml': text })), { numRuns: runs(200) });
  });
});
