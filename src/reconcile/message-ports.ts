/** What owning messages needs from outside. One implementation for each kind of queue, and one in the simulation. */
import type { JsonObject } from '../lib/json.ts';
import type { JobRef } from '../plan/job-parts.ts';
import type { Failure, Lease, Message, Receipt, SettleAnswer, SettledNote, SourceState, Verdict } from '../plan/messages/message.ts';
import type { ObservedRecord } from '../plan/run/record.ts';
import type { SpecKey } from '../plan/spec-key.ts';
import type { DeadLetterSpec } from '../spec/queue.ts';
import type { QueueSource } from '../spec/queue-source.ts';
import type { WriteResult } from './ports.ts';
import type { NewRecord, RecordCache } from './record-ports.ts';

/** Leases messages and settles them. Never rejects, never throws: what goes wrong is an answer, an event or a state. */
export interface MessageSource {
  /**
   * Opens a subscription at once; whether the queue can be reached shows in its state. It reconnects by itself, with
   * growing pauses, until it is closed. Nothing is leased before there is credit.
   */
  subscribe(source: QueueSource, events: SubscriptionEvents): Subscription;
  /** Tells the queue. With a lease of this process, or with the receipt of one of a process before. */
  settle(source: QueueSource, delivery: DeliveryRef, verdict: Verdict): Promise<SettleAnswer>;
  /**
   * Publishes the message to where dead ones go, confirmed, with its id, its headers and why. Publishing the same message
   * again is one message where the queue can tell (pg-boss, SQS FIFO); else consumers know it by its id.
   */
  deadLetter(source: QueueSource, target: DeadLetterSpec, dead: DeadMessage): Promise<SettleAnswer>;
  /** Ends all sessions: what is in hand goes back to its queue untouched, as far as the queue can. */
  close(): Promise<void>;
}

export interface SubscriptionEvents {
  /** A message came, again or for the first time; or one was taken over by its receipt (`message` is undefined then). */
  leased(lease: Lease): void;
  /** It is not in hand any more, and nobody settled it: the connection broke, the broker took it back, it expired. */
  lost(token: string, why: string): void;
  /** Called at least once soon after the opening, and with each change. */
  state(state: SourceState): void;
}

export interface Subscription {
  /**
   * How many messages may be leased in all since the opening, those that were taken over not counted; only grows, but
   * for the first one after a pause. What was counted on before, and did not come, may still come.
   */
  credit(total: number): void;
  /** Stops leasing until there is credit again: none is left from before. What is under way may still come. */
  pause(): void;
  /**
   * Takes a delivery of a process before into hand, so that it is kept and can be settled. Answered by `leased`, or by
   * nothing where the queue hands it out again by itself (AMQP) or has settled it.
   */
  adopt(id: string, receipt: Receipt): void;
  /** From now on this lease is not renewed, nor given back at the end, as far as the queue can: it ends when it ends. */
  abandon(token: string): void;
  /** What is in hand goes back untouched, as far as the queue can; but for what was abandoned. */
  close(): Promise<void>;
}

/** `token`: of a lease in hand. */
export interface DeliveryRef {
  readonly id: string;
  readonly token: string | undefined;
  readonly receipt: Receipt;
}

export interface DeadMessage {
  readonly message: Message;
  readonly failure: Failure;
}

/** Where payloads go: Secrets that Jobs own. They are only ever created. */
export interface PayloadStore {
  /** `exists` is as good as `done`. */
  create(secret: JsonObject): Promise<WriteResult>;
}

/** Runs that messages start: their records. */
export interface MessageRuns {
  of(queue: SpecKey): readonly ObservedRecord[];
  /** Whether the cache of records has taken in everything up to this resourceVersion. */
  hasSeen(resourceVersion: string): boolean;
  /** Why records are not read; undefined: they are. */
  readonly problem: RecordCache['problem'];
  /** `done` also where an earlier call made it. */
  create(record: NewRecord): Promise<WriteResult>;
  /** What has become of the message that started it. */
  mark(record: JobRef, settled: SettledNote): Promise<WriteResult>;
}
