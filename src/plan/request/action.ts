/** What a round of a Run decides. */
import type { JsonObject } from '../../lib/json.ts';
import type { ClaimStatus, JobRef } from '../action.ts';
import type { Reason } from '../reason.ts';
import type { RunRequest } from '../run/record.ts';

export type RequestAction = AskRun | CommandRun;

interface Because {
  readonly reason: Reason;
  readonly because: string;
}

/** Write the record of a run, queued. Its name is the lock. */
export interface AskRun extends Because {
  readonly kind: 'askRun';
  readonly name: string;
  /** Index into observed.claims: must still be made when the record is written. */
  readonly claim: number;
  readonly request: RunRequest;
  readonly parameters: JsonObject;
}

/** What a Run says about the run that it asked for, as annotations on its record. */
export interface CommandRun extends Because {
  readonly kind: 'commandRun';
  readonly record: JobRef;
  readonly commands: RecordCommands;
}

export interface RecordCommands {
  readonly cancel?: string;
  /** All of them, in the form of the annotation. */
  readonly approvals?: string;
  /** null: what the Run itself said before is taken back. */
  readonly suspend?: 'run' | null;
}

export interface RequestPlan {
  readonly actions: readonly RequestAction[];
  readonly statuses: readonly ClaimStatus[];
  readonly wakeAt: number | undefined;
}
