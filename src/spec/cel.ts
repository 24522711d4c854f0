/**
 * The only user of the CEL library. It parses, checks types and computes; names are variables by now (expression-text.ts),
 * and what decides while facts are missing is in expression-truth.ts.
 */
import { Environment, EvaluationError, ParseError, TypeError as CelTypeError, type ASTNode } from '@marcbachmann/cel-js';
import { asMessage } from '../lib/show.ts';
import { ExpressionFault } from './expression-fault.ts';

export type { ASTNode } from '@marcbachmann/cel-js';

/** Types by the names of variables. */
export type CelVariables = Readonly<Record<string, string>>;

/** A text that was parsed and checked. */
export interface CelProgram {
  readonly ast: ASTNode;
  /** CEL's name of the type of its result. */
  readonly type: string;
  /** Throws what the library throws: see `evaluationMessage`. */
  run(values: Readonly<Record<string, unknown>>): unknown;
}

const environment = new Environment({ limits: { maxAstNodes: 1_000, maxDepth: 50, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 8 } });

/** Compiles texts over the same variables. The function throws faults with offsets in the text that it was given. */
export function celCompiler(variables: CelVariables): (text: string) => CelProgram {
  const scoped = Object.entries(variables).reduce((scope, [name, type]) => scope.registerVariable(name, type), environment.clone());
  return (text) => {
    try {
      const parsed = scoped.parse(text);
      const { type, error } = parsed.check();
      if (error) throw error;
      return { ast: parsed.ast, type: type ?? 'dyn', run: (values): unknown => parsed(values) };
    } catch (thrown) {
      throw faultOf(thrown, text);
    }
  };
}

function faultOf(thrown: unknown, text: string): ExpressionFault {
  if (thrown instanceof RangeError) return new ExpressionFault('the expression is nested too deeply', 0);
  if (!(thrown instanceof ParseError || thrown instanceof CelTypeError)) return new ExpressionFault(asMessage(thrown), 0);
  const offset = thrown.range?.start ?? 0;
  // The library says so with quotes where a whole expression is followed by more.
  if (/^Unexpected character: '/.test(thrown.summary)) return new ExpressionFault('the expression should end here', offset, 'an operator such as && may be missing');
  return new ExpressionFault(message(thrown.summary), offset, hint(thrown.code, thrown.summary, text.charAt(offset)));
}

const tokenTexts: Readonly<Record<string, string>> = {
  EOF: 'the end',
  NUMBER: 'a number',
  STRING: 'a text',
  BYTES: 'a text',
  BOOLEAN: 'true or false',
  NULL: 'null',
  IDENTIFIER: 'a name',
  PLUS: '"+"',
  MINUS: '"-"',
  MULTIPLY: '"*"',
  DIVIDE: '"/"',
  MODULO: '"%"',
  EQ: '"=="',
  NE: '"!="',
  LT: '"<"',
  LE: '"<="',
  GT: '">"',
  GE: '">="',
  AND: '"&&"',
  OR: '"||"',
  NOT: '"!"',
  IN: '"in"',
  LPAREN: '"("',
  RPAREN: '")"',
  LBRACKET: '"["',
  RBRACKET: '"]"',
  LBRACE: '"{"',
  RBRACE: '"}"',
  DOT: '"."',
  COMMA: '","',
  COLON: '":"',
  QUESTION: '"?"',
};

/** The library's sentence with signs for the names of its tokens, and without its capital letter. */
function message(summary: string): string {
  const limit = /^Exceeded (\w+) \((\d+)\)$/.exec(summary);
  if (limit) return `the expression is too large: more than ${limit[2] ?? ''} ${limitTexts[limit[1] ?? ''] ?? 'parts'}`;
  const overload = /^no such overload: (.+)$/.exec(summary)?.[1];
  if (overload !== undefined) return `there is no operator for "${overload.replaceAll(/dyn<((?:[^<>]|<[^<>]*>)*)>/g, '$1')}"`;
  const text = summary.replaceAll(/\b[A-Z]{2,}\b/g, (word) => tokenTexts[word] ?? word);
  return text.charAt(0).toLowerCase() + text.slice(1);
}

const limitTexts: Readonly<Record<string, string>> = {
  maxDepth: 'levels',
  maxListElements: 'members of a list',
  maxMapEntries: 'entries of a mapping',
  maxCallArguments: 'arguments',
};

function hint(code: string, summary: string, sign: string): string | undefined {
  if (code === 'unexpected_character') return { '&': 'write &&', '|': 'write ||', '=': 'write ==', $: 'write params.x for $(params.x)' }[sign];
  if (code !== 'no_such_overload') return undefined;
  if (/\b(double \S+ int|int \S+ double)\b/.test(summary)) return 'whole numbers and numbers do not mix: write 3.0, or double(x)';
  return summary.includes('dyn') ? undefined : 'both sides must have the same type: convert with int(), double() or string()';
}

/** What went wrong in `run`. */
export function evaluationMessage(thrown: unknown): string {
  if (thrown instanceof EvaluationError || thrown instanceof ParseError || thrown instanceof CelTypeError) return message(thrown.summary);
  return asMessage(thrown);
}
