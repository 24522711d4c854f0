/** What users write as a Run: the one definition behind the validator, the types and schemas/run.schema.json. */
import { Type, type Static, type TOptional, type TString } from 'typebox';
import type { JsonObject } from '../lib/json.ts';
import { commonFields } from './common-schema.ts';
import { nameMessage, namePattern } from './parameter-schema.ts';
import { flag, integer, subdomainMessage, subdomainPattern } from './schema-fields.ts';

/** The fields of which a Run has exactly one. */
export const runTargets = ['template', 'workflow'] as const;

/** A field that names what is run. */
export const targetName = (description: string): TOptional<TString> => Type.Optional(Type.String({ description, minLength: 1, maxLength: 253, pattern: subdomainPattern, errorMessage: subdomainMessage }));

const approvals = Type.Optional(
  Type.Unsafe<Readonly<Record<string, 'approved' | 'rejected'>>>({
    type: 'object',
    description: 'What is decided about steps that wait to be approved, by their names.',
    default: {},
    maxProperties: 500,
    propertyNames: { pattern: namePattern, errorMessage: nameMessage },
    additionalProperties: { type: 'string', enum: ['approved', 'rejected'] },
  }),
);

/** The whole spec. */
export const runSchema = Type.Object(
  {
    apiVersion: commonFields.apiVersion,
    kind: Type.Literal('Run', { description: 'One request for a run of a template or workflow.' }),
    name: commonFields.name,
    template: targetName('Logical name of the template that is to run. Exactly one of template and workflow.'),
    workflow: targetName('Logical name of the workflow that is to run. It needs trigger.onRequest.'),
    parameters: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', description: 'Values of the parameters, used as they are: nothing in them is replaced.', default: {} })),
    priority: integer({ description: 'Where several runs wait for their turn, those with a higher priority start first.', default: 0, min: -1_000_000, max: 1_000_000 }),
    suspend: flag('Start nothing of it. Jobs that run may finish.', false),
    cancel: Type.Optional(
      Type.Unsafe<string | boolean>({
        type: ['string', 'boolean'],
        description: 'End the run: true, or a text that says why. A run that has not begun never begins.',
        default: false,
        minLength: 1,
        maxLength: 1_024,
        errorMessage: 'must be true, or a text that says why',
      }),
    ),
    approvals,
  },
  {
    $id: 'urn:job-chief:schema:run:v1',
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'job-chief Run',
    description: 'A request for one run of a template or workflow.',
    additionalProperties: false,
    oneOf: runTargets.map((field) => ({ required: [field] })),
  },
);

/** A Run as users write it, once it is valid. */
export type RunDocument = Static<typeof runSchema>;

/** The schema as plain data. */
export const runJsonSchema = runSchema as unknown as JsonObject;
