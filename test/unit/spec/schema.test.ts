import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { generate } from '../../../hack/dev/generate/generate.ts';
import { kubernetesDefinitions, kubernetesVersion } from '../../../src/spec/generated/kubernetes-job.ts';
import { isObject, objectAt, type JsonObject } from '../../../src/lib/json.ts';
import { jobDefaultsSchema } from '../../../src/spec/job-defaults.ts';
import { recipeFields } from '../../../src/spec/job-schema.ts';
import { queueJsonSchema } from '../../../src/spec/queue-schema.ts';

const published = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../../schemas/queue.schema.json'), 'utf8')) as JsonObject;

/** Every property of ours: name and schema, parents first. Kubernetes' own are not walked. */
function properties(schema: JsonObject, prefix = ''): [name: string, schema: JsonObject, required: boolean][] {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(objectAt(schema, 'properties')).flatMap(([name, property]) => {
    if (!isObject(property) || name === 'job' || name === 'jobTemplate') return [];
    return [[prefix + name, property, required.includes(name)] as [string, JsonObject, boolean], ...properties(property, `${prefix}${name}.`)];
  });
}

/** Optional fields for which having no value means something. */
const withoutDefault = new Set([
  'source.pgBoss',
  'source.amqp',
  'source.amqp.vhost',
  'source.amqp.declare',
  'source.amqp.declare.deadLetterExchange',
  'source.amqp.declare.deadLetterRoutingKey',
  'source.amqp.messageId',
  'source.sqs',
  'source.sqs.queue',
  'source.sqs.url',
  'drain',
  'perMessage',
  'template',
  'workflow',
  'perMessage.payload.env',
  'perMessage.schema',
  'perMessage.retry',
  'perMessage.retry.within',
  'perMessage.retry.exitCodes',
  'perMessage.retry.exitCodes.retry',
  'perMessage.retry.exitCodes.fail',
  'perMessage.deadLetter',
  'perMessage.deadLetter.queue',
  'perMessage.deadLetter.exchange',
  'perMessage.deadLetter.routingKey',
  'perMessage.deadLetter.policy',
  'perBatch',
  'perBatch.schema',
  'perBatch.retry',
  'perBatch.retry.within',
  'perBatch.retry.exitCodes',
  'perBatch.retry.exitCodes.retry',
  'perBatch.retry.exitCodes.fail',
  'perBatch.deadLetter',
  'perBatch.deadLetter.queue',
  'perBatch.deadLetter.exchange',
  'perBatch.deadLetter.routingKey',
  'perBatch.deadLetter.policy',
  'concurrency.max',
  'beforeDelete', 'beforeDelete.headersFromSecret', 'name', 'timeout', 'concurrency.group', 'source.pgBoss.schema', 'retention.succeeded.count', 'retention.succeeded.age', 'retention.failed.count', 'retention.failed.age',
]);

describe('the schema of Queue', () => {
  it.each(properties(queueJsonSchema))('%s has a description, and a default where it may be left out', (name, schema, required) => {
    expect(schema['description']).toMatch(/^[A-Z].{9,}\.$/);
    expect(schema['default'] !== undefined).toBe(!required && !withoutDefault.has(name));
  });

  it.each(properties(queueJsonSchema).filter(([, schema]) => schema['type'] === 'object' && schema['properties'] !== undefined))('%s takes no unknown fields', (_name, schema) => {
    expect(schema['additionalProperties']).toBe(false);
  });

  it('has defaults that it accepts itself', () => {
    const ajv = new Ajv2020({ strict: false });
    for (const [name, schema] of properties(queueJsonSchema)) {
      if (schema['default'] === undefined) continue;
      expect([name, ajv.validate({ ...schema, $defs: queueJsonSchema['$defs'] }, schema['default'])]).toEqual([name, true]);
    }
  });

  it('has no field that YAML 1.1 takes for a boolean', () => {
    for (const [name] of properties(queueJsonSchema)) expect(name.split('.').at(-1)).not.toMatch(/^(y|n|yes|no|on|off|true|false)$/i);
  });
});

describe('the Kubernetes definitions', () => {
  it('are of one known version', () => {
    expect(kubernetesVersion).toMatch(/^1\.\d\d$/);
  });

  it('refer only to each other', () => {
    const references = [...JSON.stringify(kubernetesDefinitions).matchAll(/"#\/\$defs\/(\w+)"/g)].map((match) => match[1] ?? '');
    expect(references.filter((name) => !(name in kubernetesDefinitions))).toEqual([]);
  });

  it.each([
    ['V1Container', ['name', 'image']],
    ['V1PodSpec', ['containers']],
    ['V1VolumeMount', ['mountPath', 'name']],
    ['V1JobSpec', ['template']],
    ['V1SecretKeySelector', ['key']],
  ])('%s requires %j', (name, required) => {
    expect(kubernetesDefinitions[name]?.['required']).toEqual(expect.arrayContaining(required));
  });

  it('put each field of the flat recipe in one part of the Job only', () => {
    const all = [...recipeFields.container, ...recipeFields.pod, ...recipeFields.job];
    expect(all.toSorted()).toEqual([...new Set(all)].toSorted());
  });

  it('keep the flat recipe free of what job-chief sets', () => {
    const all = new Set([...recipeFields.container, ...recipeFields.pod, ...recipeFields.job]);
    const kept = ['name', 'containers', 'ephemeralContainers', 'template', 'activeDeadlineSeconds', 'ttlSecondsAfterFinished', 'suspend', 'selector', 'manualSelector'];
    expect(kept.filter((name) => all.has(name))).toEqual([]);
  });
});

describe('generated files', () => {
  it('are what the generators give', async () => {
    expect(await generate(true)).toEqual([]);
  });

  it('include a schema that stands alone, with words for every field of a Job', () => {
    expect(published['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(published['$id']).toBeTypeOf('string');
    const definitions = Object.values(objectAt(published, '$defs'));
    const recipe = objectAt(objectAt(published, 'properties'), 'job');
    for (const owner of [recipe, ...definitions]) {
      for (const field of Object.values(objectAt(owner, 'properties'))) expect(objectAt({ field }, 'field')['description']).toMatch(/\S/);
    }
  });

  it('accept what the specs of the fixtures say', () => {
    const ajv = new Ajv2020({ strict: false });
    const validate = ajv.compile(published);
    const base = { apiVersion: 'job-chief/v1', kind: 'Queue', source: { pgBoss: { connection: 'a', queue: 'b' } }, drain: {} };
    expect(validate({ ...base, job: { image: 'x' } })).toBe(true);
    expect(validate({ ...base, jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image: 'b' }] } } } } })).toBe(true);
    expect(validate(base)).toBe(false);
    expect(validate({ ...base, job: { image: 'x' }, jobTemplate: {} })).toBe(false);
    expect(validate({ ...base, job: { image: 'x', parallelism: 3 } })).toBe(false);
    const { drain, ...rest } = base;
    expect(validate({ ...rest, perMessage: {}, job: { image: 'x', parallelism: 3 } })).toBe(true);
    expect(validate({ ...rest, perMessage: {}, drain, job: { image: 'x' } })).toBe(false);
    expect(validate({ ...rest, job: { image: 'x' } })).toBe(false);
  });
});

describe('the schema of jobDefaults', () => {
  it.each(Object.entries(jobDefaultsSchema.properties))('%s has a description', (_name, schema) => {
    expect((schema as { description?: string }).description).toMatch(/\.$/);
  });
});
