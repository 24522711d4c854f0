/** A JSON Schema as far as it is explained: what stands at a field, and what lies below it. */
import { arrayAt, isObject, numberAt, objectAt, stringAt, type Json, type JsonObject } from '../../lib/json.ts';

export interface Field {
  readonly name: string;
  readonly schema: JsonObject;
  readonly required: boolean;
}

/** Follows references, as often as they lead to others. */
export function resolved(schema: JsonObject, root: JsonObject): JsonObject {
  const { $ref: reference, ...own } = schema;
  if (typeof reference !== 'string') return schema;
  const target = reference.replace(/^#\//, '').split('/').reduce<JsonObject>((at, key) => objectAt(at, key), root);
  return { ...resolved(target, root), ...own };
}

/** All forms that a value may have: of alternatives each. */
function alternatives(schema: JsonObject, root: JsonObject): readonly JsonObject[] {
  const whole = resolved(schema, root);
  const others = [...arrayAt(whole, 'anyOf'), ...arrayAt(whole, 'oneOf')].filter(isObject);
  return [whole, ...others.flatMap((one) => alternatives(one, root))];
}

/** The fields of a mapping, of the mappings in a list, or of those that are kept by name. */
export function fieldsOf(schema: JsonObject, root: JsonObject): readonly Field[] {
  const fields = new Map<string, Field>();
  for (const form of alternatives(schema, root)) {
    const required = arrayAt(form, 'required');
    for (const [name, field] of Object.entries(objectAt(form, 'properties'))) {
      if (isObject(field) && !fields.has(name)) fields.set(name, { name, schema: resolved(field, root), required: required.includes(name) });
    }
  }
  if (fields.size > 0) return [...fields.values()];
  const inner = innerOf(schema, root);
  return inner ? fieldsOf(inner, root) : [];
}

/** What is in a list, or in a mapping by name; undefined: it holds nothing. */
export function innerOf(schema: JsonObject, root: JsonObject): JsonObject | undefined {
  for (const form of alternatives(schema, root)) {
    const inner = form['items'] ?? form['additionalProperties'];
    if (isObject(inner)) return resolved(inner, root);
  }
  return undefined;
}

/** Whether users choose the names of what is in it. */
export function isByName(schema: JsonObject, root: JsonObject): boolean {
  return alternatives(schema, root).some((form) => isObject(form['additionalProperties']) && form['properties'] === undefined);
}

const words: Readonly<Record<string, string>> = { object: 'mapping', array: 'list', integer: 'integer', number: 'number', string: 'text', boolean: 'true or false', null: 'null' };

/** `integer, 1 to 10000`; `list of mappings`; `delete or finish`. */
export function typeText(schema: JsonObject, root: JsonObject): string {
  const whole = resolved(schema, root);
  const { const: constant, enum: choices, anyOf } = whole;
  if (constant !== undefined) return JSON.stringify(constant);
  if (Array.isArray(choices)) return choices.filter((choice) => typeof choice === 'string' || typeof choice === 'number').map(String).join(' or ');
  if (Array.isArray(anyOf)) return [...new Set(anyOf.filter(isObject).map((one) => typeText(one, root)))].filter((text) => text !== 'any value').join(', or ') || 'any value';
  if (whole['durationBetween'] !== undefined) return 'duration';
  const types = [whole['type'] ?? []].flat().filter((type): type is string => typeof type === 'string');
  if (types.length === 0) return isObject(whole['properties']) ? 'mapping' : 'any value';
  return types.map((type) => oneType(type, whole, root)).join(' or ');
}

function oneType(type: string, schema: JsonObject, root: JsonObject): string {
  const inner = innerOf(schema, root);
  if (type === 'array' && inner) return `list of ${plural(typeText(inner, root))}`;
  if (type === 'object' && inner && schema['properties'] === undefined) return `mapping of names to ${plural(typeText(inner, root))}`;
  return `${words[type] ?? type}${type === 'integer' || type === 'number' ? bounds(schema) : ''}`;
}

function plural(text: string): string {
  return /^(mapping|text|integer|number|list)\b/.test(text) ? text.replace(/^\w+/, (word) => `${word}s`) : text;
}

function bounds(schema: JsonObject): string {
  const least = numberAt(schema, 'minimum');
  const most = numberAt(schema, 'maximum');
  if (least === undefined) return most === undefined ? '' : `, at most ${most}`;
  if (most === undefined) return `, at least ${least}`;
  return least === most ? `, ${least} only` : `, ${least} to ${most}`;
}

/** As it would be written in a spec; undefined: it has none. */
export function defaultText(schema: JsonObject): string | undefined {
  const value: Json | undefined = schema['default'];
  return value === undefined ? undefined : flow(value);
}

/** YAML in one line. */
function flow(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (isObject(value)) return `{${Object.entries(value).map(([name, entry]) => `${name}: ${flow(entry ?? null)}`).join(', ')}}`;
  return typeof value === 'string' ? (value === '' ? "''" : value) : JSON.stringify(value);
}

export function descriptionOf(schema: JsonObject): string {
  return stringAt(schema, 'description') ?? '';
}
