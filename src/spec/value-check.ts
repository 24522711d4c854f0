/**
 * Values held against schemas that users write. Whatever these say and whatever is sent, a check ends soon and takes little:
 * the process that makes it has other specs to look after.
 */
import { createContext, Script } from 'node:vm';
import { isObject, type Json, type JsonObject } from '../lib/json.ts';
import type { Finding } from './report.ts';
import { schemaFindings } from './schema-findings.ts';
import { validator } from './validate.ts';

/** Milliseconds: a text of thirty letters can keep a pattern busy for minutes. */
const patience = 1_000;
/** Of values with more parts only the first thing that is wrong is told: a megabyte of them could have a million. */
const mostParts = 10_000;

/** Everything wrong with the values, or one finding without a path where that takes too long to say. Throws for what is no schema. */
export function checkedValues(schema: JsonObject, values: JsonObject): Finding[] {
  const errorsOf = validator(schema, { all: partsOf(values, mostParts) < mostParts });
  const check = (): Finding[] => schemaFindings(errorsOf(values), values);
  return maySlow(schema) ? (inTime(check) ?? [tooSlow]) : check();
}

/** Which part of its schema a value does not meet, such as `/properties/count/minimum`; it tells nothing of the value. */
export interface Unmet {
  readonly part: string;
  /** A required field that is not there. */
  readonly missing?: string;
}

/** For one value after another: the schema is compiled once, and only the first thing that is wrong is told. */
export function valueChecker(schema: JsonObject): (value: Json) => Unmet | 'too slow' | undefined {
  const errorsOf = validator(schema, { all: false });
  const slow = maySlow(schema);
  return (value) => {
    const errors = slow ? inTime(() => errorsOf(value)) : errorsOf(value);
    if (errors === undefined) return 'too slow';
    const [error] = errors;
    if (!error) return undefined;
    const { missingProperty: missing } = error.params as { readonly missingProperty?: unknown };
    return { part: error.schemaPath.replace(/^#/, ''), ...(typeof missing === 'string' && { missing }) };
  };
}

const tooSlow: Finding = { code: 'InvalidValue', message: `cannot be checked within ${patience / 1000} s`, path: [], hint: 'a "pattern" with repetitions inside repetitions, or "uniqueItems" of a long list, takes too long for these values' };

/** All other keywords take as long as the values are large. */
function maySlow(schema: Json): boolean {
  if (Array.isArray(schema)) return schema.some(maySlow);
  return isObject(schema) && (Object.hasOwn(schema, 'pattern') || Object.hasOwn(schema, 'uniqueItems') || Object.values(schema).some((value) => value !== undefined && maySlow(value)));
}

/** undefined: it took too long, and was stopped wherever it was, inside a regular expression as well. */
function inTime<Result>(work: () => Result): Result | undefined {
  const sandbox: { work: () => void; result?: Result } = { work: () => { sandbox.result = work(); } };
  try {
    new Script('work()').runInContext(createContext(sandbox), { timeout: patience });
    return sandbox.result;
  } catch (error) {
    // It is an Error of that context, not of ours.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}

/** Counts no further than `limit`. */
function partsOf(value: Json | undefined, limit: number): number {
  let count = 1;
  for (const inner of Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []) {
    if (count >= limit) return count;
    count += partsOf(inner, limit - count);
  }
  return count;
}
