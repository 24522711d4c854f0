/**
 * A run's record: a ConfigMap with the label job-chief-record. Its metadata alone says what other rounds need; its data
 * holds what the run itself needs.
 */
import type { Json, JsonObject } from '../../lib/json.ts';
import { labelValue } from '../../lib/label-value.ts';
import type { BeforeDelete } from '../../spec/common.ts';
import type { ParsedSpec } from '../../spec/parsed.ts';
import type { RunTarget } from '../../spec/run.ts';
import type { MessageJobFacts } from '../messages/message.ts';
import type { SpecKey } from '../spec-key.ts';
import type { RunOutcome, RunState } from './state.ts';

/** Why a run exists. Annotation job-chief/request, never changed. */
export interface RunRequest {
  /** Logical name of what it runs: exactly one of the two. */
  readonly workflow?: string;
  readonly template?: string;
  readonly trigger: 'change' | 'schedule' | 'request' | 'step' | 'message';
  /** change: the spec's hash and what defined it (UID of the ConfigMap, or path of the file). */
  readonly specHash?: string;
  readonly source?: string;
  /** request: logical name of the Run that asks for it; `source` is then what defines that. */
  readonly run?: string;
  /** message: logical name of the Queue; `specHash` is then that of its spec. */
  readonly queue?: string;
  /** schedule: milliseconds since 1970. */
  readonly scheduledAt?: number;
  /** step: the run that waits for this one. `depth` counts from 1. */
  readonly parent?: ParentNote;
  /** A new run of an earlier one: successes are carried over from it. */
  readonly rerunOf?: { readonly run: string; readonly uid: string; /** First step that runs again, with all that follow it. */ readonly from?: string };
  /** Larger runs first where several wait. */
  readonly priority?: number;
  /** What retention needs after the workflow is gone. Milliseconds. */
  readonly retention?: { readonly succeeded: RetentionNote; readonly failed: RetentionNote; readonly beforeDelete?: BeforeDelete };
}
interface ParentNote {
  readonly run: string;
  readonly uid: string;
  readonly step: string;
  readonly attempt: number;
  readonly depth: number;
  /** Logical names of the workflows of all runs that wait for this one: one of its own ancestors' must not wait for their place. */
  readonly within?: readonly string[];
}
interface RetentionNote {
  readonly count?: number;
  readonly age?: number;
}

/** What a request is for. */
export function targetOf({ workflow, template = '' }: RunRequest): RunTarget {
  return workflow === undefined ? { kind: 'template', name: template } : { kind: 'workflow', name: workflow };
}

/** The same as a request has it. */
export function requestFor({ kind, name }: RunTarget): Pick<RunRequest, 'workflow' | 'template'> {
  return kind === 'workflow' ? { workflow: name } : { template: name };
}

/** The key of the spec that a request is for. */
export function targetKey(request: RunRequest): SpecKey {
  const { kind, name } = targetOf(request);
  return { kind, name: labelValue(name) };
}

/** `Queued`: its spec is not frozen yet, it waits for its turn. */
export type RunPhase = 'Queued' | 'Running' | 'Suspended' | 'Succeeded' | 'Failed' | 'Cancelled';

/** Annotation job-chief/result, once the run is over. */
export interface RunResult {
  readonly outcome: RunOutcome;
  readonly reason: string;
  readonly message: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  /** The first hundred. */
  readonly failedSteps: readonly string[];
  readonly outputs?: Readonly<Record<string, Json>>;
  /** Of a run that failed before any of its steps ran: why not. Nothing of its work was tried. */
  readonly untried?: 'errored' | 'notStarted' | 'refused';
}

/** What people ask of a run, as annotations on its record: kubectl annotate is enough. */
export interface RunCommands {
  /** job-chief/cancel: any text is the reason. */
  readonly cancel: string | undefined;
  /** job-chief/suspend: "true". */
  readonly suspend: boolean;
  /** The annotation says `run`: the Run that asked for it says so, and nobody else. */
  readonly suspendedByRun?: true;
  /** job-chief/approvals: `deploy,other=rejected`. */
  readonly approvals: ReadonlyMap<string, 'approved' | 'rejected'>;
  /** Parts of that text that are no answer. */
  readonly misread?: readonly string[];
}

/** A record as the cache holds it: metadata only. */
export interface ObservedRecord {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly createdAt: number;
  readonly deleting: boolean;
  readonly ownerUid: string | undefined;
  /** It is no ConfigMap: whoever runs it keeps it in memory, and nothing owns what it makes. */
  readonly ownerless?: true;
  /** Of the workflow or template that it is a run of, by its labels. */
  readonly target: SpecKey;
  /** undefined: unreadable, somebody edited it. */
  readonly request: RunRequest | undefined;
  readonly phase: RunPhase;
  /** What its label says where that cannot be: that the run is over, and there is no result. */
  readonly labelled?: RunPhase;
  readonly result: RunResult | undefined;
  readonly commands: RunCommands;
  /** Until when retention leaves it, by what somebody wrote on it; `Infinity`: for ever. */
  readonly keepUntil?: number;
  /** Only of runs that a message started. */
  readonly message?: MessageJobFacts | undefined;
}

/** Logical name of what a record is a run of; where its request is unreadable as its label has it. */
export function targetName({ request, target }: Pick<ObservedRecord, 'request' | 'target'>): string {
  return request ? targetOf(request).name : target.name;
}

/** What the data of a record holds, read live once and then kept in memory. */
export interface RunContent {
  /** Spec text and files as the run started with them, parsed. undefined while Queued. */
  readonly parsed: ParsedSpec | undefined;
  readonly parameters: JsonObject;
  readonly state: RunState | undefined;
}
