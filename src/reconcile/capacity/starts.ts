/**
 * When Jobs were created, as far back as a start rate looks. A time is never earlier than the API server's own: what is
 * being created counts as created now until it is confirmed, and a creationTimestamp has lost its fraction of a second.
 */
const lostFraction = 999;

interface Start {
  readonly name: string;
  readonly at: number;
}

export class Starts {
  readonly #pending = new Set<string>();
  /** In the order of their times. */
  #past: Start[] = [];
  readonly #known = new Set<string>();
  /** Milliseconds. */
  #longest = 0;

  /** How far back anybody looks; `jobs`: all that are known, since what was created before nobody noted. */
  look(longest: number, jobs: Iterable<Start>): void {
    this.#longest = longest;
    this.#past = [];
    this.#known.clear();
    if (longest === 0) return;
    for (const { name, at } of jobs) if (!this.#pending.has(name)) this.#note(name, at + lostFraction);
  }

  /** It is being asked for. */
  begin(name: string): void {
    this.#pending.add(name);
  }

  /** It is there, by the API server's word. */
  done(name: string, now: number): void {
    if (this.#pending.delete(name)) this.#note(name, now);
  }

  /** It was not created. */
  drop(name: string): void {
    this.#pending.delete(name);
  }

  /** The cache shows it. */
  seen(name: string, createdAt: number, now: number): void {
    if (this.#pending.has(name)) this.done(name, now);
    else this.#note(name, createdAt + lostFraction);
  }

  /** Created later than so many milliseconds ago, or not confirmed yet. */
  within(milliseconds: number, now: number): number {
    this.#forget(now);
    return this.#pending.size + this.#past.length - this.#firstAfter(now - milliseconds);
  }

  /** When fewer than `count` will have been created within that time, if nothing more is. */
  freeAt(count: number, milliseconds: number, now: number): number {
    const tooMany = this.within(milliseconds, now) - count;
    const last = this.#past[this.#firstAfter(now - milliseconds) + tooMany];
    return last === undefined ? now + milliseconds : last.at + milliseconds;
  }

  #note(name: string, at: number): void {
    if (this.#longest === 0 || this.#known.has(name)) return;
    this.#known.add(name);
    let place = this.#past.length;
    while (place > 0 && (this.#past[place - 1]?.at ?? 0) > at) place -= 1;
    this.#past.splice(place, 0, { name, at });
  }

  #forget(now: number): void {
    const old = this.#firstAfter(now - this.#longest);
    // Not one by one: each costs a shift of all.
    if (old < 64 && old < this.#past.length) return;
    for (const { name } of this.#past.splice(0, old)) this.#known.delete(name);
  }

  /** Index of the first that is later. */
  #firstAfter(time: number): number {
    let [low, high] = [0, this.#past.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#past[middle]?.at ?? 0) > time) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
