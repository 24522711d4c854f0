/** Where histories of queues are kept, one for each. */
import type { History } from '../../plan/messages/history.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { MessageView } from '../../plan/messages/view.ts';
import type { ReadResult, WriteResult } from '../ports.ts';

/** What a history belongs to, and goes with: the ConfigMap that defines the queue. */
export interface HistoryOwner {
  readonly name: string;
  readonly uid: string;
}

/** As it stands there. */
export interface StoredHistory {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly deleting: boolean;
  readonly ownerUid: string | undefined;
  /** When it was begun: what was settled long before is not in it. */
  readonly createdAt: number;
  /** undefined: somebody edited it into something that nobody can read. */
  readonly history: History | undefined;
}

export interface HistoryStore {
  /** `absent` also where something else has the name. */
  read(queue: SpecKey): Promise<ReadResult<StoredHistory>>;
  /** `exists`: somebody was first, or something else has the name. */
  create(queue: SpecKey, history: History, owner: HistoryOwner | undefined): Promise<WriteResult>;
  /** Only if it has not changed since it was read; else `conflict`. Without an owner it keeps the one that it has. */
  write(queue: SpecKey, seen: Pick<StoredHistory, 'uid' | 'resourceVersion'>, change: { readonly history: History; readonly owner: HistoryOwner | undefined }): Promise<WriteResult>;
}

/** What can be said about the messages of a queue, now. */
export interface MessageBook {
  /** Jobs have been listed. */
  readonly synced: boolean;
  read(queue: SpecKey): Promise<{
    /** Those that have Jobs, or what stands for one. */
    readonly messages: readonly MessageView[];
    /** `absent`: there is none; nothing was settled yet, or none is kept. */
    readonly history: ReadResult<StoredHistory>;
  }>;
}

/** From when on the history has every message that was settled, as far as job-chief ran; undefined: it cannot be read. */
export function reachOf({ history, createdAt }: StoredHistory): number | undefined {
  return history && Math.max(createdAt, history.since ?? createdAt);
}
