/**
 * CEL, as `dependsOn` and `when` use it. A result that is still open is an absent key, so CEL's own error absorption
 * (`true || unknown` is true) gives short-circuit evaluation (docs/adr/0009-expressions.md).
 */
import type { Json, JsonObject } from '../lib/json.ts';

/** Checked and compiled. */
export interface Expression {
  readonly text: string;
  /** Ids of the steps that it names. */
  readonly steps: readonly string[];
  evaluate(facts: ExpressionFacts): Verdict;
}

/** `open`: it depends on a result that is not there yet. `error`: it can never be answered, such as a division by zero. */
export type Verdict = { readonly kind: 'true' | 'false' | 'open' } | { readonly kind: 'error'; readonly message: string };

export interface ExpressionFacts {
  readonly params: JsonObject;
  readonly run: JsonObject;
  /** What is known of a step, by its id. */
  step(id: string): StepFacts;
}

/** Absent fields are open. Once a step has its outcome all fields but `outputs` are there. */
export interface StepFacts {
  readonly succeeded?: boolean;
  readonly failed?: boolean;
  readonly errored?: boolean;
  readonly notStarted?: boolean;
  readonly refused?: boolean;
  readonly skipped?: boolean;
  readonly omitted?: boolean;
  readonly cancelled?: boolean;
  /** Succeeded or skipped, or failed with allowFailure. */
  readonly ok?: boolean;
  /** Has an outcome, whatever it is. */
  readonly completed?: boolean;
  /** Of a forEach: known as soon as one item has succeeded. For other steps the same as succeeded. */
  readonly anySucceeded?: boolean;
  readonly allFailed?: boolean;
  readonly outputs?: Readonly<Record<string, Json>>;
}
