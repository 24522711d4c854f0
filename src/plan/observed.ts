/**
 * Everything a decision may look at. Built once per round from the caches; plain data, never changed afterwards.
 * Times are milliseconds since 1970 by the API server's clock unless said otherwise.
 */
import type { ParsedSpec } from '../spec/parsed.ts';
import type { Room } from './limits/room.ts';
import type { BatchFacts, MessageJobFacts, MessagesView } from './messages/observed.ts';
import type { RecordedOutcome, UpkeepNote } from './notes.ts';
import type { Refusal } from './refusal.ts';
import type { SpecKey } from './spec-key.ts';
import type { TemplateVerdict } from './template-verdict.ts';

export type { TemplateVerdict };

/** One ConfigMap or file that says it defines the key. */
export interface Claim {
  readonly source: ClaimSource;
  readonly parsed: ParsedSpec;
}
export type ClaimSource = ConfigMapSource | FileSource;
export interface ConfigMapSource {
  readonly kind: 'configMap';
  readonly name: string;
  readonly uid: string;
  readonly createdAt: number;
  /** Has a deletionTimestamp: counts as deleted. */
  readonly deleting: boolean;
  /** The status annotation and state label as they stand, to write only differences. */
  readonly writtenStatus: string | undefined;
  readonly writtenState: string | undefined;
}
export interface FileSource {
  readonly kind: 'file';
  readonly path: string;
  /** When the file was last changed, for choosing between duplicates. */
  readonly createdAt: number;
}

/** A Job of this key, as far as decisions need it (about 0.5 KiB). Projected from the raw object. */
export interface ObservedJob {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly createdAt: number;
  readonly deleting: boolean;
  /** UID of the controller ownerReference, if any. */
  readonly ownerUid: string | undefined;
  readonly specHash: string | undefined;
  readonly specSource: 'configMap' | 'file';
  readonly onSpecDelete: 'delete' | 'finish';
  readonly sequence: number | undefined;
  readonly suspended: boolean;
  /** It is in a queue of Kueue, which says when it may run. */
  readonly kueue?: true;
  readonly parallelism: number;
  readonly activeDeadlineSeconds: number | undefined;
  /** status.startTime: when the Job controller took it up; reset on each resume; absent while suspended. */
  readonly startedAt: number | undefined;
  /** The terminal condition (Complete or Failed, status True), if any. */
  readonly finished: { readonly condition: 'Complete' | 'Failed'; readonly reason: string; readonly message: string; readonly at: number } | undefined;
  /** Pods that ended, by status counters. */
  readonly succeededPods: number;
  readonly failedPods: number;
  /** Pods that are ready now, by the Job controller's word: its watch may be ahead of that of the pods. Absent: none. */
  readonly readyPods?: number;
  /** When its first container started, or a time soon after, where no pod may tell it: its node was drained, and another pod follows. */
  readonly ranAt?: number;
  /** Pods of it that were seen to end so, and then to go. Those that were disrupted have been replaced and count for nothing. */
  readonly gone?: { readonly succeeded: number; readonly failed: number };
  /** What job-chief wrote on it: why it was ended or how it came out; garbage reads as undefined. */
  readonly recorded: RecordedOutcome | undefined;
  readonly upkeep: UpkeepNote | undefined;
  /** Until when retention leaves it, by what somebody wrote on it; `Infinity`: for ever. */
  readonly keepUntil?: number;
  readonly pods: readonly ObservedPod[];
  /** Of Jobs of runs, and of those for messages. */
  readonly step?: StepJobFacts | undefined;
  /** Only of Jobs that were made for a message. */
  readonly message?: MessageJobFacts | undefined;
  /** Only of Jobs that were made for several messages. */
  readonly batch?: BatchFacts | undefined;
}

