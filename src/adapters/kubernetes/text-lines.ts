/** Splits text that comes in pieces into lines, however long somebody makes them. */

export interface TextLine {
  readonly text: string;
  /** It was longer: the rest of it is left out. */
  readonly cut: boolean;
}

/** Never holds more than a piece and `longest` characters. A last line without a line feed counts. */
export async function* textLines(pieces: AsyncIterable<string>, longest: number): AsyncGenerator<TextLine, void, void> {
  const line = new LineBuffer(longest);
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf('\n'); end !== -1; end = piece.indexOf('\n', start)) {
      line.add(piece, start, end);
      yield line.take();
      start = end + 1;
    }
    line.add(piece, start, piece.length);
  }
  if (!line.isEmpty) yield line.take();
}

class LineBuffer {
  readonly #longest: number;
  #text = '';
  #cut = false;

  constructor(longest: number) {
    this.#longest = longest;
  }

  get isEmpty(): boolean {
    return this.#text === '';
  }

  add(piece: string, start: number, end: number): void {
    const room = this.#longest - this.#text.length;
    this.#text += piece.slice(start, Math.min(end, start + room));
    if (end - start > room) this.#cut = true;
  }

  take(): TextLine {
    const line = { text: this.#text, cut: this.#cut };
    this.#text = '';
    this.#cut = false;
    return line;
  }
}
