import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { isObject, objectAt, type JsonObject } from '../../../../src/lib/json.ts';
import { stepRecipeFields } from '../../../../src/spec/job-schema.ts';
import { workflowJsonSchema } from '../../../../src/spec/workflow-schema.ts';

const published = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../../../schemas/workflow.schema.json'), 'utf8')) as JsonObject;
const ours = ['Step', 'Parameter', 'Value'];
const kubernetes = new Set(['job', 'jobTemplate', 'jobDefaults']);

interface Field {
  readonly name: string;
  readonly schema: JsonObject;
  readonly required: boolean;
}

/** Every property of ours: parents first. Kubernetes' own are not walked. */
function fields(schema: JsonObject, prefix: string): Field[] {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const items = objectAt(schema, 'items');
  const own = Object.entries(objectAt(schema, 'properties')).flatMap(([name, property]): Field[] => {
    if (!isObject(property)) return [];
    return [{ name: prefix + name, schema: property, required: required.includes(name) }, ...(kubernetes.has(name) ? [] : fields(property, `${prefix}${name}.`))];
  });
  return [...own, ...(items['properties'] === undefined ? [] : fields(items, `${prefix}[].`))];
}

const all = [...fields(workflowJsonSchema, ''), ...ours.flatMap((name) => fields(objectAt(objectAt(workflowJsonSchema, '$defs'), name), `${name}: `))];

/** Optional fields for which having no value means something. */
const withoutDefault = /^(name|maxParallel|concurrency\.group|steps|phases|trigger\.startingDeadline|health\.includeLastRun|beforeDelete(\.headersFromSecret)?|retention\..*\.(count|age)|(Value|Parameter): (?!optional).*|Step: (job|jobTemplate|jobFile|jobFiles|template|workflow|approve|when|forEach|forEach\..*|maxParallel|retry|timeout|undo|undo\.(job|jobTemplate|jobFile|retry|timeout)|.*retry\.(within|exitCodes|exitCodes\..*|onOOM)))$/;

describe('the schema of Workflow', () => {
  it.each(all.map((field) => [field.name, field] as const))('%s has a description, and a default where it may be left out', (name, { schema, required }) => {
    expect(schema['description']).toMatch(/^[A-Z].{9,}\.$/);
    expect([name, schema['default'] !== undefined]).toEqual([name, !required && !withoutDefault.test(name)]);
  });

  it.each(all.filter(({ schema }) => schema['type'] === 'object' && schema['properties'] !== undefined).map((field) => [field.name, field.schema] as const))('%s takes no unknown fields', (_name, schema) => {
    expect(schema['additionalProperties']).toBe(false);
  });

  it('has defaults that it accepts itself', () => {
    const ajv = new Ajv2020({ strict: false });
    for (const { name, schema } of all) {
      if (schema['default'] !== undefined) expect([name, ajv.validate({ ...schema, $defs: workflowJsonSchema['$defs'] }, schema['default'])]).toEqual([name, true]);
    }
  });

  it('has no field that YAML 1.1 takes for a boolean', () => {
    for (const { name } of all) expect(name.split(/[.: ]+/).at(-1)).not.toMatch(/^(y|n|yes|no|on|off|true|false)$/i);
  });

  it('refers to nothing that is not there', () => {
    const names = [...JSON.stringify(workflowJsonSchema).matchAll(/"#\/\$defs\/(\w+)"/g)].map((match) => match[1] ?? '');
    expect(names.filter((name) => !Object.hasOwn(objectAt(workflowJsonSchema, '$defs'), name))).toEqual([]);
  });

  it('lets a step have indexes and pods of its own', () => {
    expect([...stepRecipeFields.job].toSorted()).toEqual(['backoffLimit', 'backoffLimitPerIndex', 'completionMode', 'completions', 'managedBy', 'maxFailedIndexes', 'parallelism', 'podFailurePolicy', 'podReplacementPolicy', 'successPolicy']);
  });
});

describe('the published schema of Workflow', () => {
  const validate = new Ajv2020({ strict: false }).compile(published);
  const withStep = (step: JsonObject): unknown => ({ apiVersion: 'job-chief/v1', kind: 'Workflow', trigger: { onChange: true }, steps: [{ name: 'a', ...step }] });

  it.each<[what: string, step: JsonObject]>([
    ['a job', { job: { image: 'x' } }],
    ['a job whose image is elsewhere', { job: {} }],
    ['references in any field of a job', { job: { parallelism: '$(params.pods)', tty: '$(params.flag)', args: '$(params.list)', resources: '$(params.map)', imagePullPolicy: '$(params.text)', volumes: [{ name: '$(params.text)', emptyDir: { sizeLimit: '$(params.size)' } }] } }],
    ['references in a template', { jobTemplate: { spec: { backoffLimit: '$(params.x)', template: { spec: { containers: [{ name: 'a', image: 'b', resources: { limits: { memory: '$(params.x)Gi' } } }] } } } } }],
    ['a timeout by reference', { job: {}, timeout: '$(params.x)' }],
    ['an expression', { job: {}, dependsOn: 'b.ok' }],
    ['a list', { job: {}, dependsOn: ['b'] }],
    ['items', { job: {}, forEach: { items: [1] } }],
    ['an approval', { approve: {} }],
  ])('takes %s', (_what, step) => {
    expect([validate(withStep(step)), validate.errors]).toEqual([true, null]);
  });

  it.each<[what: string, step: JsonObject]>([
    ['a text for a number', { job: { parallelism: 'x' } }],
    ['an unknown field', { job: { paralelism: 1 } }],
    ['two sources of items', { job: {}, forEach: { items: [1], count: 1 } }],
    ['both sorts of exit codes', { job: {}, retry: { attempts: 2, exitCodes: { retry: [1], fail: [2] } } }],
    ['a retention of its own', { job: { ttlSecondsAfterFinished: 3 } }],
  ])('does not take %s', (_what, step) => {
    expect(validate(withStep(step))).toBe(false);
  });

  it('has words for every field of a Job', () => {
    const definitions = Object.entries(objectAt(published, '$defs'));
    for (const [name, definition] of definitions) {
      for (const [field, schema] of Object.entries(objectAt(definition, 'properties'))) expect([name, field, typeof objectAt({ schema }, 'schema')['description']]).toEqual([name, field, 'string']);
    }
  });
});
