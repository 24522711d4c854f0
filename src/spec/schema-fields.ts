/** Building blocks of the schemas: every field has a description, and a default unless it is required or has none. */
import { Type, type TOptional, type TProperties, type TSchema, type TString, type TInteger, type TBoolean, type TObject } from 'typebox';
import { durationPattern } from '../lib/duration.ts';

/** Lower-case words of letters, digits and hyphens, joined by dots: what Kubernetes calls a DNS subdomain. */
export const subdomainPattern = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
/** What to say where it does not match. */
export const subdomainMessage = 'must be lower-case letters, digits, hyphens and dots, at most 253, and start and end with a letter or digit';

/** A duration field; min and max are durations too. */
export interface DurationOptions {
  readonly description: string;
  readonly default?: string;
  readonly min: string;
  readonly max: string;
}

/** A duration with bounds, which the keyword `durationBetween` holds (editors ignore it and show the pattern's message). */
export function duration({ description, default: value, min, max }: DurationOptions): TOptional<TString> {
  return Type.Optional(
    Type.String({
      description: `${description} From ${min} to ${max}.`,
      ...(value === undefined ? {} : { default: value }),
      pattern: durationPattern,
      durationBetween: [min, max],
      errorMessage: 'must be a duration such as "90s", "1h30m" or "7d"',
    }),
  );
}

/** A field that holds a whole number. */
export interface IntegerOptions {
  readonly description: string;
  readonly default?: number;
  readonly min: number;
  readonly max: number;
  /** Said instead of the bounds where those need a reason. */
  readonly errorMessage?: string;
}

/** A whole number with bounds. */
export function integer({ default: value, min, max, ...texts }: IntegerOptions): TOptional<TInteger> {
  return Type.Optional(Type.Integer({ ...texts, ...(value === undefined ? {} : { default: value }), minimum: min, maximum: max }));
}

/** A switch. */
export function flag(description: string, value: boolean): TOptional<TBoolean> {
  return Type.Optional(Type.Boolean({ description, default: value }));
}

/** One of a closed list of words. */
export function word<const Words extends readonly string[]>(words: Words, description: string, value: Words[number]): TOptional<ReturnType<typeof Type.Unsafe<Words[number]>>> {
  return Type.Optional(Type.Unsafe<Words[number]>({ type: 'string', enum: words, description, default: value }));
}

/** A group of fields that may be left out: its default is that of its fields. */
export function section<Fields extends TProperties>(fields: Fields, description: string): TOptional<TObject<Fields>> {
  return Type.Optional(Type.Object(fields, { additionalProperties: false, description, default: defaultsOf(fields) }));
}

function defaultsOf(fields: TProperties): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, field]): [string, unknown] => [name, (field as TSchema & { default?: unknown }).default]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
