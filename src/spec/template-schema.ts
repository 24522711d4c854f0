/** What users write as a Template: the one definition behind the validator, the types and schemas/template.schema.json. */
import { Type, type Static } from 'typebox';
import type { JsonObject } from '../lib/json.ts';
import { commonFields, runFields, sharedConcurrency } from './common-schema.ts';
import { stepDefinitions, stepJob, stepJobTemplate } from './job-schema.ts';
import { namedMap, parameterDefinitions, parametersSchema } from './parameter-schema.ts';
import { retrySchema, startTimeout } from './retry-schema.ts';
import { integer, section } from './schema-fields.ts';
import { fileName, files, output, timeout, type OutputDocument } from './step-schema.ts';

/** The fields of which a template has exactly one. */
export const templateWork = ['job', 'jobTemplate', 'jobFile'] as const;

/** The whole spec. */
export const templateSchema = Type.Object(
  {
    apiVersion: runFields.apiVersion,
    kind: Type.Literal('Template', { description: 'One Job with parameters, started on request.' }),
    name: runFields.name,
    parameters: parametersSchema,
    job: stepJob,
    jobTemplate: stepJobTemplate,
    jobFile: fileName('Data key of the ConfigMap with a batch/v1 Job, used as it stands: nothing in it is replaced.'),
    timeout: timeout('Longest time of an attempt, from its first started container on.'),
    startTimeout,
    retry: Type.Optional(retrySchema),
    outputs: namedMap<OutputDocument>('Values that the Job writes to the file $JOB_CHIEF_OUTPUT, by name. They are the outputs of the run.', output),
    files,
    concurrency: section({ max: integer({ description: 'Runs of this template at once; further ones wait.', default: 10, min: 1, max: 1_000 }), ...sharedConcurrency }, 'How much may run at once.'),
    retention: runFields.retention,
    beforeDelete: runFields.beforeDelete,
    suspend: runFields.suspend,
    observe: runFields.observe,
    jobMetadata: runFields.jobMetadata,
    podMetadata: runFields.podMetadata,
    health: commonFields.health,
  },
  {
    $id: 'urn:job-chief:schema:template:v1',
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'job-chief Template',
    description: 'A Job with declared parameters, started on request.',
    additionalProperties: false,
    oneOf: templateWork.map((field) => ({ required: [field] })),
    $defs: { ...parameterDefinitions, ...stepDefinitions },
  },
);

/** A Template as users write it, once it is valid. */
export type TemplateDocument = Static<typeof templateSchema>;

/** The schema as plain data. */
export const templateJsonSchema = templateSchema as unknown as JsonObject;
