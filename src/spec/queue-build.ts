/** From a valid document to the Queue that the rest of job-chief sees: defaults filled in, durations in milliseconds. */
import type { JsonObject } from '../lib/json.ts';
import { buildCommon, fillDefaults, milliseconds, type Filled, type Identity } from './common-build.ts';
import { mergeJobDefaults } from './job-defaults.ts';
import { expandRecipe, withJobDefaults } from './job-recipe.ts';
import type { SpecEnvironment, SpecInput } from './parsed.ts';
import type { QueueSpec } from './queue.ts';
import { queueJsonSchema, type QueueDocument } from './queue-schema.ts';

/** Builds the spec. The document must have passed the schema and the rules. */
export function buildQueue(document: JsonObject, identity: Identity, input: SpecInput, environment: SpecEnvironment): QueueSpec {
  const filled = fillDefaults(queueJsonSchema, document) as unknown as Filled<QueueDocument>;
  const given = document as unknown as QueueDocument;
  const { pgBoss } = given.source;
  const template = withJobDefaults(given.job ? expandRecipe(given.job) : (given.jobTemplate ?? {}));
  return {
    kind: 'Queue',
    mode: 'drain',
    ...buildCommon(filled, identity, input, { onSpecDelete: given.onSpecDelete, includeLastRun: filled.health.includeLastRun }),
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

function threshold(value: number | 'off' | false): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
