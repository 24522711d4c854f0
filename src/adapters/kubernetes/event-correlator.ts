/**
 * Keeps Events few, by the rules of client-go: what repeats raises a count, ten different messages of one reason within
 * ten minutes become one, and an object gets 25 at once and then one every five minutes.
 */
import type { Clock } from '../../lib/clock.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';

export interface Occurrence {
  /** UID of the object. */
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export type Correlated =
  | { readonly kind: 'drop' }
  | { readonly kind: 'create'; readonly slot: Slot; readonly message: string }
  | { readonly kind: 'repeat'; readonly slot: Slot; readonly message: string };

/** One Event in the cluster. Its writer fills in the name when the Event is stored, and empties it when it is gone. */
export interface Slot {
  name: string | undefined;
  count: number;
  readonly firstSeen: number;
}

const similarLimit = 10;
const similarWindow = 600_000;
const burst = 25;
const perSecond = 1 / 300;
const remembered = 4096;

export class EventCorrelator {
  readonly #clock: Clock;
  readonly #buckets = new RecentMap<TokenBucket>(remembered);
  readonly #similar = new RecentMap<{ at: number; messages: Set<string> }>(remembered);
  readonly #slots = new RecentMap<Slot>(remembered);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  correlate(event: Occurrence): Correlated {
    const bucket = this.#buckets.get(event.object) ?? new TokenBucket(this.#clock, { qps: perSecond, burst });
    this.#buckets.set(event.object, bucket);
    if (!bucket.tryTake()) return { kind: 'drop' };
    const group = `${event.object}\n${event.type}\n${event.reason}`;
    const combined = this.#countSimilar(group, event.message) > similarLimit;
    const id = combined ? group : `${group}\n${event.message}`;
    const message = combined ? `(combined from similar events): ${event.message}` : event.message;
    const known = this.#slots.get(id);
    if (known) {
      known.count += 1;
      this.#slots.set(id, known);
      return { kind: 'repeat', slot: known, message };
    }
    const slot: Slot = { name: undefined, count: 1, firstSeen: this.#clock.now() };
    this.#slots.set(id, slot);
    return { kind: 'create', slot, message };
  }

  #countSimilar(group: string, message: string): number {
    const now = this.#clock.monotonic();
    const known = this.#similar.get(group);
    const recent = known && now - known.at < similarWindow ? known : { at: now, messages: new Set<string>() };
    recent.at = now;
    if (recent.messages.size <= similarLimit) recent.messages.add(message);
    this.#similar.set(group, recent);
    return recent.messages.size;
  }
}

/** A Map that forgets what was not set for longest. */
class RecentMap<T> {
  readonly #map = new Map<string, T>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): T | undefined {
    return this.#map.get(key);
  }

  set(key: string, value: T): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size <= this.#capacity) return;
    const oldest = this.#map.keys().next();
    if (oldest.done !== true) this.#map.delete(oldest.value);
  }
}
