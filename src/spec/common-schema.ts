/** What users write for the fields that every kind has. */
import { Type, type TOptional, type TUnsafe } from 'typebox';
import { duration, flag, integer, section, subdomainMessage, subdomainPattern, word } from './schema-fields.ts';
import { beforeDeleteField } from './before-delete.ts';
import { apiVersion } from './keys.ts';

const qualifiedName = '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$';
const labelValue = '^(|[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)$';

/** Names of groups: they are label values of Jobs as well. */
export const groupPattern = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';
export const groupMessage = 'must be the name of a group: at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends';

/** What stands beside `max` in `concurrency` of every kind that starts Jobs. */
export const sharedConcurrency = {
  group: Type.Optional(
    Type.String({ description: 'Group of the instance whose limit these Jobs share, as a Limits names it (`groups`). Without it only the limits of the whole instance hold.', pattern: groupPattern, errorMessage: groupMessage }),
  ),
  priority: integer({ description: 'Where Jobs wait for a place under the limits of the instance, those with a higher priority get the next one.', default: 0, min: -1_000_000, max: 1_000_000 }),
};

function texts(description: string, valuePattern?: { pattern: string; errorMessage: string }): TOptional<TUnsafe<Record<string, string>>> {
  return Type.Optional(
    Type.Unsafe<Record<string, string>>({
      type: 'object',
      description,
      default: {},
      propertyNames: { pattern: qualifiedName, errorMessage: 'must be a label or annotation key such as "team" or "example.com/team"' },
      additionalProperties: { type: 'string', ...valuePattern },
    }),
  );
}

/** Labels with their syntax. */
export const labels = (description: string): ReturnType<typeof texts> =>
  texts(description, { pattern: labelValue, errorMessage: 'must be a label value: at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends' });

const extraMetadata = (of: string): ReturnType<typeof section<{ labels: ReturnType<typeof texts>; annotations: ReturnType<typeof texts> }>> =>
  section({ labels: labels(`Labels for ${of}.`), annotations: texts(`Annotations for ${of}.`) }, `Labels and annotations that job-chief puts on ${of}. Those of the ConfigMap are never copied.`);

const retentionRule = (what: string, value: { count?: number; age?: string }): TOptional<ReturnType<typeof retentionObject>> =>
  Type.Optional(retentionObject(what, value));

function retentionObject(what: string, value: { count?: number; age?: string }) {
  const count = integer({ description: `How many ${what} stay. Without it their number has no bound.`, min: 0, max: 10_000 });
  const age = duration({ description: `How long ${what} stay. Without it their age has no bound.`, min: '0s', max: '3650d' });
  return Type.Object({ count, age }, { additionalProperties: false, minProperties: 1, description: `Which ${what} stay. Given at all, it replaces the default as a whole.`, default: value });
}

const retention = (of: string, where: string) =>
  section(
    { succeeded: retentionRule(`succeeded ${of}`, { count: 3 }), failed: retentionRule(`failed ${of}`, { count: 10, age: '7d' }) },
    `Which finished ${of} stay ${where}, by count and age.`,
  );

const onSpecDelete = (unfinished: string, one: string): TOptional<TUnsafe<'delete' | 'finish'>> =>
  Type.Optional(
    Type.Unsafe<'delete' | 'finish'>({
      type: 'string',
      enum: ['delete', 'finish'],
      description: `What becomes of ${unfinished} when the ConfigMap is deleted: they are deleted with it, or may finish. Fixed when ${one} is created. Where the ConfigMap's name ends in a hash of kustomize's configMapGenerator the default is finish.`,
      default: 'delete',
    }),
  );

/** Common fields, to be spread into the schema of a kind: as kinds say it whose specs start Jobs. */
export const commonFields = {
  apiVersion: Type.Literal(apiVersion, { description: 'Version of this format.' }),
  name: Type.Optional(
    Type.String({
      description: "Logical name of the spec. Default: the ConfigMap's name, or the file's name without its extension. Set it where tools add a hash to the ConfigMap's name.",
      minLength: 1,
      maxLength: 253,
      pattern: subdomainPattern,
      errorMessage: subdomainMessage,
    }),
  ),
  retention: retention('Jobs', 'in the cluster'),
  beforeDelete: beforeDeleteField('Job'),
  suspend: flag('Start nothing new. Jobs that run may finish.', false),
  observe: flag('Plan and report, but create and delete nothing: for running beside an existing system.', false),
  onSpecDelete: onSpecDelete('unfinished Jobs', 'a Job'),
  onSpecChange: word(['keep', 'replace'], 'What becomes of unfinished Jobs when the spec changes: they keep running, or are ended and replaced.', 'keep'),
  jobMetadata: extraMetadata('the Job'),
  podMetadata: extraMetadata("the Job's pods"),
  health: section({ includeLastRun: flag('Count a failed last run as an unhealthy spec.', false) }, 'What the health of this spec takes into account.'),
};

/** The same as a kind says it whose specs start runs. */
export const runFields = {
  ...commonFields,
  retention: retention('runs', 'on record, each with its Jobs'),
  beforeDelete: beforeDeleteField('run'),
  suspend: flag('Start no new run. Runs that are under way go on.', false),
  onSpecDelete: onSpecDelete('unfinished runs', 'a run'),
  onSpecChange: word(['keep', 'replace'], 'What becomes of unfinished runs when the spec changes: they go on with the text that they started with, or are cancelled and replaced.', 'keep'),
  health: Type.Optional(
    Type.Object(
      { includeLastRun: Type.Optional(Type.Boolean({ description: 'Count a failed last run as an unhealthy spec. Default: true where trigger.onChange is.' })) },
      { additionalProperties: false, description: 'What the health of this spec takes into account.', default: {} },
    ),
  ),
};
