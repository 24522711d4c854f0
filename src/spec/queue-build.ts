/** From a valid document to the Queue that the rest of job-chief sees: defaults filled in, durations in milliseconds. */
import type { JsonObject } from '../lib/json.ts';
import { unlimited } from './common.ts';
import { buildCommon, fillDefaults, milliseconds, type Filled, type Identity } from './common-build.ts';
import { mergeJobDefaults } from './job-defaults.ts';
import { expandRecipe, withJobDefaults } from './job-recipe.ts';
import { buildPerMessage } from './message-build.ts';
import type { SpecEnvironment, SpecInput } from './parsed.ts';
import type { DrainSpec, QueueRunSpec, QueueSpec } from './queue.ts';
import { queueJsonSchema, type QueueDocument } from './queue-schema.ts';
import type { QueueSource } from './queue-source.ts';

/** Builds the spec. The document must have passed the schema and the rules. */
export function buildQueue(document: JsonObject, identity: Identity, input: SpecInput, environment: SpecEnvironment): QueueSpec {
  const filled = fillDefaults(queueJsonSchema, document) as unknown as Filled<QueueDocument>;
  const given = document as unknown as QueueDocument;
  const template = withJobDefaults(given.job ? expandRecipe(given.job) : (given.jobTemplate ?? {}));
  const run = runSpec(given);
  const concurrency = { ...filled.concurrency, max: maxOf(given) };
  const base = {
    kind: 'Queue' as const,
    ...buildCommon({ ...filled, concurrency }, identity, input, { onSpecDelete: given.onSpecDelete, includeLastRun: filled.health.includeLastRun }),
    source: sourceOf(given.source),
    startTimeout: milliseconds(filled.startTimeout),
    timeout: given.timeout === undefined ? undefined : milliseconds(given.timeout),
    breaker: { notStarted: threshold(filled.breaker.notStarted), failed: threshold(filled.breaker.failed), probeEvery: milliseconds(filled.breaker.probeEvery) },
    injectConnection: filled.injectConnection,
    jobTemplate: run ? {} : mergeJobDefaults(template, environment.jobDefaults),
  };
  if (given.perBatch) {
    const { size, maxWait, ...rest } = filled.perBatch;
    return { ...base, mode: 'perBatch', perMessage: buildPerMessage({ ...rest, env: {} }, given.perBatch), batch: { size, maxWait: milliseconds(maxWait) }, run: undefined };
  }
  return given.perMessage
    ? { ...base, mode: 'perMessage', perMessage: buildPerMessage(run ? withoutPayload(filled.perMessage) : filled.perMessage, given.perMessage), batch: undefined, run }
    : { ...base, mode: 'drain', drain: drainSpec(filled.drain) };
}

/** Whoever starts runs has no Job that could be given the body. */
function withoutPayload(filled: Filled<QueueDocument>['perMessage']): Filled<QueueDocument>['perMessage'] {
  return { ...filled, payload: { ...filled.payload, file: 'off' } };
}

/** What messages start in place of Jobs. */
function runSpec({ template, workflow, perMessage }: QueueDocument): QueueRunSpec | undefined {
  const name = template ?? workflow;
  return name === undefined ? undefined : { target: { kind: template === undefined ? 'workflow' : 'template', name }, parameters: perMessage?.parameters ?? {} };
}

/** One Job drains; messages have ten at once. */
function maxOf({ concurrency, drain }: QueueDocument): number {
  const max = concurrency?.max ?? (drain ? 1 : 10);
  return max === 'unlimited' ? unlimited : max;
}

function sourceOf({ pgBoss, amqp, sqs }: QueueDocument['source']): QueueSource {
  if (pgBoss) return { type: 'pgBoss', connection: pgBoss.connection, queue: pgBoss.queue, schema: pgBoss.schema };
  if (sqs) return { type: 'sqs', connection: sqs.connection, queue: sqs.queue ?? sqs.url?.split('/').at(-1) ?? '', url: sqs.url };
  if (!amqp) throw new Error('a source without a kind passed the rules');
  const { declare } = amqp;
  return {
    type: 'amqp',
    connection: amqp.connection,
    queue: amqp.queue,
    vhost: amqp.vhost,
    declare: declare && { type: declare.type ?? 'quorum', deadLetterExchange: declare.deadLetterExchange, deadLetterRoutingKey: declare.deadLetterRoutingKey },
    messageId: amqp.messageId,
  };
}

function drainSpec({ checkInterval, pods, waitAfter }: Filled<QueueDocument>['drain']): DrainSpec {
  return {
    checkInterval: milliseconds(checkInterval),
    pods: { min: pods.min, max: pods.max, messagesPerPod: pods.messagesPerPod },
    waitAfter: {
      succeeded: milliseconds(waitAfter.succeeded),
      failed: milliseconds(waitAfter.failed),
      notStarted: milliseconds(waitAfter.notStarted),
      refused: milliseconds(waitAfter.refused),
    },
  };
}

function threshold(value: number | 'off' | false): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
