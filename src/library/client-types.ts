/** What a client can be asked, whichever way it goes. */
import type { Json, JsonObject } from '../lib/json.ts';
import type { RunPhase } from '../plan/run/record.ts';
import type { RunOutcome } from '../plan/run/state.ts';

/** What a run is a run of. */
export interface Target {
  readonly kind: 'workflow' | 'template';
  /** Its logical name. */
  readonly name: string;
}

/** A run to be started: of a workflow or of a template, exactly one of the two. */
export interface SubmitRequest {
  readonly workflow?: string;
  readonly template?: string;
  readonly parameters?: JsonObject;
  /**
   * Idempotency key: asked twice with the same one there is one run, also when the first answer was lost. Without one every
   * call is a run of its own.
   */
  readonly key?: string;
}

/** A run that is written down: it will be done, whatever becomes of who asked for it. */
export interface Submitted {
  /** Name of the run. */
  readonly name: string;
  /** What the requester should know, such as that the workflow is suspended: a sentence each. */
  readonly notes: readonly string[];
}

/** How a run ended. */
export interface RunEnd {
  readonly outcome: RunOutcome;
  /** A word for programs, see docs/reasons.md. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** The first hundred. */
  readonly failedSteps: readonly string[];
  readonly outputs: Readonly<Record<string, Json>>;
}

/** A run as it stands. */
export interface Run {
  readonly name: string;
  readonly target: Target;
  readonly phase: RunPhase;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Once it is over. */
  readonly end?: RunEnd;
}

/** Which runs; without any all of them. */
export interface ListOptions {
  readonly workflow?: string;
  readonly template?: string;
}

export interface WaitOptions {
  /** Milliseconds; without it as long as it takes. */
  readonly timeout?: number;
  /** Ends the waiting, not the run. */
  readonly signal?: AbortSignal;
  /** Called when the run stands differently, first with how it stands now. */
  readonly onChange?: (run: Run) => void;
}

/**
 * Asks for runs, looks at them and ends them. Everything rejects with a ClientError whose `code` says whether to ask again.
 */
export interface Client {
  /** Resolves when the run is written down. */
  submit(request: SubmitRequest): Promise<Submitted>;
  /** undefined: there is no run of this name. */
  run(name: string): Promise<Run | undefined>;
  /** Newest first. */
  runs(options?: ListOptions): Promise<readonly Run[]>;
  /** Resolves with the run once it is over, however it ended. Rejects with `TimedOut` when that takes too long; the run goes on. */
  wait(name: string, options?: WaitOptions): Promise<Run>;
  /** Asks for the end of a run. One that is being cancelled, or was, may be asked to again. */
  cancel(name: string, reason?: string): Promise<void>;
  /** Gives back what the client holds open. What is under way rejects. */
  close(): Promise<void>;
}
