/** What the parts of one round of a workflow share. */
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { CallDemand, VerdictDemand } from '../action.ts';
import { DraftOf } from '../draft.ts';
import type { PlanEnvironment } from '../environment.ts';
import type { Claim } from '../observed.ts';
import type { Reason } from '../reason.ts';
import type { ObservedRecord } from '../run/record.ts';
import type { CreateRun, AdmitRun, WorkflowAction, WorkflowPlan } from './action.ts';
import type { ObservedWorkflow } from './observed.ts';

export interface WorkflowRound {
  readonly observed: ObservedWorkflow;
  readonly environment: PlanEnvironment;
  readonly now: number;
  readonly spec: WorkflowSpec;
  readonly winner: Claim;
  /** Of the winner, in observed.claims. */
  readonly index: number;
}

export type Missed = WorkflowPlan['missed'][number];

/** The plan of a workflow while it is being made. */
export class WorkflowDraft extends DraftOf<WorkflowAction, VerdictDemand> {
  readonly missed: Missed[] = [];
  readonly calls: CallDemand[] = [];
}

/** A run that could start now, if there is room for it. */
export interface Candidate {
  readonly name: string;
  /** For people: `run "etl-x7"`, `the run scheduled for …`. */
  readonly what: string;
  /** Larger ones first, then those that have waited longer. */
  readonly priority: number;
  readonly since: number;
  /** False: it starts however many others run. */
  readonly needsRoom: boolean;
  /** Asked for only when it starts. `missed`: scheduled times that nobody will use any more then. */
  start(): { readonly action: CreateRun | AdmitRun; readonly missed: readonly Missed[] };
}

/** What a trigger wants. */
export interface Wish {
  /** Runs that have to end first. */
  readonly cancel: readonly ObservedRecord[];
  readonly start: Candidate | undefined;
  /** Why nothing of it can start yet. */
  readonly waits: { readonly reason: Reason; readonly message: string } | undefined;
}

export const noWish: Wish = { cancel: [], start: undefined, waits: undefined };
