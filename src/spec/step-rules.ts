/** What a step must be beyond its schema: one sort of work, and only fields that go with it. */
import { isObject, type JsonObject } from '../lib/json.ts';
import type { FieldPath } from './field-path.ts';
import { isReservedPath, jobFindings } from './job-rules.ts';
import { part } from './job-parts.ts';
import type { Finding } from './report.ts';
import { scriptFindings } from './script-rules.ts';
import { credentialFindings } from './text-rules.ts';
import { exactlyOne } from './workflow-rules.ts';
import { recipeOf, undoOf, workFields, workOf, type StepText, type StepTexts, type WorkField } from './workflow-steps.ts';

/** Rules of each step by itself. */
export function stepFindings(spec: JsonObject, { all }: StepTexts): Finding[] {
  return [...all.flatMap((step) => findingsOf(spec, step)), ...defaultsFindings(spec)];
}

function findingsOf(spec: JsonObject, step: StepText): Finding[] {
  const undo = undoOf(step);
  return [
    ...under(step.path, [
      ...workChoice(step),
      ...misplacedFields(step),
      ...retryFindings(step.value, []),
      ...fileFindings(step.value),
      ...jobRules(spec, step.value),
    ]),
    ...(undo ? under([...step.path, 'undo'], [...exactlyOne(undo, [], ['job', 'jobTemplate', 'jobFile'], 'job is a flat recipe such as {image: ghcr.io/acme/load:1.0}'), ...retryFindings(undo, []), ...jobRules(spec, undo)]) : []),
  ];
}

function under(path: FieldPath, findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => ({ ...finding, path: [...path, ...(finding.path ?? [])] }));
}

function workChoice({ value }: StepText): Finding[] {
  return exactlyOne(value, [], workFields, 'job is a flat recipe such as {image: ghcr.io/acme/load:1.0}, jobTemplate a whole JobTemplateSpec, jobFile the data key of a Job');
}

const noJob = 'it starts no Job of its own';
const asItStands = 'a Job of a file is used as it stands';
/** Fields that do not go with a sort of work, and why. */
const misplaced: Readonly<Record<WorkField, Readonly<Record<string, string>>>> = {
  job: {},
  jobTemplate: {},
  jobFile: { forEach: asItStands, files: asItStands },
  jobFiles: { forEach: asItStands, files: asItStands, outputs: 'it is several Jobs, none of which speaks for all' },
  template: { files: noJob, startTimeout: noJob },
  workflow: { files: noJob, startTimeout: noJob },
  approve: { forEach: 'it is one answer', retry: 'it is one answer', outputs: 'an answer has no outputs', undo: 'there is nothing to undo', files: noJob, startTimeout: noJob },
};

function misplacedFields(step: StepText): Finding[] {
  const work = workOf(step);
  if (work === undefined) return [];
  const given = Object.entries(misplaced[work]).filter(([field]) => Object.hasOwn(step.value, field));
  const findings = given.map(([field, why]): Finding => ({ code: 'ConflictingFields', message: `"${field}" does not go with "${work}": ${why}`, path: [field], part: 'key', hint: 'remove one of the two' }));
  return [...findings, ...parallelFindings(step, work), ...indexedFindings(step, work), ...(step.late ? lateFindings(step) : []), ...forEachFindings(step)];
}

function parallelFindings({ value }: StepText, work: WorkField): Finding[] {
  if (!Object.hasOwn(value, 'maxParallel') || Object.hasOwn(value, 'forEach') || work === 'jobFiles') return [];
  return [{ code: 'ConflictingFields', message: '"maxParallel" of a step is about the items of forEach and the Jobs of jobFiles, and there are none', path: ['maxParallel'], part: 'key', hint: 'for all Jobs of the run set maxParallel of the workflow' }];
}

/** forEach decides itself how many pods there are. */
const indexFields = ['parallelism', 'completions', 'completionMode', 'successPolicy', 'backoffLimitPerIndex', 'maxFailedIndexes'];

