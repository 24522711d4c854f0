/** Ten thousand Jobs of a hundred specs repeat a hundred texts: keep each once. */
export class Interner<T> {
  readonly #known = new Map<string, T>();
  readonly #make: (text: string) => T;
  readonly #capacity: number;

  constructor(make: (text: string) => T, capacity = 4096) {
    this.#make = make;
    this.#capacity = capacity;
  }

  get(text: string): T {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const made = this.#make(text);
    // Dropping all of it costs some duplicates, and no bookkeeping on the way of every object.
    if (this.#known.size >= this.#capacity) this.#known.clear();
    this.#known.set(text, made);
    return made;
  }
}
