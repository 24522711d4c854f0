/** What a plan may look at of messages. */
import type { ParsedSpec } from '../../spec/parsed.ts';
import type { MessageRefusal } from '../refusal.ts';
import type { ObservedRecord } from '../run/record.ts';
import type { TemplateVerdict } from '../template-verdict.ts';
import type { Lease, MessageJobFacts, MessageNote, SettledNote, SourceState } from './message.ts';

export type { MessageJobFacts };

/** Of a Job that was made for several messages, one for each completion index. */
export interface BatchFacts {
  /** By index. */
  readonly notes: readonly MessageNote[];
  /** By index; absent: nothing is said of it yet. */
  readonly settled: ReadonlyMap<number, SettledNote>;
  /** Its payload is stored and all its leases were in hand when it was let go: until then it is suspended, and nothing of it counts. */
  readonly committed: boolean;
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
  /** Names of Jobs that are being created just now, however long that takes: whoever does it looks them up. */
  readonly namesUnderWay?: ReadonlySet<string>;
  /** UIDs of Jobs whose payload this process knows to be stored. */
  readonly posted: ReadonlySet<string>;
  /** By carrierId: Jobs, indexes and runs whose message could not be settled with its receipt: the next delivery decides. */
  readonly lost: ReadonlySet<string>;
  /** Notes of Jobs that somebody deleted before their messages were settled, by message id, as far as this process saw it; the newest of each. */
  readonly deleted?: ReadonlyMap<string, MessageNote>;
  /** Why messages could not be settled, again and again, by message id. */
  readonly troubles?: ReadonlyMap<string, string>;
  /** The last create that was refused, by message id; its `count` in a row. */
  readonly refusals: ReadonlyMap<string, MessageRefusal>;
  /** Records of runs that were started for messages of the queue. */
  readonly runs?: readonly ObservedRecord[];
  /** What defines the template or workflow that messages start runs of; absent: nothing does, or the spec starts none. */
  readonly target?: ParsedSpec | undefined;
  /** What the dry run said of that, in any revision; `unasked`: nothing yet. Absent: nobody can know it here. */
  readonly targetVerdict?: TemplateVerdict | 'unasked' | undefined;
  /** Why records of runs are not read; absent: they are. Looked at only where messages start runs. */
  readonly recordsUnknown?: { readonly reason: 'Forbidden' | 'RecordsUnread' | 'RecordsOff'; readonly message: string } | undefined;
  /** Ids of messages whose runs somebody deleted, and Jobs of those are left. */
  readonly lingering?: ReadonlySet<string>;
}
