/**
 * Puts a variable of its own in the place of each name, before the CEL library parses the text. So names may have hyphens
 * and be words that CEL reserves (`import.ok`), and the library gets no more variables than the expression uses.
 */
import { nearest } from '../lib/nearest.ts';
import { Cursor } from './expression-cursor.ts';
import { ExpressionFault } from './expression-fault.ts';
import type { Fact, Scope } from './expression-names.ts';
import type { Token } from './expression-tokens.ts';

/** A name that was replaced. */
export interface Variable {
  readonly name: string;
  readonly fact: Fact;
  /** Whether it has a value (`has(params.x)`), not which. */
  readonly presence: boolean;
  /** It stands where it is asked for once for each member of a list. */
  readonly repeated: boolean;
}

/** The text with variables for names. */
export interface Rewritten {
  readonly text: string;
  readonly variables: readonly Variable[];
  /** Where an offset of `text` was in the source. */
  readonly sourceOffset: (offset: number) => number;
}

/** Functions that expressions have. Those that CEL has beyond them could make values grow or run for minutes. */
const functions: ReadonlySet<string> = new Set(['has', 'size', 'int', 'double', 'string', 'bool', 'timestamp', 'duration']);
const macros: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter']);
const methods: ReadonlySet<string> = new Set([
  ...macros,
  ...['size', 'contains', 'startsWith', 'endsWith', 'lowerAscii', 'upperAscii', 'trim', 'split', 'indexOf', 'substring'],
  ...['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear', 'getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'],
]);
/** Words that stand for themselves, so that nothing else can be called so. */
export const literals: ReadonlySet<string> = new Set(['true', 'false', 'null', 'in']);
/** Sums of lists copy them, so their number is bounded. */
const mostSums = 16;

/** Finds and replaces all names. Throws faults: unknown names and functions, comprehensions inside each other. */
export function rewrite(text: string, scope: Scope): Rewritten {
  return new Rewriter(text, scope).run();
}

interface Piece {
  readonly source: { readonly start: number; readonly end: number };
  readonly target: { readonly start: number; readonly end: number };
}

class Rewriter {
  readonly #cursor: Cursor;
  readonly #scope: Scope;
  readonly #prefix: string;
  readonly #locals: ReadonlySet<string>;
  readonly #variables = new Map<string, Variable>();
  readonly #pieces: Piece[] = [];
  #target = '';
  #copied = 0;
  #depth = 0;
  /** Depth of brackets at which the comprehension that is being read began. */
  #macro: number | undefined;

  constructor(text: string, scope: Scope) {
    this.#cursor = new Cursor(text);
    this.#scope = scope;
    let prefix = 'v';
    while (text.includes(prefix)) prefix += '_';
    this.#prefix = prefix;
    this.#locals = locals(this.#cursor.tokens);
  }

  run(): Rewritten {
    this.#countSums();
    for (let token = this.#cursor.peek(); token; token = this.#cursor.peek()) this.#step(token);
    this.#target += this.#cursor.text.slice(this.#copied);
    const pieces = this.#pieces;
    return { text: this.#target, variables: [...this.#variables.values()], sourceOffset: (offset) => sourceOffset(pieces, offset) };
  }

  #countSums(): void {
    const sums = this.#cursor.tokens.filter(({ text }) => text === '+');
    const tooMuch = sums[mostSums];
    if (tooMuch) throw new ExpressionFault(`more than ${mostSums} sums in one expression`, tooMuch.start);
  }

  #step(token: Token): void {
    if (token.text === '"' || token.text === "'") throw new ExpressionFault('a text is not closed', token.start);
    if (token.kind === 'sign') this.#bracket(token.text);
    if (token.kind !== 'word') {
      this.#cursor.index += 1;
      return;
    }
    if (this.#isMember()) this.#member(token);
    else if (token.text === 'has' && this.#cursor.isAt('(', 1)) this.#presence(token);
    else if (this.#cursor.isAt('(', 1)) this.#function(token);
    else this.#word(token);
  }

  #bracket(sign: string): void {
    if ('([{'.includes(sign)) this.#depth += 1;
    if (!')]}'.includes(sign)) return;
    this.#depth -= 1;
    if (this.#macro !== undefined && this.#depth <= this.#macro) this.#macro = undefined;
  }

  #isMember(): boolean {
    return this.#cursor.isAt('.', -1);
  }

  /** A word after a dot is a field of some value, or a method. */
  #member(token: Token): void {
    if (this.#cursor.isAt('(', 1)) {
      if (!methods.has(token.text)) throw unknownFunction(token, methods);
      if (macros.has(token.text)) {
        if (this.#macro !== undefined) throw new ExpressionFault(`${token.text}() inside another comprehension`, token.start, 'it would take the product of both lists: split the expression, or decide in a step');
        this.#macro = this.#depth;
      }
    }
    this.#cursor.index += 1;
  }

  #function(token: Token): void {
    if (!functions.has(token.text)) throw unknownFunction(token, functions);
    this.#cursor.index += 1;
  }

  /** `has(params.x)` is one variable; `has(params.x.y)` is the library's. */
  #presence(token: Token): void {
    const from = this.#cursor.index;
    this.#cursor.index += 2;
    const fact = this.#cursor.peek()?.kind === 'word' ? this.#scope.read(this.#cursor) : undefined;
    if (fact === undefined || fact.kind === 'item' || !this.#cursor.isAt(')')) {
      this.#cursor.index = from + 1;
      return;
    }
    if (fact.kind === 'outcome') throw new ExpressionFault('has() is for parameters and outputs', token.start, `write ${fact.field === 'completed' ? '' : `completed or `}${fact.field} without has()`);
    this.#cursor.index += 1;
    this.#replace(token.start, fact, true);
  }

