/** What users write as a step of a Workflow. */
import { Type, type Static, type TOptional, type TString, type TUnsafe } from 'typebox';
import { durationPattern } from '../lib/duration.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import { stepJob, stepJobTemplate } from './job-schema.ts';
import { nameMessage, namedMap, namePattern, valueTypes } from './parameter-schema.ts';
import { atOnce, retrySchema, startTimeout } from './retry-schema.ts';
import { duration, flag, subdomainMessage, subdomainPattern } from './schema-fields.ts';
import { mostItems } from './workflow.ts';

/** Longest expression, in characters. */
export const longestExpression = 4_096;

/** One whole reference and nothing else. */
export const referencePattern = '^\\$\\((params|steps|item|run)([.\\[][^\\s()]*)?\\)$';

/** A name of a step or phase. */
export const nameText = (description: string): ReturnType<typeof Type.String> => Type.String({ description, pattern: namePattern, errorMessage: nameMessage });

/** A data key of the ConfigMap. */
const dataKey = { type: 'string', minLength: 1, maxLength: 253, pattern: '^[-._a-zA-Z0-9]+$', errorMessage: 'must be the name of a data key: letters, digits, "-", "_" and "."' };
/** A field that names one. */
export const fileName = (description: string): TOptional<TString> => Type.Optional(Type.String({ ...dataKey, description }));

/** A duration, or a reference to a text that is one. */
export const timeout = (description: string): TOptional<TString> =>
  Type.Optional(
    Type.String({
      description: `${description} Without it there is no limit. From 1s to 365d.`,
      pattern: `${durationPattern}|${referencePattern}`,
      durationBetween: ['1s', '365d'],
      errorMessage: 'must be a duration such as "90s", "1h30m" or "7d"',
    }),
  );

const expression = (description: string) => Type.Optional(Type.String({ description, minLength: 1, maxLength: longestExpression }));

const dependsOn: TOptional<TUnsafe<string | readonly string[]>> = Type.Optional(
  Type.Unsafe<string | readonly string[]>({
    type: ['array', 'string'],
    items: { type: 'string', minLength: 1 },
    maxItems: 10_000,
    minLength: 1,
    maxLength: longestExpression,
    description: 'Steps that must be ok before this one starts, as a list of names; or a condition over the outcomes of other steps, as an expression.',
    default: [],
    errorMessage: 'must be a list of steps such as [extract, check], or an expression such as "extract.ok || check.failed"',
  }),
);

const forEach = Type.Optional(
  Type.Object(
    {
      items: Type.Optional(Type.Unsafe<Json[]>({ type: 'array', maxItems: mostItems, description: `The items, at most ${mostItems}. They may hold references.` })),
      from: Type.Optional(
        Type.String({ description: 'Reference to a list, such as $(steps.list.outputs.files).', pattern: referencePattern, errorMessage: 'must be a reference to a list, such as $(steps.list.outputs.files) or $(params.regions)' }),
      ),
      count: Type.Optional(
        Type.Unsafe<number | string>({
          type: ['integer', 'string'],
          minimum: 0,
          maximum: mostItems,
          pattern: referencePattern,
          description: `How many items: they are the numbers from 0 on. A whole number up to ${mostItems}, or a reference to one.`,
          errorMessage: `must be a whole number from 0 to ${mostItems}, or a reference such as $(params.count)`,
        }),
      ),
    },
    {
      additionalProperties: false,
      description: 'Do the work once for each item: exactly one of items, from and count.',
      oneOf: [{ required: ['items'] }, { required: ['from'] }, { required: ['count'] }],
    },
  ),
);

const subRun = (what: string, description: string) =>
  Type.Optional(
    Type.Object(
      {
        name: Type.String({ description: `Logical name of the ${what}.`, minLength: 1, maxLength: 253, pattern: subdomainPattern, errorMessage: subdomainMessage }),
        parameters: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', description: 'Values of its parameters. They may hold references.', default: {} })),
      },
      { additionalProperties: false, description: `${description}: the step has its outcome and its outputs.`, errorMessage: `must be a mapping such as {name: ${what === 'workflow' ? 'etl' : 'resize'}, parameters: {}}` },
    ),
  );

