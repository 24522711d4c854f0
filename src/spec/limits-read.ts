/** Reads Limits: schema, rules, build. */
import { stringAt, type JsonObject } from '../lib/json.ts';
import { withoutHead, type KindInput, type KindReading } from './kind-reading.ts';
import type { LimitFields } from './limits.ts';
import { limitsJsonSchema } from './limits-schema.ts';
import type { Finding } from './report.ts';
import { schemaFindings } from './schema-findings.ts';
import { parseStartRate, startRateMessage } from './start-rate.ts';
import { validator } from './validate.ts';

const errorsOf = validator(limitsJsonSchema);

/** A kind of spec for spec/kinds.ts. */
export function readLimits({ value }: KindInput): KindReading {
  return {
    findings: [...withoutHead(schemaFindings(errorsOf(value), value)), ...rateFindings(value, [])],
    files: [],
    build: ({ name, hash }) => ({ kind: 'Limits', name, hash, suspend: value['suspend'] === true, ...limitFieldsOf(value) }),
  };
}

/** What a pattern cannot say: how long the time may be. `path`: where the limits stand. */
export function rateFindings(limits: JsonObject, path: readonly string[]): Finding[] {
  const text = stringAt(limits, 'startRate');
  return text === undefined || parseStartRate(text) ? [] : [{ code: 'InvalidValue', message: `${startRateMessage}, is "${text}"`, path: [...path, 'startRate'] }];
}

/** Of fields that have passed the schema. */
export function limitFieldsOf(limits: JsonObject): LimitFields {
  const { maxJobs, groups, startRate } = limits as { readonly maxJobs?: number; readonly groups?: Readonly<Record<string, number>>; readonly startRate?: string };
  return { maxJobs, groups: new Map(Object.entries(groups ?? {})), startRate: startRate === undefined ? undefined : parseStartRate(startRate) };
}
