/**
 * The words of an expression, just far enough to find names in it: texts and comments are told apart from code. The
 * grammar itself is the CEL library's business; where the two disagree about an invalid text, the library refuses it.
 */
export interface Token {
  readonly kind: 'word' | 'text' | 'number' | 'sign';
  readonly text: string;
  /** Offsets in the expression; `end` is the first one after the token. */
  readonly start: number;
  readonly end: number;
}

const blanks = /(?:\s|\/\/[^\n]*)+/y;
const kinds: readonly (readonly [Token['kind'], RegExp])[] = [
  // As the library reads them: a backslash also takes its next character in raw texts (r"…").
  ['text', /[rRbB]?(?:"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\[\s\S]|[^"\\\n\r])*"|'(?:\\[\s\S]|[^'\\\n\r])*')/y],
  ['word', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['number', /0[xX][0-9a-fA-F]+[uU]?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[uU]?/y],
  ['sign', /[\s\S]/y],
];

/** All tokens in order; blanks and comments left out. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = skipBlanks(text, 0); at < text.length; ) {
    const token = tokenAt(text, at);
    tokens.push(token);
    at = skipBlanks(text, token.end);
  }
  return tokens;
}

function tokenAt(text: string, start: number): Token {
  for (const [kind, pattern] of kinds) {
    const found = matchAt(pattern, text, start);
    if (found !== undefined) return { kind, text: found, start, end: start + found.length };
  }
  return { kind: 'sign', text: text.charAt(start), start, end: start + 1 };
}

function skipBlanks(text: string, at: number): number {
  return at + (matchAt(blanks, text, at)?.length ?? 0);
}

/** What a sticky pattern matches at an offset. */
export function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
