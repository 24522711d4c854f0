/** What can be said about fields of a Workflow beyond its schema. */
import type { FieldPath } from './field-path.ts';
import { jobNotes, refusedStepFields, type FieldExplanation, type FieldNotes } from './job-refusals.ts';
import { pathInJob, pathInStep } from './workflow-steps.ts';

const template: FieldExplanation = {
  code: 'UnsupportedField',
  message: '"template" is not supported by this version, which has no specs of kind Template',
  hint: 'write the Job itself: job is a flat recipe, jobTemplate a whole JobTemplateSpec, jobFile the data key of a Job',
};

export const workflowNotes: FieldNotes = jobNotes({
  inJob: pathInJob,
  refusedInJob: refusedStepFields,
  unsupported: (path) => (isTemplate(path) ? template : undefined),
});

function isTemplate(path: FieldPath): boolean {
  const inside = pathInStep(path) ?? [];
  return inside.at(-1) === 'template' && (inside.length === 1 || (inside.length === 2 && inside[0] === 'undo'));
}