function indexedFindings({ value }: StepText, work: WorkField): Finding[] {
  if (!Object.hasOwn(value, 'forEach')) return [];
  const job = part(value, work === 'job' ? ['job'] : ['jobTemplate', 'spec']);
  return indexFields
    .filter((field) => job !== undefined && Object.hasOwn(job.value, field))
    .map((field) => ({ code: 'ConflictingFields', message: `"${field}" does not go with "forEach", which decides how many pods there are`, path: [...(job?.path ?? []), field], part: 'key', hint: 'remove one of the two; maxParallel of the step says how many items run at once' }));
}

function forEachFindings({ value }: StepText): Finding[] {
  const forEach = value['forEach'];
  if (!isObject(forEach)) return [];
  return exactlyOne(forEach, ['forEach'], ['items', 'from', 'count'], 'items is a list, from a reference to one, count a number');
}

function lateFindings({ value }: StepText): Finding[] {
  if (!Object.hasOwn(value, 'undo')) return [];
  return [{ code: 'ConflictingFields', message: '"undo" is for steps that a run reverts, and that is over when the steps of finally start', path: ['undo'], part: 'key', hint: 'remove it' }];
}

/** `retry` of a step, of its undo, or of a Template. */
export function retryFindings(value: JsonObject, path: FieldPath): Finding[] {
  const retry = value['retry'];
  if (!isObject(retry)) return [];
  const exitCodes = retry['exitCodes'];
  const runs = (['template', 'workflow'] as const).find((field) => Object.hasOwn(value, field));
  const sub = runs === undefined ? [] : ['exitCodes', 'onOOM'].filter((field) => Object.hasOwn(retry, field));
  return [
    ...(isObject(exitCodes) ? exactlyOne(exitCodes, [...path, 'retry', 'exitCodes'], ['retry', 'fail'], 'retry lists the exit codes that are tried again, fail those that are final') : []),
    ...sub.map((field): Finding => ({ code: 'ConflictingFields', message: `"${field}" does not go with "${runs ?? ''}": a run has no containers`, path: [...path, 'retry', field], part: 'key', hint: runs === 'template' ? 'set it in the template' : 'set it in the steps of that workflow' })),
  ];
}

/** Paths of `files`. */
export function fileFindings(value: JsonObject): Finding[] {
  const files = part(value, ['files']);
  return Object.keys(files?.value ?? {})
    .filter(isReservedPath)
    .map((target) => ({ code: 'ReservedName', message: `"${target}" is under /job-chief, where job-chief mounts its own files`, path: ['files', target], part: 'key', hint: 'mount it somewhere else' }));
}

/** Rules of the Job as it will be, with the fields of jobDefaults. What is wrong in those is told once, there. */
export function jobRules(spec: JsonObject, holder: JsonObject): Finding[] {
  const recipe = recipeOf(spec, holder);
  const merged = recipe ? { ...holder, job: recipe } : holder;
  const own = part(holder, ['job'])?.value;
  const isOwn = ({ path = [], code }: Finding): boolean => path[0] !== 'job' || code === 'ConflictingFields' || own === undefined || Object.hasOwn(own, String(path[1]));
  return [...imageFindings(recipe, spec !== holder), ...[...jobFindings(merged), ...credentialFindings(merged), ...scriptFindings(merged)].filter(isOwn)];
}

function imageFindings(recipe: JsonObject | undefined, hasSteps: boolean): Finding[] {
  if (!recipe || Object.hasOwn(recipe, 'image')) return [];
  return [{ code: 'MissingField', message: 'the field "image" is required', path: ['job', 'image'], hint: hasSteps ? 'set it here, or for all steps in jobDefaults' : 'name the image that the container runs' }];
}

function defaultsFindings(spec: JsonObject): Finding[] {
  const defaults = part(spec, ['jobDefaults']);
  if (!defaults) return [];
  const holder = { job: defaults.value };
  return [...jobFindings(holder), ...credentialFindings(holder), ...scriptFindings(holder)].map((finding) => ({ ...finding, path: ['jobDefaults', ...(finding.path ?? []).slice(1)] }));
}
