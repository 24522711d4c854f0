/**
 * A Queue as the rest of job-chief sees it: parsed, checked, defaults filled in, durations in milliseconds.
 * What users write (and its JSON Schema) is queue-schema.ts.
 */
import type { JsonObject } from '../lib/json.ts';
import type { CommonSpec } from './common.ts';
import type { QueueSource } from './queue-source.ts';
import type { RunTarget } from './run.ts';
import type { RetrySpec } from './workflow.ts';

/** One Job at a time whose workers fetch for themselves, or a Job, or a run, for messages that job-chief leases. */
export type QueueSpec = DrainQueueSpec | MessageQueueSpec;

interface QueueBase extends CommonSpec {
  readonly kind: 'Queue';
  readonly source: QueueSource;
  /** Milliseconds from the Job's start (never while it is suspended) until a pod must have started. */
  readonly startTimeout: number;
  /** Milliseconds from the first started container until the Job must have finished; undefined: no limit. */
  readonly timeout: number | undefined;
  readonly breaker: BreakerSpec;
  readonly injectConnection: boolean;
  /** The whole Job as batch/v1 JobTemplateSpec, before what job-chief itself adds; empty where messages start runs. */
  readonly jobTemplate: JsonObject;
}

export interface DrainQueueSpec extends QueueBase {
  readonly mode: 'drain';
  readonly drain: DrainSpec;
}

export interface MessageQueueSpec extends QueueBase {
  readonly mode: 'perMessage' | 'perBatch';
  /** How each message is treated, by itself or as one of a batch. */
  readonly perMessage: PerMessageSpec;
  /** Only with `perBatch`. */
  readonly batch: BatchSpec | undefined;
  /** A message starts a run of a template or a workflow in place of a Job; only with `perMessage`. */
  readonly run: QueueRunSpec | undefined;
}

export interface BatchSpec {
  /** Messages of one Job at most. */
  readonly size: number;
  /** Milliseconds for which the first message of a batch waits for others. */
  readonly maxWait: number;
}

export interface QueueRunSpec {
  readonly target: RunTarget;
  /** Texts in it may refer to the message, as in `env`; one that is nothing but a reference becomes the value itself. */
  readonly parameters: JsonObject;
}

export interface DrainSpec {
  readonly checkInterval: number;
  readonly pods: { readonly min: number; readonly max: number; readonly messagesPerPod: number };
  /** Milliseconds to wait before the queue is looked at again, by outcome of the last Job. */
  readonly waitAfter: WaitAfter;
}

/** Milliseconds. */
export interface WaitAfter {
  readonly succeeded: number;
  readonly failed: number;
  readonly notStarted: number;
  readonly refused: number;
}

export interface PerMessageSpec {
  /** `onCompletion`: the message is settled by the Job's result. `onJobCreated`: as soon as Job and payload are stored, and the Job is the only record from then on. */
  readonly settle: SettleMode;
  readonly payload: {
    /** Path in every container at which the body is a file; undefined: no file. */
    readonly file: string | undefined;
    /** Environment variable that holds the body; undefined: none. */
    readonly env: string | undefined;
  };
  /** Environment variables whose values may refer to the message: `$(message.body.x)`. In the order of the spec. */
  readonly env: Readonly<Record<string, string>>;
  /** JSON Schema that the body, read as JSON, must satisfy. */
  readonly schema: JsonObject | undefined;
  /** Attempts that job-chief makes within one delivery, before the message is given back or dead-lettered; one attempt where nothing is said. */
  readonly retry: RetrySpec;
  /** Where messages go that failed for good or are invalid; undefined: the queue's own policy decides. */
  readonly deadLetter: DeadLetterSpec | undefined;
  /** Milliseconds that starting waits, growing on repetition, after Jobs that did not start and after refused creates. */
  readonly waitAfter: { readonly notStarted: number; readonly refused: number };
}

export type SettleMode = 'onCompletion' | 'onJobCreated';

/** On the connection of the source. `exchange` and `routingKey`: RabbitMQ only, in place of `queue`. */
export type DeadLetterSpec =
  | { readonly queue: string }
  | { readonly exchange: string; readonly routingKey: string };

/** After so many outcomes of a kind in a row, start only one Job per `probeEvery`. undefined: off. */
export interface BreakerSpec {
  readonly notStarted: number | undefined;
  readonly failed: number | undefined;
  readonly probeEvery: number;
}
