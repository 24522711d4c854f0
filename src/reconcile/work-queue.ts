/**
 * Keys that want a round, with the semantics of client-go's workqueue:
 * - a key waits at most once, however often it is added
 * - a key is never processed twice at the same time; added meanwhile, it runs exactly once more afterwards
 * - a key that failed comes back after 5 ms × 2^n, at most 5 min, until a round succeeds
 * - a key may be added for later; the earliest time wins
 * - a key whose round says so rests for a while: what is added meanwhile waits until then
 * - `pause` forgets what waits and takes no more keys until `resume`; rounds under way go on, others begin with `start`
 * - `close` takes no more keys and resolves when the rounds under way have ended
 */
import { growingPause } from '../lib/growing-pause.ts';
import PQueue from 'p-queue';
import type { Clock, Timer } from '../lib/clock.ts';
import type { WorkQueueMeter } from './meter.ts';

const firstDelay = 5;
const longestDelay = 5 * 60_000;
/** After a failure the key's own wish counts from here on. */
const shortestAgain = 1000;

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** Rounds under way at once. */
  readonly concurrency: number;
  readonly meter: WorkQueueMeter;
  /** Must handle its own errors; one that throws nevertheless counts as a failed round. */
  readonly run: (key: string) => Promise<RoundResult>;
}
/** `again`: milliseconds until the key wants another round by itself. `rest`: for so long it has none, whoever asks for one. */
export type RoundResult = { readonly kind: 'done'; readonly again: number | undefined; readonly rest?: number } | { readonly kind: 'failed'; readonly again?: number | undefined };

interface Later {
  readonly at: number;
  readonly timer: Timer;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #rounds: PQueue;
  /** Keys that wait, with the monotonic time at which they were added. */
  readonly #waiting = new Map<string, number>();
  /** Keys under way, with the monotonic time at which their round began. */
  readonly #running = new Map<string, number>();
  /** Keys that were added while under way. */
  readonly #dirty = new Set<string>();
  readonly #later = new Map<string, Later>();
  readonly #failures = new Map<string, number>();
  /** Until when keys rest, monotonic. */
  readonly #resting = new Map<string, number>();
  #paused = false;
  #started = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#rounds = new PQueue({ concurrency: options.concurrency });
    options.meter.unfinished(() => [...this.#running.values()].map((since) => (options.clock.monotonic() - since) / 1000));
  }

  /** Rounds begin; what was added before waits until now. */
  start(): void {
    this.#started = true;
    for (const key of this.#waiting.keys()) this.#submit(key);
  }

  add(key: string): void {
    if (this.#paused) return;
    const rest = (this.#resting.get(key) ?? 0) - this.#options.clock.monotonic();
    if (rest > 0) {
      this.addAfter(key, rest);
      return;
    }
    this.#resting.delete(key);
    this.#cancelLater(key);
    if (this.#running.has(key)) {
      this.#dirty.add(key);
      return;
    }
    if (this.#waiting.has(key)) return;
    this.#options.meter.added();
    this.#waiting.set(key, this.#options.clock.monotonic());
    this.#options.meter.depth(this.#waiting.size);
    if (this.#started) this.#submit(key);
  }

  /** Adds the key after `delay` milliseconds, unless it is added before. */
  addAfter(key: string, delay: number): void {
    if (this.#paused) return;
    if (delay <= 0) {
      this.add(key);
      return;
    }
    const at = this.#options.clock.monotonic() + delay;
    const earlier = this.#later.get(key);
    if (earlier && earlier.at <= at) return;
    earlier?.timer.cancel();
    const due = (): void => {
      this.#later.delete(key);
      this.add(key);
    };
    this.#later.set(key, { at, timer: this.#options.clock.timer(delay, due) });
  }

  /** Keys waiting or under way. */
  get size(): number {
    return this.#waiting.size + this.#running.size;
  }

  pause(): void {
    this.#paused = true;
    this.#started = false;
    for (const key of [...this.#later.keys()]) this.#cancelLater(key);
    this.#waiting.clear();
    this.#dirty.clear();
    this.#failures.clear();
    this.#resting.clear();
    this.#rounds.clear();
    this.#options.meter.depth(0);
  }

  resume(): void {
    this.#paused = false;
  }

  async close(): Promise<void> {
    this.pause();
    await this.#rounds.onIdle();
  }

  #cancelLater(key: string): void {
    this.#later.get(key)?.timer.cancel();
    this.#later.delete(key);
  }

  /** Not at once: who adds a key may be in the middle of a list that replaces all that the round looks at. */
  #submit(key: string): void {
    void this.#rounds.add(() => Promise.resolve().then(() => this.#round(key))).catch(() => undefined);
  }

  async #round(key: string): Promise<void> {
    const since = this.#waiting.get(key);
    if (since === undefined) return;
    const { clock, meter } = this.#options;
    const began = clock.monotonic();
    this.#waiting.delete(key);
    this.#running.set(key, began);
    meter.depth(this.#waiting.size);
    meter.waited((began - since) / 1000);
    const result = await this.#run(key);
    this.#running.delete(key);
    meter.worked((clock.monotonic() - began) / 1000);
    this.#comeBack(key, result);
    if (this.#dirty.delete(key)) this.add(key);
  }

  async #run(key: string): Promise<RoundResult> {
    try {
      return await this.#options.run(key);
    } catch {
      return { kind: 'failed' };
    }
  }

  #comeBack(key: string, result: RoundResult): void {
    if (result.kind === 'done') {
      this.#failures.delete(key);
      if (result.rest !== undefined && result.rest > 0) this.#resting.set(key, this.#options.clock.monotonic() + result.rest);
      // Always by a timer: a key that wants the next round at once, each time, would let nothing else happen any more.
      if (result.again !== undefined) this.addAfter(key, Math.max(result.again, 1));
      return;
    }
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#options.meter.retried();
    const backOff = growingPause(failures + 1, firstDelay, longestDelay);
    // What failed must not hold up what else is due for the key, but neither be repeated in a loop.
    this.addAfter(key, Math.min(backOff, Math.max(result.again ?? Infinity, shortestAgain)));
  }
}
