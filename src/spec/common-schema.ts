/** What users write for the fields that every kind has. */
import { Type, type TOptional, type TUnsafe } from 'typebox';
import { duration, flag, integer, section, subdomainMessage, subdomainPattern, word } from './schema-fields.ts';
import { apiVersion } from './keys.ts';

const qualifiedName = '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$';
const labelValue = '^(|[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)$';

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

const retentionRule = (outcome: string, value: { count?: number; age?: string }): TOptional<ReturnType<typeof retentionObject>> =>
  Type.Optional(retentionObject(outcome, value));

function retentionObject(outcome: string, value: { count?: number; age?: string }) {
  const count = integer({ description: `How many ${outcome} Jobs stay. Without it their number has no bound.`, min: 0, max: 10_000 });
  const age = duration({ description: `How long ${outcome} Jobs stay. Without it their age has no bound.`, min: '0s', max: '3650d' });
  return Type.Object({ count, age }, { additionalProperties: false, minProperties: 1, description: `Which ${outcome} Jobs stay. Given at all, it replaces the default as a whole.`, default: value });
}

/** Common fields, to be spread into the schema of a kind. */
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
  retention: section(
    { succeeded: retentionRule('succeeded', { count: 3 }), failed: retentionRule('failed', { count: 10, age: '7d' }) },
    'Which finished Jobs stay in the cluster, by count and age.',
  ),
  suspend: flag('Start nothing new. Jobs that run may finish.', false),
  observe: flag('Plan and report, but create and delete nothing: for running beside an existing system.', false),
  onSpecDelete: Type.Optional(
    Type.Unsafe<'delete' | 'finish'>({
      type: 'string',
      enum: ['delete', 'finish'],
      description: "What becomes of unfinished Jobs when the ConfigMap is deleted: they are deleted with it, or may finish. Fixed when a Job is created. Where the ConfigMap's name ends in a hash of kustomize's configMapGenerator the default is finish.",
      default: 'delete',
    }),
  ),
  onSpecChange: word(['keep', 'replace'], 'What becomes of unfinished Jobs when the spec changes: they keep running, or are ended and replaced.', 'keep'),
  jobMetadata: extraMetadata('the Job'),
  podMetadata: extraMetadata("the Job's pods"),
  health: section({ includeLastRun: flag('Count a failed last run as an unhealthy spec.', false) }, 'What the health of this spec takes into account.'),
};
