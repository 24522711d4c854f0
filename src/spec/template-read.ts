/**
 * Reads a Template: schema, rules, build. Its text is that of a step of a Workflow, written at the top of the spec, and is
 * read as one; so whatever holds for the Job of a step holds here.
 */
import { objectAt, type JsonObject } from '../lib/json.ts';
import { withoutHead, type KindInput, type KindReading } from './kind-reading.ts';
import { extraMetadataFindings } from './job-rules.ts';
import { outputFindings, parameterFindings } from './parameter-rules.ts';
import type { ReferenceScope } from './reference-scope.ts';
import type { Finding } from './report.ts';
import { schemaFindings } from './schema-findings.ts';
import { fileFindings, jobRules, retryFindings } from './step-rules.ts';
import { buildTemplate } from './template-build.ts';
import { templateNotes } from './template-notes.ts';
import { templateJsonSchema, templateWork } from './template-schema.ts';
import { validator } from './validate.ts';
import { isAboutPath, namedFiles } from './workflow-files.ts';
import { referencesAt, unreplacedFindings, type Place } from './workflow-references.ts';
import { exactlyOne, uniqueKeys } from './workflow-rules.ts';
import type { StepText, StepTexts } from './workflow-steps.ts';

const errorsOf = validator(templateJsonSchema);

/** Name of the only step of its runs. */
export const templateStep = 'job';
/** Fields that a template and a step have in common. */
const stepFields = [...templateWork, 'timeout', 'startTimeout', 'retry', 'outputs', 'files'];

export function readTemplate({ value, input, environment }: KindInput): KindReading {
  const steps = stepOf(value);
  const references = referencesAt({ spec: value, steps }, steps.all.flatMap(placesOf));
  const errors = errorsOf(value).filter((error) => input.paths !== true || !isAboutPath(error, value, (path) => path));
  const known = references.withoutOpen(errors);
  const files = namedFiles(steps, input.data);
  const findings: Finding[] = [
    ...withoutHead(schemaFindings(known.errors, value, templateNotes)),
    ...known.findings,
    ...exactlyOne(value, [], templateWork, 'job is a flat recipe such as {image: ghcr.io/acme/resize:1.0}, jobTemplate a whole JobTemplateSpec, jobFile the data key of a Job'),
    ...verbatimFindings(value),
    ...retryFindings(value, []),
    ...fileFindings(value),
    ...jobRules(value, value),
    ...extraMetadataFindings(value),
    ...parameterFindings(value),
    ...['parameters', 'outputs'].flatMap((field) => uniqueKeys(value, [field])),
    ...outputFindings(objectAt(value, 'outputs'), ['outputs']),
    ...references.findings,
    ...unreplacedFindings(value, unreplaced, 'references are replaced in job, jobTemplate and timeout'),
    ...files.findings,
  ];
  return { findings, files: files.keys, build: (identity) => buildTemplate({ value, steps, dependencies: new Map(), files, input, environment }, identity) };
}

function stepOf(spec: JsonObject): StepTexts {
  const value = Object.fromEntries(Object.entries(spec).filter(([field]) => stepFields.includes(field)));
  const step: StepText = { name: templateStep, id: templateStep, late: false, phase: undefined, path: [], value };
  return { all: [step], byId: new Map([[step.id, step]]), phases: [] };
}

function placesOf(step: StepText): Place[] {
  const scope: ReferenceScope = { step, item: 'never', steps: 'none' };
  return ['job', 'jobTemplate', 'timeout'].map((field) => ({ path: [field], scope, edges: false }));
}

const unreplaced = [['startTimeout'], ['jobFile'], ['retry'], ['outputs'], ['jobMetadata'], ['podMetadata']];

/** A Job of a file is used as it stands. */
function verbatimFindings(value: JsonObject): Finding[] {
  if (!Object.hasOwn(value, 'jobFile') || !Object.hasOwn(value, 'files')) return [];
  return [{ code: 'ConflictingFields', message: '"files" does not go with "jobFile": a Job of a file is used as it stands', path: ['files'], part: 'key', hint: 'remove one of the two' }];
}
