import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { problemLimit } from '../../../src/spec/report.ts';
import { parseSpec } from '../../../src/spec/parse.ts';
import type { ParsedSpec, SpecInput } from '../../../src/spec/parsed.ts';
import { problemCodes } from '../../../src/spec/problem-codes.ts';
import { anInput, aQueue } from './input.ts';
import { runs } from '../../support/effort.ts';

const folder = path.join(import.meta.dirname, '../../fixtures/specs');
const fixtures = ['valid', 'invalid'].flatMap((kind) => readdirSync(path.join(folder, kind)).map((file) => readFileSync(path.join(folder, kind, file), 'utf8')));

/** What must hold whatever the input is. */
function expectSound(input: SpecInput, result: ParsedSpec): void {
  const text = input.data['spec.yaml'] ?? '';
  const lines = text.split(/\r\n|\r|\n/).length;
  expect(result.name.length).toBeGreaterThan(0);
  expect(result.problems.length).toBeLessThanOrEqual(problemLimit + 1);
  expect(result.spec === undefined).toBe(result.problems.some(({ severity }) => severity === 'error'));
  if (result.spec) expect(result).toMatchObject({ kind: result.spec.kind, name: result.spec.name, hash: result.spec.hash });
  for (const { code, severity, position } of result.problems) {
    expect(problemCodes[code as keyof typeof problemCodes]).toBe(severity);
    expect(position?.file).toBe(input.file);
    expect(position?.line).toBeGreaterThan(0);
    expect(position?.line).toBeLessThanOrEqual(lines + 1);
    expect(position?.column).toBeGreaterThan(0);
  }
}

function check(input: SpecInput): void {
  const result = parseSpec(input, {});
  expectSound(input, result);
  // As JSON: compiled expressions are functions.
  expect(JSON.stringify(parseSpec(input, {}))).toBe(JSON.stringify(result));
}

const words = ['job', 'image', 'drain', 'pods', 'min', 'source', 'pgBoss', 'kind', 'Queue', 'name', 'env', 'value', '&a', '*a', '<<', ':', '-', '{', '}', '[', ']', '|', '>', '"', "'", '!', '#', '---', '\n', '\n  ', '\t', ' ', '0644', 'yes', '~', '$(params.x)', '%', '?', ','];

describe('parseSpec never throws, says the same twice, and tells a place for each problem', { timeout: 60_000 }, () => {
  it('for any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => check(anInput(text))), { numRuns: runs(300) });
  });

  it('for texts of YAML’s own pieces', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...words), { maxLength: 60 }), (pieces) => check(anInput(pieces.join('')))), { numRuns: runs(600) });
  });

  it('for any JSON', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => check(anInput(JSON.stringify(value)))), { numRuns: runs(200) });
  });

  it('for any JSON in the place of any field', () => {
    const fields = ['source', 'drain', 'job', 'jobTemplate', 'breaker', 'retention', 'jobMetadata', 'podMetadata', 'concurrency', 'timeout', 'startTimeout', 'name', 'health', 'suspend'];
    const property = fc.property(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 4 }), (field, value) => {
      check(anInput(stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', source: { pgBoss: { connection: 'a', queue: 'b' } }, drain: {}, job: { image: 'x' }, [field]: value })));
    });
    fc.assert(property, { numRuns: runs(300) });
  });

  it('for any JSON in the place of any field of a job', () => {
    const fields = ['env', 'command', 'resources', 'volumes', 'volumeMounts', 'initContainers', 'podFailurePolicy', 'restartPolicy', 'securityContext', 'tolerations', 'backoffLimit', 'livenessProbe'];
    const property = fc.property(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 4 }), (field, value) => {
      check(anInput(aQueue(`job: ${JSON.stringify({ image: 'x', [field]: value })}`)));
    });
    fc.assert(property, { numRuns: runs(300) });
  });

  it('for good and bad specs with a piece cut out or put in', () => {
    const property = fc.property(fc.constantFrom(...fixtures), fc.nat(), fc.nat(40), fc.constantFrom('', ...words), (text, at, length, piece) => {
      const from = at % (text.length + 1);
      check(anInput(text.slice(0, from) + piece + text.slice(from + length)));
    });
    fc.assert(property, { numRuns: runs(500) });
  });

  it('for any names, labels and data keys', () => {
    const property = fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), fc.dictionary(fc.string(), fc.string()), (objectName, label, data) => {
      const input = anInput('', { objectName: `x${objectName}`, label, data });
      expectSound(input, parseSpec(input, {}));
    });
    fc.assert(property, { numRuns: runs(200) });
  });

  it.each([
    ['lists', '['.repeat(50_000)],
    ['closed lists', `${'['.repeat(3_000)}${']'.repeat(3_000)}`],
    ['mappings', '{a: '.repeat(20_000)],
    ['block lists', '- '.repeat(20_000)],
    ['block mappings', Array.from({ length: 600 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ])('for deeply nested %s', (_what, text) => {
    check(anInput(text));
  });

  it.each([
    ['stray brackets', ']'.repeat(20_000)],
    ['hyphens', aQueue(`job: {image: x, args: ["${'a-'.repeat(100_000)}"]}`)],
    ['aliases', `a: &a x\nb:\n${'- *a\n'.repeat(8_000)}`],
    ['merges', `a: &a {x: 1}\nb:\n${'- {<<: *a}\n'.repeat(4_000)}`],
    ['values', `a:\n${'- 1\n'.repeat(25_000)}`],
    ['unknown fields', aQueue(...Array.from({ length: 3_000 }, (_, index) => `field${index}: 1`))],
    ['warnings', aQueue(`job: {image: x, args: [${'"${X}",'.repeat(3_000)}]}`)],
  ])('for very many %s', (_what, text) => {
    check(anInput(text));
  });
});
