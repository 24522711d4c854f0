/** Values of facts, and how CEL sees JSON: its integers are BigInt, its maps are Map (no key can be mistaken for a member). */
import { isObject, type Json } from '../lib/json.ts';
import { shown } from '../lib/show.ts';
import { runFields, type Fact } from './expression-names.ts';
import type { ExpressionFacts, Verdict } from './facts.ts';
import type { ValueType } from './value-type.ts';

/** There is no value: not yet, or never. */
export class Gap {
  readonly verdict: Verdict;

  constructor(verdict: Verdict) {
    this.verdict = verdict;
  }
}
const open = new Gap({ kind: 'open' });

/** The value of a fact as the run has it. */
export function valueOf(fact: Fact, facts: ExpressionFacts): Json | Gap {
  switch (fact.kind) {
    case 'outcome':
      return facts.step(fact.step)[fact.field] ?? open;
    case 'output':
      return outputOf(fact, facts);
    case 'parameter':
      return ownValue(facts.params, fact.name) ?? fact.default ?? gap(`parameter "${fact.name}" has no value`);
    case 'run':
      return runValue(fact.name, facts);
    case 'item':
      return facts.item ?? open;
  }
}

/** Whether a fact has a value: what `has()` says. Open where that may still change. */
export function presenceOf(fact: Fact, facts: ExpressionFacts): boolean | Gap {
  const value = valueOf(fact, facts);
  if (!(value instanceof Gap)) return true;
  return value.verdict.kind === 'error' ? false : value;
}

function outputOf({ step, name, default: otherwise }: Fact & { kind: 'output' }, facts: ExpressionFacts): Json | Gap {
  const { outputs, completed } = facts.step(step);
  const value = outputs && ownValue(outputs, name);
  if (value !== undefined) return value;
  if (completed !== true) return open;
  return otherwise ?? gap(`step "${step}" wrote no output "${name}"`);
}

/** The outcome of a run comes with its end; other fields are there from the start, or never. */
function runValue(name: keyof typeof runFields, facts: ExpressionFacts): Json | Gap {
  const value = ownValue(facts.run, name);
  if (value !== undefined) return value;
  return name === 'outcome' || name === 'failedSteps' ? open : gap(`this run has no "${name}"`);
}

function ownValue(values: Readonly<Record<string, Json | undefined>>, name: string): Json | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function gap(message: string): Gap {
  return new Gap({ kind: 'error', message });
}

const celTypes = {
  string: 'string',
  integer: 'int',
  number: 'double',
  boolean: 'bool',
  array: 'list<dyn>',
  object: 'map<string, dyn>',
} as const satisfies Record<ValueType, string>;

/** The CEL type of a fact. */
export function celTypeOf(fact: Fact): string {
  switch (fact.kind) {
    case 'outcome':
      return 'bool';
    case 'output':
    case 'parameter':
      return celTypes[fact.type];
    case 'run':
      return runFields[fact.name];
    case 'item':
      return 'dyn';
  }
}

/** A value as CEL wants it. Throws where it is not of the type: somebody edited a record, or the declaration says otherwise. */
export function toCel(value: Json, type: string): unknown {
  switch (type) {
    case 'int':
      return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : mismatch(value, 'a whole number');
    case 'double':
      return typeof value === 'number' ? value : mismatch(value, 'a number');
    case 'google.protobuf.Timestamp':
      return timestamp(value);
    case 'list<dyn>':
    case 'list<string>':
      return Array.isArray(value) ? value.map(anyToCel) : mismatch(value, 'a list');
    case 'map<string, dyn>':
      return isObject(value) ? anyToCel(value) : mismatch(value, 'a mapping');
    default:
      return anyToCel(value);
  }
}

/** Numbers without a declared type are integers where they can be, so that `item.size > 3` and `item.size + 1` work. */
function anyToCel(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(anyToCel);
  if (!isObject(value)) return value;
  return new Map(Object.entries(value).flatMap(([key, entry]) => (entry === undefined ? [] : [[key, anyToCel(entry)]])));
}

function timestamp(value: Json): Date {
  const date = new Date(typeof value === 'number' || typeof value === 'string' ? value : Number.NaN);
  return Number.isNaN(date.getTime()) ? mismatch(value, 'a time') : date;
}

function mismatch(value: Json, expected: string): never {
  throw new TypeError(`${shown(value)} is not ${expected}`);
}

/**
 * How much of a value there is to walk over: its members, and its texts by 16 characters, or by each. Deeper than anybody
 * writes counts as too much.
 */
export function weightOf(value: Json, split: boolean, depth = 0): number {
  if (depth > deepest) return Number.POSITIVE_INFINITY;
  if (typeof value === 'string') return 1 + value.length / (split ? 1 : 16);
  if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + weightOf(entry, split, depth + 1), 1);
  if (!isObject(value)) return 1;
  return Object.values(value).reduce<number>((sum, entry) => sum + (entry === undefined ? 0 : weightOf(entry, split, depth + 1)), 1);
}
const deepest = 500;
