/**
 * What a round decides about messages. Carried out beside the rounds, one task at a time for each message, so that a
 * thousand creates do not hold up the settling of what ends meanwhile. Executing one twice is harmless.
 */
import type { JsonObject } from '../../lib/json.ts';
import type { DeadLetterSpec } from '../../spec/queue.ts';
import type { QueueSource } from '../../spec/queue-source.ts';
import type { JobRef, OwnParts } from '../job-parts.ts';
import type { Reason } from '../reason.ts';
import type { RunRequest } from '../run/record.ts';
import type { CarrierRef } from './carrier.ts';
import type { Failure, Message, MessageNote, Receipt } from './message.ts';

export type MessageAction = StartMessage | StartBatch | DropBatch | StartRun | PostPayload | SettleMessage;

interface AboutMessage {
  readonly reason: Reason;
  /** One sentence for people; never a payload. */
  readonly because: string;
  readonly source: QueueSource;
  readonly id: string;
}

/** Create the Job for a message in hand; then its payload. Its name is the lock. */
export interface StartMessage extends AboutMessage {
  readonly kind: 'startMessage';
  readonly token: string;
  readonly hash: string;
  readonly jobName: string;
  /** The Job before it, which somebody deleted: it may have left pods that no watch shows yet, and nothing starts beside them. */
  readonly after?: string;
  readonly manifest: JsonObject;
  readonly ours: OwnParts;
  /** The Secret without its owner, which has no UID yet; undefined: the Job asks for nothing of the message. */
  readonly payload: JsonObject | undefined;
}

/**
 * Create one Job for several messages, suspended; then its payload; then let it go, which is what counts, if all its leases
 * are still in hand and no other batch has one of its messages. Otherwise it is deleted again, and nothing has run.
 */
export interface StartBatch extends AboutMessage {
  readonly kind: 'startBatch';
  /** Messages by index; `id` is that of the first. */
  readonly messages: readonly { readonly id: string; readonly token: string }[];
  readonly hash: string;
  readonly jobName: string;
  /** Somebody deleted a Job of one of them: it may have left pods that no watch shows yet, and nothing starts beside them. */
  readonly afterDeletion: boolean;
  readonly manifest: JsonObject;
  readonly ours: OwnParts;
  /** The Secret without its owner. Its name is new with each plan: one that a Job of the same name left behind is none of it. */
  readonly payload: JsonObject;
}

/** Delete the Job of a batch that was never let go: a process died on the way. Only as it was looked at. */
export interface DropBatch extends AboutMessage {
  readonly kind: 'dropBatch';
  /** Of its messages; `id` is the first. */
  readonly ids: readonly string[];
  readonly job: JobRef;
}

/** Write the record of a run for a message in hand. Its name is the lock. */
export interface StartRun extends AboutMessage {
  readonly kind: 'startRun';
  readonly token: string;
  readonly hash: string;
  /** Of the record. */
  readonly name: string;
  readonly request: RunRequest;
  readonly parameters: JsonObject;
  readonly note: MessageNote;
}

/** Ids of all messages about which something is asked: nothing else is decided about them meanwhile. */
export function idsOf(action: MessageAction): readonly string[] {
  if (action.kind === 'startBatch') return action.messages.map(({ id }) => id);
  return action.kind === 'dropBatch' ? action.ids : [action.id];
}

/** The Job is there, and nobody here knows whether its Secret is: a crash between the two, or an answer that got lost. */
export interface PostPayload extends AboutMessage {
  readonly kind: 'postPayload';
  readonly job: JobRef;
  readonly payload: JsonObject;
}

/** Tell the queue, and write it down on the Job, in the order that no crash can turn against the message. */
export interface SettleMessage extends AboutMessage {
  readonly kind: 'settle';
  /** undefined: there is none to write on (an invalid message), or it says so already (delivered again after settlement). */
  readonly job: CarrierRef | undefined;
  readonly token: string | undefined;
  readonly receipt: Receipt;
  readonly how: Settling;
}

export type Settling =
  /** Acknowledge, then mark. */
  | { readonly kind: 'complete'; readonly as: 'completed' | 'taken'; readonly output?: JsonObject }
  /** Mark `returned`, then let the queue's own policy decide. */
  | { readonly kind: 'fail'; readonly failure: Failure; readonly delay: number }
  /** Publish, confirmed; mark `dead`; acknowledge. */
  | { readonly kind: 'dead'; readonly target: DeadLetterSpec; readonly message: Message; readonly failure: Failure }
  /** Only mark: another attempt follows under the lease in hand, or nothing was attempted at all, or it is presumed. */
  | { readonly kind: 'note'; readonly as: 'returned' | 'kept' | 'presumed' }
  /** Only give back: whoever gets it next knows more. */
  | { readonly kind: 'release' };

/**
 * A standing wish about one queue, until a plan wishes it no more: then what is in hand is given back and the
 * subscription ends.
 */
export interface LeaseDemand {
  readonly source: QueueSource;
  /** How many more messages there is room for now. What came since the plan was made counts against it. */
  readonly free: number;
  /** Deliveries of a process before, whose Jobs are not settled. */
  readonly adopt: readonly { readonly id: string; readonly receipt: Receipt }[];
}
