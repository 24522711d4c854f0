/**
 * What the HTTP API asks of the rest of job-chief. It reads caches and the API server, and writes records and annotations
 * on them: whatever it starts or changes, the controller of the instance finds there, so that every replica can serve.
 */
import type { JsonObject } from '../lib/json.ts';
import type { Status } from '../plan/action.ts';
import type { Shortage } from '../plan/limits/room.ts';
import type { Claim } from '../plan/observed.ts';
import type { ObservedRecord } from '../plan/run/record.ts';
import type { DepthProblem } from '../plan/observed.ts';
import type { ReadResult, WriteResult } from './ports.ts';
import type { NewRecord, RecordCache, StoredRecord } from './record-ports.ts';
import type { QueueSource } from '../spec/queue-source.ts';

/** One document that defines a spec, as somebody looks at it. */
export interface SpecEntry {
  /** Lower case: of the text, else of the label. */
  readonly kind: string;
  /** Logical name. */
  readonly name: string;
  readonly claim: Claim;
  /** Of several documents with this kind and name the one that counts. */
  readonly wins: boolean;
  /** As the controller of this process said it last, or as it is written on the ConfigMap; undefined: nobody has said anything yet. */
  readonly status: JsonObject | Status | undefined;
}

export interface ApiSpecs {
  readonly synced: boolean;
  all(): readonly SpecEntry[];
  /** The one that counts. One that has come just now is looked for at its source. */
  find(kind: string, name: string): Promise<SpecEntry | undefined>;
}

/** The limits of the instance, as far as this replica sees what is live. */
export interface ApiLimits {
  /** What keeps another Job of this group from starting; undefined: nothing that is known here. */
  shortage(group: string | undefined): Shortage | undefined;
}

export interface ApiRuns {
  readonly cache: RecordCache;
  /** Never writes. */
  read(name: string): Promise<ReadResult<StoredRecord>>;
  /** `done` only once the API server has it; `exists`: the name belongs to another run, or to something else. */
  create(record: NewRecord): Promise<WriteResult>;
  /** Only if the record has not changed since; null takes an annotation away. */
  annotate(record: ObservedRecord, annotations: Readonly<Record<string, string | null>>): Promise<WriteResult>;
  /** Annotations as they stand there; undefined where there is no such record. */
  annotations(name: string): Promise<ReadResult<Readonly<Record<string, string>>>>;
  /** Called with the name of each record that came, changed or went, until the returned function is called. */
  onChange(listener: (name: string) => void): () => void;
  /** Called with the name of each run whose Jobs or pods changed. */
  onPods(listener: (name: string) => void): () => void;
}

/** A container of a pod, as somebody who wants its log has to know it. */
export interface ContainerView {
  readonly name: string;
  readonly init: boolean;
  readonly state: 'waiting' | 'running' | 'terminated';
  /** Why it waits, or how it ended: `ImagePullBackOff: Back-off pulling image …`. */
  readonly reason: string;
}

export interface RunPod {
  readonly name: string;
  readonly uid: string;
  readonly step: string;
  readonly attempt: number;
  /** Of an item; undefined where there is one Job for all. */
  readonly index: number | undefined;
  readonly createdAt: number;
  readonly phase: string;
  /** Why it has no containers yet: no node, for instance. */
  readonly reason: string;
  /** Init containers first, in the order in which they run. */
  readonly containers: readonly ContainerView[];
}

export type LogPiece =
  | { readonly kind: 'line'; readonly text: string; /** RFC 3339, by the clock of the node. */ readonly time: string | undefined; readonly cut: boolean }
  | { readonly kind: 'interrupted'; readonly message: string }
  | { readonly kind: 'over' }
  | { readonly kind: 'waiting' | 'gone'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string; readonly forbidden: boolean };

/** The log of one container. A second read goes on after the last line of the one before. */
export interface ContainerLog {
  /** Never rejects; ends soon after the signal. `since`: milliseconds. */
  read(options: { readonly follow: boolean; readonly tail: number | undefined; readonly since: number | undefined; readonly signal: AbortSignal }): AsyncIterable<LogPiece>;
}

export interface RunLogs {
  /** Pods of the run that are there now. */
  pods(run: string): Promise<ReadResult<readonly RunPod[]>>;
  open(pod: string, container: string): ContainerLog;
}

/** What is in a queue, as far as its system can tell. Counts stop at `upTo`. */
export interface QueueCounts {
  /** Could be fetched now. */
  readonly ready: number;
  /** Can be fetched later: delayed, or waiting for another try. */
  readonly deferred: number;
  /** Fetched and not settled. */
  readonly active: number;
  /** Of ready and deferred: those that failed before. */
  readonly retrying: number;
  /** Failed, and out of tries. */
  readonly dead: number;
  /** Milliseconds for which the oldest that is ready has been in the queue; undefined: none is ready. */
  readonly oldestAge: number | undefined;
}
export type CountsAnswer =
  | { readonly kind: 'known'; readonly counts: QueueCounts; readonly upTo: number; /** Wall clock. */ readonly at: number }
  | { readonly kind: 'unknown'; readonly reason: DepthProblem; readonly message: string };

export interface QueueStats {
  /** Never rejects; an answer may be a few seconds old. */
  counts(source: QueueSource): Promise<CountsAnswer>;
}
