/**
 * Puts values in the place of references, on the parsed tree: what is inserted can be neither YAML nor another field, and
 * is never scanned again. The type of the field decides what becomes of a value.
 */
import { isObject, type Json } from '../lib/json.ts';
import { convert, shownValue, textOf } from './convert.ts';
import { anyField, jobField, textField, type Field, type FieldType } from './destination.ts';
import type { FieldPath } from './field-path.ts';
import { referencesIn, type Reference } from './references.ts';

export { typeAt, type FieldType } from './destination.ts';

/** `job`: a whole JobTemplateSpec. `text`: all values are texts, such as `timeout`. `any`: a value keeps its type where it stands alone. */
export type Destination = 'job' | 'text' | 'any';

/** `missing`: why there is no value, a sentence that names the reference. */
export type LookedUp = { readonly kind: 'value'; readonly value: Json } | { readonly kind: 'missing'; readonly message: string };

/** `path`: the field, inside the tree. */
export type Substituted = { readonly kind: 'value'; readonly value: Json } | { readonly kind: 'problem'; readonly path: FieldPath; readonly message: string };

/** The tree with values for references; itself where it has none. The first problem in the order of the tree ends it. */
export function substitute(tree: Json, destination: Destination, lookup: (reference: Reference) => LookedUp): Substituted {
  const field = { job: jobField, text: textField, any: anyField }[destination];
  try {
    return { kind: 'value', value: replaced(tree, { field, path: [], lookup }) };
  } catch (thrown) {
    // The stack: only data that nobody wrote by hand is so deep.
    if (thrown instanceof RangeError) return { kind: 'problem', path: [], message: 'a value is nested too deeply' };
    if (!(thrown instanceof Unresolved)) throw thrown;
    return { kind: 'problem', path: thrown.path, message: thrown.message };
  }
}

/** Where in the tree. */
interface Place {
  /** undefined: Kubernetes has no such field, and says so itself. */
  readonly field: Field | undefined;
  readonly path: FieldPath;
  readonly lookup: (reference: Reference) => LookedUp;
}

/** Thrown and caught inside `substitute`. */
class Unresolved extends Error {
  readonly path: FieldPath;

  constructor(path: FieldPath, message: string) {
    super(message);
    this.path = path;
  }
}

function replaced(value: Json, place: Place): Json {
  if (typeof value === 'string') return replacedText(value, place);
  if (Array.isArray(value)) {
    const entries = value.map((entry, index) => replaced(entry, inside(place, index)));
    return entries.some((entry, index) => entry !== value[index]) ? entries : value;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, entry === undefined ? undefined : replaced(entry, inside(place, key))] as const);
  return entries.some(([key, entry]) => entry !== value[key]) ? Object.fromEntries(entries) : value;
}

function inside(place: Place, key: string | number): Place {
  return { ...place, field: place.field?.at(key), path: [...place.path, key] };
}

function replacedText(text: string, place: Place): Json {
  const references = referencesIn(text);
  const [first] = references;
  if (first === undefined) return text;
  return first.whole ? wholeValue(first, place) : composed(text, references, place);
}

function wholeValue(reference: Reference, place: Place): Json {
  const value = valueOf(reference, place);
  const { field = anyField } = place;
  const converted = convert(value, field.type);
  if (converted.kind === 'problem') throw new Unresolved(place.path, `${reference.text} is ${shownValue(reference, value)}, not ${converted.message}`);
  return escaped(converted.value, field);
}

/** A text with references among other text is text, whatever they give. */
function composed(text: string, references: readonly Reference[], place: Place): Json {
  const { field = anyField } = place;
  if (field.type in aloneOnly) {
    throw new Unresolved(place.path, `${references[0]?.text ?? ''} stands inside a longer text: a field that takes ${aloneOnly[field.type] ?? ''} takes a reference that stands alone`);
  }
  let result = '';
  let at = 0;
  for (const reference of references) {
    const value = textOf(valueOf(reference, place));
    result += text.slice(at, reference.offset) + (field.expanded ? doubled(value) : value);
    at = reference.offset + reference.text.length;
  }
  return result + text.slice(at);
}

const aloneOnly: Readonly<Partial<Record<FieldType, string>>> = {
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
};

function valueOf(reference: Reference, { path, lookup }: Place): Json {
  if (reference.malformed) throw new Unresolved(path, `${reference.text} is no reference: write names with dots, and others as ['name']`);
  const found = lookup(reference);
  if (found.kind === 'missing') throw new Unresolved(path, found.message);
  return found.value;
}

/** An inserted value as Kubernetes will read it back: no `$` of it may name an environment variable. */
function escaped(value: Json, field: Field | undefined): Json {
  if (typeof value === 'string') return field?.expanded === true ? doubled(value) : value;
  if (Array.isArray(value)) return value.map((entry, index) => escaped(entry, field?.at(index)));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, entry === undefined ? undefined : escaped(entry, field?.at(key))]));
}

function doubled(text: string): string {
  return text.replaceAll('$', '$$$$');
}
