/** What linting found, for any way of printing it. */
import type { ParsedSpec, Spec, SpecInput } from '../../spec/parsed.ts';
import type { Problem } from '../../spec/problem.ts';

/** Specs and problems in the order of the sources. */
export interface LintResult {
  readonly specs: readonly LintedSpec[];
  readonly problems: readonly Problem[];
}

/** One spec that was found. */
export interface LintedSpec {
  readonly file: string;
  readonly kind: string | undefined;
  readonly name: string;
  /** Present when the spec has no errors. */
  readonly spec: Spec | undefined;
  readonly parsed: ParsedSpec;
  /** As it was found. */
  readonly input: SpecInput;
  /** Of the ConfigMap; empty where its manifest names none. */
  readonly namespace: string;
  readonly instance: string;
}

/** How many problems there are of each severity. */
export function count(problems: readonly Problem[]): { errors: number; warnings: number } {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: problems.length - errors };
}
