/** Ajv's errors in words that a user of the spec can act on. */
import { isObject, objectAt, type Json, type JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { anyOf, shown } from '../lib/show.ts';
import { pointerPath, type FieldPath } from './field-path.ts';
import { jobSchemaNote, noNotes, type FieldNotes } from './job-refusals.ts';
import type { Finding } from './report.ts';
import type { SchemaError } from './validate.ts';

/** More would not be shown, and guessing what each unknown field means takes time. */
const mostFindings = 1_000;

/** One finding for each thing that is wrong, however many errors the validator made of it. */
export function schemaFindings(errors: readonly SchemaError[], root: Json, notes: FieldNotes = noNotes): Finding[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf').map(({ schemaPath }) => `${schemaPath}/`);
  const told = errors.filter((error) => {
    // A oneOf (job or jobTemplate, …) is for editors: the rules of the kinds say it better.
    if (/\/oneOf(\/|$)/.test(error.schemaPath) || error.keyword === 'propertyNames') return false;
    return !unions.some((union) => error.schemaPath.startsWith(union));
  });
  const findings = told.slice(0, mostFindings).map((error) => finding(error, root, notes));
  const guesses = new Set(findings.map(({ guess }) => guess).filter((guess) => guess !== undefined));
  // A misspelt required field is one mistake, not two.
  return findings.filter(({ missing }) => missing === undefined || !guesses.has(missing)).map(({ found }) => found);
}

interface Told {
  readonly found: Finding;
  /** Field that an unknown one was taken for, and field that is missing: JSON of the path. */
  readonly guess?: string;
  readonly missing?: string;
}

function finding(error: SchemaError, root: Json, notes: FieldNotes): Told {
  const path = pointerPath(error.instancePath, root);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(error, path, notes);
    case 'required':
      return missingField(error, path);
    case 'type':
      return { found: wrongType(error, path) };
    default:
      return { found: invalidValue(error, path) };
  }
}

function unknownField(error: SchemaError, path: FieldPath, notes: FieldNotes): Told {
  const field = String((error.params as { additionalProperty?: unknown }).additionalProperty);
  const place = { path: [...path, field], part: 'key' as const };
  const explained = notes.explain(place.path);
  if (explained) {
    const { instead, ...told } = explained;
    return { found: { ...told, ...place }, ...(instead === undefined ? {} : { guess: JSON.stringify(instead) }) };
  }
  const known = Object.keys(objectAt(error.parentSchema, 'properties'));
  const refused = notes.refusedUnder(path);
  const guess = nearest(field, [...known, ...Object.keys(refused)]);
  const note = notes.isOfKubernetes(path) ? `; ${jobSchemaNote}` : '';
  const hint = guess === undefined ? `${knownFields(known)}${note}` : guessHint(guess, refused[guess], note);
  const found: Finding = { code: 'UnknownField', message: `unknown field ${shown(field)}`, hint, ...place };
  return guess === undefined ? { found } : { found, guess: JSON.stringify([...path, guess]) };
}

function guessHint(guess: string, refused: string | undefined, note: string): string {
  return refused === undefined ? `did you mean "${guess}"?${note.replace(/^; /, ' ')}` : `did you mean "${guess}"? That must not be set here: ${refused}`;
}

function knownFields(known: readonly string[]): string {
  return known.length > 0 && known.length <= 16 ? `the fields here are ${known.join(', ')}` : 'remove it or correct its name';
}

function missingField(error: SchemaError, path: FieldPath): Told {
  const field = String((error.params as { missingProperty?: unknown }).missingProperty);
  const schema = objectAt(objectAt(error.parentSchema, 'properties'), field);
  const description = typeof schema['description'] === 'string' ? schema['description'] : undefined;
  const full = [...path, field];
  return { found: { code: 'MissingField', message: `the field "${field}" is required`, path: full, hint: description }, missing: JSON.stringify(full) };
}

function wrongType(error: SchemaError, path: FieldPath): Finding {
  const { parentSchema, data } = error;
  const types = [(error.params as { type?: unknown }).type].flat().map(String);
  const expected = messageOf(parentSchema) ?? `must be ${types.map(typeName).join(' or ')}`;
  return { code: 'WrongType', message: `${expected}, ${actual(data)}`, path, hint: typeHint(types, parentSchema, data) };
}

