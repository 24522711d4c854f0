/**
 * How far a run has come: the durable part of its record (data key `state.json`). Merges are monotonic: what has an
 * outcome never changes it. Times are milliseconds since 1970 by the API server's clock. Short enough that 2,000 steps
 * stay far below 1 MiB: what is not known is absent.
 */
import type { Json } from '../../lib/json.ts';

/** Outcomes of a step. The first five are those of Jobs (plan/notes.ts). */
export type StepOutcome = 'succeeded' | 'failed' | 'errored' | 'notStarted' | 'refused' | 'skipped' | 'omitted' | 'cancelled';
export type RunOutcome = 'succeeded' | 'failed' | 'cancelled';

export interface RunState {
  readonly startedAt: number;
  /** By step name, of `steps` and `finally`. A step that nothing was decided about is absent. */
  readonly steps: Readonly<Record<string, StepState>>;
  /** Undo jobs, by the name of the step that they undo. */
  readonly undo: Readonly<Record<string, StepState>>;
  /** Present once nothing new starts any more (but finally and undo), and why. */
  readonly stopping?: Stopping;
  /** Present once the run is over. */
  readonly end?: RunEnd;
}

export interface Stopping {
  readonly mode: 'stop' | 'cancel' | 'revert';
  /** `StepFailed`, `RunCancelled`, `SpecDeleted`. */
  readonly reason: string;
  readonly message: string;
  readonly at: number;
}

export interface RunEnd {
  readonly outcome: RunOutcome;
  readonly reason: string;
  readonly message: string;
  readonly at: number;
  /** Names of steps that failed and count. */
  readonly failedSteps: readonly string[];
  readonly outputs?: Readonly<Record<string, Json>>;
}

export interface StepState {
  /** Absent: open. */
  readonly outcome?: StepOutcome;
  readonly reason?: string;
  readonly message?: string;
  /** When it got its outcome. */
  readonly at?: number;
  /** Of a step that is one Job, sub-run or approval at a time; oldest first. Absent for one Job per item. */
  readonly attempts?: readonly Attempt[];
  /** One Job per item (forEach of that shape, jobFiles): by index. Fixed in length when the step starts. */
  readonly items?: readonly ItemState[];
  /** forEach: the items as they were when the step started. `count` where they are just numbers. */
  readonly each?: { readonly count: number; readonly values?: readonly Json[] };
  /** Of a forEach: for each output the list in the order of the items; null where an item has none. */
  readonly outputs?: Readonly<Record<string, Json>>;
  /** Carried over from an earlier run: its record's name. */
  readonly from?: string;
  /** Hash over all that went into the first attempt, for carrying over. */
  readonly inputs?: string;
}

export interface ItemState {
  readonly outcome?: StepOutcome;
  readonly reason?: string;
  readonly message?: string;
  readonly attempts: readonly Attempt[];
  readonly outputs?: Readonly<Record<string, Json>>;
}

/** One Job, or one sub-run. */
export interface Attempt {
  /** Name of the Job, or of the sub-run's record; an approval has its step's name. */
  readonly job: string;
  /** When it was decided on. */
  readonly at: number;
  /** It was seen in the cluster: if it is gone now, somebody deleted it. */
  readonly seen?: boolean;
  /** When its first container started. */
  readonly ranAt?: number;
  readonly endedAt?: number;
  readonly outcome?: StepOutcome;
  readonly reason?: string;
  readonly message?: string;
  readonly exitCode?: number;
  /** The Job controller's verdict, where it came later and says otherwise. Recorded, never acted on. */
  readonly verdict?: string;
  /** Quantity that `onOOM` gave this attempt. */
  readonly memory?: string;
  /** Indexes of an Indexed Job that failed. */
  readonly failedItems?: readonly number[];
}
