/** Templates for tests of the spec ring. */
import { parseSpec } from '../../../../src/spec/parse.ts';
import type { ParsedSpec, SpecEnvironment } from '../../../../src/spec/parsed.ts';
import type { WorkflowSpec } from '../../../../src/spec/workflow.ts';

/** The least that a Template needs around the lines of the test. */
export function aTemplate(...lines: readonly string[]): string {
  const has = (...fields: readonly string[]): boolean => lines.some((line) => fields.some((field) => line.startsWith(`${field}:`)));
  return ['apiVersion: job-chief/v1', 'kind: Template', ...(has('job', 'jobTemplate', 'jobFile') ? [] : ['job: {image: busybox:1.37}']), ...lines, ''].join('\n');
}

export function parseTemplate(text: string, files: Readonly<Record<string, string>> = {}, environment: SpecEnvironment = {}): ParsedSpec {
  return parseSpec({ file: 'configmap/resize', objectName: 'resize', label: 'template', data: { ...files, 'spec.yaml': text } }, environment);
}

/** The spec of a text that must be valid. */
export function validTemplate(text: string, files: Readonly<Record<string, string>> = {}, environment: SpecEnvironment = {}): WorkflowSpec {
  const { spec, problems } = parseTemplate(text, files, environment);
  if (spec?.kind !== 'Template') throw new Error(`not valid: ${JSON.stringify(problems)}`);
  return spec;
}
