/** `job-chief/spec`: reads and checks specs, as the controller and `job-chief lint` do. Synchronous, and never throws. */
export { checkSources } from '../cli/lint/check.ts';
export type { LintedSpec, LintResult } from '../cli/lint/result.ts';
export { apiVersion, kindLabel, specKey } from '../spec/keys.ts';
export { parseSpec } from '../spec/parse.ts';
export type { ParsedSpec, Spec, SpecEnvironment, SpecInput } from '../spec/parsed.ts';
export { problemCodes, type ProblemCode } from '../spec/problem-codes.ts';
export type { Position, Problem, Severity } from '../spec/problem.ts';
