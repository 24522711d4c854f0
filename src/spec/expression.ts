/**
 * CEL, as `dependsOn` and `when` use it: names are resolved (expression-text.ts), the CEL library parses and checks types
 * (cel.ts), and what decides while results are open is three-valued logic (expression-truth.ts). Why:
 * docs/adr/0009-expressions.md.
 */
import { celCompiler, type CelProgram } from './cel.ts';
import { ExpressionFault, type ExpressionProblem } from './expression-fault.ts';
import { celTypeOfVariable } from './expression-inputs.ts';
import { outcomeScope, valueScope, type Scope, type WhenScope } from './expression-names.ts';
import { rewrite, type Rewritten } from './expression-text.ts';
import { tokensOf } from './expression-tokens.ts';
import { truthOf } from './expression-truth.ts';
import type { Expression } from './facts.ts';

export type { ExpressionProblem } from './expression-fault.ts';
export type { WhenScope } from './expression-names.ts';
export { stepFields, type Expression, type ExpressionFacts, type StepFacts, type StepField, type Verdict } from './facts.ts';

/** Names that an expression of `dependsOn` may use. */
export interface DependsOnScope {
  readonly steps: readonly { readonly id: string; readonly name: string }[];
}

/** Most characters of an expression. */
export const longestExpression = 4_096;

/**
 * Compiles CEL over outcomes: `extract.ok && (check.failed || check.skipped)`. Names may be written with their hyphens.
 * Where a workflow has many expressions, `dependsOnCompiler` reads the steps only once.
 */
export function compileDependsOn(text: string, scope: DependsOnScope): Expression | ExpressionProblem {
  return dependsOnCompiler(scope)(text);
}

/** `compileDependsOn` for many texts over the same steps. */
export function dependsOnCompiler({ steps }: DependsOnScope): (text: string) => Expression | ExpressionProblem {
  const scope = outcomeScope(steps);
  return (text) => compile(text, scope);
}

/** Compiles CEL over `params`, `steps` and `run`: `steps.count.outputs.rows > 0 && params.mode == "full"`. */
export function compileWhen(text: string, scope: WhenScope): Expression | ExpressionProblem {
  return compile(text, valueScope(scope));
}

function compile(text: string, scope: Scope): Expression | ExpressionProblem {
  try {
    return compiled(text, scope);
  } catch (thrown) {
    if (!(thrown instanceof ExpressionFault)) throw thrown;
    const { message, offset, hint } = thrown;
    return { kind: 'problem', message, offset: Math.min(offset, text.length), ...(hint === undefined ? {} : { hint }) };
  }
}

function compiled(text: string, scope: Scope): Expression {
  if (text.length > longestExpression) throw new ExpressionFault(`the expression is longer than ${longestExpression} characters`, longestExpression);
  if (text.trim() === '') throw new ExpressionFault('the expression is empty', 0);
  const rewritten = rewrite(text, scope);
  const compiler = celCompiler(Object.fromEntries(rewritten.variables.map((variable) => [variable.name, celTypeOfVariable(variable)])));
  const program = parsed(rewritten, compiler);
  if (program.type !== 'bool') throw new ExpressionFault(`the expression gives ${typeText(program.type)}, not true or false`, 0, typeHint(program.type));
  const evaluate = truthOf(program.ast, { text: rewritten.text, variables: rewritten.variables, compile: compiler, size: sizeOf(text) });
  const steps = rewritten.variables.flatMap(({ fact }) => (fact.kind === 'outcome' || fact.kind === 'output' ? [fact.step] : []));
  return { text, steps: [...new Set(steps)], evaluate };
}

/** Its words and signs, each again for each sum: a sum copies both sides. */
function sizeOf(text: string): number {
  const tokens = tokensOf(text);
  return tokens.length * (1 + tokens.filter((token) => token.text === '+').length);
}

function parsed({ text, sourceOffset }: Rewritten, compiler: (text: string) => CelProgram): CelProgram {
  try {
    return compiler(text);
  } catch (thrown) {
    throw thrown instanceof ExpressionFault ? new ExpressionFault(thrown.message, sourceOffset(thrown.offset), thrown.hint) : thrown;
  }
}

function typeText(type: string): string {
  switch (type) {
    case 'int':
    case 'uint':
      return 'a whole number';
    case 'double':
      return 'a number';
    case 'string':
      return 'a text';
    case 'dyn':
      return 'a value of no known type';
    default:
      return `a ${type.replace(/^google\.protobuf\./, '').replace(/<.*/, '').toLowerCase()}`;
  }
}

function typeHint(type: string): string {
  return type === 'dyn' ? 'compare it: … == true' : 'compare it with something';
}
