/**
 * What the shell needs from outside. Each port belongs to this ring; adapters implement it, the simulation runs the
 * real Kubernetes adapter over a simulated API server and implements the others in memory.
 *
 * Glossary: a *spec* is what users write; a *claim* is one ConfigMap or file that defines a spec; a *key* names a spec
 * for the work queue; a *round* is one reconcile of a key: observe, plan, execute, report; a *demand* is a question
 * that a plan asks outside; a *reading* or *verdict* is the answer.
 */
import type { JsonObject } from '../lib/json.ts';
import type { CallDemand } from '../plan/action.ts';
import type { QueueSource } from '../spec/queue-source.ts';
import type { ConfigMapSource, DepthProblem, FileSource, ObservedJob, ObservedPod, SpecKey } from '../plan/observed.ts';

/** Where specs come from: labelled ConfigMaps, or a folder of files. */
export interface SpecSource {
  /** Ids of everything that is there now. Complete only after `synced`. */
  ids(): readonly string[];
  /** One document; undefined when it is gone. Throws nothing: garbage is for the parser to report. */
  get(id: string): SpecDocument | undefined;
  /** The document as it is this moment, which `get` may be seconds behind. */
  look(id: string): Promise<ReadResult<SpecDocument>>;
  /** Whether everything up to this resourceVersion of a ConfigMap has been taken in: what is not here by then is gone. */
  hasSeen(resourceVersion: string): boolean;
  readonly synced: boolean;
}
export interface SpecDocument {
  readonly source: ConfigMapSource | FileSource;
  /** `configmap/NAME` or the file's name: for positions. */
  readonly file: string;
  readonly objectName: string;
  readonly label: string | undefined;
  readonly data: Readonly<Record<string, string>>;
  /** The ConfigMap opts out of Flux's substitution, so `${…}` in it is what its author means. */
  readonly substituteDisabled?: boolean;
}

/** The caches of this instance's Jobs and Pods, projected. Reading never fails and never waits. */
export interface ClusterCache {
  readonly synced: boolean;
  jobs(key: SpecKey): readonly ObservedJob[];
  /** The latest time until which Jobs of the key are to stay, by what somebody wrote on them; undefined: on none. */
  keptUntil(key: SpecKey): number | undefined;
  /** Living pods of the key whose Job the cache does not hold. */
  orphans(key: SpecKey): readonly ObservedPod[];
  /** Keys of all Jobs and living pods: what must be looked after even without a spec. */
  keys(): readonly SpecKey[];
  /** Whether the Job cache has taken in everything up to this resourceVersion. */
  hasSeen(resourceVersion: string): boolean;
}

/** What a live Job counts for under the limits: from its labels, so that it survives the spec. */
export interface Place {
  readonly group: string | undefined;
  /** Kind and name of what it belongs to: `queue a`. */
  readonly holder: string;
}

/** Is told which Jobs are live, as the caches show it. */
export interface LiveJobs {
  /** A Job of that name is unfinished, being deleted, or has a living pod; undefined: it is none of that any more. */
  live(name: string, place: Place | undefined): void;
  /** A Job that was not there before, with its creationTimestamp. */
  appeared(name: string, createdAt: number): void;
}

/** What a write came to. `unknown`: no clean answer, it may or may not have taken effect. */
export type WriteResult =
  | { readonly kind: 'done'; readonly resourceVersion: string; readonly uid: string; readonly warnings: readonly string[] }
  | { readonly kind: 'exists' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'conflict'; readonly message: string }
  /** 400 and 422, admission and policy denials: the object itself is wrong. */
  | { readonly kind: 'refused'; readonly message: string; /** It can never be stored, whoever asks. */ readonly tooLarge?: true }
  | { readonly kind: 'quota'; readonly message: string }
  /** 403 by RBAC, and 401. */
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'unknown'; readonly message: string };

/** What a live read came to: never from a cache, never an empty list in place of an error. */
export type ReadResult<T> = { readonly kind: 'found'; readonly value: T } | { readonly kind: 'absent' } | { readonly kind: 'failed'; readonly message: string; readonly forbidden: boolean };

