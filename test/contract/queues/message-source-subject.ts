/** What the contract of message sources needs of each kind of queue, and how it watches a subscription. */
import { vi } from 'vitest';
import type { Json } from '../../../src/lib/json.ts';
import type { Failure, Lease, Message, SourceState } from '../../../src/plan/messages/message.ts';
import type { MessageSource, Subscription, SubscriptionEvents } from '../../../src/reconcile/message-ports.ts';
import type { DeadLetterSpec } from '../../../src/spec/queue.ts';
import type { QueueSource } from '../../../src/spec/queue-source.ts';

/** What a kind of queue can do. The contract asks for no less, and for nothing else. */
export interface Capabilities {
  /** Another process can settle a delivery by its receipt; else it is told `lost`. */
  readonly settlesByReceipt: boolean;
  /** What adopting by a receipt gives: the delivery with its message, the delivery alone, or nothing. */
  readonly adopts: 'message' | 'lease' | 'nothing';
  /** The number of the delivery can be relied on. */
  readonly countsDeliveries: boolean;
  /** A message that was given back counts as delivered. */
  readonly releaseCounts: boolean;
  /** What the queue's own policy does with the first failure, as the subject has set it up. */
  readonly afterFail: 'comesAgain' | 'goesToOwnDeadLetters';
  /** Publishing a dead letter twice is one message. */
  readonly deadLettersOnce: boolean;
  /** Headers travel with a message. */
  readonly headers: boolean;
  readonly bodies: { readonly binary: boolean; readonly empty: boolean; /** Bytes. */ readonly largest: number };
  /** The queue says when a message was published. */
  readonly tellsEnqueued: boolean;
  /** A lease in hand is renewed: it outlives the time for which the queue gives it, until it is abandoned. */
  readonly renews: boolean;
}

export interface Outgoing {
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A message at the place where dead ones go, however that queue carries what belongs to it. */
export interface FoundDead {
  /** Of the message that died. */
  readonly messageId: string;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, Json>>;
  readonly reason: string;
  readonly message: string;
  readonly job: string | undefined;
  readonly attempt: number;
}

export interface SubjectOptions {
  /** The queue is not made yet. */
  readonly missing?: true;
}

/** A queue of its own for each case, empty, with a place for dead messages, and processes that lease from it. */
export interface MessageSourceUnderTest {
  readonly queue: QueueSource;
  readonly can: Capabilities;
  /** Exists, and is empty. */
  readonly deadLetter: DeadLetterSpec;
  /** Exists nowhere. */
  readonly noDeadLetter: DeadLetterSpec;
  /** One more process. Closed with the subject. */
  process(): MessageSource;
  /** This process's time, in which `since` and `enqueuedAt` are given. */
  now(): number;
  /** A short while passes, by whatever clock the queue lives. */
  pass(): Promise<void>;
  /** Publishes; gives the ids by which leases name them. */
  send(messages: readonly Outgoing[]): Promise<readonly string[]>;
  /** How many messages wait to be leased. */
  waiting(): Promise<number>;
  /** What has arrived at `deadLetter`; takes nothing away. */
  dead(): Promise<readonly FoundDead[]>;
  /** Ids of what went the queue's own way after failing; only where `afterFail` says so. */
  ownDead?(): Promise<readonly string[]>;
  /** Ends the deliveries in hand as this queue does it without anybody's wish: they expire, or the connection is cut. */
  endLeases(): Promise<void>;
  /** So long that a lease that is not renewed ends meanwhile; only where leases are renewed. */
  outliveLease?(): Promise<void>;
  /** Makes the queue that was missing. */
  create(): Promise<void>;
  /** The server cannot be reached until the returned function is called. */
  outage(): Promise<() => Promise<void>>;
  [Symbol.asyncDispose](): Promise<void>;
}

export type MakeSubject = (options?: SubjectOptions) => Promise<MessageSourceUnderTest>;

/** Milliseconds. */
export const patience = 20_000;

/** A subscription with all that came of it. */
export class Watched implements SubscriptionEvents {
  readonly leases: Lease[] = [];
  readonly losses: { readonly token: string; readonly why: string }[] = [];
  readonly states: SourceState[] = [];
  readonly subscription: Subscription;

  constructor(source: MessageSource, queue: QueueSource) {
    this.subscription = source.subscribe(queue, this);
  }

  leased(lease: Lease): void {
    this.leases.push(lease);
  }
  lost(token: string, why: string): void {
    this.losses.push({ token, why });
  }
  state(state: SourceState): void {
    this.states.push(state);
  }

  get ids(): readonly string[] {
    return this.leases.map(({ id }) => id);
  }

  /** The lease that came as number `index`. */
  at(index: number): Lease {
    const lease = this.leases.at(index);
    if (!lease) throw new Error(`${this.leases.length} leases came, and number ${index} is asked for; the last state is ${JSON.stringify(this.states.at(-1))}`);
    return lease;
  }

  /** The message of that lease. */
  message(index: number): Message {
    const { message, id } = this.at(index);
    if (!message) throw new Error(`the lease of ${id} has no message`);
    return message;
  }
}

/** Waits until `claim` holds, while time passes for the queue. */
export async function until(place: MessageSourceUnderTest, claim: () => unknown): Promise<void> {
  await vi.waitFor(async () => {
    await place.pass();
    await claim();
  }, { timeout: patience, interval: 1 });
}

/** What `answer` comes to, while time passes for the queue. */
export async function meanwhile<Value>(place: MessageSourceUnderTest, answer: Promise<Value>): Promise<Value> {
  const progress = { over: false };
  const watched = answer.finally(() => {
    progress.over = true;
  });
  while (!progress.over) await Promise.race([watched, place.pass()]);
  return watched;
}

export const failure: Failure = { reason: 'BackoffLimitExceeded', message: 'the container "main" ended with exit code 3', job: 'work-0123456789', attempt: 2, exitCode: 3 };
