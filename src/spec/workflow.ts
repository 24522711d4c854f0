/**
 * A Workflow as the rest of job-chief sees it: parsed, checked, phases and file names resolved, durations in milliseconds.
 * What users write (and its JSON Schema) is workflow-schema.ts. A Template is one as well: of one step, started on request.
 */
import type { Json, JsonObject } from '../lib/json.ts';
import type { CommonSpec } from './common.ts';
import type { Expression } from './facts.ts';
import type { RunTarget } from './run.ts';
import type { ValueType } from './value-type.ts';

export type { ValueType } from './value-type.ts';

export interface WorkflowSpec extends CommonSpec {
  readonly kind: 'Workflow' | 'Template';
  readonly parameters: Readonly<Record<string, ParameterSpec>>;
  readonly trigger: TriggerSpec;
  /** In the order of the text, phases one after the other. */
  readonly steps: readonly StepSpec[];
  /** Start when all of `steps` have their outcome, whatever that is. */
  readonly finally: readonly StepSpec[];
  /** Live Jobs of one run; undefined: no limit. */
  readonly maxParallel: number | undefined;
  readonly onFailure: OnFailure;
  /** Outputs of a run: values that may hold references. */
  readonly outputs: Readonly<Record<string, Json>>;
  /** Data keys that steps name: what a run keeps beside the text. */
  readonly files: readonly string[];
}

/** `stop`: nothing new starts, what runs may finish. `revert`: as stop, then the undo jobs of succeeded steps, last first. */
export type OnFailure = 'stop' | 'cancel' | 'continue' | 'revert';

export interface ParameterSpec {
  readonly type: ValueType;
  /** The declaration as a JSON Schema, without `default` and `optional`. */
  readonly schema: JsonObject;
  readonly default: Json | undefined;
  /** May be left out although it has no default: then it is absent. */
  readonly optional: boolean;
}

export interface TriggerSpec {
  readonly onChange: boolean;
  readonly onRequest: boolean;
  readonly schedule: ScheduleSpec | undefined;
}
export interface ScheduleSpec {
  /** Cron lines of five fields. */
  readonly lines: readonly string[];
  /** IANA name. */
  readonly timeZone: string;
  readonly concurrencyPolicy: 'Forbid' | 'Replace' | 'Allow';
  /** Milliseconds after which a scheduled time that was not used is missed. */
  readonly startingDeadline: number | undefined;
}

export interface StepSpec {
  readonly name: string;
  /** The name with `-` as `_`: how expressions spell it. */
  readonly id: string;
  /** Name of the phase it stands in. */
  readonly phase: string | undefined;
  readonly work: StepWork;
  readonly dependsOn: Dependency;
  /** CEL over params, steps and run; undefined: always. */
  readonly when: Expression | undefined;
  readonly forEach: ForEachSpec | undefined;
  readonly retry: RetrySpec;
  readonly startTimeout: number;
  readonly timeout: TimeSpec | undefined;
  readonly allowFailure: boolean;
  readonly undo: UndoSpec | undefined;
  readonly outputs: Readonly<Record<string, OutputSpec>>;
  /** Files mounted into every container: path in the container → data key. */
  readonly files: Readonly<Record<string, string>>;
}

/** A duration in milliseconds, or a text with references that gives one. */
export type TimeSpec = number | string;

export type StepWork =
  /** `job` and `jobTemplate`, defaults filled in; may hold references. */
  | { readonly kind: 'job'; readonly template: JsonObject }
  /** `jobFile`: one manifest; `jobFiles`: one or more, which run beside each other, at most `maxParallel` at once. Verbatim, no references. */
  | { readonly kind: 'manifests'; readonly manifests: readonly { readonly file: string; readonly template: JsonObject }[]; readonly several: boolean; readonly maxParallel?: number | undefined }
  /** `workflow` and `template`: a run of their own, which the step waits for. */
  | { readonly kind: 'subRun'; readonly target: RunTarget; readonly parameters: JsonObject }
  | { readonly kind: 'approve'; readonly message: string };

/**
 * When a step may start. All parts must hold.
 * `all`: names of steps that must be ok (succeeded, skipped, or failed with allowFailure): written as a list, and steps
 * whose outputs it names, unless its expression speaks of them. `phase`: the phase before its own, all of whose steps must
 * be ok; undefined, too, where the expression speaks of a step of an earlier phase. `expression`: CEL over the other steps.
 */
export interface Dependency {
  readonly all: readonly string[];
  readonly phase: string | undefined;
  readonly expression: Expression | undefined;
}

export type ForEachSource =
  /** Written out; may hold references. */
  | { readonly kind: 'items'; readonly items: readonly Json[] }
  /** A reference to a list, such as `$(steps.list.outputs.files)` or `$(params.regions)`. */
  | { readonly kind: 'from'; readonly reference: string }
  /** A number, or a reference to one: items are 0 … count - 1. */
  | { readonly kind: 'count'; readonly count: number | string };
export interface ForEachSpec {
  readonly source: ForEachSource;
  /** Live items at once; undefined: no limit but the run's. */
  readonly maxParallel: number | undefined;
  /** `indexed`: one Indexed Job with item files; `jobs`: one Job for each item, since the job names `$(item)`, items are retried after a delay, or containers start again in place. */
  readonly shape: 'indexed' | 'jobs';
}

export interface RetrySpec {
  /** Attempts in all; 1: no retry. */
  readonly attempts: number;
  /** No attempt starts later than this after the first started. */
  readonly within: number | undefined;
  readonly delay: number;
  readonly factor: number;
  readonly maxDelay: number;
  /** Which exit codes are worth another attempt. Failures without an exit code (evicted, never started) always are. */
  readonly exitCodes: { readonly retry: readonly number[] } | { readonly fail: readonly number[] } | undefined;
  /** After an OOM kill the next attempt gets `factor` times the memory, up to `maxMemory`. */
  readonly onOOM: { readonly factor: number; /** Quantity. */ readonly maxMemory: string } | undefined;
}

export interface UndoSpec {
  readonly template: JsonObject;
  /** `jobFile`: a whole manifest, in which no references are replaced. */
  readonly verbatim?: boolean;
  readonly retry: RetrySpec;
  readonly startTimeout: number;
  readonly timeout: number | undefined;
}

export interface OutputSpec {
  readonly type: ValueType;
  /** For steps that were skipped, and for outputs that were not written. */
  readonly default: Json | undefined;
}

/** Most items of a forEach. */
export const mostItems = 10_000;
/** Most steps of a workflow, manifests of jobFiles counted. */
export const mostSteps = 20_000;
