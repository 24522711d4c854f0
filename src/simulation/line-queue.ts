/** A stream of documents from one writer to one reader, without limits. */
import type { Json } from '../lib/json.ts';

type Ending = { readonly error: Error | undefined };

/** What was pushed before the end is still read; then the reader sees the end or the error. */
export class LineQueue implements AsyncIterable<Json> {
  #waiting: Json[] = [];
  #reader: { resolve: (result: IteratorResult<Json>) => void; reject: (error: Error) => void } | undefined;
  #ending: Ending | undefined;

  push(line: Json): void {
    if (this.#ending) return;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) reader.resolve({ value: line, done: false });
    else this.#waiting.push(line);
  }

  end(error?: Error): void {
    if (this.#ending) return;
    this.#ending = { error };
    const reader = this.#reader;
    this.#reader = undefined;
    if (!reader) return;
    if (error) reader.reject(error);
    else reader.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): AsyncIterator<Json> {
    return {
      next: () => this.#next(),
      return: () => {
        this.end();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }

  #next(): Promise<IteratorResult<Json>> {
    const line = this.#waiting.shift();
    if (line !== undefined) return Promise.resolve({ value: line, done: false });
    if (this.#ending?.error) return Promise.reject(this.#ending.error);
    if (this.#ending) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => { this.#reader = { resolve, reject }; });
  }
}