/** Live requests about Jobs. All writes carry the field manager; retries after 429 and 503 are inside. */
export interface JobApi {
  create(manifest: JsonObject): Promise<WriteResult>;
  /** Server-side dry run with strict field validation and generateName. */
  dryRun(manifest: JsonObject): Promise<WriteResult>;
  /** JSON merge patch; `uid` in it guards against a namesake. */
  patch(name: string, uid: string, patch: JsonObject): Promise<WriteResult>;
  /** Foreground, with uid and resourceVersion as preconditions. */
  delete(name: string, uid: string, resourceVersion: string): Promise<WriteResult>;
  get(name: string): Promise<ReadResult<LiveJob>>;
  /**
   * What is live now for a key, by lists without a resourceVersion that were sent after this call: unfinished or
   * deleting Jobs, the highest sequence, and living pods. Callers that ask at the same time share requests.
   */
  live(key: SpecKey): Promise<ReadResult<LiveView>>;
  /** The Jobs of the key that were made for several messages, by a list without a resourceVersion that is sent after this call. */
  batches(key: SpecKey): Promise<ReadResult<readonly LiveBatch[]>>;
}
/** A Job for several messages, as it is this moment. */
export interface LiveBatch {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly deleting: boolean;
  readonly finished: boolean;
  /** It says that it was let go. */
  readonly committed: boolean;
  /** Not suspended, whoever said so: its pods may have begun. */
  readonly resumed: boolean;
  /** It is in a queue of Kueue, which says when its pods begin. */
  readonly kueue: boolean;
  /** Name of the Secret that it mounts. */
  readonly secret: string | undefined;
  /** Ids of its messages of which nothing is said yet. */
  readonly unsettled: readonly string[];
}
export interface LiveJob {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly deleting: boolean;
  readonly finished: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the message that it was made for. */
  readonly messageId?: string;
}
export interface LiveView {
  readonly highestSequence: number;
  /** Names of Jobs that are not finished or are being deleted. */
  readonly liveJobs: readonly string[];
  /** Names of pods that are neither Succeeded nor Failed. */
  readonly livePods: readonly string[];
}

export interface DepthQuery {
  readonly source: QueueSource;
  /** Counting further than this changes nothing. */
  readonly upTo: number;
}

/** How many messages wait. One implementation for each kind of queue. */
export interface DepthProbe {
  /** Never rejects. `nextReadyAt` in this process's time. */
  depth(query: DepthQuery, signal: AbortSignal): Promise<DepthAnswer>;
}
export type DepthAnswer =
  | { readonly kind: 'known'; readonly ready: number; readonly nextReadyAt: number | undefined }
  | { readonly kind: 'unknown'; readonly reason: DepthProblem; readonly message: string };

/** Queues that can tell when a message comes. A hint only: what it misses, the next reading finds. */
export interface WakeSource {
  /** Wakes come for this queue (to whoever composed the source) until the returned function is called. */
  interest(source: QueueSource): () => void;
}

/** Writes status to ConfigMaps. Off by configuration or on 403; nothing depends on it. */
export interface StatusSink {
  write(configMap: { name: string; uid: string }, status: { annotation: string; state: string; health: string }): Promise<WriteResult>;
}

/** Kubernetes Events, correlated and best effort: never rejects, never delays a round. */
export interface EventSink {
  emit(event: { configMap: { name: string; uid: string } | undefined; related: { name: string; uid: string } | undefined; type: 'Normal' | 'Warning'; reason: string; message: string }): void;
}

/** Texts of the cluster's own Events about an object, newest first; empty where the right is missing. */
export interface EventReader {
  texts(object: { kind: 'Job' | 'Pod'; name: string; uid: string }): Promise<readonly string[]>;
}

/** Tells somebody outside that something is about to be deleted. */
export interface DeletionHook {
  /** Never rejects. */
  call(demand: CallDemand): Promise<CallAnswer>;
}
export type CallAnswer = { readonly kind: 'accepted' } | { readonly kind: 'failed'; readonly message: string };

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
