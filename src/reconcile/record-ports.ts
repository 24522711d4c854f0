/** Where runs are written down. The service keeps them in ConfigMaps, a standalone run in memory. */
import type { JsonObject } from '../lib/json.ts';
import type { MessageNote, SettledNote } from '../plan/messages/message.ts';
import type { SpecKey } from '../plan/observed.ts';
import type { ObservedRecord, RunPhase, RunRequest, RunResult } from '../plan/run/record.ts';
import type { RunState } from '../plan/run/state.ts';
import type { ReadResult, WriteResult } from './ports.ts';

/** The cache of record metadata. Reading never fails and never waits. */
export interface RecordCache {
  /** Complete once, and kept so by the watch. */
  readonly synced: boolean;
  /** Why it is not, as far as is known: rights are missing, or the API server does not answer. */
  readonly problem: { readonly reason: 'Forbidden' | 'RecordsUnread' | 'RecordsOff'; readonly message: string } | undefined;
  /** All records, or those of one workflow or template. */
  all(): readonly ObservedRecord[];
  of(target: SpecKey): readonly ObservedRecord[];
  /** Runs that messages of that queue started. */
  ofQueue(queue: SpecKey): readonly ObservedRecord[];
  /** Runs that steps of that run wait for, by the UID of its record. */
  childrenOf(uid: string): readonly ObservedRecord[];
  get(name: string): ObservedRecord | undefined;
  hasSeen(resourceVersion: string): boolean;
}

/** What a cache of records tells of a change. */
export interface RecordNews {
  readonly name: string;
  /** The key of what it is a run of; a record whose labels were edited is told for both. */
  readonly target: SpecKey;
  /** As it was seen last. */
  readonly record: ObservedRecord;
  readonly gone: boolean;
}

/** A record with its data, read live. */
export interface StoredRecord {
  readonly record: ObservedRecord;
  /** Spec text and the files that it names, by data key; undefined while it is queued. */
  readonly data: Readonly<Record<string, string>> | undefined;
  readonly parameters: JsonObject;
  /** undefined where there is none yet; `broken` where somebody edited it into something unreadable. */
  readonly state: RunState | 'broken' | undefined;
}

export interface NewRecord {
  readonly name: string;
  readonly request: RunRequest;
  readonly parameters: JsonObject;
  /** Spec text and files; undefined: queued. */
  readonly data: Readonly<Record<string, string>> | undefined;
  readonly owner: { readonly name: string; readonly uid: string } | undefined;
  /** What settling needs of the message that starts it: annotation job-chief/message. */
  readonly message?: MessageNote;
}

/** Changes of a record, all in one conditional write. */
export interface RecordChange {
  readonly state?: RunState;
  readonly phase?: RunPhase;
  readonly result?: RunResult;
  /** Admits a queued run. */
  readonly data?: Readonly<Record<string, string>>;
  readonly owner?: { readonly name: string; readonly uid: string };
  /** Reason to cancel, as people would write it. */
  readonly cancel?: string;
  /** All approvals, as people would write them. */
  readonly approvals?: string;
  /** Suspended by its Run; null: not any more. */
  readonly suspend?: 'run' | null;
  /** What has become of the message that started it: annotation job-chief/settled. */
  readonly settled?: SettledNote;
}

export interface RecordStore {
  create(record: NewRecord): Promise<WriteResult>;
  read(name: string): Promise<ReadResult<StoredRecord>>;
  /** Only if the record still has this UID and resourceVersion; otherwise `conflict`. */
  write(target: { readonly name: string; readonly uid: string; readonly resourceVersion: string }, change: RecordChange): Promise<WriteResult>;
  /** With uid and resourceVersion as preconditions; its Jobs and maps follow by ownership. */
  delete(target: { readonly name: string; readonly uid: string; readonly resourceVersion: string }): Promise<WriteResult>;
  /** An immutable ConfigMap that Jobs of a run mount. */
  createMap(manifest: JsonObject): Promise<WriteResult>;
}
