/**
 * Virtual time. Nothing waits for real: after each timer all promise work is drained, and then time jumps to the next
 * timer. Whatever runs on it must wait only for this clock and for promises: with real I/O or real timers inside, the
 * order would no longer be the same in every run.
 */
import type { Clock, Timer } from '../lib/clock.ts';
import { type HeapTimer, TimerHeap } from './timer-heap.ts';

/** Where virtual time starts unless said otherwise: 2026-01-01T00:00:00Z. */
export const defaultStart = 1_767_225_600_000;
/** One turn drains every promise; the second catches code that yields with setImmediate itself. */
const turnsPerTimer = 2;

/** A clock that stands still until `runFor`, `runTo` or `runUntil` moves it. */
export class VirtualClock implements Clock {
  readonly #start: number;
  readonly #heap = new TimerHeap();
  #elapsed = 0;
  #order = 0;
  #fired = 0;
  #running = false;

  constructor(start: number = defaultStart) {
    this.#start = start;
  }

  /** In whole milliseconds, as Date.now. */
  now(): number {
    return Math.floor(this.#start + this.#elapsed);
  }

  monotonic(): number {
    return this.#elapsed;
  }

  timer(delay: number, run: () => void): Timer {
    return this.#set(delay, run, false);
  }

  /** For the simulation's own parts: `run` must not settle a promise, since nothing is drained after it. */
  quietTimer(delay: number, run: () => void): Timer {
    return this.#set(delay, run, true);
  }

  /** Timers that are still waiting: after everything was stopped, what is left is a leak. */
  get pendingTimers(): number {
    return this.#heap.size;
  }

  /** Timers that have fired since the start: a measure of work. */
  get firedTimers(): number {
    return this.#fired;
  }

  /** Lets `milliseconds` of virtual time pass. */
  async runFor(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds;
    await this.#run(end, () => false);
    this.#elapsed = Math.max(this.#elapsed, end);
  }

  /** Runs everything that is due up to and at `time` (milliseconds since 1970), and then stands there. */
  runTo(time: number): Promise<void> {
    return this.runFor(time - this.#start - this.#elapsed);
  }

  /**
   * Runs until `condition` holds, and says whether it came to hold within `limit` milliseconds. Time then stands where
   * it became true. Without any timer left nothing can change any more, so the answer is no at once.
   */
  async runUntil(condition: () => boolean, limit = 3_600_000): Promise<boolean> {
    const end = this.#elapsed + limit;
    if (await this.#run(end, condition)) return true;
    if (this.#heap.size > 0) this.#elapsed = Math.max(this.#elapsed, end);
    return condition();
  }

  /** Lets pending promise work happen without letting time pass. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < turnsPerTimer; turn += 1) await nextTurn();
  }

  async #run(end: number, condition: () => boolean): Promise<boolean> {
    if (this.#running) throw new Error('the virtual clock is already running: await the first run');
    this.#running = true;
    try {
      await this.settle();
      while (!condition()) {
        const next = this.#takeDue(end);
        if (next === undefined) return false;
        next.run();
        if (!next.quiet) await this.settle();
      }
      return true;
    } finally {
      this.#running = false;
    }
  }

  #takeDue(end: number): { run: () => void; quiet: boolean } | undefined {
    const next = this.#heap.peek();
    if (next?.run === undefined || next.due > end) return undefined;
    this.#heap.pop();
    const due = { run: next.run, quiet: next.quiet };
    // Cancelling it from now on must not count it as cancelled inside the heap.
    next.run = undefined;
    this.#elapsed = Math.max(this.#elapsed, next.due);
    this.#fired += 1;
    return due;
  }

  #set(delay: number, run: () => void, quiet: boolean): Timer {
    if (Number.isNaN(delay)) throw new Error('a timer needs a delay');
    // Like setTimeout, which waits at least one millisecond: a loop of zero delays must not stop time.
    const timer: HeapTimer = { due: this.#elapsed + Math.max(delay, quiet ? 0 : 1), order: (this.#order += 1), run, quiet };
    if (delay !== Infinity) this.#heap.push(timer);
    return { cancel: () => { if (delay !== Infinity) this.#heap.cancel(timer); } };
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => { setImmediate(resolve); });
}
