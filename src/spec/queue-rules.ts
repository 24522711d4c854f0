/** Rules of a Queue that a schema cannot say. They read the raw value, so that one run shows every kind of problem. */
import { isObject, numberAt, objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { anyOf, shown } from '../lib/show.ts';
import { batchFindings } from './batch-rules.ts';
import { leasingFindings } from './drain-rules.ts';
import type { FieldPath } from './field-path.ts';
import { jobFields, jobParts } from './job-parts.ts';
import { drainJobFields } from './job-refusals.ts';
import { extraMetadataFindings, injectedEnv, jobFindings, type OverriddenEnv } from './job-rules.ts';
import { messageEnv, messageFindings } from './message-rules.ts';
import type { SpecEnvironment } from './parsed.ts';
import { referenceFindings } from './queue-references.ts';
import { queueRunFindings, queueWays, runWay } from './queue-run-rules.ts';
import { queueModes } from './queue-schema.ts';
import { sourceKinds } from './queue-source-schema.ts';
import type { Finding } from './report.ts';
import { credentialFindings } from './text-rules.ts';
import { exactlyOne } from './workflow-rules.ts';

/** Everything beyond the schema. */
export function queueFindings(spec: JsonObject, environment: SpecEnvironment): Finding[] {
  const overridden = overriddenEnv(spec);
  return [
    ...sourceFindings(spec),
    ...modeFindings(spec),
    ...jobChoice(spec),
    ...queueRunFindings(spec),
    ...podBounds(spec),
    ...connectionFindings(spec, environment),
    ...messageFindings(spec, overridden),
    ...batchFindings(spec),
    ...jobFindings(spec, { overridden: new Map([...overridden, ...messageEnv(spec)]) }),
    ...extraMetadataFindings(spec),
    ...referenceFindings(spec),
    ...credentialFindings(spec),
  ];
}

/** The key of `source`; undefined where there is none that is known. */
function sourceKind(spec: JsonObject): SourceKind | undefined {
  const source = objectAt(spec, 'source');
  return sourceKinds.find((kind) => Object.hasOwn(source, kind));
}
type SourceKind = (typeof sourceKinds)[number];

function overriddenEnv(spec: JsonObject): OverriddenEnv {
  const kind = sourceKind(spec);
  const injected = spec['injectConnection'] === true && kind !== undefined ? injectedEnv[kind] : [];
  return new Map([
    ['QUEUE_NAME', { by: 'job-chief to the name of the queue', hint: 'remove it' }],
    ...injected.map((name) => [name, { by: 'injectConnection', hint: 'remove it, or set injectConnection: false' }] as const),
  ]);
}

function sourceFindings(spec: JsonObject): Finding[] {
  const source = spec['source'];
  if (!isObject(source)) return [];
  const { sqs, amqp } = source;
  const declare = objectAt(amqp, 'declare');
  return [
    ...choiceOf(source, ['source'], sourceKinds, 'pgBoss is a queue in PostgreSQL, amqp one of RabbitMQ, sqs one of Amazon SQS'),
    ...(isObject(sqs) ? exactlyOne(sqs, ['source', 'sqs'], ['queue', 'url'], 'queue is the name of the queue, url its whole URL') : []),
    ...(Object.hasOwn(declare, 'deadLetterRoutingKey') && !Object.hasOwn(declare, 'deadLetterExchange')
      ? [{ code: 'ConflictingFields' as const, message: '"deadLetterRoutingKey" is for a dead-letter exchange, and none is named', path: ['source', 'amqp', 'declare', 'deadLetterRoutingKey'], part: 'key' as const, hint: 'add deadLetterExchange, or remove it' }]
      : []),
  ];
}

/** Exactly one of the fields. Nothing is said of a missing one where an unknown field is told to be one of them. */
function choiceOf(value: JsonObject, path: FieldPath, fields: readonly string[], hint: string): Finding[] {
  const isMeant = Object.keys(value).some((field) => !fields.includes(field) && fields.includes(nearest(field, fields) ?? ''));
  return exactlyOne(value, path, fields, hint).filter(({ code }) => code !== 'MissingField' || !isMeant);
}

/** How messages become Jobs. */
function modeFindings(spec: JsonObject): Finding[] {
  const choice = choiceOf(spec, [], queueModes, 'perMessage: {} starts a Job for each message, perBatch: {} one for several, drain: {} one whose pods fetch messages for themselves');
  return Object.hasOwn(spec, 'perMessage') || Object.hasOwn(spec, 'perBatch') ? choice : [...choice, ...drainFindings(spec)];
}

function drainFindings(spec: JsonObject): Finding[] {
  const max = objectAt(spec, 'concurrency')['max'];
  const { job } = jobParts(spec);
  const several = max === undefined || max === 1 ? [] : [{ code: 'InvalidValue' as const, message: `must be 1, is ${shown(max)}: a Queue with drain has one unfinished Job at a time`, path: ['concurrency', 'max'], hint: 'drain.pods.max says how many pods that Job has' }];
  const refused = Object.entries(drainJobFields).filter(([field]) => Object.hasOwn(job?.value ?? {}, field));
  return [...several, ...leasingFindings(spec), ...refused.map(([field, hint]): Finding => ({ code: 'RefusedField', message: `"${field}" must not be set here`, path: [...(job?.path ?? []), field], part: 'key', hint }))];
}

/** Ways to name a Job that Queues do not have: spec/job-refusals.ts speaks of those, and of fields that stand elsewhere. */
const otherWays = ['jobFile', 'jobFiles'];

function jobChoice(spec: JsonObject): Finding[] {
  const runs = Object.hasOwn(spec, 'perMessage') || runWay(spec) !== undefined;
  const hint = 'job is a flat recipe such as {image: ghcr.io/acme/worker:1.0}, jobTemplate a whole JobTemplateSpec';
  const choice = exactlyOne(spec, [], runs ? queueWays : jobFields, runs ? `${hint}; template and workflow name what each message starts a run of` : hint);
  const isMeant = otherWays.some((way) => Object.hasOwn(spec, way)) || runWay(objectAt(spec, 'perMessage')) !== undefined;
  return isMeant ? choice.filter(({ code }) => code !== 'MissingField') : choice;
}

function podBounds(spec: JsonObject): Finding[] {
  const pods = objectAt(objectAt(spec, 'drain'), 'pods');
  const min = numberAt(pods, 'min') ?? 1;
  const max = numberAt(pods, 'max') ?? 1;
  if (max >= min) return [];
  const given = Object.hasOwn(pods, 'max');
  const message = given ? `max must not be less than min, but ${max} is less than ${min}` : `min must not be more than max, which is 1 unless it is set, but is ${min}`;
  return [{ code: 'ConflictingFields', message, path: ['drain', 'pods', given ? 'max' : 'min'], hint: `set max to ${min} or more` }];
}

function connectionFindings(spec: JsonObject, { connections }: SpecEnvironment): Finding[] {
  const kind = sourceKind(spec);
  const name = kind && stringAt(objectAt(objectAt(spec, 'source'), kind), 'connection');
  if (connections === undefined || kind === undefined || name === undefined) return [];
  const path = ['source', kind, 'connection'];
  const connection = connections.get(name);
  if (!connection) {
    const known = [...connections.keys()];
    const guess = nearest(name, known);
    const all = known.length === 0 ? 'the operator has configured no connections' : `the connections are ${anyOf(known)}`;
    return [{ code: 'UnknownConnection', message: `there is no connection "${name}"`, path, hint: guess === undefined ? all : `did you mean "${guess}"?` }];
  }
  if (connection.type !== kind) {
    return [{ code: 'ConnectionType', message: `the connection "${name}" is of type ${connection.type}, which ${kind} cannot use`, path, hint: `name a connection of type ${kind}` }];
  }
  if (spec['injectConnection'] === true && !connection.injectable) {
    return [{ code: 'ConnectionNotInjectable', message: `the operator did not mark the connection "${name}" injectable`, path: ['injectConnection'], hint: 'remove injectConnection, or ask the operator' }];
  }
  return [];
}
