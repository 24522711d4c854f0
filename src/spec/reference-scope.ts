/** What a reference of a Workflow or Template stands for: where it leads, and of what type the value is, as far as that is declared. */
import { isObject, objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { endFields, runFields } from './expression-names.ts';
import { valueTypes } from './parameter-schema.ts';
import type { Reference } from './references.ts';
import type { ValueType } from './value-type.ts';
import { idOf, type StepText, type StepTexts } from './workflow-steps.ts';

/** What may be named in one place of the spec. */
export interface ReferenceScope {
  /** The step that the place belongs to; undefined: one of the workflow as a whole. */
  readonly step: StepText | undefined;
  /** `each`: the item of a forEach; `none`: no forEach; `other`: a place that is not done for each item; `never`: there are no items. */
  readonly item: 'each' | 'none' | 'other' | 'never';
  /** `before`: outputs of other steps; `after`: of all steps, and what came of the run; `never`: of none; `none`: there are no steps. */
  readonly steps: 'before' | 'after' | 'never' | 'none';
}

/** All that is declared. */
export interface Declarations {
  readonly spec: JsonObject;
  readonly steps: StepTexts;
}

/** Where a reference leads, or why nowhere. */
export type Resolved =
  | { readonly kind: 'value'; /** undefined: any. */ readonly type: ValueType | undefined; readonly step?: StepText }
  | { readonly kind: 'nothing'; readonly message: string; readonly hint: string };

/** Resolves one reference. */
export function resolve({ root, path, text, malformed }: Reference, scope: ReferenceScope, declared: Declarations): Resolved {
  if (malformed) return nothing(`${text} cannot be read: ${root} is followed by names such as .region, ["the region"] or [0]`, 'where the text itself must reach the container write $$ for $');
  switch (root) {
    case 'params':
      return parameter(path, text, declared);
    case 'steps':
      return output(path, text, scope, declared);
    case 'item':
      return item(path, text, scope);
    case 'run':
      return runField(path, text, scope);
    case 'message':
      return nothing(`${text} names nothing: messages are those of a Queue`, 'declare a parameter, and pass it from the message');
  }
}

function nothing(message: string, hint: string): Resolved {
  return { kind: 'nothing', message, hint };
}

function guess(name: string, known: readonly string[], otherwise: string): string {
  const found = nearest(name, known);
  return found === undefined ? otherwise : `did you mean "${found}"?`;
}

/** Both spellings of a declared name. */
function declaredAs(name: string, declared: JsonObject): string | undefined {
  if (Object.hasOwn(declared, name)) return name;
  return Object.keys(declared).find((known) => idOf(known) === idOf(name));
}

function typeAt(declared: unknown): ValueType | undefined {
  const type = stringAt(declared, 'type');
  return valueTypes.find((known) => known === type);
}

/** A value, or a field deep inside it, whose type nobody declares. */
function valueOf(type: ValueType | undefined, rest: readonly string[], text: string): Resolved {
  if (rest.length === 0) return { kind: 'value', type };
  if (type === undefined || type === 'object' || type === 'array') return { kind: 'value', type: undefined };
  return nothing(`${text} names a field of a value that has none: it is declared as ${type}`, 'leave the field out, or declare the type object');
}

function parameter([name, ...rest]: readonly string[], text: string, { spec }: Declarations): Resolved {
  const parameters = objectAt(spec, 'parameters');
  const names = Object.keys(parameters);
  const known = names.length === 0 ? 'no parameters are declared: add parameters' : `the parameters are ${names.slice(0, 12).join(', ')}`;
  if (name === undefined) return nothing(`${text} names no parameter`, known);
  const found = declaredAs(name, parameters);
  if (found === undefined) return nothing(`there is no parameter "${name}"`, guess(name, names, known));
  return valueOf(typeAt(parameters[found]), rest, text);
}

function output([name, field, key, ...rest]: readonly string[], text: string, scope: ReferenceScope, { steps }: Declarations): Resolved {
  const found = stepNamed(name ?? '', scope, steps);
  if (found.kind === 'nothing') return found;
  const { step } = found;
  const outputs = objectAt(step.value, 'outputs');
  const names = Object.keys(outputs);
  const known = names.length === 0 ? `declare it in step "${step.name}": outputs: {${key ?? 'rows'}: {type: string}}` : `its outputs are ${names.join(', ')}`;
  if (field !== 'outputs' || key === undefined) return nothing(`${text} names no output: a reference to a step is $(steps.${step.name}.outputs.NAME)`, field === 'outputs' ? known : 'outcomes of steps are for dependsOn and when');
  const declared = declaredAs(key, outputs);
  if (declared === undefined) return nothing(`the step "${step.name}" declares no output "${key}"`, guess(key, names, known));
  const value = valueOf(outputType(step, outputs[declared]), rest, text);
  return value.kind === 'value' ? { ...value, step } : value;
}

/** Outputs of the items of a forEach are a list. */
export function outputType(step: StepText, declared: unknown): ValueType | undefined {
  return Object.hasOwn(step.value, 'forEach') ? 'array' : typeAt(declared);
}

function stepNamed(name: string, { step: own, steps: which }: ReferenceScope, { byId }: StepTexts): { readonly kind: 'step'; readonly step: StepText } | Extract<Resolved, { kind: 'nothing' }> {
  const refuse = (message: string, hint: string) => ({ kind: 'nothing' as const, message, hint });
  const step = byId.get(idOf(name));
  if (which === 'none') return refuse(`a template has no steps whose outputs could be named: $(steps.${name}…)`, 'declare a parameter: a step of a Workflow can pass the output of another in template.parameters');
  if (which === 'never') return refuse(`outputs of steps have no place in jobDefaults, which are for all steps: $(steps.${name}…)`, 'use params and run here, and outputs in the steps that need them');
  if (!step) return refuse(`there is no step "${name}"`, guess(name, [...byId.values()].map((known) => known.name), 'a step is named by its field "name"'));
  if (step === own && which === 'before') return refuse(`the step "${name}" cannot use its own outputs`, 'they are known when it has ended');
  if (step.late && own?.late === false) return refuse(`the step "${name}" is one of finally, which start when all others are over`, 'only steps of finally can use its outputs');
  return { kind: 'step', step };
}

function item(path: readonly string[], text: string, { step, item: where }: ReferenceScope): Resolved {
  if (where === 'never') return nothing(`${text} names nothing: a template has no items`, 'declare a parameter: a step of a Workflow with forEach can pass its item in template.parameters');
  if (where === 'other') return nothing(`${text} has no place here, which is not done for each item`, 'use it in job, jobTemplate, timeout, template.parameters or workflow.parameters of a step with forEach');
  if (where === 'none' || !step) return nothing(`${text} names nothing: the step has no forEach`, 'add forEach; where the text itself must reach the container write $$(item)');
  const forEach = objectAt(step.value, 'forEach');
  if (Object.hasOwn(forEach, 'count')) return valueOf('integer', path, text);
  const items = Array.isArray(forEach['items']) ? forEach['items'] : [];
  const types = new Set(items.map((value) => valueTypes.find((type) => type === typeName(value))));
  const [only] = types;
  return path.length === 0 && types.size === 1 ? { kind: 'value', type: only } : { kind: 'value', type: undefined };
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (Number.isInteger(value)) return 'integer';
  // An item that is a reference itself may turn out to be anything.
  if (typeof value === 'string') return value.includes('$(') ? '' : 'string';
  return isObject(value) ? 'object' : typeof value;
}

function runField([name = '', ...rest]: readonly string[], text: string, { steps }: ReferenceScope): Resolved {
  const names = Object.keys(runFields) as (keyof typeof runFields)[];
  const field = names.find((known) => known === name);
  if (field === undefined) return nothing(`there is no "${name}" among the fields of run`, guess(name, names, `the fields of run are ${names.join(', ')}`));
  if (endFields.has(field) && steps !== 'after') return nothing(`${text} is known only when all steps have ended`, steps === 'none' ? 'remove it: a template has nothing that comes after its Job' : 'use it in a step of finally, in undo or in outputs');
  return valueOf(field === 'attempt' ? 'integer' : field === 'failedSteps' ? 'array' : 'string', rest, text);
}
