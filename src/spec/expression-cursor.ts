/** Reads the names of an expression from its tokens: `load-a.ok`, `params["max-rows"]`. */
import { matchAt, tokensOf, type Token } from './expression-tokens.ts';

/** A name as it is written, and what it stands for; `found` is undefined where that is nothing. */
export interface ReadName {
  readonly spelled: string;
  readonly found: string | undefined;
  readonly start: number;
}

/** The known name that a spelling stands for. */
export type FindName = (spelled: string) => string | undefined;

/** Names may have hyphens, which are a minus to CEL. */
const nameRun = /[A-Za-z0-9_-]+/y;

/** A place between two tokens, which moves on as names are read. */
export class Cursor {
  readonly text: string;
  readonly tokens: readonly Token[];
  index = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = tokensOf(text);
  }

  /** The token `distance` further on. */
  peek(distance = 0): Token | undefined {
    return this.tokens[this.index + distance];
  }

  /** A sign, or a word with that very text, stands `distance` further on. */
  isAt(text: string, distance = 0): boolean {
    return this.peek(distance)?.text === text;
  }

  /** First offset after the last token that was read. */
  get end(): number {
    return this.tokens[this.index - 1]?.end ?? 0;
  }

  /**
   * The name that begins at the word under the cursor: the longest spelling that is known, since `a-b` may be a name or a
   * difference. `whole`: differences make no sense here. Moves on only where something is found.
   */
  name(find: FindName, whole = false): ReadName | undefined {
    const token = this.peek();
    if (token?.kind !== 'word') return undefined;
    const run = matchAt(nameRun, this.text, token.start) ?? token.text;
    for (let length = run.length; length >= token.text.length; length--) {
      if (length < run.length && (whole || run[length] !== '-')) continue;
      const spelled = run.slice(0, length);
      const found = find(spelled);
      if (found === undefined) continue;
      this.#skipTo(token.start + length);
      return { spelled, found, start: token.start };
    }
    return { spelled: run, found: undefined, start: token.start };
  }

  /** The name after a dot, or in brackets and quotes; undefined where neither follows. */
  field(find: FindName, whole = false): ReadName | undefined {
    if (this.isAt('.') && this.peek(1)?.kind === 'word') {
      this.index += 1;
      return this.name(find, whole);
    }
    const quoted = this.peek(1);
    if (!this.isAt('[') || quoted?.kind !== 'text' || !this.isAt(']', 2)) return undefined;
    const spelled = quoted.text.slice(1, -1);
    const found = find(spelled);
    if (found !== undefined) this.index += 3;
    return { spelled, found, start: quoted.start };
  }

  #skipTo(offset: number): void {
    while ((this.peek()?.start ?? offset) < offset) this.index += 1;
  }
}
