/**
 * What a checked expression is and what it looks at. What is not known yet is absent; that is what makes an answer open.
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
  /** Where the expression is asked for one item of a forEach. */
  readonly item?: Json;
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

/** What an expression may ask of a step besides its outputs, the common ones first. */
export const stepFields = [
  'ok',
  'completed',
  'succeeded',
  'failed',
  'errored',
  'notStarted',
  'refused',
  'skipped',
  'omitted',
  'cancelled',
  'anySucceeded',
  'allFailed',
] as const satisfies readonly (keyof StepFacts)[];
export type StepField = (typeof stepFields)[number];
