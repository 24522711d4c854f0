/**
 * What a round decides. Plain values: executing one twice is harmless, and each carries the reason that becomes event
 * reason, metric label and log code.
 */
import type { Json, JsonObject } from '../lib/json.ts';
import type { QueueSource } from '../spec/queue-source.ts';
import type { DepthProblem, SpecKey } from './observed.ts';
import type { LeaseDemand, MessageAction } from './messages/action.ts';
import type { JobRef, OwnParts } from './job-parts.ts';
import type { RecordedOutcome } from './notes.ts';
import type { Reason } from './reason.ts';

export type Action = CreateAction | EndAction | ScaleAction | MarkAction | ReownAction | DeleteAction | ResolveAction;

interface Because {
  readonly reason: Reason;
  /** One sentence for people. */
  readonly because: string;
}

/** Create the queue's next drain Job, if a live look at the cluster shows that none is live. */
export interface CreateAction extends Because {
  readonly kind: 'create';
  readonly blueprint: DrainBlueprint;
}

/** All that the manifest needs but the sequence, which only the live list can give. */
export interface DrainBlueprint {
  /** Names the Job together with the sequence; never holds the spec's UID, so that a re-created spec meets its own Jobs. */
  readonly identity: readonly string[];
  readonly key: SpecKey;
  /** Exact logical name. */
  readonly name: string;
  /** Everything but the name and what follows from the sequence. */
  readonly manifest: JsonObject;
  readonly ours?: OwnParts;
}

/** Stop a Job without deleting it: it fails within a second, its pods go, the record stays. */
export interface EndAction extends Because {
  readonly kind: 'end';
  readonly job: JobRef;
  /** Only if nothing has happened to the Job since it was looked at: it was judged by what it had not done yet. */
  readonly ifUnchanged?: true;
  readonly suspended: boolean;
  readonly outcome: RecordedOutcome;
}

/** Raise a live Job's parallelism. */
export interface ScaleAction extends Because {
  readonly kind: 'scale';
  readonly job: JobRef;
  readonly parallelism: number;
}

/** Write down how a Job came out, while its pods still tell; and, once, where the Job controller says otherwise later. */
export interface MarkAction extends Because {
  readonly kind: 'mark';
  readonly job: JobRef;
  readonly outcome: RecordedOutcome;
  /** From the Job's start to its end, milliseconds. */
  readonly ran: number | undefined;
  /** When its containers had done their work, where the Job controller has not said so yet. */
  readonly endedAt?: number;
}

/** Hand a Job to the ConfigMap that now defines its queue. */
export interface ReownAction extends Because {
  readonly kind: 'reown';
  readonly job: JobRef;
  readonly owner: { readonly name: string; readonly uid: string };
}

export interface DeleteAction extends Because {
  readonly kind: 'delete';
  readonly job: JobRef;
}

/** Look a Job name up live, because an earlier create got no clean answer. */
export interface ResolveAction extends Because {
  readonly kind: 'resolve';
  readonly jobName: string;
}

/** What a round needs to know from outside before it can go on. The shell fetches it and starts another round. */
export type Demand = DepthDemand | VerdictDemand | ExplanationDemand | CallDemand;

/**
 * A standing question about the queue: it is read at once, again each `every` milliseconds, when the next deferred
 * message becomes ready, and when the queue wakes us, until a plan no longer asks it. A reading answers one question
 * only: what was read before the last Job ended says nothing about the next.
 */
export interface DepthDemand {
  readonly kind: 'depth';
  readonly question: string;
  readonly source: QueueSource;
  /** Counting further than this changes nothing. */
  readonly upTo: number;
  readonly every: number;
}

/** The server-side dry run of a spec's templates. The first that is refused is the verdict. */
export interface VerdictDemand {
  readonly kind: 'verdict';
  readonly hash: string;
  /** `what` stands before the API server's message where there are several: `step "load"`. */
  readonly manifests: readonly CheckedManifest[];
  readonly notBefore: number;
}

export interface CheckedManifest {
  readonly what: string;
  readonly manifest: JsonObject;
  /** The same before samples took the place of references: what they will be is judged when it is known. */
  readonly open?: JsonObject;
  readonly ours?: OwnParts;
}