function typeHint(types: readonly string[], schema: unknown, data: unknown): string | undefined {
  if (data === null) {
    const optional = isObject(schema) && !Array.isArray(schema['required']);
    return types.includes('object') && optional ? 'write {} for the defaults, or remove the field' : 'give it a value or remove the field';
  }
  if (types.includes('string')) return quotingHint(schema, data);
  if (typeof data === 'string') return unquotingHint(types, data);
  return types.includes('array') ? 'write it as a list' : undefined;
}

function quotingHint(schema: unknown, data: unknown): string | undefined {
  if (typeof data !== 'number' && typeof data !== 'boolean') return undefined;
  return isDuration(schema) ? `write it with a unit, such as "${String(data)}s"` : `put it in quotes: "${String(data)}"`;
}

function isDuration(schema: unknown): boolean {
  return isObject(schema) && schema['durationBetween'] !== undefined;
}

function unquotingHint(types: readonly string[], text: string): string | undefined {
  if (types.includes('integer') && /^\d+$/.test(text)) return `write it without quotes: ${text}`;
  if (types.includes('boolean') && /^(true|false)$/i.test(text)) return `write it without quotes: ${text.toLowerCase()}`;
  return types.includes('array') ? 'write it as a list' : undefined;
}

function typeName(type: string): string {
  switch (type) {
    case 'object':
      return 'a mapping';
    case 'array':
      return 'a list';
    case 'string':
      return 'text';
    case 'integer':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    default:
      return `a ${type}`;
  }
}

function actual(data: unknown): string {
  if (data === null) return 'has no value';
  if (Array.isArray(data)) return 'is a list';
  if (typeof data === 'object') return 'is a mapping';
  return `is the ${typeof data === 'string' ? 'text' : typeof data} ${shown(data)}`;
}

function invalidValue(error: SchemaError, path: FieldPath): Finding {
  // A bad name of a field: Ajv says so about the map that holds it.
  const { propertyName } = error as { propertyName?: string };
  if (propertyName !== undefined) {
    return { code: 'InvalidValue', message: `the key ${shown(propertyName)} ${messageOf(error.parentSchema) ?? 'is not valid'}`, path: [...path, propertyName], part: 'key' };
  }
  const duration = isDuration(error.parentSchema);
  return {
    code: duration ? 'InvalidDuration' : 'InvalidValue',
    message: `${expectation(error)}, is ${shown(error.data)}`,
    path,
    hint: error.keyword === 'enum' ? guessWord(error) : undefined,
  };
}

function expectation(error: SchemaError): string {
  const params = error.params as Readonly<Record<string, unknown>>;
  if (error.keyword === 'durationBetween') return error.message ?? 'is out of bounds';
  const own = messageOf(error.parentSchema);
  if (own !== undefined) return own;
  switch (error.keyword) {
    case 'enum':
      return `must be ${anyOf(params['allowedValues'] as unknown[])}`;
    case 'const':
      return `must be ${shown(params['allowedValue'])}`;
    case 'minimum':
    case 'maximum':
      return bounds(error.parentSchema as JsonObject);
    default:
      return size(error.keyword, Number(params['limit'])) ?? error.message ?? 'is not valid';
  }
}

function size(keyword: string, limit: number): string | undefined {
  if (/^min(Items|Properties|Length)$/.test(keyword)) return limit < 2 ? 'must not be empty' : `must not have less than ${limit}`;
  if (keyword === 'maxLength') return `must have at most ${limit} characters`;
  return /^max(Items|Properties)$/.test(keyword) ? `must have at most ${limit} entries` : undefined;
}

function bounds({ minimum, maximum }: JsonObject): string {
  if (minimum === maximum) return `must be ${shown(minimum)}`;
  if (maximum === undefined) return `must be at least ${shown(minimum)}`;
  return minimum === undefined ? `must be at most ${shown(maximum)}` : `must be from ${shown(minimum)} to ${shown(maximum)}`;
}

function guessWord(error: SchemaError): string | undefined {
  const words = ((error.params as { allowedValues?: unknown[] }).allowedValues ?? []).filter((word) => typeof word === 'string');
  const guess = typeof error.data === 'string' ? nearest(error.data, words) : undefined;
  return guess === undefined ? undefined : `did you mean "${guess}"?`;
}

function messageOf(schema: unknown): string | undefined {
  return isObject(schema) && typeof schema['errorMessage'] === 'string' ? schema['errorMessage'] : undefined;
}
