/** What is wrong with declared parameters and outputs beyond their schema: patterns, and defaults that do not fit. */
import { arrayAt, isObject, objectAt, stringAt, type Json, type JsonObject } from '../lib/json.ts';
import { asMessage, shown } from '../lib/show.ts';
import type { FieldPath } from './field-path.ts';
import type { ParameterDocument } from './parameter-schema.ts';
import type { Finding } from './report.ts';
import { checkedValues } from './value-check.ts';
import type { ParameterSpec } from './workflow.ts';

/** Findings of the field `parameters`. */
export function parameterFindings(spec: JsonObject): Finding[] {
  const parameters = Object.entries(objectAt(spec, 'parameters'));
  const patterns = parameters.flatMap(([name, declared]) => patternFindings(declared, ['parameters', name]));
  const conflicts = parameters.flatMap(([name, declared]) => optionalFindings(declared, ['parameters', name]));
  const missing = requiredFindings(spec);
  // A pattern that cannot be compiled makes the whole unusable for checking defaults.
  return [...patterns, ...conflicts, ...missing, ...(patterns.length > 0 ? [] : defaultFindings(objectAt(spec, 'parameters')))];
}

/** Nobody is there to give a value when a run starts by itself. */
function requiredFindings(spec: JsonObject): Finding[] {
  const trigger = objectAt(spec, 'trigger');
  const by = trigger['onChange'] === true ? 'on change' : arrayAt(trigger, 'schedules').length > 0 ? 'on schedule' : undefined;
  if (by === undefined) return [];
  return Object.entries(objectAt(spec, 'parameters')).flatMap(([name, declared]): Finding[] => {
    if (!isObject(declared) || Object.hasOwn(declared, 'default') || declared['optional'] === true) return [];
    return [{ code: 'MissingField', message: `the parameter "${name}" needs a default: a run ${by} has no other values`, path: ['parameters', name, 'default'], hint: 'add default, set optional: true, or leave only trigger.onRequest' }];
  });
}

function patternFindings(declared: Json | undefined, path: FieldPath): Finding[] {
  if (!isObject(declared)) return [];
  const inner = [
    ...['items', 'additionalProperties'].flatMap((field) => patternFindings(declared[field], [...path, field])),
    ...Object.entries(objectAt(declared, 'properties')).flatMap(([name, value]) => patternFindings(value, [...path, 'properties', name])),
  ];
  const pattern = stringAt(declared, 'pattern');
  const problem = pattern === undefined ? undefined : problemOf(pattern);
  return problem === undefined ? inner : [{ code: 'InvalidValue', message: `${shown(pattern)} is no regular expression: ${problem}`, path: [...path, 'pattern'] }, ...inner];
}

function problemOf(pattern: string): string | undefined {
  try {
    new RegExp(pattern, 'u');
    return undefined;
  } catch (error) {
    return asMessage(error).replace(/^Invalid regular expression: (\/.*\/[a-z]*: )?/, '').toLowerCase();
  }
}

function optionalFindings(declared: Json | undefined, path: FieldPath): Finding[] {
  if (!isObject(declared) || declared['optional'] !== true || !Object.hasOwn(declared, 'default')) return [];
  return [{ code: 'ConflictingFields', message: '"optional" says that there may be no value, and there always is one: the default', path: [...path, 'optional'], part: 'key', hint: 'remove one of the two' }];
}

function defaultFindings(parameters: JsonObject): Finding[] {
  const given = Object.entries(parameters).filter((entry): entry is [string, JsonObject] => isObject(entry[1]) && Object.hasOwn(entry[1], 'default'));
  if (given.length === 0) return [];
  const values = Object.fromEntries(given.map(([name, declared]) => [name, declared['default'] ?? null]));
  const schema = { type: 'object', properties: Object.fromEntries(given.map(([name, declared]) => [name, schemaOf(declared)])) };
  return misfits(schema, values).map(({ path = [], ...finding }) => {
    const [name, ...rest] = path;
    if (name === undefined) return { ...finding, message: `the defaults of the parameters ${finding.message}`, path: ['parameters'] };
    return { ...finding, message: `the default does not fit its declaration: ${finding.message}`, path: ['parameters', name, 'default', ...rest] };
  });
}

/** Types of the defaults of declared outputs. `path` is that of the mapping. */
export function outputFindings(outputs: JsonObject, path: FieldPath): Finding[] {
  return Object.entries(outputs).flatMap(([name, declared]): Finding[] => {
    const type = stringAt(declared, 'type');
    const value = isObject(declared) ? declared['default'] : undefined;
    if (type === undefined || value === undefined || isOfType(value, type)) return [];
    return [{ code: 'WrongType', message: `the default ${shown(value)} is no ${type}`, path: [...path, name, 'default'] }];
  });
}

/** Whether a value is of a type as JSON Schema has it. */
export function isOfType(value: Json, type: string): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    default:
      return typeof value === type;
  }
}

function misfits(schema: JsonObject, values: JsonObject): Finding[] {
  const plain = Object.entries(objectAt(schema, 'properties')).every(([name, declared]) => isObject(declared) && Object.keys(declared).every((key) => key === 'type' || key === 'description') && isOfType(values[name] ?? null, stringAt(declared, 'type') ?? ''));
  // Compiling a schema takes milliseconds: not for what can be seen at a glance.
  if (plain) return [];
  try {
    return checkedValues(schema, values);
  } catch {
    // The declarations themselves are wrong, which the schema of Workflow has said.
    return [];
  }
}

/** The declaration as a JSON Schema, without what is not one. */
export function schemaOf(declared: JsonObject): JsonObject {
  const { default: _default, optional: _optional, ...schema } = declared;
  return schema;
}

/** Everything wrong with the values of a request: paths are names of parameters. Defaults must be filled in before. */
export function valueFindings(parameters: Readonly<Record<string, ParameterSpec>>, values: JsonObject): Finding[] {
  const declared = Object.entries(parameters);
  return checkedValues(
    {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(declared.map(([name, { schema }]) => [name, schema])),
      required: declared.filter(([, { optional }]) => !optional).map(([name]) => name),
    },
    values,
  );
}

/** Builds one parameter. */
export function parameterSpec(declared: ParameterDocument): ParameterSpec {
  return { type: declared.type, schema: schemaOf(declared), default: declared.default, optional: declared.optional === true };
}