/** The call before something is deleted (plan/before-delete.ts). What is not demanded any more is forgotten. */
export interface CallDemand {
  readonly kind: 'call';
  /** UID of what is to go: the same call again has the same id. */
  readonly id: string;
  readonly url: string;
  readonly timeout: number;
  readonly headersFromSecret?: string;
  readonly body: JsonObject;
  /** Now; else it is only remembered. */
  readonly start: boolean;
}

/** Event texts of objects whose own status does not say enough. */
export interface ExplanationDemand {
  readonly kind: 'explanation';
  readonly objects: readonly { readonly kind: 'Job' | 'Pod'; readonly name: string; readonly uid: string }[];
}

/** States of a spec, in the label job-chief/state. Those of a Run are the phases of its run, once there is one. */
export type State = 'Idle' | 'Starting' | 'Running' | 'Ending' | 'Waiting' | 'Blocked' | 'Suspended' | 'Checking' | 'Rejected' | 'Superseded' | 'Queued' | 'Succeeded' | 'Failed' | 'Cancelled';

/** Status of one claim. */
export interface Status {
  readonly state: State;
  readonly reason: Reason;
  readonly message: string;
  /** For GitOps tools: Degraded when the spec is rejected, and after a failed run where the spec asks for that. */
  readonly health: 'Healthy' | 'Progressing' | 'Degraded';
  readonly observedHash: string | undefined;
  readonly conditions: readonly { readonly type: 'Accepted' | 'Progressing' | 'LastRun' | 'BeforeDelete' | 'Settled'; readonly status: 'True' | 'False' | 'Unknown'; readonly reason: string; readonly message: string }[];
  readonly lastRun: LastRun | undefined;
  /** Of a Queue. */
  readonly liveJobs?: number;
  /** Live Jobs that run an older revision of the spec. */
  readonly oldJobs?: number;
  /** Of a Workflow: runs that have begun and are not over. Absent where that is not known. */
  readonly activeRuns?: number;
  /** Runs that wait for their turn. */
  readonly queuedRuns?: number;
  readonly schedule?: ScheduleStatus;
  /** What a request may set: by name, in a few words such as `integer, default 512`. As many as there is room for. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Of a Run, once its run was asked for. */
  readonly run?: RequestedRun;
}

/** The run that a Run asked for. Times as texts. */
export interface RequestedRun {
  /** Of its record. */
  readonly name: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly outcome?: string;
  /** The first ten. */
  readonly failedSteps?: readonly string[];
  readonly outputs?: Readonly<Record<string, Json>>;
  /** There are outputs, and no room for them here. */
  readonly outputsIn?: 'record';
}

export interface LastRun {
  /** Of a Queue: the Job's name. */
  readonly job?: string;
  /** Of a Workflow: the record's name. */
  readonly run?: string;
  readonly outcome: string;
  readonly reason: string;
  readonly message: string;
  readonly finishedAt: string;
}

/** Also what the next process takes up from: see docs/adr/0010-schedules.md. */
export interface ScheduleStatus {
  /** Stands for lines and zone: another one is another timetable. */
  readonly id: string;
  /** Scheduled times up to this one are used, or no longer wanted. */
  readonly from: string;
  readonly next: string | undefined;
}

export interface ClaimStatus {
  /** Index into observed.claims. */
  readonly claim: number;
  readonly status: Status;
}

export interface Plan {
  /** In the order in which they must be carried out. */
  readonly actions: readonly Action[];
  readonly demands: readonly Demand[];
  readonly statuses: readonly ClaimStatus[];
  /** The earliest time at which the plan could differ by itself, by this process's clock. */
  readonly wakeAt: number | undefined;
  /** Jobs that it would start besides, if the limits of the instance had room for them. */
  readonly wants: number;
  /** Of Queues that lease messages. */
  readonly messages?: readonly MessageAction[];
  /** One for each queue whose messages are wanted, or are still in hand. */
  readonly leases?: readonly LeaseDemand[];
}

export type { DepthProblem, JobRef, OwnParts };
