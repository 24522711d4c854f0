/** What a plan may look at of messages. */
import type { Refusal } from '../refusal.ts';
import type { Lease, MessageNote, SettledNote, SourceState } from './message.ts';

/** Of a Job that was made for a message. */
export interface MessageJobFacts {
  readonly note: MessageNote;
  readonly settled: SettledNote | undefined;
}

export interface LeaseInHand extends Lease {
  /** sourceText of its queue. */
  readonly source: string;
}

export interface MessagesView {
  /** The oldest first. Two of one id: the queue handed it out again, or two messages share an id. */
  readonly leases: readonly LeaseInHand[];
  /** By sourceText; absent: nothing was heard yet. */
  readonly sources: ReadonlyMap<string, SourceState>;
  /** Ids of messages about which something is being asked just now: nothing is decided about them meanwhile. */
  readonly underWay: ReadonlySet<string>;
  /** UIDs of Jobs whose payload this process knows to be stored. */
  readonly posted: ReadonlySet<string>;
  /** UIDs of Jobs whose message could not be settled with its receipt: the next delivery decides. */
  readonly lost: ReadonlySet<string>;
  /** Notes of Jobs that somebody deleted before their messages were settled, by message id, as far as this process saw it; the newest of each. */
  readonly deleted?: ReadonlyMap<string, MessageNote>;
  /** Why messages could not be settled, again and again, by message id. */
  readonly troubles?: ReadonlyMap<string, string>;
  /** The last create that was refused, by message id; its `count` in a row. */
  readonly refusals: ReadonlyMap<string, Refusal>;
}
