/** `job-chief`: the types that everything else of the library speaks of, and the version. */
export type { Json, JsonObject } from '../lib/json.ts';
export type { RunOutcome } from '../plan/run/state.ts';
export type { RunPhase } from '../plan/run/record.ts';
export type { Client, ListOptions, Run, RunEnd, SubmitRequest, Submitted, Target, WaitOptions } from './client-types.ts';
export type { LimitsSpec } from '../spec/limits.ts';
export type { ParsedSpec, Spec, SpecEnvironment, SpecInput } from '../spec/parsed.ts';
export type { Position, Problem, Severity } from '../spec/problem.ts';
export type { QueueSpec } from '../spec/queue.ts';
export type { RunSpec } from '../spec/run.ts';
export type { ParameterSpec, StepSpec, WorkflowSpec } from '../spec/workflow.ts';
export { version } from '../version.ts';