const approve = Type.Optional(
  Type.Object(
    { message: Type.Optional(Type.String({ description: 'What is to be approved, for people.', maxLength: 1_024, default: '' })) },
    { additionalProperties: false, description: 'Wait until somebody approves. Write {} where there is nothing to say.' },
  ),
);

const undo = Type.Optional(
  Type.Object(
    {
      job: stepJob,
      jobTemplate: stepJobTemplate,
      jobFile: fileName('Data key of the ConfigMap with a batch/v1 Job, used as it stands.'),
      retry: Type.Optional(retrySchema),
      timeout: duration({ description: 'Longest time of an attempt, from its first started container on. Without it there is no limit.', min: '1s', max: '365d' }),
      startTimeout,
    },
    { additionalProperties: false, description: 'The Job that compensates this step when a run reverts: exactly one of job, jobTemplate and jobFile.', oneOf: ['job', 'jobTemplate', 'jobFile'].map((field) => ({ required: [field] })) },
  ),
);

/** A declared output. */
export interface OutputDocument extends JsonObject {
  readonly type: (typeof valueTypes)[number];
  readonly default?: Json;
}
/** What is declared of it. */
export const output: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: { type: 'string', enum: [...valueTypes], description: 'Type of the value.' },
    default: { description: 'Value where the step was skipped, or did not write it. Without it a step that succeeds must write it.' },
  },
};

/** `files`. */
export const files = Type.Optional(
  Type.Unsafe<Readonly<Record<string, string>>>({
    type: 'object',
    description: 'Files in every container of the job, by their absolute path: each the content of a data key of the ConfigMap.',
    default: {},
    maxProperties: 100,
    propertyNames: { pattern: '^/[^\\u0000:]*[^\\u0000:/]$', maxLength: 1_024, errorMessage: 'must be the absolute path of a file, such as "/app/run.sh"' },
    additionalProperties: dataKey,
  }),
);

/** One step. */
export const stepSchema = Type.Object(
  {
    name: nameText('Name of the step, unique in the workflow.'),
    job: stepJob,
    jobTemplate: stepJobTemplate,
    jobFile: fileName('Data key of the ConfigMap with a batch/v1 Job, used as it stands.'),
    jobFiles: Type.Optional(
      Type.String({
        description: 'Pattern of data keys (* and ?), each with a batch/v1 Job, used as they stand, beside each other.',
        minLength: 1,
        maxLength: 253,
        pattern: '^[-._a-zA-Z0-9*?]+$',
        errorMessage: 'must be a pattern of data keys such as "load-*.yaml": letters, digits, "-", "_", ".", "*" and "?"',
      }),
    ),
    template: subRun('template', 'A run of a template'),
    workflow: subRun('workflow', 'A run of another workflow'),
    approve,
    dependsOn,
    when: expression('Condition over parameters and outputs of other steps, as an expression. Where it is false the step is skipped.'),
    forEach,
    maxParallel: atOnce('Items of forEach, or Jobs of jobFiles, at once. Without it only the maxParallel of the run counts.'),
    retry: Type.Optional(retrySchema),
    timeout: timeout('Longest time of an attempt, from its first started container on; of an approval, from when it is asked for.'),
    startTimeout,
    allowFailure: flag('A failure of this step does not count: steps after it start, and the run may succeed.', false),
    undo,
    outputs: namedMap<OutputDocument>('Values that the step writes to the file $JOB_CHIEF_OUTPUT, by name.', output),
    files,
  },
  { additionalProperties: false, description: 'One step: exactly one of job, jobTemplate, jobFile, jobFiles, template, workflow and approve says what it does.' },
);

/** A step as users write it, once it is valid. */
export type StepDocument = Static<typeof stepSchema>;
