/** Seeded randomness: the same seed gives the same run. */

/** A generator (sfc32) that can be split by name, so that one part drawing more does not change what another draws. */
export class Random {
  readonly seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string | number) {
    this.seed = String(seed);
    [this.#a, this.#b, this.#c] = hash(this.seed);
    for (let round = 0; round < 12; round += 1) this.#word();
  }

  /** A generator of its own, derived from this one's seed and `name` only. */
  split(name: string): Random {
    return new Random(`${this.seed}/${name}`);
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    return this.#word() / 4_294_967_296;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(0, items.length - 1)];
    if (item === undefined) throw new Error('cannot pick from nothing');
    return item;
  }

  /** Waiting time of a memoryless process. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** Lower-case text as Kubernetes appends it to generated names: without vowels and look-alikes. */
  suffix(length = 5): string {
    const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
    let text = '';
    for (let index = 0; index < length; index += 1) text += alphabet[this.int(0, alphabet.length - 1)] ?? '';
    return text;
  }

  uuid(): string {
    const hex = [this.#hex(), this.#hex(), this.#hex(), this.#hex()].join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  #hex(): string {
    return this.#word().toString(16).padStart(8, '0');
  }

  #word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }
}

/** Three words from a text (FNV-1a with three starts). */
function hash(text: string): [number, number, number] {
  return [fnv(text, 0x811c9dc5), fnv(text, 0x9e3779b9), fnv(text, 0x85ebca6b)];
}

function fnv(text: string, start: number): number {
  let value = start;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value | 0;
}
