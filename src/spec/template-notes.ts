/** What can be said about fields of a Template beyond its schema. */
import type { FieldPath } from './field-path.ts';
import { pathText } from './field-path.ts';
import { jobNotes, refusedTemplateFields, type FieldExplanation, type FieldNotes } from './job-refusals.ts';

const onlyRequests = 'remove it: runs of a template start on request only; a Workflow has triggers';
const oneJob = 'a template is one Job; a Workflow has steps, which may be runs of templates';
const accepted = 'remove it: runs of a template were asked for, and go on whatever becomes of it';

/** Fields of other kinds. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ['trigger', onlyRequests],
  ['steps', oneJob],
  ['phases', oneJob],
  ['finally', oneJob],
  ['jobFiles', oneJob],
  ['forEach', oneJob],
  ['undo', oneJob],
  ['jobDefaults', 'write the fields in job'],
  ['onSpecDelete', accepted],
  ['onSpecChange', accepted],
  ['onFailure', oneJob],
  ['maxParallel', 'concurrency.max says how many runs of the template there may be at once'],
]);

/** Where in a Job a path leads; undefined: it is in none. */
export function pathInTemplateJob(path: FieldPath): FieldPath | undefined {
  return path[0] === 'job' || path[0] === 'jobTemplate' ? path : undefined;
}

export const templateNotes: FieldNotes = jobNotes({
  inJob: pathInTemplateJob,
  refusedInJob: refusedTemplateFields,
  unsupported: (path) => refusal(path, elsewhere.get(pathText(path))),
});

function refusal(path: FieldPath, hint: string | undefined): FieldExplanation | undefined {
  return hint === undefined ? undefined : { code: 'RefusedField', message: `"${String(path.at(-1))}" must not be set in a Template`, hint };
}
