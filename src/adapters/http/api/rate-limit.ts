/** So many requests a second for each caller, and so many at once before that holds. */
import type { Clock } from '../../../lib/clock.ts';
import { TokenBucket } from '../../../lib/token-bucket.ts';

export interface RateLimitOptions {
  /** In the long run; 0: no limit. */
  readonly perSecond: number;
  readonly burst: number;
}

/** A bucket for each name. Names come from tokens and certificates that are known, so there are few. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #options: RateLimitOptions;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock, options: RateLimitOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Takes one; otherwise seconds until there is one. */
  take(name: string): number | undefined {
    const { perSecond, burst } = this.#options;
    if (perSecond === 0) return undefined;
    const bucket = this.#buckets.get(name) ?? new TokenBucket(this.#clock, { qps: perSecond, burst });
    this.#buckets.set(name, bucket);
    return bucket.tryTake() ? undefined : bucket.untilNext / 1000;
  }
}
