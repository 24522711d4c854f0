/** What a round of a workflow decides. */
import type { JsonObject } from '../../lib/json.ts';
import type { CallDemand, ClaimStatus, VerdictDemand } from '../action.ts';
import type { Reason } from '../reason.ts';
import type { RunRequest } from '../run/record.ts';

export type WorkflowAction = CreateRun | AdmitRun | CancelRun | ReownRun | DeleteRun;

interface Because {
  readonly reason: Reason;
  readonly because: string;
}
interface Target {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Write a new record, with the winning spec's text and files frozen in it. Its name is the lock. */
export interface CreateRun extends Because {
  readonly kind: 'createRun';
  readonly name: string;
  readonly request: RunRequest;
  readonly parameters: JsonObject;
  readonly frozen: FrozenSpec;
}

/** A queued run gets the spec's text as it is now, and may start. */
export interface AdmitRun extends Because {
  readonly kind: 'admitRun';
  readonly record: Target;
  readonly frozen: FrozenSpec;
}

/** What a run keeps of its spec. */
export interface FrozenSpec {
  /** Index into observed.claims. */
  readonly claim: number;
  readonly owner: { readonly name: string; readonly uid: string } | undefined;
}

/** Ask a run to end: by the annotation that people use. */
export interface CancelRun extends Because {
  readonly kind: 'cancelRun';
  readonly record: Target;
}

export interface ReownRun extends Because {
  readonly kind: 'reownRun';
  readonly record: Target;
  readonly owner: { readonly name: string; readonly uid: string };
}

/** The record, and with it (by ownership) its Jobs and maps. */
export interface DeleteRun extends Because {
  readonly kind: 'deleteRun';
  readonly record: Target;
}

export interface WorkflowPlan {
  readonly actions: readonly WorkflowAction[];
  readonly demands: readonly VerdictDemand[];
  /** Before deletions. */
  readonly calls?: readonly CallDemand[];
  readonly statuses: readonly ClaimStatus[];
  /**
   * Scheduled times that passed unused, and why. Counted once the createRun of this plan has created its record: from then
   * on they are no longer due, so none is counted twice. The last 1,000 where there are more.
   */
  readonly missed: readonly { readonly at: number; readonly why: 'down' | 'deadline' | 'forbidden' }[];
  readonly wakeAt: number | undefined;
}
