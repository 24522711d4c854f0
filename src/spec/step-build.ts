/** Builds one step of a Workflow: defaults filled in, names resolved, durations in milliseconds. */
import { isObject, objectAt, stringAt, type Json, type JsonObject } from '../lib/json.ts';
import { parseDuration } from '../lib/duration.ts';
import { fillDefaults, milliseconds, type Filled } from './common-build.ts';
import { mayBeIndexed } from './for-each-shape.ts';
import { mergeJobDefaults } from './job-defaults.ts';
import { expandRecipe, withJobDefaults } from './job-recipe.ts';
import { stepSchema, type StepDocument } from './step-schema.ts';
import type { CheckedWorkflow } from './workflow-checked.ts';
import { matching } from './workflow-files.ts';
import { recipeOf, type StepText } from './workflow-steps.ts';
import type { Dependency, ForEachSource, ForEachSpec, OutputSpec, RetrySpec, StepSpec, StepWork, TimeSpec, UndoSpec } from './workflow.ts';

/** The step must have passed the schema and the rules. */
export function buildStep(step: StepText, checked: CheckedWorkflow): StepSpec {
  const filled = fillDefaults(stepSchema as unknown as JsonObject, step.value) as unknown as Filled<StepDocument>;
  const given = step.value as unknown as StepDocument;
  const work = workSpec(step, checked);
  return {
    name: step.name,
    id: step.id,
    phase: step.phase === undefined ? undefined : checked.steps.phases[step.phase],
    work,
    dependsOn: dependency(step, checked),
    when: checked.dependencies.get(step)?.when,
    forEach: forEachSpec(given, work),
    retry: retrySpec(given.retry),
    startTimeout: milliseconds(filled.startTimeout),
    timeout: timeSpec(given.timeout),
    allowFailure: filled.allowFailure,
    undo: undoSpec(step, checked),
    outputs: Object.fromEntries(Object.entries(filled.outputs).map(([name, declared]): [string, OutputSpec] => [name, { type: declared.type, default: declared.default }])),
    files: filled.files,
  };
}

function workSpec(step: StepText, checked: CheckedWorkflow): StepWork {
  const { jobFile, jobFiles, template, workflow, approve, maxParallel } = step.value as unknown as StepDocument;
  if (template) return { kind: 'subRun', target: { kind: 'template', name: template.name }, parameters: template.parameters ?? {} };
  if (workflow) return { kind: 'subRun', target: { kind: 'workflow', name: workflow.name }, parameters: workflow.parameters ?? {} };
  if (approve) return { kind: 'approve', message: approve.message ?? '' };
  if (jobFile !== undefined) return { kind: 'manifests', manifests: manifests([jobFile], checked), several: false };
  if (jobFiles !== undefined) return { kind: 'manifests', manifests: manifests(matching(jobFiles, [...checked.files.manifests.keys()]), checked), several: true, maxParallel };
  return { kind: 'job', template: jobSpec(step.value, checked) };
}

function manifests(files: readonly string[], { files: { manifests: read }, environment }: CheckedWorkflow) {
  return files.map((file) => ({ file, template: mergeJobDefaults(read.get(file) ?? {}, environment.jobDefaults) }));
}

/** The Job of a `job` or `jobTemplate`. */
function jobSpec(holder: JsonObject, { value, environment }: CheckedWorkflow): JsonObject {
  const recipe = recipeOf(value, holder);
  return mergeJobDefaults(withJobDefaults(recipe ? expandRecipe(recipe) : objectAt(holder, 'jobTemplate')), environment.jobDefaults);
}

function dependency(step: StepText, { dependencies, steps: { phases } }: CheckedWorkflow): Dependency {
  const { all = [], phase, expression } = dependencies.get(step) ?? {};
  return { all: all.map(({ to }) => to.name), phase: phase === undefined ? undefined : phases[phase], expression };
}

function forEachSpec(given: StepDocument, work: StepWork): ForEachSpec | undefined {
  if (!given.forEach) return undefined;
  return { source: sourceOf(given.forEach), maxParallel: given.maxParallel, shape: shapeOf(given, work) };
}

function sourceOf({ items, from, count }: NonNullable<StepDocument['forEach']>): ForEachSource {
  if (items !== undefined) return { kind: 'items', items };
  return from === undefined ? { kind: 'count', count: count ?? 0 } : { kind: 'from', reference: from };
}

/**
 * One Indexed Job where it may be. Kubernetes counts containers that start again in place (OnFailure) over all indexes
 * together, so that one bad item would end the others.
 */
function shapeOf(given: StepDocument, work: StepWork): ForEachSpec['shape'] {
  if (work.kind !== 'job' || restartsInPlace(work.template)) return 'jobs';
  return mayBeIndexed(given as unknown as JsonObject) ? 'indexed' : 'jobs';
}

/** Also where a reference leaves it open. */
function restartsInPlace(template: JsonObject): boolean {
  return stringAt(objectAt(objectAt(objectAt(template, 'spec'), 'template'), 'spec'), 'restartPolicy') !== 'Never';
}

/** One attempt, for what is not tried again. */
const once: RetrySpec = { attempts: 1, within: undefined, delay: 10_000, factor: 2, maxDelay: 300_000, exitCodes: undefined, onOOM: undefined };

/** `retry` as it is written, with its defaults. */
export function retrySpec(given: StepDocument['retry']): RetrySpec {
  if (!given) return once;
  const { within, delay, factor, maxDelay, exitCodes, onOOM } = given;
  return {
    attempts: given.attempts,
    within: within === undefined ? undefined : milliseconds(within),
    delay: delay === undefined ? once.delay : milliseconds(delay),
    factor: factor ?? once.factor,
    maxDelay: maxDelay === undefined ? once.maxDelay : milliseconds(maxDelay),
    exitCodes: exitCodes?.retry ? { retry: exitCodes.retry } : exitCodes?.fail ? { fail: exitCodes.fail } : undefined,
    onOOM: onOOM && { factor: onOOM.factor ?? 2, maxMemory: String(onOOM.maxMemory) },
  };
}

function timeSpec(text: string | undefined): TimeSpec | undefined {
  return text === undefined ? undefined : (parseDuration(text) ?? text);
}

function undoSpec(step: StepText, checked: CheckedWorkflow): UndoSpec | undefined {
  const { undo } = step.value as unknown as StepDocument;
  if (!undo) return undefined;
  const holder: Json = step.value['undo'] ?? {};
  const [manifest] = undo.jobFile === undefined ? [] : manifests([undo.jobFile], checked);
  return {
    template: manifest?.template ?? jobSpec(isObject(holder) ? holder : {}, checked),
    ...(manifest ? { verbatim: true } : {}),
    retry: retrySpec(undo.retry),
    startTimeout: undo.startTimeout === undefined ? 900_000 : milliseconds(undo.startTimeout),
    timeout: undo.timeout === undefined ? undefined : milliseconds(undo.timeout),
  };
}
