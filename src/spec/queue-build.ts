/** From a valid document to the Queue that the rest of job-chief sees: defaults filled in, durations in milliseconds. */
import { parseDuration } from '../lib/duration.ts';
import { isObject, objectAt, type Json, type JsonObject } from '../lib/json.ts';
import type { ExtraMetadata, RetentionRule } from './common.ts';
import { mergeJobDefaults } from './job-defaults.ts';
import { expandRecipe, withJobDefaults } from './job-recipe.ts';
import type { SpecEnvironment, SpecInput } from './parsed.ts';
import type { QueueSpec } from './queue.ts';
import { queueJsonSchema, type QueueDocument } from './queue-schema.ts';

/** What a document is once every field with a default has a value. */
type Filled<Value> = Value extends readonly unknown[] ? Value : Value extends object ? FilledFields<Value> : Value;
type FilledFields<Value> = string extends keyof Value ? Value : { [Key in keyof Value]-?: Filled<Exclude<Value[Key], undefined>> };
interface Rule {
  readonly count?: number;
  readonly age?: string;
}

/** What the text is known by. */
export interface Identity {
  readonly name: string;
  readonly hash: string;
}

/** Builds the spec. The document must have passed the schema and the rules. */
export function buildQueue(document: JsonObject, identity: Identity, input: SpecInput, environment: SpecEnvironment): QueueSpec {
  const filled = fillDefaults(queueJsonSchema, document) as unknown as Filled<QueueDocument>;
  const given = document as unknown as QueueDocument;
  const { pgBoss } = given.source;
  const template = withJobDefaults(given.job ? expandRecipe(given.job) : (given.jobTemplate ?? {}));
  return {
    kind: 'Queue',
    ...identity,
    suspend: filled.suspend,
    observe: filled.observe,
    onSpecDelete: given.onSpecDelete ?? (hasGeneratorHash(input.objectName) ? 'finish' : 'delete'),
    onSpecChange: filled.onSpecChange,
    retention: { succeeded: retentionRule(filled.retention.succeeded), failed: retentionRule(filled.retention.failed) },
    jobMetadata: extraMetadata(filled.jobMetadata),
    podMetadata: extraMetadata(filled.podMetadata),
    health: { includeLastRun: filled.health.includeLastRun },
    source: { type: 'pgBoss', connection: pgBoss.connection, queue: pgBoss.queue, schema: pgBoss.schema },
    drain: {
      checkInterval: milliseconds(filled.drain.checkInterval),
      pods: { min: filled.drain.pods.min, max: filled.drain.pods.max, messagesPerPod: filled.drain.pods.messagesPerPod },
      waitAfter: {
        succeeded: milliseconds(filled.drain.waitAfter.succeeded),
        failed: milliseconds(filled.drain.waitAfter.failed),
        notStarted: milliseconds(filled.drain.waitAfter.notStarted),
        refused: milliseconds(filled.drain.waitAfter.refused),
      },
    },
    startTimeout: milliseconds(filled.startTimeout),
    timeout: given.timeout === undefined ? undefined : milliseconds(given.timeout),
    breaker: { notStarted: threshold(filled.breaker.notStarted), failed: threshold(filled.breaker.failed), probeEvery: milliseconds(filled.breaker.probeEvery) },
    injectConnection: filled.injectConnection,
    jobTemplate: mergeJobDefaults(template, environment.jobDefaults),
  };
}

/** Whether the name ends as kustomize's configMapGenerator ends names, in a hash of its content. */
export function hasGeneratorHash(objectName: string): boolean {
  return /-[bcdfghkmt2456789]{10}$/.test(objectName);
}

/** The value with the schema's defaults in the fields that it leaves out. What stands below a `$ref` is not ours to fill. */
function fillDefaults(schema: JsonObject, value: Json | undefined): Json | undefined {
  if (value === undefined) return schema['default'];
  const properties = objectAt(schema, 'properties');
  if (!isObject(value) || Object.keys(properties).length === 0) return value;
  const filled = Object.entries(properties).map(([name, field]): [string, Json | undefined] => [name, isObject(field) ? fillDefaults(field, value[name]) : undefined]);
  return { ...value, ...Object.fromEntries(filled.filter(([, entry]) => entry !== undefined)) };
}

function milliseconds(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new Error(`"${text}" passed the schema but is no duration`);
  return value;
}

function threshold(value: number | 'off' | false): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function retentionRule({ count, age }: Rule): RetentionRule {
  return { count, age: age === undefined ? undefined : milliseconds(age) };
}

function extraMetadata({ labels, annotations }: ExtraMetadata): ExtraMetadata {
  return { labels: { ...labels }, annotations: { ...annotations } };
}
