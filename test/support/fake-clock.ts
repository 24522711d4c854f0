/** A clock that only moves when told to, and a way to wait for a condition without guessing a time. */
import type { Clock, Timer } from '../../src/lib/clock.ts';

interface Pending extends Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class FakeClock implements Clock {
  #now: number;
  #monotonic = 0;
  #order = 0;
  readonly #timers = new Set<Pending>();

  /** `now`: milliseconds since 1970 at the start; 2026-01-01 unless given. */
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  timer(delay: number, run: () => void): Timer {
    const pending: Pending = {
      at: this.#monotonic + Math.max(0, delay),
      order: (this.#order += 1),
      run,
      cancel: () => {
        this.#timers.delete(pending);
      },
    };
    this.#timers.add(pending);
    return pending;
  }

  /** Delays until the pending timers fire, shortest first: a leak check, and an assertion about back-offs. */
  get pending(): readonly number[] {
    return [...this.#timers].map((timer) => timer.at - this.#monotonic).sort((a, b) => a - b);
  }

  /** Moves both clocks on, runs what falls due in order, and lets promises settle after each. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#monotonic + milliseconds;
    await settle();
    for (let next = this.#due(end); next; next = this.#due(end)) {
      this.#moveTo(next.at);
      this.#timers.delete(next);
      next.run();
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  /** Moves to the next timer, whenever it is; false when there is none. */
  async next(): Promise<boolean> {
    await settle();
    const delay = this.pending[0];
    if (delay === undefined) return false;
    await this.advance(delay);
    return true;
  }

  /** Jumps the wall clock only, as an NTP correction does. */
  setWallClock(now: number): void {
    this.#now = now;
  }

  #due(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))) first = timer;
    }
    return first;
  }

  #moveTo(monotonic: number): void {
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}

/** Lets promises settle, chained ones included. Does not wait for sockets or files: for those use `until`. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves as soon as `condition` holds; rejects with `what` when it does not within `limit` real milliseconds. */
export async function until(condition: () => boolean, what: string | (() => string) = 'condition', limit = 10_000): Promise<void> {
  const end = performance.now() + limit;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${limit} ms in vain for ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
