/** What users write as a Queue: the one definition behind the validator, the types and schemas/queue.schema.json. */
import { Type, type Static } from 'typebox';
import type { JsonObject } from '../lib/json.ts';
import { commonFields, sharedConcurrency } from './common-schema.ts';
import { drainJobFields } from './job-refusals.ts';
import { jobDefinitions, jobRecipe, jobTemplate } from './job-schema.ts';
import { perBatchSchema } from './batch-schema.ts';
import { perMessageSchema } from './message-schema.ts';
import { queueWays } from './queue-run-rules.ts';
import { queueSourceSchema } from './queue-source-schema.ts';
import { targetName } from './run-schema.ts';
import { duration, flag, integer, section } from './schema-fields.ts';

const drain = Type.Object(
  {
    checkInterval: duration({ description: 'Time between two looks at the queue while nothing runs.', default: '10s', min: '1s', max: '24h' }),
    pods: section(
      {
        min: integer({ description: 'Least number of pods that a Job starts with.', default: 1, min: 1, max: 10_000 }),
        max: integer({ description: 'Largest number of pods at once. Not less than min.', default: 1, min: 1, max: 10_000 }),
        messagesPerPod: integer({ description: 'Waiting messages for each pod: pods = ready messages / messagesPerPod, rounded up, between min and max.', default: 1, min: 1, max: 1_000_000_000 }),
      },
      'How many pods drain the queue.',
    ),
    waitAfter: section(
      {
        succeeded: duration({ description: 'Wait after a Job that succeeded.', default: '0s', min: '0s', max: '24h' }),
        failed: duration({ description: 'Wait after a Job that failed or was lost. Grows with repetition.', default: '30s', min: '0s', max: '24h' }),
        notStarted: duration({ description: 'Wait after a Job whose pod could not start. Grows with repetition.', default: '2m', min: '0s', max: '24h' }),
        refused: duration({ description: 'Wait after the API server or a policy refused the Job. Grows with repetition.', default: '30s', min: '0s', max: '24h' }),
      },
      'Wait before the next look at the queue, by the outcome of the last Job.',
    ),
  },
  { additionalProperties: false, description: 'One Job at a time, whose pods fetch messages for themselves until the queue is empty. Write {} for the defaults.' },
);

/** `false` is what tools that speak YAML 1.1 make of `off`. */
const threshold = (description: string, value: number | 'off') =>
  Type.Optional(
    Type.Unsafe<number | 'off' | false>({
      anyOf: [{ type: 'integer', minimum: 1, maximum: 1_000 }, { enum: ['off', false] }],
      description,
      default: value,
      errorMessage: 'must be a whole number from 1 to 1000, or off',
    }),
  );

const breaker = section(
  {
    notStarted: threshold('So many Jobs in a row that could not start trip the breaker; off: never.', 5),
    failed: threshold('So many failed Jobs in a row trip the breaker; off: never.', 'off'),
    probeEvery: duration({ description: 'While the breaker is tripped, one Job is tried each time so much has passed.', default: '5m', min: '1s', max: '24h' }),
  },
  'When to stop starting Jobs that only fail.',
);

/** The ways in which messages become Jobs, one of which a Queue has. */
export const queueModes = ['drain', 'perMessage', 'perBatch'] as const;

const atOnce = Type.Optional(
  Type.Unsafe<number | 'unlimited'>({
    anyOf: [{ type: 'integer', minimum: 1, maximum: 100_000 }, { enum: ['unlimited'] }],
    description: 'Unfinished Jobs of this queue at once, or unlimited. Default: 10 with perMessage and perBatch. A Queue with drain has one; drain.pods says how many pods it has.',
    errorMessage: 'must be a whole number from 1 to 100000, or unlimited',
  }),
);

/** A drain Job is a work queue: job-chief itself says how many pods it has. */
const drainJobs = { job: noneOf(drainJobFields), jobTemplate: { properties: { spec: noneOf(drainJobFields) } } };

function noneOf(fields: Readonly<Record<string, string>>): JsonObject {
  return { properties: Object.fromEntries(Object.keys(fields).map((field) => [field, false])) };
}

/** The whole spec. */
export const queueSchema = Type.Object(
  {
    apiVersion: commonFields.apiVersion,
    kind: Type.Literal('Queue', { description: 'Jobs for the work that waits in a queue.' }),
    name: commonFields.name,
    source: queueSourceSchema,
    drain: Type.Optional(drain),
    perMessage: Type.Optional(perMessageSchema),
    perBatch: Type.Optional(perBatchSchema),
    job: jobRecipe,
    jobTemplate,
    template: targetName('Logical name of a template: each message starts a run of it, in place of a Job of the Queue. With perMessage.'),
    workflow: targetName('Logical name of a workflow of which each message starts a run. It needs trigger.onRequest. With perMessage.'),
    startTimeout: duration({ description: 'Longest time from the start of a Job until one of its pods runs.', default: '15m', min: '1s', max: '24h' }),
    timeout: duration({ description: 'Longest time from the first started container until the Job has finished. Without it there is no limit.', min: '1s', max: '365d' }),
    breaker,
    injectConnection: flag('Give the containers the connection as environment variables: DB_* of pg-boss, AMQP_* of RabbitMQ, SQS_* and AWS_* of SQS. Only for connections that the operator marked injectable.', false),
    concurrency: section({ max: atOnce, ...sharedConcurrency }, 'How much may run at once.'),
    retention: commonFields.retention,
    beforeDelete: commonFields.beforeDelete,
    suspend: commonFields.suspend,
    observe: commonFields.observe,
    onSpecDelete: commonFields.onSpecDelete,
    onSpecChange: commonFields.onSpecChange,
    jobMetadata: commonFields.jobMetadata,
    podMetadata: commonFields.podMetadata,
    health: commonFields.health,
  },
  {
    $id: 'urn:job-chief:schema:queue:v1',
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'job-chief Queue',
    description: 'Starts Jobs for the work that waits in a queue.',
    additionalProperties: false,
    // For editors only: the rules say it better (see schema-findings.ts).
    allOf: [
      { oneOf: queueWays.map((field) => ({ required: [field] })) },
      { oneOf: [{ required: ['drain'], properties: drainJobs }, { required: ['perMessage'] }, { required: ['perBatch'] }] },
    ],
    $defs: jobDefinitions,
  },
);

/** A Queue as users write it, once it is valid. */
export type QueueDocument = Static<typeof queueSchema>;

/** The schema as plain data. */
export const queueJsonSchema = queueSchema as unknown as JsonObject;
