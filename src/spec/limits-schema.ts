/** What users write as Limits: the one definition behind the validator, the types and schemas/limits.schema.json. */
import { Type, type Static } from 'typebox';
import type { JsonObject } from '../lib/json.ts';
import { commonFields, groupPattern, groupMessage } from './common-schema.ts';
import { flag, integer } from './schema-fields.ts';
import { startRateMessage, startRatePattern } from './start-rate.ts';

/** More has no etcd. */
const mostJobs = 1_000_000;

/** The same in the operator's configuration. */
export const limitFields = {
  maxJobs: integer({ description: 'Live Jobs of the whole instance at once. Without it there is no such limit.', min: 0, max: mostJobs }),
  groups: Type.Optional(
    Type.Unsafe<Record<string, number>>({
      type: 'object',
      propertyNames: { pattern: groupPattern, errorMessage: groupMessage },
      additionalProperties: { type: 'integer', minimum: 0, maximum: mostJobs },
      maxProperties: 1_000,
      description: 'Live Jobs of each group at once, by its name. Specs join a group by `concurrency.group`; a group that no Limits names does not exist.',
      default: {},
    }),
  ),
  startRate: Type.Optional(
    Type.String({
      description: 'Most Jobs created within a time: a count and a duration of at most a day, such as `10/1s` or `100/1m`. Without it there is no such limit.',
      pattern: startRatePattern,
      errorMessage: startRateMessage,
    }),
  ),
};

/** The whole spec. */
export const limitsSchema = Type.Object(
  {
    apiVersion: commonFields.apiVersion,
    kind: Type.Literal('Limits', { description: 'Bounds on the Jobs of the instance.' }),
    name: commonFields.name,
    ...limitFields,
    suspend: flag('Start nothing new in the whole instance. Jobs that run may finish.', false),
  },
  {
    $id: 'urn:job-chief:schema:limits:v1',
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'job-chief Limits',
    description: 'Bounds the Jobs of an instance, whatever asks for them.',
    additionalProperties: false,
  },
);

/** Limits as users write them, once they are valid. */
export type LimitsDocument = Static<typeof limitsSchema>;

/** The schema as plain data. */
export const limitsJsonSchema = limitsSchema as unknown as JsonObject;
