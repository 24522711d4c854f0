/** What a round of a run decides. */
import type { JsonObject } from '../../lib/json.ts';
import type { DeleteAction, EndAction, ExplanationDemand, MarkAction, OwnParts } from '../action.ts';
import type { Reason } from '../reason.ts';
import type { RunRequest } from './record.ts';
import type { RunState } from './state.ts';

export type RunAction = CreateStepJob | CreateSubRun | LookUpJob | LookUpSubRun | CancelSubRun | EndAction | MarkAction | DeleteAction;

interface Because {
  readonly reason: Reason;
  readonly because: string;
}

/** Create one attempt's Job. Its name is the lock; the item map, where there is one, is created before it. */
export interface CreateStepJob extends Because {
  readonly kind: 'createStepJob';
  readonly step: string;
  readonly jobName: string;
  /** Whole, with its name. */
  readonly manifest: JsonObject;
  readonly ours?: OwnParts;
  /** An immutable ConfigMap that the Job mounts. Existing already is success. */
  readonly map?: JsonObject;
}

export interface CreateSubRun extends Because {
  readonly kind: 'createSubRun';
  readonly step: string;
  /** Name of the record: the lock. */
  readonly name: string;
  readonly request: RunRequest;
  readonly parameters: JsonObject;
}

/** Look a Job up live: an unclear answer to its create, or it was seen before and the cache does not show it. */
export interface LookUpJob extends Because {
  readonly kind: 'lookUp';
  readonly step: string;
  readonly jobName: string;
}

/** Look a sub-run's record up live: it was seen before and the cache does not show it. */
export interface LookUpSubRun extends Because {
  readonly kind: 'lookUpSubRun';
  readonly name: string;
}

/** Ask a sub-run to end, by annotation on its record. */
export interface CancelSubRun extends Because {
  readonly kind: 'cancelSubRun';
  readonly name: string;
  readonly uid: string;
}

export interface RunPlan {
  /** What is known and decided now. The same object as before where nothing changed. */
  readonly state: RunState;
  readonly actions: readonly RunAction[];
  readonly demands: readonly ExplanationDemand[];
  /** For status and logs: what the run waits for. */
  readonly reason: Reason;
  readonly message: string;
  readonly liveJobs: number;
  /** Jobs that it would start besides, if the limits of the instance had room for them. */
  readonly wants: number;
  readonly wakeAt: number | undefined;
}
