/** What the shell counts. One implementation exposes it as Prometheus metrics; per spec, never per run or Job. */
import type { Action, State } from '../plan/action.ts';
import type { MessageAction } from '../plan/messages/action.ts';
import type { Outcome } from '../plan/notes.ts';
import type { SpecKey } from '../plan/observed.ts';
import type { Reason } from '../plan/reason.ts';
import type { RequestAction } from '../plan/request/action.ts';
import type { RunAction } from '../plan/run/action.ts';
import type { RunRequest } from '../plan/run/record.ts';
import type { RunOutcome, StepOutcome } from '../plan/run/state.ts';
import type { WorkflowAction, WorkflowPlan } from '../plan/workflow/action.ts';
import type { WriteResult } from './ports.ts';

export interface Meter {
  /** A round ended; `requeue` says how the key comes back. Durations in seconds everywhere. */
  round(kind: string, result: 'success' | 'error' | 'panic', seconds: number): void;
  /** An action was carried out (`done`), or came to something else (WriteResult kind). */
  action(key: SpecKey, action: 'call' | (Action | MessageAction | RunAction | WorkflowAction | RequestAction)['kind'], reason: Reason, result: string): void;
  /** A Job of the spec was seen finished and its outcome written down. `ran`: start to end, `startup`: create to first container. */
  finished(key: SpecKey, outcome: Outcome, reason: string, times: { readonly ran: number | undefined; readonly startup: number | undefined }): void;
  /** State of the spec's winning claim; series appear with the first call and go with `forget`. */
  spec(key: SpecKey, view: { readonly state: State; readonly accepted: boolean; readonly liveJobs: number; readonly claims: number }): void;
  /** A reading of the queue; undefined: not known (the series goes, it never shows zero). */
  depth(key: SpecKey, ready: number | undefined, seconds: number): void;
  /** From the moment the queue was seen non-empty to the Job's 201. */
  created(key: SpecKey, seconds: number): void;
  forget(key: SpecKey): void;
}

/** What is counted about runs: by workflow, never by run. */
export interface RunMeter {
  /** Unfinished runs of a workflow; series appear with the first call and go with `forget`. */
  active(workflow: SpecKey, runs: number): void;
  /** A run is over, and its record says so. */
  finished(workflow: SpecKey, run: { readonly trigger: RunRequest['trigger']; readonly outcome: RunOutcome; readonly seconds: number }): void;
  step(workflow: SpecKey, outcome: StepOutcome): void;
  /** From the round that found a step due to the moment when the API server confirmed its Job. */
  edge(seconds: number): void;
  missed(workflow: SpecKey, why: WorkflowPlan['missed'][number]['why']): void;
  recordWrite(result: WriteResult['kind']): void;
  forget(workflow: SpecKey): void;
}

/** Ways of a message, each from one moment to the next. */
export type MessageStage = 'enqueued_to_leased' | 'leased_to_created' | 'created_to_started' | 'started_to_finished' | 'finished_to_settled';

/**
 * What became of messages: a Job was created (`created`) and its payload stored (`payload_posted`); the queue was told of
 * success (`completed`), at creation (`taken`), of failure (`returned`); published where dead ones go (`dead`), left as if
 * its Job had never been (`kept`), given back untouched (`released`), taken for acknowledged (`presumed`), acknowledged once
 * more (`duplicate`), without a Job since it was unusable (`invalid`); or its lease was lost (`lease_lost`).
 */
export const messageResults = ['created', 'payload_posted', 'completed', 'taken', 'returned', 'dead', 'kept', 'released', 'presumed', 'duplicate', 'invalid', 'lease_lost'] as const;
export type MessageResult = (typeof messageResults)[number];

/** What is counted about messages: by queue, never by message. */
export interface MessageMeter {
  stage(stage: MessageStage, seconds: number): void;
  message(queue: SpecKey, result: MessageResult): void;
  /** A Job was let go for so many messages. */
  batch(messages: number): void;
  /** Series appear with the first call and go with `forget`. */
  inHand(queue: SpecKey, messages: number): void;
  /** For how long the oldest that is ready has waited, seconds; undefined: not known (the series goes, it never shows zero). */
  oldest(queue: SpecKey, seconds: number | undefined): void;
  forget(queue: SpecKey): void;
}

/** Hooks of the work queue, named as client-go's workqueue metrics. */
export interface WorkQueueMeter {
  depth(size: number): void;
  added(): void;
  retried(): void;
  /** Seconds a key waited before its round began. */
  waited(seconds: number): void;
  /** Seconds a round took. */
  worked(seconds: number): void;
  /** Rounds under way: seconds each has taken so far, read at scrape time. */
  unfinished(read: () => readonly number[]): void;
}
