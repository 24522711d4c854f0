/**
 * A Queue as the rest of job-chief sees it: parsed, checked, defaults filled in, durations in milliseconds.
 * What users write (and its JSON Schema) is queue-schema.ts.
 */
import type { JsonObject } from '../lib/json.ts';
import type { CommonSpec } from './common.ts';

export interface QueueSpec extends CommonSpec {
  readonly kind: 'Queue';
  readonly source: QueueSource;
  readonly drain: DrainSpec;
  /** Milliseconds from the Job's start (never while it is suspended) until a pod must have started. */
  readonly startTimeout: number;
  /** Milliseconds from the first started container until the Job must have finished; undefined: no limit. */
  readonly timeout: number | undefined;
  readonly breaker: BreakerSpec;
  readonly injectConnection: boolean;
  /** The whole Job as batch/v1 JobTemplateSpec, before what job-chief itself adds. */
  readonly jobTemplate: JsonObject;
}

/** Where work waits. One key of the spec's `source` union. */
export type QueueSource = PgBossSource;

export interface PgBossSource {
  readonly type: 'pgBoss';
  /** Name of an operator's connection. */
  readonly connection: string;
  readonly queue: string;
  /** Postgres schema; undefined: the connection's own, else `pgboss`. */
  readonly schema: string | undefined;
}

export interface DrainSpec {
  readonly checkInterval: number;
  readonly pods: { readonly min: number; readonly max: number; readonly messagesPerPod: number };
  /** Milliseconds to wait before the queue is looked at again, by outcome of the last Job. */
  readonly waitAfter: { readonly succeeded: number; readonly failed: number; readonly notStarted: number; readonly refused: number };
}

/** After so many outcomes of a kind in a row, start only one Job per `probeEvery`. undefined: off. */
export interface BreakerSpec {
  readonly notStarted: number | undefined;
  readonly failed: number | undefined;
  readonly probeEvery: number;
}
