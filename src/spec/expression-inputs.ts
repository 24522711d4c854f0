/** The values that one part of an expression looks at, and how much work they may make. */
import type { Json } from '../lib/json.ts';
import type { Variable } from './expression-text.ts';
import { celTypeOf, Gap, presenceOf, toCel, valueOf, weightOf } from './expression-values.ts';
import type { ExpressionFacts, Verdict } from './facts.ts';

/** What was read. */
export interface Inputs {
  /** By the names of variables, as the run has them; those that are missing are absent. */
  readonly found: ReadonlyMap<Variable, Json>;
  /** Why one is missing: one that may still come, where there is such a one. */
  readonly gap: Verdict | undefined;
}

/** Reads the values of these variables. */
export function inputsOf(variables: readonly Variable[], facts: ExpressionFacts): Inputs {
  const found = new Map<Variable, Json>();
  let gap: Verdict | undefined;
  for (const variable of variables) {
    const value = readVariable(variable, facts);
    if (!(value instanceof Gap)) found.set(variable, value);
    else if (gap?.kind !== 'open') gap = value.verdict;
  }
  return { found, gap };
}

/** The value of a variable, or why there is none. */
export function readVariable({ fact, presence }: Variable, facts: ExpressionFacts): Json | Gap {
  return presence ? presenceOf(fact, facts) : valueOf(fact, facts);
}

/** The values as CEL wants them. Throws where one is not of its type. */
export function celValues({ found }: Inputs): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [variable, value] of found) values[variable.name] = toCel(value, celTypeOfVariable(variable));
  return values;
}

/** The CEL type of a variable. */
export function celTypeOfVariable({ fact, presence }: Variable): string {
  return presence ? 'bool' : celTypeOf(fact);
}

/** Members that each word of the part may walk over. `split`: texts count by their characters. */
export function workOf({ found }: Inputs, split: boolean): number {
  let all = 1;
  let repeated = 1;
  for (const [variable, value] of found) {
    const weight = weightOf(value, split);
    all += weight;
    if (variable.repeated) repeated += weight;
  }
  return all * repeated;
}
