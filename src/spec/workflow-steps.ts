/** The steps in the text of a Workflow, whichever way they are written. Reads anything, also what is invalid. */
import { isObject, stringAt, type JsonObject } from '../lib/json.ts';
import type { FieldPath } from './field-path.ts';
import { part, listed } from './job-parts.ts';
import { namePattern } from './parameter-schema.ts';

/** One step as it is written. */
export interface StepText {
  /** Empty where it has none. */
  readonly name: string;
  /** How expressions spell the name. */
  readonly id: string;
  /** One of `finally`. */
  readonly late: boolean;
  /** Index of its phase. */
  readonly phase: number | undefined;
  readonly path: FieldPath;
  readonly value: JsonObject;
}

/** All steps, and the phases by name. */
export interface StepTexts {
  /** In the order of the text, those of `finally` last. */
  readonly all: readonly StepText[];
  /** Steps with a legal name; of two with one name the first. */
  readonly byId: ReadonlyMap<string, StepText>;
  readonly phases: readonly string[];
}

/** The fields of which a step has exactly one. */
export const workFields = ['job', 'jobTemplate', 'jobFile', 'jobFiles', 'template', 'workflow', 'approve'] as const;
export type WorkField = (typeof workFields)[number];

/** How expressions spell a name, in which a hyphen is a minus. Names are unique after this. */
export function idOf(name: string): string {
  return name.replaceAll('-', '_');
}

const legalName = new RegExp(namePattern);

/** Finds them. */
export function stepTexts(spec: JsonObject): StepTexts {
  const phases = listed(spec, ['phases']);
  const inPhases = phases.flatMap(({ path }, index) => stepsAt(spec, [...path, 'steps'], { phase: Number(path.at(-1) ?? index), late: false }));
  const all = [...inPhases, ...stepsAt(spec, ['steps'], { phase: undefined, late: false }), ...stepsAt(spec, ['finally'], { phase: undefined, late: true })];
  const byId = new Map<string, StepText>();
  for (const step of all) if (legalName.test(step.name) && !byId.has(step.id)) byId.set(step.id, step);
  const names = Array.isArray(spec['phases']) ? spec['phases'].map((phase) => stringAt(phase, 'name') ?? '') : [];
  return { all, byId, phases: names };
}

function stepsAt(spec: JsonObject, path: FieldPath, of: Pick<StepText, 'phase' | 'late'>): StepText[] {
  return listed(spec, path).map(({ path: at, value }) => {
    const name = stringAt(value, 'name') ?? '';
    return { name, id: idOf(name), ...of, path: at, value };
  });
}

/** What the step does; undefined where it says nothing, or more than one thing. */
export function workOf(step: StepText): WorkField | undefined {
  const given = workFields.filter((field) => Object.hasOwn(step.value, field));
  return given.length === 1 ? given[0] : undefined;
}

/** The mapping `undo` of a step. */
export function undoOf(step: StepText): JsonObject | undefined {
  const undo = step.value['undo'];
  return isObject(undo) ? undo : undefined;
}

/** A path in a Workflow as seen from the step that it is in; undefined: in none. */
export function pathInStep(path: FieldPath): FieldPath | undefined {
  const [first, , third] = path;
  if ((first === 'steps' || first === 'finally') && typeof path[1] === 'number') return path.slice(2);
  return first === 'phases' && third === 'steps' && typeof path[3] === 'number' ? path.slice(4) : undefined;
}

/** The part of a path from `job` or `jobTemplate` on; undefined: not in a Job. */
export function pathInJob(path: FieldPath): FieldPath | undefined {
  if (path[0] === 'jobDefaults') return ['job', ...path.slice(1)];
  const inside = pathInStep(path);
  const at = inside?.[0] === 'undo' ? inside.slice(1) : inside;
  return at?.[0] === 'job' || at?.[0] === 'jobTemplate' ? at : undefined;
}

/** `job` with the fields of jobDefaults that it does not have. */
export function recipeOf(spec: JsonObject, holder: JsonObject): JsonObject | undefined {
  const own = part(holder, ['job']);
  const defaults = part(spec, ['jobDefaults']);
  return own && { ...defaults?.value, ...own.value };
}
