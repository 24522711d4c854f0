/** One decision about one message on its way, and what carrying it out needs. */
import type { MessageAction } from '../../plan/messages/action.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CreateDeps } from '../create-named.ts';
import type { Leadership } from '../leadership.ts';
import type { MessageRuns, MessageSource, PayloadStore } from '../message-ports.ts';
import type { ClusterCache } from '../ports.ts';
import type { IndexMarks } from './index-marks.ts';
import type { LeaseBook } from './lease-book.ts';
import type { MessageMemory } from './message-memory.ts';

export interface MessageStepDeps extends CreateDeps {
  readonly clock: Clock;
  readonly cache: Pick<ClusterCache, 'hasSeen'>;
  readonly source: MessageSource;
  readonly payloads: PayloadStore;
  readonly runs: MessageRuns;
  readonly book: LeaseBook;
  readonly marks: IndexMarks;
  readonly leadership: Leadership;
  /** What came of a decision, or of a part of it. */
  readonly told: (key: SpecKey, news: MessageNews) => void;
}

export interface MessageTask<Action extends MessageAction = MessageAction> {
  readonly key: SpecKey;
  readonly action: Action;
  readonly memory: MessageMemory;
  /** When its Job finished, by the API server's clock; undefined: there is none, or it has not. */
  readonly finishedAt: number | undefined;
  /** Steps that took effect: they are not made again when the task goes on after a pause. */
  readonly did: Set<'published' | 'marked' | 'told'>;
}

/**
 * What a task leads to: nothing more, another round, another round after a pause, or the same task again after a pause,
 * because something has taken effect already and the rest belongs to it.
 */
export type Next = 'wait' | 'round' | 'pause' | 'again';

export interface MessageNews {
  readonly action: MessageAction;
  /** What took effect, or that something did not. */
  readonly step: 'created' | 'posted' | 'settled' | 'dropped' | 'failed';
  /** `done`, or why not, as the metrics have it. */
  readonly result: string;
  readonly message: string;
  readonly job: { readonly name: string; readonly uid: string } | undefined;
  /** Milliseconds from lease to Job, or from the Job's end to its settlement. */
  readonly took: number | undefined;
  /** Of a batch: the same of each message. */
  readonly waits?: readonly number[];
}