/** What the outcome of a step is read from, beyond the Job's own. */
export interface StepJobFacts {
  readonly indexed: boolean;
  readonly completions: number | undefined;
  readonly parallelism: number;
  readonly restartPolicy: string;
  /** The Job controller's verdict must be awaited: successPolicy, managedBy, or a podFailurePolicy that is the user's. */
  readonly awaitsVerdict: boolean;
  /** As the status has them, such as `0-2,5`. */
  readonly completedIndexes: string;
  readonly failedIndexes: string;
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

export interface ObservedPod {
  readonly name: string;
  readonly uid: string;
  /** UID and name of the Job that controls it. */
  readonly jobUid: string | undefined;
  readonly jobName: string | undefined;
  readonly phase: PodPhase;
  /** Pod-level reason, such as Evicted. */
  readonly reason: string | undefined;
  readonly deleting: boolean;
  readonly node: string | undefined;
  readonly createdAt: number;
  /** True once any regular container has started (running or terminated). */
  readonly started: boolean;
  /** When the first regular container started, as far as the status tells. */
  readonly startedAt: number | undefined;
  /** True when the pod has a DisruptionTarget condition: evicted, preempted, node gone. */
  readonly disrupted: boolean;
  /** PodScheduled condition False with its reason and message, e.g. Unschedulable. */
  readonly unscheduled: { readonly reason: string; readonly message: string } | undefined;
  /** The most telling waiting reason over all init and regular containers, if one waits for something that may not heal. */
  readonly waiting: { readonly reason: string; readonly message: string; readonly container: string; /** First seen by this process, by its clock. */ readonly since: number } | undefined;
  /** Regular containers (and failed init containers) that terminated with a code other than 0. */
  readonly failures: readonly ContainerFailure[];
  /** Only of pods of runs. */
  readonly step?: StepPodFacts | undefined;
}

export interface StepPodFacts {
  /** Completion index. */
  readonly index: number | undefined;
  /** All regular containers have terminated (and none will be restarted): with exit 0, or not all of them. The pod's phase follows about a second later. */
  readonly done: 'succeeded' | 'failed' | undefined;
  readonly doneAt: number | undefined;
  /** Termination messages of regular containers that exited with 0 and left one, as they are. */
  readonly messages: readonly { readonly container: string; readonly text: string }[];
  /** Containers that share the kubelet's 12 KiB for termination messages, init and ephemeral ones included. */
  readonly containers: number;
}

export interface ContainerFailure {
  readonly container: string;
  readonly exitCode: number;
  readonly reason: string;
  /** Termination message, cut to 1 KiB. */
  readonly message: string;
}

/** A Job name that was asked for and that the cache does not show yet. */
export interface Reservation {
  readonly jobName: string;
  /** `created`: the API server said 201. `unknown`: no clean answer, the name must be looked up before anything else. */
  readonly state: 'pending' | 'created' | 'unknown';
}

/** The last reading of the queue, and the question it answers (see Demand). */
export interface DepthReading {
  readonly question: string;
  /** When the query was sent, by this process's clock. */
  readonly at: number;
  readonly result:
    | { readonly kind: 'known'; /** Runnable now, counted up to the demand's bound. */ readonly ready: number; /** When the next deferred message becomes ready. */ readonly nextReadyAt: number | undefined }
    | { readonly kind: 'unknown'; readonly reason: DepthProblem; readonly message: string; /** Since when it fails. */ readonly since: number };
}
/** Why a depth is not known: the connection cannot be reached, refuses us, or the queue's tables are not as expected. */
export type DepthProblem = 'ConnectionUnknown' | 'QueueUnreachable' | 'QueueForbidden' | 'QueueNotFound' | 'QueueUnsupported';

/** What has come of the call before a deletion so far, by this process's clock. */
export type CallState =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'underWay' }
  | { readonly kind: 'failed'; readonly message: string; readonly at: number; /** In a row. */ readonly count: number };

/** By UID of what is to go. */
export type Calls = ReadonlyMap<string, CallState>;

export interface Observed {
  readonly key: SpecKey;
  /** Not sorted; plan chooses the winner. */
  readonly claims: readonly Claim[];
  readonly jobs: readonly ObservedJob[];
  /** Living pods that carry the key's labels and whose Job is not among `jobs`. */
  readonly orphans: readonly ObservedPod[];
  readonly reservations: readonly Reservation[];
  readonly depth: DepthReading | undefined;
  readonly verdict: TemplateVerdict | undefined;
  readonly refusal: Refusal | undefined;
  /** Some spec file cannot be read at all, so no spec of a file may be taken for deleted. */
  readonly unread?: boolean;
  /** Unfinished Jobs that somebody deleted, in a row; by this process's clock. */
  readonly vanished?: { readonly at: number; readonly count: number } | undefined;
  /** Calls before deletions. */
  readonly calls?: Calls;
  /** Event texts by object UID (`FailedScheduling: …`), where asked for and the right exists. */
  readonly explanations: ReadonlyMap<string, string>;
  /** What the limits of the instance leave; absent: nothing limits it. */
  readonly room?: Room;
  /** Only of Queues that lease messages, and while Jobs of such a one are left. */
  readonly messages?: MessagesView;
}

export type { Refusal, SpecKey };
