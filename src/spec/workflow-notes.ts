/** What can be said about fields of a Workflow beyond its schema. */
import type { FieldPath } from './field-path.ts';
import { jobNotes, refusedStepFields, type FieldExplanation, type FieldNotes } from './job-refusals.ts';
import { pathInJob, pathInStep } from './workflow-steps.ts';

const undoTemplate: FieldExplanation = { code: 'RefusedField', message: '"template" must not be set here', hint: 'undo is a Job of its own: job is a flat recipe, jobTemplate a whole JobTemplateSpec, jobFile the data key of a Job' };

export const workflowNotes: FieldNotes = jobNotes({
  inJob: pathInJob,
  refusedInJob: refusedStepFields,
  unsupported: (path) => (isTemplateOfUndo(path) ? undoTemplate : undefined),
});

function isTemplateOfUndo(path: FieldPath): boolean {
  const [first, second, ...rest] = pathInStep(path) ?? [];
  return first === 'undo' && second === 'template' && rest.length === 0;
}