  #word(token: Token): void {
    // `true-north` may be the name of a step.
    const literal = literals.has(token.text) && this.#cursor.text[token.end] !== '-';
    if (literal || this.#locals.has(token.text)) {
      this.#cursor.index += 1;
      return;
    }
    const fact = this.#scope.read(this.#cursor);
    if (fact !== undefined) this.#replace(token.start, fact, false);
    else throw this.#unknown(token);
  }

  #unknown(token: Token): ExpressionFault {
    const operator = { and: '&&', or: '||', not: '!' }[token.text];
    if (operator !== undefined) return new ExpressionFault(`there is no "${token.text}"`, token.start, `write ${operator}`);
    return this.#scope.unknown(this.#cursor.name(() => undefined, true) ?? { spelled: token.text, found: undefined, start: token.start });
  }

  #replace(start: number, fact: Fact, presence: boolean): void {
    const call = this.#cursor.peek();
    if (call?.text === '(') throw new ExpressionFault('a value is no function', call.start, 'write it without parentheses');
    const name = this.#variable(fact, presence);
    this.#target += this.#cursor.text.slice(this.#copied, start);
    const { end } = this.#cursor;
    this.#pieces.push({ source: { start, end }, target: { start: this.#target.length, end: this.#target.length + name.length } });
    // A word that follows at once must not become a part of the variable.
    this.#target += /[A-Za-z0-9_]/.test(this.#cursor.text.charAt(end)) ? `${name} ` : name;
    this.#copied = end;
  }

  /** One variable for each fact, however often it is named. */
  #variable(fact: Fact, presence: boolean): string {
    const repeated = this.#macro !== undefined;
    const key = JSON.stringify([fact, presence, repeated]);
    const known = this.#variables.get(key);
    if (known) return known.name;
    const name = `${this.#prefix}${this.#variables.size}`;
    this.#variables.set(key, { name, fact, presence, repeated });
    return name;
  }
}

function unknownFunction(token: Token, known: ReadonlySet<string>): ExpressionFault {
  const guess = nearest(token.text, known);
  const regex = token.text === 'matches' ? 'regular expressions can run for hours: use startsWith, endsWith or contains, or decide in a step' : undefined;
  return new ExpressionFault(`there is no function "${token.text}"`, token.start, regex ?? (guess === undefined ? `there are ${[...known].join(', ')}` : `did you mean "${guess}"?`));
}

/** Variables of comprehensions: `x` in `list.exists(x, …)`. */
function locals(tokens: readonly Token[]): Set<string> {
  const found = new Set<string>();
  tokens.forEach((token, index) => {
    const [dot, macro, open, comma] = [tokens[index - 3], tokens[index - 2], tokens[index - 1], tokens[index + 1]];
    if (token.kind === 'word' && open?.text === '(' && comma?.text === ',' && dot?.text === '.' && macros.has(macro?.text ?? '')) found.add(token.text);
  });
  return found;
}

function sourceOffset(pieces: readonly Piece[], offset: number): number {
  const before = pieces.findLast(({ target }) => target.start <= offset);
  if (before === undefined) return offset;
  return offset < before.target.end ? before.source.start : before.source.end + (offset - before.target.end);
}
