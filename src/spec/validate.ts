/** Compiled schemas: a value in, Ajv's errors out. What they mean to users is schema-findings.ts. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { formatDuration, parseDuration } from '../lib/duration.ts';
import type { JsonObject } from '../lib/json.ts';
import { lazy } from '../lib/lazy.ts';

/** One complaint of the validator. */
export type SchemaError = ErrorObject;

/**
 * A validator for a schema. Compiling one of ours takes a tenth of a second, which commands that read no such document need
 * not pay. `all`: every complaint, not only the first.
 */
export function validator(schema: JsonObject, { all }: { readonly all: boolean } = { all: true }): (value: unknown) => readonly SchemaError[] {
  const compiled = lazy(() => compile(schema, all));
  return (value) => run(compiled(), value);
}

function run(validate: ValidateFunction, value: unknown): readonly SchemaError[] {
  return validate(value) ? [] : (validate.errors ?? []);
}

function compile(schema: JsonObject, all: boolean): ValidateFunction {
  // `format` is a note, as the standard has it: no two validators agree on what the formats mean.
  const ajv = new Ajv2020({ allErrors: all, verbose: true, strict: false, ownProperties: true, validateFormats: false });
  ajv.addKeyword({
    keyword: 'durationBetween',
    type: 'string',
    compile: ([min, max]: [string, string]) => {
      const least = parseDuration(min) ?? 0;
      const most = parseDuration(max) ?? Number.POSITIVE_INFINITY;
      return (text: string): boolean => {
        const value = parseDuration(text);
        return value === undefined || (value >= least && value <= most);
      };
    },
    error: { message: ({ schema: [min, max] }) => `must be from ${bound(min)} to ${bound(max)}` },
  });
  return ajv.compile(schema);
}

function bound(text: unknown): string {
  return formatDuration(parseDuration(String(text)) ?? 0);
}
