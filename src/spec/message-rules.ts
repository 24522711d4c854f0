/** Rules of `perMessage`, and of what `perBatch` has in common with it, that a schema cannot say. They read the raw value, as those of queue-rules.ts. */
import { isObject, objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import type { FieldPath } from './field-path.ts';
import { listed, jobParts } from './job-parts.ts';
import { isReservedPath, type OverriddenEnv } from './job-rules.ts';
import { payloadPath, reservedEnv, reservedEnvPrefix } from './keys.ts';
import { bodySchemaFindings } from './message-body-schema.ts';
import { sqsNameMessage, sqsNamePattern } from './queue-source-schema.ts';
import { runWay } from './queue-run-rules.ts';
import type { Finding } from './report.ts';
import { retryFindings } from './step-rules.ts';
import { exactlyOne } from './workflow-rules.ts';

/** Everything about `perMessage`, and all of `perBatch` that is not about its Job. `overridden`: what job-chief sets itself. */
export function messageFindings(spec: JsonObject, overridden: OverriddenEnv): Finding[] {
  return ['perMessage', 'perBatch'].flatMap((field) => {
    const value = spec[field];
    return isObject(value) ? findingsOf({ spec, value, base: [field] }, overridden) : [];
  });
}

interface Mode {
  readonly spec: JsonObject;
  readonly value: JsonObject;
  readonly base: FieldPath;
}

function findingsOf(mode: Mode, overridden: OverriddenEnv): Finding[] {
  const { spec, value, base } = mode;
  return [
    ...envFindings(mode, overridden),
    ...payloadFindings(mode),
    ...bodySchemaFindings(value['schema'], [...base, 'schema']),
    ...retryFindings({ retry: value['retry'], ...runOf(spec) }, base),
    ...settleFindings(mode),
    ...deadLetterFindings(mode),
    ...dropFindings(mode),
  ];
}

/** As a step says it: exit codes are of Jobs. */
function runOf(spec: JsonObject): JsonObject {
  const way = runWay(spec);
  return way === undefined ? {} : { [way]: {} };
}

/** Names that messages give to environment variables: their values in `job` are never seen. */
export function messageEnv(spec: JsonObject): OverriddenEnv {
  const value = objectAt(spec, 'perMessage');
  const payload = stringAt(objectAt(value, 'payload'), 'env');
  const set = (by: string) => ({ by, hint: 'remove one of the two' });
  const names = new Map(Object.keys(objectAt(value, 'env')).map((name) => [name, set('perMessage.env')] as const));
  return payload === undefined ? names : names.set(payload, set('perMessage.payload.env'));
}

function envFindings({ value, base }: Mode, overridden: OverriddenEnv): Finding[] {
  const names = Object.keys(objectAt(value, 'env'));
  const payload = stringAt(objectAt(value, 'payload'), 'env');
  const places = [...names.map((name) => ({ name, path: [...base, 'env', name], part: 'key' as const })), ...(payload === undefined ? [] : [{ name: payload, path: [...base, 'payload', 'env'], part: 'value' as const }])];
  const reserved = places.flatMap(({ name, path, part }): Finding[] => {
    const by = name.startsWith(reservedEnvPrefix) || reservedEnv.includes(name) ? 'job-chief or Kubernetes' : overridden.get(name)?.by;
    return by === undefined ? [] : [{ code: 'ReservedName', message: `the environment variable "${name}" is set by ${by} and must not be set here`, path, part, hint: 'use another name' }];
  });
  if (payload === undefined || !names.includes(payload)) return reserved;
  return [...reserved, { code: 'ConflictingFields', message: `the environment variable "${payload}" is set by perMessage.env as well`, path: [...base, 'payload', 'env'], hint: 'give one of the two another name' }];
}

/** A mount at the file, above it or below it: the file could not be seen, or could not be mounted at all. */
function payloadFindings({ spec, value, base }: Mode): Finding[] {
  const file = stringAt(objectAt(value, 'payload'), 'file');
  if (file === undefined || !file.startsWith('/')) return [];
  const path = [...base, 'payload', 'file'];
  const own = partsOf(file);
  if (own.join('/') !== payloadPath.slice(1) && isReservedPath(file)) return [{ code: 'ReservedName', message: `"${file}" is at or under /job-chief, where job-chief mounts its own files`, path, hint: `leave it out, which is ${payloadPath}, or choose another path` }];
  const mounts = jobParts(spec).containers.flatMap(({ path: at }) => listed(spec, [...at, 'volumeMounts'])).flatMap(({ value: mount }) => stringAt(mount, 'mountPath') ?? []);
  const mount = mounts.find((target) => isPrefix(partsOf(target), own) || isPrefix(own, partsOf(target)));
  return mount === undefined ? [] : [{ code: 'ConflictingFields', message: `a container mounts a volume at "${mount}", which hides the file "${file}"`, path, hint: `leave it out, which is ${payloadPath}, or choose a path outside of all mounts` }];
}

function partsOf(target: string): string[] {
  const parts: string[] = [];
  for (const name of target.split('/')) {
    if (name === '..') parts.pop();
    else if (name !== '' && name !== '.') parts.push(name);
  }
  return parts;
}

function isPrefix(start: readonly string[], all: readonly string[]): boolean {
  return start.every((name, index) => name === all[index]);
}

function settleFindings({ value, base }: Mode): Finding[] {
  if (value['settle'] !== 'onJobCreated' || !Object.hasOwn(value, 'retry')) return [];
  return [
    {
      code: 'ConflictingFields',
      message: '"retry" does not go with "settle: onJobCreated": the queue is told before the Job has ended, and what becomes of the Job is not looked at',
      path: [...base, 'retry'],
      part: 'key',
      hint: "remove one of the two; backoffLimit of the Job is Kubernetes' own way to try again",
    },
  ];
}

function deadLetterFindings({ spec, value, base }: Mode): Finding[] {
  const given = value['deadLetter'];
  if (!isObject(given)) return [];
  const at = [...base, 'deadLetter'];
  const source = objectAt(spec, 'source');
  const kind = Object.keys(source)[0] ?? '';
  const queue = stringAt(given, 'queue');
  const findings = exactlyOne(given, at, ['queue', 'exchange', 'policy'], "queue names a queue of the same connection, exchange one of RabbitMQ, policy: true leaves it to the queue's own policy");
  if (Object.hasOwn(given, 'exchange') && kind !== 'amqp') findings.push({ code: 'ConflictingFields', message: `"exchange" is for source.amqp: ${kind} has no exchanges`, path: [...at, 'exchange'], part: 'key', hint: 'name a queue' });
  if (Object.hasOwn(given, 'routingKey') && !Object.hasOwn(given, 'exchange')) findings.push({ code: 'ConflictingFields', message: '"routingKey" is for an exchange, and none is named', path: [...at, 'routingKey'], part: 'key', hint: 'add exchange, or remove it' });
  if (queue !== undefined && queue === ownQueue(objectAt(source, kind))) findings.push({ code: 'ConflictingFields', message: `"${queue}" is the queue itself: its dead messages would come again at once`, path: [...at, 'queue'], hint: 'name another queue' });
  if (kind === 'sqs' && queue !== undefined && !new RegExp(sqsNamePattern).test(queue)) findings.push({ code: 'InvalidValue', message: `${sqsNameMessage}, is ${JSON.stringify(queue)}`, path: [...at, 'queue'] });
  return findings;
}

function ownQueue(source: JsonObject): string | undefined {
  return stringAt(source, 'queue') ?? stringAt(source, 'url')?.split('/').at(-1);
}

/** RabbitMQ drops what is rejected where nothing says otherwise: neither pg-boss nor SQS does. */
function dropFindings({ spec, value, base }: Mode): Finding[] {
  const amqp = objectAt(spec, 'source')['amqp'];
  if (!isObject(amqp) || value['settle'] === 'onJobCreated' || Object.hasOwn(value, 'deadLetter')) return [];
  if (Object.hasOwn(objectAt(amqp, 'declare'), 'deadLetterExchange')) return [];
  return [
    {
      code: 'MissingField',
      message: 'RabbitMQ drops messages that fail, unless something says where they go: "deadLetter" is required',
      path: [...base, 'deadLetter'],
      hint: 'name a queue: deadLetter: {queue: NAME}; where a policy of the server gives the queue a dead-letter exchange write deadLetter: {policy: true}',
    },
  ];
}
