/** So many requests a second for each caller, and so many at once before that holds. */
import type { Clock } from '../../../lib/clock.ts';

export interface RateLimitOptions {
  /** In the long run; 0: no limit. */
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** A bucket for each name. Names come from tokens and certificates that are known, so there are few. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #options: RateLimitOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, options: RateLimitOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Takes one; otherwise seconds until there is one. */
  take(name: string): number | undefined {
    const { perSecond, burst } = this.#options;
    if (perSecond === 0) return undefined;
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(name) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.#buckets.set(name, bucket);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / perSecond;
    bucket.tokens -= 1;
    return undefined;
  }
}
