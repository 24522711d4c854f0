/**
 * Three-valued logic. The CEL library absorbs errors (`error || true` is true), but it cannot tell a fact that is missing
 * from a division by zero, and pays 10 µs for each that it throws. So `&&`, `||`, `!` and `?:` are decided here, with what
 * stands between them left to the library (docs/adr/0009-expressions.md).
 */
import { evaluationMessage, type ASTNode, type CelProgram } from './cel.ts';
import { celTypeOfVariable, celValues, inputsOf, readVariable, workOf } from './expression-inputs.ts';
import type { Variable } from './expression-text.ts';
import { tokensOf } from './expression-tokens.ts';
import { Gap } from './expression-values.ts';
import type { ExpressionFacts, Verdict } from './facts.ts';

/** Answers from facts. */
export type Truth = (facts: ExpressionFacts) => Verdict;

const yes: Verdict = { kind: 'true' };
const no: Verdict = { kind: 'false' };

/** Members of lists and mappings, times words of the expression, that it may walk over. Measured: at most 70 ns each. */
const mostWork = 10_000_000;

/** How a checked text becomes a function. */
export interface Source {
  /** The text, with variables for names. */
  readonly text: string;
  readonly variables: readonly Variable[];
  readonly compile: (text: string) => CelProgram;
  /** How many parts of the whole text may each walk over all values. */
  readonly size: number;
}

/** The truth of a part of the text. */
export function truthOf(node: ASTNode, source: Source): Truth {
  switch (node.op) {
    case '||':
      return anyOf(operands(node, '||').map((operand) => truthOf(operand, source)));
    case '&&':
      return allOf(operands(node, '&&').map((operand) => truthOf(operand, source)));
    case '!_':
      return negation(truthOf(node.args, source));
    case '?:':
      return choice(truthOf(node.args[0], source), truthOf(node.args[1], source), truthOf(node.args[2], source));
    case 'value':
      return constant(node.args === true ? yes : no);
    case 'id':
      return direct(node.args, source);
    default:
      return computed(sourceText(node, source.text), source);
  }
}

function constant(verdict: Verdict): Truth {
  return () => verdict;
}

/** `a || b || c` is parsed as a chain of pairs; as one list its depth does not grow with its length. */
function operands(node: ASTNode, op: '||' | '&&'): ASTNode[] {
  const found: ASTNode[] = [];
  let at = node;
  while (at.op === op) {
    found.push(at.args[1]);
    at = at.args[0];
  }
  return [at, ...found.reverse()];
}

/** What decides wins in any order; then what may still decide; then an error. */
function anyOf(truths: readonly Truth[]): Truth {
  return (facts) => fold(truths, facts, yes, no);
}

function allOf(truths: readonly Truth[]): Truth {
  return (facts) => fold(truths, facts, no, yes);
}

function fold(truths: readonly Truth[], facts: ExpressionFacts, decisive: Verdict, otherwise: Verdict): Verdict {
  let result = otherwise;
  for (const truth of truths) {
    const verdict = truth(facts);
    if (verdict.kind === decisive.kind) return decisive;
    if (verdict.kind === 'open' || (verdict.kind === 'error' && result.kind === otherwise.kind)) result = verdict;
  }
  return result;
}

function negation(truth: Truth): Truth {
  return (facts) => {
    const verdict = truth(facts);
    if (verdict.kind === 'true') return no;
    return verdict.kind === 'false' ? yes : verdict;
  };
}

function choice(condition: Truth, then: Truth, otherwise: Truth): Truth {
  return (facts) => {
    const verdict = condition(facts);
    if (verdict.kind === 'true') return then(facts);
    return verdict.kind === 'false' ? otherwise(facts) : verdict;
  };
}

/** A variable that is true or false itself needs no library. */
function direct(name: string, { variables }: Source): Truth {
  const variable = variables.find((candidate) => candidate.name === name);
  if (variable === undefined) return constant({ kind: 'error', message: 'it is not true or false' });
  return (facts) => asVerdict(readVariable(variable, facts));
}

function asVerdict(value: unknown): Verdict {
  if (typeof value === 'boolean') return value ? yes : no;
  return value instanceof Gap ? value.verdict : { kind: 'error', message: 'it is not true or false' };
}

/** A part that the library answers: a comparison, a function. */
function computed(text: string, { variables, compile, size }: Source): Truth {
  const words = new Set(tokensOf(text).map((token) => token.text));
  const used = variables.filter(({ name }) => words.has(name));
  // Then a text may become a list of its characters.
  const split = words.has('split');
  const light = !split && used.every((variable) => !variable.repeated && scalars.has(celTypeOfVariable(variable)));
  const program = compile(text);
  return (facts) => {
    const inputs = inputsOf(used, facts);
    if (!light && workOf(inputs, split) * size > mostWork) return { kind: 'error', message: 'its values are too large for an expression' };
    try {
      return asVerdict(program.run(celValues(inputs)));
    } catch (thrown) {
      return inputs.gap ?? { kind: 'error', message: evaluationMessage(thrown) };
    }
  };
}

const scalars: ReadonlySet<string> = new Set(['bool', 'int', 'double', 'string', 'google.protobuf.Timestamp']);

/** The text of a node. The library's ranges leave out the parentheses of the first and last operand. */
function sourceText(node: ASTNode, text: string): string {
  let { start, end } = node;
  const opened: number[] = [];
  for (const token of tokensOf(text)) {
    if ('([{'.includes(token.text)) opened.push(token.start);
    if (!')]}'.includes(token.text)) continue;
    const opening = opened.pop() ?? 0;
    if (token.start >= start && token.start < end) start = Math.min(start, opening);
    else if (opening >= start && opening < end) end = Math.max(end, token.end);
  }
  return text.slice(start, end);
}
