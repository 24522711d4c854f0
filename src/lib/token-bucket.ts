/** A rate limit: `qps` requests a second in the long run, `burst` at once, first come first served. */
import type { Clock } from './clock.ts';

export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMillisecond: number;
  readonly #burst: number;
  /** Below zero: so many callers wait. Each knows from it when its own token comes, so that no queue is kept. */
  #tokens: number;
  #at: number;

  constructor(clock: Clock, limits: { readonly qps: number; readonly burst: number }) {
    this.#clock = clock;
    this.#perMillisecond = limits.qps / 1000;
    this.#burst = Math.max(1, limits.burst);
    this.#tokens = this.#burst;
    this.#at = clock.monotonic();
  }

  /** Takes a token and tells how many milliseconds to wait before using it. */
  take(): number {
    this.#refill();
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMillisecond;
  }

  /** Takes a token only if one is there now. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until there is a token, from the last time that one was asked for. */
  get untilNext(): number {
    return Math.max(0, 1 - this.#tokens) / this.#perMillisecond;
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMillisecond);
    this.#at = now;
  }
}
