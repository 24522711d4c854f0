/** What can be said about fields of a Run beyond its schema. */
import { noNotes, type FieldNotes } from './job-refusals.ts';

const ofTarget = 'a Run says what is to run and with which values; how it runs is said in the template or workflow';
const others: ReadonlySet<string> = new Set(['job', 'jobTemplate', 'jobFile', 'steps', 'timeout', 'startTimeout', 'retry', 'concurrency', 'retention', 'outputs', 'files', 'trigger', 'jobMetadata', 'podMetadata', 'health']);

export const runNotes: FieldNotes = {
  ...noNotes,
  explain: ([field, ...rest]) => {
    if (rest.length > 0 || !others.has(String(field))) return undefined;
    return { code: 'RefusedField', message: `"${String(field)}" must not be set in a Run`, hint: ofTarget };
  },
};
