/** Scopes and facts for tests of expressions. */
import { compileDependsOn, compileWhen, type DependsOnScope, type Expression, type ExpressionFacts, type ExpressionProblem, type StepFacts, type Verdict, type WhenScope } from '../../../src/spec/expression.ts';

/** Steps by these names. */
export function stepsNamed(...names: readonly string[]): DependsOnScope {
  return { steps: names.map((name) => ({ name, id: name.replaceAll('-', '_') })) };
}

/** Parameters and outputs of all types. */
export const whenScope: WhenScope = {
  steps: new Map([
    [
      'count',
      {
        rows: { type: 'integer', default: undefined },
        'max-rows': { type: 'integer', default: 10 },
        ratio: { type: 'number', default: undefined },
        label: { type: 'string', default: undefined },
        files: { type: 'array', default: undefined },
        report: { type: 'object', default: undefined },
        clean: { type: 'boolean', default: undefined },
      },
    ],
    ['load_a', {}],
  ]),
  parameters: {
    mode: { type: 'string', default: 'full' },
    n: { type: 'integer', default: undefined },
    'max-n': { type: 'integer', default: undefined },
    share: { type: 'number', default: undefined },
    dry: { type: 'boolean', default: undefined },
    options: { type: 'object', default: undefined },
    regions: { type: 'array', default: undefined },
    note: { type: 'string', default: undefined },
  },
};

/** What an ended step knows; succeeded unless said otherwise. */
export function ended(more: Partial<StepFacts> = {}): StepFacts {
  return {
    succeeded: true,
    failed: false,
    errored: false,
    notStarted: false,
    refused: false,
    skipped: false,
    omitted: false,
    cancelled: false,
    ok: true,
    completed: true,
    anySucceeded: true,
    allFailed: false,
    ...more,
  };
}

/** What a failed one knows. */
export const failed: StepFacts = ended({ succeeded: false, failed: true, ok: false, anySucceeded: false, allFailed: true });

/** Facts about these steps; nothing is known of others. */
export function factsOf(steps: Readonly<Record<string, StepFacts>>, more: Partial<ExpressionFacts> = {}): ExpressionFacts {
  return { params: {}, run: {}, step: (id) => steps[id] ?? {}, ...more };
}

/** The expression, which must be a valid one. */
export function valid(compiled: Expression | ExpressionProblem): Expression {
  if ('kind' in compiled) throw new Error(`${compiled.message} at ${compiled.offset}`);
  return compiled;
}

/** The problem, where there must be one. */
export function problemOf(compiled: Expression | ExpressionProblem): ExpressionProblem {
  if ('kind' in compiled) return compiled;
  throw new Error(`"${compiled.text}" is valid`);
}

/** An answer in one word, or the message of an error. */
export function said(verdict: Verdict): string {
  return verdict.kind === 'error' ? verdict.message : verdict.kind;
}

/** The answer of an expression of `dependsOn` over any of the steps a, b and c. */
export function dependsOnSays(text: string, steps: Readonly<Record<string, StepFacts>>): string {
  return said(valid(compileDependsOn(text, stepsNamed('a', 'b', 'c'))).evaluate(factsOf(steps)));
}

/** The answer of an expression of `when`. */
export function whenSays(text: string, facts: ExpressionFacts, scope: WhenScope = whenScope): string {
  return said(valid(compileWhen(text, scope)).evaluate(facts));
}
