/** Inputs for tests of the spec ring, and what they give in one line each. */
import { parseSpec } from '../../../src/spec/parse.ts';
import type { ParsedSpec, SpecEnvironment, SpecInput } from '../../../src/spec/parsed.ts';
import type { QueueSpec } from '../../../src/spec/queue.ts';

/** The least that a Queue needs, with lines of the test's own below. */
export function aQueue(...lines: readonly string[]): string {
  const has = (...fields: readonly string[]): boolean => lines.some((line) => fields.some((field) => line.startsWith(`${field}:`)));
  return [
    'apiVersion: job-chief/v1',
    'kind: Queue',
    ...(has('source') ? [] : ['source: {pgBoss: {connection: main, queue: thumbnails}}']),
    ...(has('drain', 'perMessage') ? [] : ['drain: {}']),
    ...(has('job', 'jobTemplate', 'template', 'workflow') ? [] : ['job: {image: ghcr.io/acme/thumbnailer:3.1}']),
    ...lines,
    '',
  ].join('\n');
}

export function anInput(text: string, changes: Partial<SpecInput> = {}): SpecInput {
  return { file: 'configmap/thumbnails', objectName: 'thumbnails', label: 'queue', data: { 'spec.yaml': text }, ...changes };
}

export function parse(text: string, changes: Partial<SpecInput> = {}, environment: SpecEnvironment = {}): ParsedSpec {
  return parseSpec(anInput(text, changes), environment);
}

/** The spec of a text that must be valid. */
export function validQueue(text: string, changes: Partial<SpecInput> = {}, environment: SpecEnvironment = {}): QueueSpec {
  const { spec, problems } = parse(text, changes, environment);
  if (spec?.kind !== 'Queue') throw new Error(`not valid: ${JSON.stringify(problems)}`);
  return spec;
}

/** `CODE path` of each problem. */
export function codes({ problems }: ParsedSpec): string[] {
  return problems.map(({ code, path }) => (path === undefined ? code : `${code} ${path}`));
}
