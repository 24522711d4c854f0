/** Values of references as the field takes them that they go into. Strict: what would change a value is an error. */
import { isObject, type Json } from '../lib/json.ts';
import { shown } from '../lib/show.ts';
import type { FieldType } from './destination.ts';
import type { Reference } from './references.ts';

/** A converted value, or why there is none: the second half of a sentence about the reference. */
export type Converted = { readonly kind: 'value'; readonly value: Json } | { readonly kind: 'problem'; readonly message: string };

/** What a field takes. */
interface Kind {
  readonly fits: (value: Json) => boolean;
  /** Texts that may stand for such a value; undefined: none do. */
  readonly text?: RegExp;
  readonly name: string;
}

const kinds: Readonly<Record<Exclude<FieldType, 'any' | 'string'>, Kind>> = {
  integer: { fits: isInteger, text: /^[+-]?\d{1,16}$/, name: 'a whole number' },
  number: { fits: Number.isFinite, text: /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/, name: 'a number' },
  boolean: { fits: (value) => typeof value === 'boolean', text: /^(true|false)$/, name: 'true or false' },
  object: { fits: isObject, text: /^\s*\{[^]*\}\s*$/, name: 'a mapping' },
  array: { fits: Array.isArray, text: /^\s*\[[^]*\]\s*$/, name: 'a list' },
  quantity: { fits: (value) => typeof value === 'string' || Number.isFinite(value), name: 'a quantity' },
  integerOrString: { fits: (value) => typeof value === 'string' || isInteger(value), name: 'a whole number or a text' },
};

/** The value for a field of that type. Texts are read where the field takes something else: `"3"` is 3 for an integer. */
export function convert(value: Json, type: FieldType): Converted {
  if (type === 'any') return { kind: 'value', value };
  if (type === 'string') return { kind: 'value', value: textOf(value) };
  const { fits, text, name } = kinds[type];
  const read = typeof value === 'string' && text?.test(value) === true ? parsed(value.replace(/^\+/, '')) : value;
  return read !== undefined && fits(read) ? { kind: 'value', value: read } : { kind: 'problem', message: name };
}

/** A value inside a longer text, or in a text field: mappings and lists as JSON. */
export function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parsed(text: string): Json | undefined {
  try {
    // Zeros in front are no JSON, but they are a number.
    return /^-?\d+$/.test(text) ? Number(text) : (JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}

function isInteger(value: Json): boolean {
  return Number.isSafeInteger(value);
}

/** What a reference gave, as messages may say it: what is in a message is nobody's to read but the worker's. */
export function shownValue({ root }: Reference, value: Json): string {
  if (root !== 'message') return shown(value);
  if (Array.isArray(value)) return 'a list';
  return value === null ? 'null' : `a ${isObject(value) ? 'mapping' : typeof value}`;
}
