/** From a valid document to what all kinds have in common: defaults filled in, durations in milliseconds. */
import { parseDuration } from '../lib/duration.ts';
import { isObject, objectAt, type Json, type JsonObject } from '../lib/json.ts';
import type { CommonSpec, ExtraMetadata, Retention, RetentionRule } from './common.ts';
import type { SpecInput } from './parsed.ts';

/** What a document is once every field with a default has a value. */
export type Filled<Value> = Value extends readonly unknown[] ? Value : Value extends object ? FilledFields<Value> : Value;
type FilledFields<Value> = string extends keyof Value ? Value : { [Key in keyof Value]-?: Filled<Exclude<Value[Key], undefined>> };

/** What the text is known by. */
export interface Identity {
  readonly name: string;
  readonly hash: string;
}

/** The common fields of a document whose defaults are filled in. */
export interface CommonDocument {
  readonly suspend: boolean;
  readonly observe: boolean;
  readonly onSpecChange: CommonSpec['onSpecChange'];
  readonly retention: { readonly succeeded: RuleText; readonly failed: RuleText };
  readonly beforeDelete?: BeforeDeleteText;
  readonly jobMetadata: ExtraMetadata;
  readonly podMetadata: ExtraMetadata;
  readonly concurrency: { readonly max: number; readonly group?: string; readonly priority: number };
}
interface BeforeDeleteText {
  readonly url: string;
  readonly timeout: string;
  readonly headersFromSecret?: string;
}
interface RuleText {
  readonly count?: number;
  readonly age?: string;
}

/** What depends on more than one field: given as it is decided, or undefined for the default. */
interface Decided {
  readonly onSpecDelete: CommonSpec['onSpecDelete'] | undefined;
  readonly includeLastRun: boolean;
}

/** Builds the common part. */
export function buildCommon(filled: CommonDocument, identity: Identity, input: SpecInput, { onSpecDelete, includeLastRun }: Decided): CommonSpec {
  return {
    name: identity.name,
    hash: identity.hash,
    suspend: filled.suspend,
    observe: filled.observe,
    onSpecDelete: onSpecDelete ?? (hasGeneratorHash(input.objectName) ? 'finish' : 'delete'),
    onSpecChange: filled.onSpecChange,
    retention: retentionOf(filled),
    jobMetadata: extraMetadata(filled.jobMetadata),
    podMetadata: extraMetadata(filled.podMetadata),
    health: { includeLastRun },
    concurrency: { max: filled.concurrency.max, group: filled.concurrency.group, priority: filled.concurrency.priority },
  };
}

/** Whether the name ends as kustomize's configMapGenerator ends names, in a hash of its content. */
export function hasGeneratorHash(objectName: string): boolean {
  return /-[bcdfghkmt2456789]{10}$/.test(objectName);
}

/** The value with the schema's defaults in the fields that it leaves out. What stands below a `$ref` is not ours to fill. */
export function fillDefaults(schema: JsonObject, value: Json | undefined): Json | undefined {
  if (value === undefined) return schema['default'];
  const properties = objectAt(schema, 'properties');
  if (!isObject(value) || Object.keys(properties).length === 0) return value;
  const filled = Object.entries(properties).map(([name, field]): [string, Json | undefined] => [name, isObject(field) ? fillDefaults(field, value[name]) : undefined]);
  return { ...value, ...Object.fromEntries(filled.filter(([, entry]) => entry !== undefined)) };
}

/** Milliseconds of a duration that passed the schema. */
export function milliseconds(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new Error(`"${text}" passed the schema but is no duration`);
  return value;
}

function retentionOf({ retention: { succeeded, failed }, beforeDelete }: CommonDocument): Retention {
  return {
    succeeded: retentionRule(succeeded),
    failed: retentionRule(failed),
    ...(beforeDelete && { beforeDelete: { ...beforeDelete, timeout: milliseconds(beforeDelete.timeout) } }),
  };
}

function retentionRule({ count, age }: RuleText): RetentionRule {
  return { count, age: age === undefined ? undefined : milliseconds(age) };
}

function extraMetadata({ labels, annotations }: ExtraMetadata): ExtraMetadata {
  return { labels: { ...labels }, annotations: { ...annotations } };
}
