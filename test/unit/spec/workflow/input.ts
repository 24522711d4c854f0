/** Workflows for tests of the spec ring. */
import { parseSpec } from '../../../../src/spec/parse.ts';
import type { ParsedSpec, SpecEnvironment } from '../../../../src/spec/parsed.ts';
import type { StepSpec, WorkflowSpec } from '../../../../src/spec/workflow.ts';

/** The least that a Workflow needs around the lines of the test: a trigger, an image, and a step where there is none. */
export function aWorkflow(...lines: readonly string[]): string {
  const has = (...fields: readonly string[]): boolean => lines.some((line) => fields.some((field) => line.startsWith(`${field}:`)));
  return [
    'apiVersion: job-chief/v1',
    'kind: Workflow',
    // Only a request can give values to parameters.
    ...(has('trigger') ? [] : [has('parameters') ? 'trigger: {onRequest: true}' : 'trigger: {onChange: true}']),
    ...(has('jobDefaults') ? [] : ['jobDefaults: {image: busybox:1.37}']),
    ...(has('steps', 'phases') ? [] : ['steps: [{name: only, job: {}}]']),
    ...lines,
    '',
  ].join('\n');
}

/** A Workflow of flat steps, one flow mapping each. */
export function withSteps(...steps: readonly string[]): string {
  return aWorkflow('steps:', ...steps.map((step) => `  - ${step}`));
}

/** Files beside the spec, by data key. */
export type Files = Readonly<Record<string, string>>;

export function parseWorkflow(text: string, files: Files = {}, environment: SpecEnvironment = {}): ParsedSpec {
  return parseSpec({ file: 'configmap/etl', objectName: 'etl', label: 'workflow', data: { ...files, 'spec.yaml': text } }, environment);
}

/** The spec of a text that must be valid. */
export function validWorkflow(text: string, files: Files = {}, environment: SpecEnvironment = {}): WorkflowSpec {
  const { spec, problems } = parseWorkflow(text, files, environment);
  if (spec?.kind !== 'Workflow') throw new Error(`not valid: ${JSON.stringify(problems)}`);
  return spec;
}

/** The first step of a valid workflow. */
export function validStep(step: string, ...others: readonly string[]): StepSpec {
  const [first] = validWorkflow(withSteps(step, ...others)).steps;
  if (!first) throw new Error('no step');
  return first;
}

/** `CODE path` of each problem. */
export function codes({ problems }: ParsedSpec): string[] {
  return problems.map(({ code, path }) => (path === undefined ? code : `${code} ${path}`));
}

/** A manifest of a Job, with lines of its own below `spec.template.spec`. */
export function aManifest(...lines: readonly string[]): string {
  return ['apiVersion: batch/v1', 'kind: Job', 'metadata: {name: load, namespace: etl, labels: {app: load}}', 'spec:', '  template:', '    spec:', '      restartPolicy: Never', '      containers: [{name: main, image: acme/load}]', ...lines.map((line) => `      ${line}`), ''].join('\n');
}
