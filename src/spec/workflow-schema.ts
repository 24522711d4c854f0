/** What users write as a Workflow: the one definition behind the validator, the types and schemas/workflow.schema.json. */
import { Type, type Static } from 'typebox';
import type { Json, JsonObject } from '../lib/json.ts';
import { runFields, sharedConcurrency } from './common-schema.ts';
import { stepDefinitions } from './job-schema.ts';
import { namedMap, parameterDefinitions, parametersSchema } from './parameter-schema.ts';
import { atOnce } from './retry-schema.ts';
import { duration, flag, integer, section, word } from './schema-fields.ts';
import { nameText, stepSchema, type StepDocument } from './step-schema.ts';

const trigger = Type.Object(
  {
    onChange: flag('Run when the spec is new or changed.', false),
    onRequest: flag('Run when somebody asks for it.', false),
    schedules: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { description: 'Run at these times: cron lines of five fields, such as "30 2 * * *".', default: [], maxItems: 100 }),
    ),
    timeZone: Type.Optional(Type.String({ description: 'Time zone of the schedules, by its IANA name.', default: 'Etc/UTC', minLength: 1, maxLength: 100 })),
    concurrencyPolicy: word(['Forbid', 'Replace', 'Allow'], 'What becomes of a scheduled time while an earlier scheduled run is under way: it is missed, replaces that run, or makes a run beside it.', 'Forbid'),
    startingDeadline: duration({ description: 'A scheduled time that could not be used for so long is missed. Without it only the latest one counts, however late.', min: '1s', max: '365d' }),
  },
  { additionalProperties: false, description: 'What starts a run: at least one of onChange, onRequest and schedules.' },
);

const stepList = (description: string) => Type.Array(Type.Unsafe<StepDocument>({ $ref: '#/$defs/Step' }), { description, minItems: 1 });

const phases = Type.Optional(
  Type.Array(
    Type.Object(
      { name: nameText('Name of the phase, unique among the phases.'), steps: stepList('The steps of this phase.') },
      { additionalProperties: false, description: 'One phase.' },
    ),
    { description: 'Steps in phases: those of a phase start when all of the phase before are ok. Exactly one of phases and steps.', minItems: 1 },
  ),
);

/** The whole spec. */
export const workflowSchema = Type.Object(
  {
    apiVersion: runFields.apiVersion,
    kind: Type.Literal('Workflow', { description: 'Jobs that depend on each other.' }),
    name: runFields.name,
    trigger,
    parameters: parametersSchema,
    jobDefaults: Type.Optional(Type.Unsafe<JsonObject>({ $ref: '#/$defs/JobRecipe', description: 'Fields for every job of a step (and of its undo) that does not have them itself.', default: {} })),
    phases,
    steps: Type.Optional(stepList('All steps, without phases. Exactly one of phases and steps.')),
    finally: Type.Optional(Type.Array(Type.Unsafe<StepDocument>({ $ref: '#/$defs/Step' }), { description: 'Steps that start when all others are over, whatever came of them.', default: [] })),
    maxParallel: atOnce('Unfinished Jobs of one run at once. Without it there is no limit.'),
    onFailure: word(
      ['stop', 'cancel', 'continue', 'revert'],
      'What a failed step does to the others: nothing new starts; Jobs that run are ended as well; only what depends on it is left out; or nothing new starts and the undo jobs of succeeded steps run.',
      'stop',
    ),
    outputs: namedMap<Json>('Values of the run as a whole, by name. They may hold references.', {}),
    concurrency: section({ max: integer({ description: 'Runs of this workflow at once; further ones wait.', default: 1, min: 1, max: 1_000 }), ...sharedConcurrency }, 'How much may run at once.'),
    retention: runFields.retention,
    beforeDelete: runFields.beforeDelete,
    suspend: runFields.suspend,
    observe: runFields.observe,
    onSpecDelete: runFields.onSpecDelete,
    onSpecChange: runFields.onSpecChange,
    jobMetadata: runFields.jobMetadata,
    podMetadata: runFields.podMetadata,
    health: runFields.health,
  },
  {
    $id: 'urn:job-chief:schema:workflow:v1',
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'job-chief Workflow',
    description: 'Runs Jobs that depend on each other.',
    additionalProperties: false,
    oneOf: [{ required: ['steps'] }, { required: ['phases'] }],
    $defs: { Step: stepSchema, ...parameterDefinitions, ...stepDefinitions },
  },
);

/** A Workflow as users write it, once it is valid. */
export type WorkflowDocument = Static<typeof workflowSchema>;

/** The schema as plain data. */
export const workflowJsonSchema = workflowSchema as unknown as JsonObject;
