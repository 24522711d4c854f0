/** A clock whose timers die together: what a process, or a container inside a pod, waits for ends with it. */
import type { Clock, Timer } from '../lib/clock.ts';

export class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #skew: () => number;
  readonly #timers = new Set<Timer>();
  #dead = false;

  /** `skew` is added to the wall clock only: machines disagree about the time of day, not about durations. */
  constructor(clock: Clock, skew: () => number = () => 0) {
    this.#clock = clock;
    this.#skew = skew;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#clock.now() + this.#skew();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  timer(delay: number, run: () => void): Timer {
    if (this.#dead) return { cancel: () => undefined };
    const timer = this.#clock.timer(delay, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  /** No timer of this clock fires from now on. */
  kill(): void {
    this.#dead = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
