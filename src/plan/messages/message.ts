/**
 * A message in hand and what is noted about it on its Jobs. Glossary: a *message* waits in a queue; a *delivery* is one
 * handing-out of it; a *lease* is a delivery in hand, until it is settled, given back or lost; an *attempt* is one Job for
 * it whose container started; to *settle* is to tell the queue what has become of it.
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import type { DeadLetterSpec, SettleMode } from '../../spec/queue.ts';
import type { QueueSource } from '../../spec/queue-source.ts';
import type { RetrySpec } from '../../spec/workflow.ts';

export interface Message {
  /** What tells it from all others of its queue; the same with each delivery. */
  readonly id: string;
  /** As it was published; of pg-boss its data as JSON in UTF-8. */
  readonly body: Uint8Array;
  /** Headers, message attributes; empty with pg-boss. */
  readonly headers: Readonly<Record<string, Json>>;
  readonly contentType: string | undefined;
  /** By the queue's clock, milliseconds since 1970; undefined where it does not say. */
  readonly enqueuedAt: number | undefined;
}

/**
 * What a process that has only the Job needs to settle its message: pg-boss the id (its row says the rest), SQS the
 * receipt handle. Empty where a delivery lives in the connection only (AMQP). Small, and never a secret.
 */
export type Receipt = Readonly<Record<string, string>>;

/** A delivery in hand. */
export interface Lease {
  /** Names this delivery in this process; never written down. */
  readonly token: string;
  /** undefined: taken over by its receipt after a restart, without the message itself. */
  readonly message: Message | undefined;
  readonly id: string;
  /** Deliveries so far, this one included, as far as the queue counts them. */
  readonly delivery: number | undefined;
  readonly receipt: Receipt;
  /** When it came, by this process's clock. */
  readonly since: number;
  /** It was taken over by its receipt, and does not count against the credit. */
  readonly adopted?: boolean;
  /** Why no Job may be started for it, as its source sees it: it lacks the id that its rule names. It is treated as an invalid message. */
  readonly problem?: string;
}

/** Annotation job-chief/message: all that settling needs, as it was when the Job was made. It works after the spec is gone. */
export interface MessageNote {
  readonly id: string;
  readonly source: QueueSource;
  readonly receipt: Receipt;
  /** Delivery for which the Job was made. */
  readonly delivery?: number;
  /** Jobs for this message so far, this one included; is in the Job's name. */
  readonly serial: number;
  /** Attempts so far, this one included: Jobs that did not start count for none. `$(message.attempt)`. */
  readonly attempt: number;
  /** The same within this delivery: what `retry.attempts` bounds. */
  readonly tries: number;
  readonly settle: SettleMode;
  readonly retry: RetrySpec;
  readonly deadLetter?: DeadLetterSpec;
  /** sha256 of the body, in hex. */
  readonly sha256: string;
  /** The Job asks for nothing of the message: it has no Secret. */
  readonly bare?: true;
  /** By the queue's clock, and by ours. */
  readonly enqueuedAt?: number;
  readonly leasedAt: number;
}

/**
 * Annotation job-chief/settled: what has become of the message, as far as this Job goes.
 * - `completed`: the queue was told of its success.
 * - `taken`: settled at creation; the Job is the only record.
 * - `returned`: it failed; another attempt follows under the same lease, or with the next delivery.
 * - `dead`: it is in the dead-letter queue. A fresh delivery is somebody's redrive.
 * - `kept`: it did not start, or was lost by no fault of its own: as if this Job had never been.
 * - `presumed`: it succeeded, and the queue was told as far as anybody knows; nobody came to say otherwise for settleGrace.
 */
export interface SettledNote {
  readonly as: 'completed' | 'taken' | 'returned' | 'dead' | 'kept' | 'presumed';
  /** By our clock. */
  readonly at: number;
}

/** Of a Job, or the record of a run, that was made for a message. */
export interface MessageJobFacts {
  readonly note: MessageNote;
  readonly settled: SettledNote | undefined;
}

/** What the queue is to be told. */
export type Verdict =
  /** Done. `output`: for queues that keep one (pg-boss). */
  | { readonly kind: 'complete'; readonly output?: JsonObject }
  /** It failed: the queue's own policy says what follows (pg-boss retryLimit, SQS redrive policy, AMQP dead-letter exchange). */
  | { readonly kind: 'fail'; readonly failure: Failure; /** Longest time for which it should not come back; where the queue can. */ readonly delay: number }
  /** Given back untouched, without counting as far as the queue can: nothing was tried. */
  | { readonly kind: 'release' };

/** Why a message failed, as it goes with it: `x-job-chief-*` headers, message attributes, the output of a pg-boss job. */
export interface Failure {
  /** CamelCase, such as OOMKilled, MessageInvalid. */
  readonly reason: string;
  readonly message: string;
  readonly job: string | undefined;
  readonly attempt: number;
  readonly exitCode?: number;
}

/**
 * What came of telling the queue.
 * - `done`: it took it, or the AMQP connection did (the protocol has no answer to an ack).
 * - `already`: the queue has settled it before.
 * - `lost`: the lease is not ours any more; the message comes again, or has been settled by somebody else.
 * - `failed`: nobody knows; the same may be tried again.
 */
export type SettleAnswer = { readonly kind: 'done' | 'already' } | { readonly kind: 'lost' | 'failed'; readonly message: string };

/** What the source of a queue stands at. */
export type SourceState =
  | {
      readonly kind: 'open';
      /**
       * Longest time for which a delivery can be held, milliseconds: pg-boss expireInSeconds, RabbitMQ consumer_timeout, 12 h
       * of SQS; undefined: no such limit, or none that can be read.
       */
      readonly leaseLimit: number | undefined;
      /** A Job without a time limit is refused too: nobody could say whether it stays below. */
      readonly strict: boolean;
      /** What sets the limit, for messages: `expireInSeconds of queue "work"`. */
      readonly limitName: string;
    }
  | { readonly kind: 'closed'; readonly reason: SourceProblem; readonly message: string };

/** As of depths; `QueueRefused`: the queue is there and cannot be used so (declared differently, exclusive, a schema of another version). */
export type SourceProblem = 'ConnectionUnknown' | 'QueueUnreachable' | 'QueueForbidden' | 'QueueNotFound' | 'QueueUnsupported' | 'QueueRefused';
